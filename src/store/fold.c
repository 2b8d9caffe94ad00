/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fold: runs that have ended go to the ends of their tracks (track.h). In one
 * transaction, so that every run is read from one place, never from two.
 */
#include "store/track.h"

#include <stdlib.h>

#include "store/slice.h"

/* A segment that has so many bytes is full; the next is begun. */
#define SEGMENT_BYTES 3500

struct group {
	int64_t program_id, setting_id;
	struct track_entry *v;
	size_t n, cap;
};

struct fold {
	struct store *s;
	struct tracked_run *runs;
	size_t n_runs, cap_runs;
	struct group *groups;
	size_t n_groups, cap_groups;
	struct arena arena;
	struct err *err;
};

static void fold_done(struct fold *f)
{
	for (size_t i = 0; i < f->n_groups; i++)
		free(f->groups[i].v);
	free(f->groups);
	free(f->runs);
	arena_done(&f->arena);
}

static struct str keep(struct fold *f, struct str s)
{
	return str_n(arena_strndup(&f->arena, s.p, s.n), s.n);
}

/* Those to which nothing will be added. */
static int read_runs(struct fold *f)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(f->s->db, SQL_UNFOLDED, NULL, 0, &rows, f->err);

	while (r == 0 && (r = db_next(&rows, f->err)) > 0) {
		r = 0;
		if (str_eq(db_str(&rows, 2), STR("running")) &&
		    store_run_alive(f->s, db_str(&rows, 1)))
			continue;
		ARRAY_GROW(f->runs, f->n_runs, f->cap_runs);
		f->runs[f->n_runs++] = (struct tracked_run){
			.id = db_int(&rows, 0),
			.begin_ms = db_int(&rows, 3),
			.branch = keep(f, db_str(&rows, 4)),
			.commit = keep(f, db_str(&rows, 5)),
		};
	}
	return r;
}

static struct group *group_of(struct fold *f, const struct sliced *x)
{
	for (size_t i = f->n_groups; i-- > 0;)
		if (f->groups[i].program_id == x->program_id &&
		    f->groups[i].setting_id == x->setting_id)
			return &f->groups[i];
	ARRAY_GROW(f->groups, f->n_groups, f->cap_groups);
	f->groups[f->n_groups] = (struct group){ .program_id = x->program_id,
						 .setting_id = x->setting_id };
	return &f->groups[f->n_groups++];
}

static int read_executions(struct fold *f, const struct tracked_run *run)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(f->s->db, SQL_SLICES, &rows, f->err, DB_I(SLICE_ID(run->id, 0)),
			 DB_I(SLICE_ID(run->id + 1, 0)), DB_I(run->begin_ms));

	while (r == 0 && (r = db_next(&rows, f->err)) > 0) {
		struct str body = db_str(&rows, 1);
		struct sliced x;

		while ((r = slice_next(&body, run->begin_ms, &x)) > 0) {
			struct group *g = group_of(f, &x);

			ARRAY_GROW(g->v, g->n, g->cap);
			g->v[g->n++] = (struct track_entry){ run->id, x.outcome_id,
							     x.duration_ms, x.attempt };
		}
		if (r < 0)
			return dict_damaged(&f->s->dict, "slice of run", run->id, f->err);
	}
	return r;
}

/* The last segment of the track, when there is room in it. */
static int read_last(struct fold *f, const struct group *g, int64_t *ret_id,
		     struct track_entry **v, size_t *n, size_t *cap)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	struct str times;
	int r = db_query(f->s->db, SQL_SEGMENT_LAST, &rows, f->err, DB_I(g->program_id),
			 DB_I(g->setting_id));

	if (r == 0)
		r = db_next(&rows, f->err);
	if (r <= 0 || db_str(&rows, 1).n >= SEGMENT_BYTES || db_str(&rows, 2).n >= SEGMENT_BYTES)
		return r < 0 ? r : 0;
	*ret_id = db_int(&rows, 0);
	times = db_str(&rows, 2);
	if (segment_unpack(db_str(&rows, 1), &times, v, n, cap) < 0)
		return err_set(f->err, EBADMSG, "the store is damaged: a segment can't be read");
	return 0;
}

static int write_group(struct fold *f, const struct group *g)
{
	_cleanup_(buf_done) struct buf body = {}, times = {};
	_free_ struct track_entry *v = NULL;
	size_t n = 0, cap = 0;
	int64_t id = 0;
	int r = read_last(f, g, &id, &v, &n, &cap);

	if (r < 0)
		return r;
	for (size_t i = 0; i < g->n; i++) {
		ARRAY_GROW(v, n, cap);
		v[n++] = g->v[i];
	}
	segment_pack(v, n, &body, &times);
	if (id)
		return db_run(f->s->db, SQL_SEGMENT_SET, f->err, DB_I(id), DB_B(buf_str(&body)),
			      DB_B(buf_str(&times)));
	return db_run(f->s->db, SQL_SEGMENT_ADD, f->err, DB_I(g->program_id),
		      DB_I(g->setting_id), DB_B(buf_str(&body)), DB_B(buf_str(&times)));
}

static int by_track(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->program_id != y->program_id)
		return x->program_id < y->program_id ? -1 : 1;
	return (x->setting_id > y->setting_id) - (x->setting_id < y->setting_id);
}

static int write_all(struct fold *f)
{
	_cleanup_(buf_done) struct buf body = {};
	int r = 0;

	if (f->n_groups)
		qsort(f->groups, f->n_groups, sizeof(*f->groups), by_track);
	for (size_t i = 0; r == 0 && i < f->n_groups; i++)
		r = write_group(f, &f->groups[i]);
	for (size_t i = 0; r == 0 && i < f->n_runs; i++)
		r = db_run(f->s->db, SQL_FOLDED, f->err, DB_I(f->runs[i].id));
	if (r < 0)
		return r;
	timeline_pack(f->runs, f->n_runs, &body);
	return db_run(f->s->db, SQL_TIMELINE_ADD, f->err, DB_B(buf_str(&body)));
}

static int fold(struct store *s, unsigned least, struct err *err)
{
	_cleanup_(fold_done) struct fold f = { .s = s, .err = err };
	int r = db_share(s->db, err);

	r = r < 0 ? r : read_runs(&f);
	if (r < 0 || f.n_runs < least || !f.n_runs)
		return r;
	for (size_t i = 0; r == 0 && i < f.n_runs; i++)
		r = read_executions(&f, &f.runs[i]);
	return r < 0 ? r : write_all(&f);
}

int store_fold(struct store *s, unsigned least, struct err *err)
{
	int64_t n;
	int r = db_get_args(s->db, SQL_UNFOLDED_COUNT, NULL, 0, &n, err);

	if (r < 0 || n < (int64_t)least)
		return r < 0 ? r : 0;
	r = store_begin(s, err);
	return r < 0 ? r : store_end(s, fold(s, least, err), err);
}

int store_refold(struct store *s, struct err *err)
{
	static const enum sql drops[] = { SQL_SEGMENTS_DROP, SQL_TIMELINE_DROP, SQL_UNFOLD_ALL };
	int r = store_begin(s, err);

	if (r < 0)
		return r;
	r = db_share(s->db, err);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(drops); i++)
		r = db_run_args(s->db, drops[i], NULL, 0, err);
	if (r >= 0)
		r = fold(s, 0, err);
	return store_end(s, r, err);
}
