/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/track.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

#define LIMIT_DEFAULT 20
#define DURATIONS 15 /* the median of so many is what to expect */

static const struct {
	struct str name;
	enum store_run_state state;
} STATES[] = {
	{ STR("running"), STORE_RUN_RUNNING },
	{ STR("done"), STORE_RUN_DONE },
	{ STR("stopped"), STORE_RUN_STOPPED },
};

static enum store_run_state state_of(struct store *s, struct str name, struct str uid)
{
	enum store_run_state state = STORE_RUN_LOST;

	for (size_t i = 0; i < ARRAY_SIZE(STATES); i++)
		if (str_eq(name, STATES[i].name))
			state = STATES[i].state;
	if (state == STORE_RUN_RUNNING && !store_run_alive(s, uid))
		state = STORE_RUN_LOST;
	return state;
}

/* Columns of SQL_RUNS and SQL_RUN_GET. */
static int tell(struct store *s, struct db_rows *row, store_run_fn fn, void *ctx)
{
	struct store_counts counts;
	struct store_run run = {
		.id = db_int(row, 0),
		.uid = db_str(row, 1),
		.title = db_str(row, 2),
		.branch = db_str(row, 3),
		.commit = db_str(row, 4),
		.command = db_str(row, 5),
		.begin_ms = db_int(row, 6),
		.end_ms = db_int(row, 7),
		.exit_code = (int)db_int(row, 9),
		.conclusion = db_str(row, 10),
		.splats = (uint64_t)db_int(row, 12),
		.modes = db_str(row, 13),
		.machines = db_str(row, 14),
		.kernel = db_str(row, 15),
	};

	run.state = state_of(s, db_str(row, 8), run.uid);
	store_counts_parse(db_str(row, 11), &counts);
	run.tests = counts.tests;
	run.ended = counts.ended;
	if (run.state != STORE_RUN_DONE)
		run.running = db_str(row, 11);
	memcpy(run.counts, counts.status, sizeof(run.counts));
	return fn(ctx, &run);
}

int store_runs(struct store *s, const struct store_runs_filter *f, store_run_fn fn, void *ctx,
	       struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, f->branch ? SQL_RUNS_OF_BRANCH : SQL_RUNS, &rows, err,
			 DB_Z(f->branch), DB_Z(f->mode), DB_I(f->before_id),
			 DB_I(f->limit ? f->limit : LIMIT_DEFAULT));

	while (r == 0 && (r = db_next(&rows, err)) > 0)
		r = tell(s, &rows, fn, ctx);
	return r;
}

int store_run_get(struct store *s, int64_t id, store_run_fn fn, void *ctx, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_RUN_GET, &rows, err, DB_I(id));

	if (r == 0)
		r = db_next(&rows, err);
	if (r < 0)
		return r;
	return r ? tell(s, &rows, fn, ctx)
		 : err_set(err, ENOENT, "the store has no run %" PRId64, id);
}

/* ---- which run is meant ---- */

/* The run @back places behind the newest: 1, or 0 when there are not so many. */
static int nth(struct store *s, uint64_t back, int64_t *ret, struct err *err)
{
	return db_get(s->db, SQL_RUN_NTH, ret, err, DB_I((int64_t)(back & INT64_MAX)));
}

static int not_found(struct store *s, const char *spec, struct err *err)
{
	int64_t newest;
	int r = nth(s, 0, &newest, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ENOENT,
			       "no run '%s': the store '%s' has none yet; 'taproom run' makes one",
			       spec, s->path);
	return err_set(err, ENOENT, "no run '%s': the newest is %" PRId64
		       "; 'taproom runs' lists them", spec, newest);
}

static int find_latest(struct store *s, const char *spec, struct str rest, int64_t *ret,
		       struct err *err)
{
	uint64_t back = 0;
	int r;

	if (rest.n && (rest.p[0] != '-' || !str_to_u64(str_from(rest, 1), &back)))
		return not_found(s, spec, err);
	r = nth(s, back, ret, err);
	return r ? r : not_found(s, spec, err);
}

static int find_uid(struct store *s, const char *spec, int64_t *ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_RUN_BY_UID, &rows, err, DB_Z(spec));
	int64_t first;

	if (r == 0)
		r = db_next(&rows, err);
	if (r <= 0)
		return r < 0 ? r : not_found(s, spec, err);
	first = db_int(&rows, 0);
	/* All of it is no prefix, even where a longer one exists. */
	r = str_eq(db_str(&rows, 1), str_of(spec)) ? 0 : db_next(&rows, err);
	if (r < 0)
		return r;
	if (r > 0)
		return err_set(err, EINVAL,
			       "'%s' begins the ids of several runs, %" PRId64 " and %" PRId64
			       " among them: give more of it", spec, first, db_int(&rows, 0));
	*ret = first;
	return 1;
}

int store_run_find(struct store *s, const char *spec, int64_t *ret_id, struct err *err)
{
	struct str word = str_of(spec);
	uint64_t id;
	int r = 0;

	if (str_starts(word, STR("latest")))
		r = find_latest(s, spec, str_from(word, 6), ret_id, err);
	else if (str_to_u64(word, &id) && id <= INT64_MAX)
		r = db_get(s->db, SQL_RUN_EXISTS, ret_id, err, DB_I((int64_t)id));
	/* A uid begins with a date: digits as well. */
	if (r == 0)
		r = word.n ? find_uid(s, spec, ret_id, err) : not_found(s, spec, err);
	return r < 0 ? r : 0;
}

/* ---- what to expect ---- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Attempts that ran to their end. */
static bool says_how_long(const struct tracked *x, int64_t ms)
{
	const struct outcome *o = x->outcome;
	uint8_t status = STATUS_PASS;

	if (o->n && o->exceptions[o->n - 1].at == o->shape->n - 1)
		status = o->exceptions[o->n - 1].status;
	return ms >= 0 && status != STATUS_ERROR && status != STATUS_CRASH &&
	       status != STATUS_SKIP;
}

struct timed {
	uint32_t run;
	int64_t ms;
};

static int newest_first(const void *a, const void *b)
{
	const struct timed *x = a, *y = b;

	return (x->run < y->run) - (x->run > y->run);
}

static int read_tracks(struct store *s, int64_t program, struct tracks *ret, struct err *err)
{
	int r = db_begin_read(s->db, err);

	if (r < 0)
		return r;
	r = tracks_read(s, true, ret, err);
	if (r == 0)
		r = tracks_add(s, program, ret, err);
	return store_end(s, r, err);
}

int store_expect_ms(struct store *s, const char *suite, const char *program, const char *mode,
		    int64_t *ret, struct err *err)
{
	_cleanup_(tracks_done) struct tracks all = {};
	_free_ struct timed *times = NULL;
	size_t n = 0, cap = 0;
	int64_t id, v[DURATIONS];
	int r = db_get(s->db, SQL_PROGRAM_FIND, &id, err, DB_Z(suite), DB_Z(program));

	*ret = -1;
	if (r > 0)
		r = read_tracks(s, id, &all, err);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		const struct track *t = &all.v[i];
		unsigned taken = 0;

		if (mode && !str_eq(t->setting->mode, str_of(mode)))
			continue;
		for (size_t k = t->n; k-- > 0 && taken < DURATIONS;) {
			if (!says_how_long(&t->v[k], t->times[k]))
				continue;
			ARRAY_GROW(times, n, cap);
			times[n++] = (struct timed){ t->v[k].run, t->times[k] };
			taken++;
		}
	}
	if (r < 0 || !n)
		return r < 0 ? r : 0;
	qsort(times, n, sizeof(*times), newest_first);
	n = n < DURATIONS ? n : DURATIONS;
	for (size_t i = 0; i < n; i++)
		v[i] = times[i].ms;
	qsort(v, n, sizeof(*v), by_value);
	*ret = v[n / 2];
	return 0;
}
