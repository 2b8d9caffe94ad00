/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/track.h"

#include <stdlib.h>

#include "store/slice.h"

void tracks_done(struct tracks *t)
{
	for (size_t i = 0; i < t->made; i++) {
		free(t->v[i].v);
		free(t->v[i].times);
	}
	free(t->v);
	free(t->tail);
	free(t->runs);
	free(t->branches);
	free(t->entries);
	free(t->by_id);
	map_done(&t->scattered);
	arena_done(&t->arena);
	*t = (struct tracks){};
}

void tracks_clear(struct tracks *t)
{
	t->n = 0;
}

/* ---- runs ---- */

static struct str keep(struct tracks *t, struct str s)
{
	return str_n(arena_strndup(&t->arena, s.p, s.n), s.n);
}

static int read_timeline(struct store *s, struct tracks *t, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(s->db, SQL_TIMELINE, NULL, 0, &rows, err);

	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		r = timeline_unpack(db_str(&rows, 0), &t->arena, &t->runs, &t->n_runs,
				    &t->cap_runs);
		if (r < 0)
			return err_set(err, EBADMSG, "the store is damaged: its timeline can't "
				       "be read; 'taproom store check --repair' makes it anew");
	}
	return r;
}

/* Columns of SQL_UNFOLDED. */
enum { U_ID, U_UID, U_STATE, U_BEGIN, U_BRANCH, U_COMMIT };

static int read_unfolded(struct store *s, struct tracks *t, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(s->db, SQL_UNFOLDED, NULL, 0, &rows, err);

	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		ARRAY_GROW(t->runs, t->n_runs, t->cap_runs);
		t->runs[t->n_runs++] = (struct tracked_run){
			.id = db_int(&rows, U_ID),
			.begin_ms = db_int(&rows, U_BEGIN),
			.branch = keep(t, db_str(&rows, U_BRANCH)),
			.commit = keep(t, db_str(&rows, U_COMMIT)),
		};
		r = 0;
	}
	return r;
}

static int by_time(const void *a, const void *b)
{
	const struct tracked_run *x = a, *y = b;

	if (x->begin_ms != y->begin_ms)
		return x->begin_ms < y->begin_ms ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void number_branches(struct tracks *t)
{
	unsigned last = 0;

	for (size_t i = 0; i < t->n_runs; i++) {
		struct str branch = t->runs[i].branch;

		if (!t->n_branches || !str_eq(t->branches[last], branch)) {
			last = 0;
			while (last < t->n_branches && !str_eq(t->branches[last], branch))
				last++;
		}
		if (last == t->n_branches) {
			ARRAY_GROW(t->branches, t->n_branches, t->cap_branches);
			t->branches[t->n_branches++] = branch;
		}
		t->runs[i].branch_nth = last;
	}
}

static void order_runs(struct tracks *t)
{
	bool sorted = true;

	for (size_t i = 1; sorted && i < t->n_runs; i++)
		sorted = by_time(&t->runs[i - 1], &t->runs[i]) <= 0;
	if (!sorted)
		qsort(t->runs, t->n_runs, sizeof(*t->runs), by_time);
	number_branches(t);
}

/* ---- executions ---- */

static struct track *track_of(struct tracks *t, int64_t program_id,
			      const struct setting *setting)
{
	struct track *v;

	for (size_t i = t->n; i-- > 0;)
		if (t->v[i].program_id == program_id && t->v[i].setting == setting)
			return &t->v[i];
	if (t->n == t->made) {
		ARRAY_GROW(t->v, t->n, t->cap);
		t->v[t->made++] = (struct track){};
	}
	v = &t->v[t->n++];
	v->program_id = program_id;
	v->setting = setting;
	v->n = 0;
	return v;
}

static void add(struct tracks *t, struct track *to, struct tracked x, int64_t ms)
{
	if (t->times) {
		ARRAY_GROW(to->times, to->n, to->cap_times);
		to->times[to->n] = ms;
	}
	ARRAY_GROW(to->v, to->n, to->cap);
	to->v[to->n++] = x;
}

/* Ids are given one after the other, so that few are missing between them. */
static void index_runs(struct tracks *t)
{
	int64_t low = INT64_MAX, high = INT64_MIN;
	uint64_t span;

	for (size_t i = 0; i < t->n_runs; i++) {
		low = t->runs[i].id < low ? t->runs[i].id : low;
		high = t->runs[i].id > high ? t->runs[i].id : high;
	}
	if (!t->n_runs)
		return;
	span = (uint64_t)high - (uint64_t)low;
	if (span / 8 >= t->n_runs) {
		for (size_t i = 0; i < t->n_runs; i++)
			map_put(&t->scattered, (uint64_t)t->runs[i].id,
				(void *)(uintptr_t)(i + 1));
		return;
	}
	t->first_id = low;
	t->n_by_id = span + 1;
	t->by_id = xcalloc(t->n_by_id, sizeof(*t->by_id));
	for (size_t i = 0; i < t->n_runs; i++)
		t->by_id[(uint64_t)t->runs[i].id - (uint64_t)low] = (uint32_t)i + 1;
}

/* The place of a run; its neighbour in the database is mostly the next in time. */
static size_t run_place(struct tracks *t, int64_t id, size_t last)
{
	if (last < t->n_runs && t->runs[last].id == id)
		return last;
	if (last + 1 < t->n_runs && t->runs[last + 1].id == id)
		return last + 1;
	if (!t->n_by_id && !t->scattered.n)
		index_runs(t);
	if (t->n_by_id) {
		uint64_t nth = (uint64_t)id - (uint64_t)t->first_id;

		return nth < t->n_by_id ? (size_t)t->by_id[nth] - 1 : SIZE_MAX;
	}
	return (size_t)(uintptr_t)map_get(&t->scattered, (uint64_t)id) - 1; /* 0 - 1: none */
}

static int take_segment(struct store *s, struct tracks *t, int64_t program_id,
			struct db_rows *row, struct err *err)
{
	struct str times = t->times ? db_str(row, 2) : STR("");
	struct outcome *o = NULL;
	size_t n = 0, at = 0;
	struct setting *setting;
	struct track *to;
	int r = dict_setting_get(&s->dict, db_int(row, 0), &setting, err);

	if (r == 0 && segment_unpack(db_str(row, 1), t->times ? &times : NULL, &t->entries, &n,
				     &t->cap_entries) < 0)
		r = err_set(err, EBADMSG, "the store is damaged: a segment can't be read; "
			    "'taproom store check --repair' makes it anew");
	if (r < 0)
		return r;
	to = track_of(t, program_id, setting);
	for (size_t i = 0; i < n; i++) {
		const struct track_entry *e = &t->entries[i];

		if (!o || o->id != e->outcome_id)
			r = dict_outcome_get(&s->dict, e->outcome_id, &o, err);
		if (r < 0)
			return r;
		at = run_place(t, e->run_id, at);
		if (at != SIZE_MAX)
			add(t, to, (struct tracked){ (uint32_t)at, e->attempt, o },
			    e->duration_ms);
	}
	return 0;
}

static int read_segments(struct store *s, struct tracks *t, int64_t program_id,
			 struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, t->times ? SQL_SEGMENT_TIMES_OF : SQL_SEGMENTS_OF, &rows, err,
			 DB_I(program_id));

	while (r == 0 && (r = db_next(&rows, err)) > 0)
		r = take_segment(s, t, program_id, &rows, err);
	return r;
}

static int read_slice(struct store *s, struct tracks *t, size_t run, struct str body,
		      struct err *err)
{
	struct sliced x;
	int r;

	while ((r = slice_next(&body, t->runs[run].begin_ms, &x)) > 0) {
		ARRAY_GROW(t->tail, t->n_tail, t->cap_tail);
		t->tail[t->n_tail++] = (struct tail){
			{ 0, x.outcome_id, x.duration_ms, x.attempt },
			x.program_id, x.setting_id, (uint32_t)run,
		};
	}
	return r < 0 ? dict_damaged(&s->dict, "slice of run", t->runs[run].id, err) : 0;
}

static int read_slices(struct store *s, struct tracks *t, size_t run, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int64_t id = t->runs[run].id;
	int r = db_query(s->db, SQL_SLICES, &rows, err, DB_I(SLICE_ID(id, 0)),
			 DB_I(SLICE_ID(id + 1, 0)), DB_I(t->runs[run].begin_ms));

	while (r == 0 && (r = db_next(&rows, err)) > 0)
		r = read_slice(s, t, run, db_str(&rows, 1), err);
	return r;
}

static int by_run(const void *a, const void *b, void *ctx)
{
	const struct tracked *v = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (v[x].run != v[y].run)
		return v[x].run < v[y].run ? -1 : 1;
	return (x > y) - (x < y);
}

/* Runs that were imported late, or folded in another order. */
static void order_track(struct track *t)
{
	_free_ uint32_t *order = NULL;
	struct track to = *t;
	bool sorted = true;

	for (size_t i = 1; sorted && i < t->n; i++)
		sorted = t->v[i - 1].run <= t->v[i].run;
	if (sorted)
		return;
	order = xcalloc(t->n, sizeof(*order));
	for (size_t i = 0; i < t->n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, t->n, sizeof(*order), by_run, t->v);
	to.v = xcalloc(t->n, sizeof(*to.v));
	to.times = t->times ? xcalloc(t->n, sizeof(*to.times)) : NULL;
	for (size_t i = 0; i < t->n; i++) {
		to.v[i] = t->v[order[i]];
		if (to.times)
			to.times[i] = t->times[order[i]];
	}
	to.cap = to.cap_times = t->n;
	free(t->v);
	free(t->times);
	*t = to;
}

int tracks_read(struct store *s, bool times, struct tracks *t, struct err *err)
{
	_free_ int64_t *unfolded = NULL;
	size_t folded, n;
	int r;

	*t = (struct tracks){ .times = times };
	r = read_timeline(s, t, err);
	folded = t->n_runs;
	if (r == 0)
		r = read_unfolded(s, t, err);
	if (r < 0)
		return r;
	n = t->n_runs - folded;
	unfolded = xcalloc(n, sizeof(*unfolded));
	for (size_t i = 0; i < n; i++)
		unfolded[i] = t->runs[folded + i].id;
	order_runs(t);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_slices(s, t, run_place(t, unfolded[i], folded + i), err);
	return r;
}

static int add_tail(struct store *s, const struct tail *x, struct tracks *t, struct err *err)
{
	struct setting *setting;
	struct outcome *o;
	int r = dict_outcome_get(&s->dict, x->x.outcome_id, &o, err);

	if (r == 0)
		r = dict_setting_get(&s->dict, x->setting_id, &setting, err);
	if (r == 0)
		add(t, track_of(t, x->program_id, setting),
		    (struct tracked){ x->run, x->x.attempt, o }, x->x.duration_ms);
	return r;
}

int tracks_add(struct store *s, int64_t program_id, struct tracks *t, struct err *err)
{
	size_t first = t->n;
	int r = read_segments(s, t, program_id, err);

	for (size_t i = 0; r == 0 && i < t->n_tail; i++)
		if (t->tail[i].program_id == program_id)
			r = add_tail(s, &t->tail[i], t, err);
	for (size_t i = first; r == 0 && i < t->n; i++)
		order_track(&t->v[i]);
	return r;
}
