/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Check: everything is read once, and what follows from something else is
 * compared with it. And what else is done to a store as a whole: old things
 * removed, a copy made.
 */
#include "store/track.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "store/slice.h"

struct check {
	struct store *s;
	store_problem_fn fn;
	void *ctx;
	struct store_checked *found;
	uint64_t sums[2]; /* of executions: in slices, in tracks */
	struct err *err;
};

static void tell(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct check *c, const char *fmt, ...)
{
	_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	c->found->problems++;
	c->fn(c->ctx, str_of(text));
}

static void count(void *ctx, const struct event *ev)
{
	struct store_checked *n = ctx;

	n->programs += ev->type == EVENT_PROGRAM_END;
	n->results += ev->type == EVENT_RESULT;
}

/* What the database says of itself. */
static int check_database(struct check *c)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(c->s->db, SQL_CHECK, NULL, 0, &rows, c->err);

	while (r == 0 && (r = db_next(&rows, c->err)) > 0) {
		if (!str_eq(db_str(&rows, 0), STR("ok")))
			tell(c, "the database: %.*s", STR_FMT(db_str(&rows, 0)));
		r = 0;
	}
	return r;
}

static int check_files(struct check *c, int64_t run)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(c->s->db, SQL_ARTEFACTS_OF, &rows, c->err, DB_I(run));

	while (r == 0 && (r = db_next(&rows, c->err)) > 0) {
		struct str name = db_str(&rows, 0);
		_free_ char *relative = xstrndup(name.p, name.n);
		_free_ char *path = path_join(c->s->dir, relative);

		c->found->logs++;
		if (!file_exists(path))
			tell(c, "run %" PRId64 ": its log '%s' is not there", run, path);
		r = 0;
	}
	return r;
}

static int check_runs(struct check *c)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(c->s->db, SQL_RUN_IDS, NULL, 0, &rows, c->err);

	while (r == 0 && (r = db_next(&rows, c->err)) > 0) {
		struct err err = {};
		int64_t run = db_int(&rows, 0);

		c->found->runs++;
		r = store_replay(c->s, run, (struct event_sink){ count, c->found }, &err);
		if (r < 0)
			tell(c, "run %" PRId64 ": %s", run, err.text);
		r = check_files(c, run);
	}
	return r;
}

/* The same for the same executions, in whatever order. */
static uint64_t sum_of(int64_t run, int64_t program, int64_t setting, int64_t outcome,
		       unsigned attempt, int64_t ms)
{
	const int64_t v[] = { run, program, setting, outcome, attempt, ms };

	return str_hash(str_n((const char *)v, sizeof(v)), STR_HASH_INIT);
}

static int sum_slices(struct check *c, int64_t run, int64_t begin_ms)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(c->s->db, SQL_SLICES, &rows, c->err, DB_I(SLICE_ID(run, 0)),
			 DB_I(SLICE_ID(run + 1, 0)), DB_I(begin_ms));

	while (r == 0 && (r = db_next(&rows, c->err)) > 0) {
		struct str body = db_str(&rows, 1);
		struct sliced x;

		while ((r = slice_next(&body, begin_ms, &x)) > 0)
			c->sums[0] += sum_of(run, x.program_id, x.setting_id, x.outcome_id,
					     x.attempt, x.duration_ms);
		r = 0; /* damage was told by then */
	}
	return r;
}

static int sum_program(struct check *c, struct tracks *t, int64_t program)
{
	int r;

	tracks_clear(t);
	r = tracks_add(c->s, program, t, c->err);
	for (size_t i = 0; r == 0 && i < t->n; i++)
		for (size_t k = 0; k < t->v[i].n; k++)
			c->sums[1] += sum_of(t->runs[t->v[i].v[k].run].id, program,
					     t->v[i].setting->id, t->v[i].v[k].outcome->id,
					     t->v[i].v[k].attempt, t->v[i].times[k]);
	return r;
}

/* What is folded says what the runs say. */
static int check_tracks(struct check *c)
{
	_cleanup_(db_rows_done) struct db_rows runs = {}, programs = {};
	_cleanup_(tracks_done) struct tracks t = {};
	int r = db_query_args(c->s->db, SQL_RUN_IDS, NULL, 0, &runs, c->err);

	while (r == 0 && (r = db_next(&runs, c->err)) > 0)
		r = sum_slices(c, db_int(&runs, 0), db_int(&runs, 1));
	if (r == 0)
		r = tracks_read(c->s, true, &t, c->err);
	if (r == 0)
		r = db_query_args(c->s->db, SQL_PROGRAMS, NULL, 0, &programs, c->err);
	while (r == 0 && (r = db_next(&programs, c->err)) > 0)
		r = sum_program(c, &t, db_int(&programs, 0));
	if (r == -EBADMSG)
		tell(c, "%s", c->err ? c->err->text : "tracks can't be read");
	else if (r == 0 && c->sums[0] != c->sums[1])
		tell(c, "what was made of the runs for scans is not what they say: "
		     "'taproom store check --repair' makes it anew");
	return r == -EBADMSG ? 0 : r;
}

static int check_all(struct check *c)
{
	int r = check_database(c);

	if (r == 0)
		r = check_runs(c);
	return r == 0 ? check_tracks(c) : r;
}

int store_check(struct store *s, store_problem_fn fn, void *ctx, struct store_checked *ret,
		struct err *err)
{
	struct check c = { .s = s, .fn = fn, .ctx = ctx, .found = ret, .err = err };
	int r = db_begin_read(s->db, err);

	*ret = (struct store_checked){};
	if (r < 0)
		return r;
	r = check_all(&c);
	if (r < 0)
		store_end(s, r, NULL);
	else
		r = store_end(s, 0, err);
	return r < 0 ? r : ret->problems > 0;
}

int store_repair(struct store *s, struct err *err)
{
	return store_refold(s, err);
}

/* ---- old things ---- */

struct collection {
	struct store *s;
	const struct store_keep *keep;
	struct store_collected *found;
	char **files; /* to be removed, when nothing points to them any more */
	size_t n, cap;
	struct err *err;
};

static void collection_done(struct collection *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->files[i]);
	free(c->files);
}

static int collect_logs(struct collection *c, int64_t run)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(c->s->db, SQL_ARTEFACTS_OF, &rows, c->err, DB_I(run));

	while (r == 0 && (r = db_next(&rows, c->err)) > 0) {
		struct str name = db_str(&rows, 0);
		_free_ char *relative = xstrndup(name.p, name.n);

		ARRAY_GROW(c->files, c->n, c->cap);
		c->files[c->n++] = path_join(c->s->dir, relative);
		c->found->logs++;
		c->found->bytes += (uint64_t)db_int(&rows, 1);
		r = 0;
	}
	if (r == 0 && !c->keep->dry)
		r = db_run(c->s->db, SQL_ARTEFACTS_DROP, c->err, DB_I(run));
	return r;
}

static int collect_run(struct collection *c, int64_t run, int64_t begin_ms)
{
	static const enum sql drops[] = { SQL_PROBLEMS_DROP, SQL_SPLATS_DROP, SQL_JOBS_DROP,
					  SQL_RUN_DROP };
	int r;

	c->found->runs++;
	if (c->keep->dry)
		return 0;
	r = db_run(c->s->db, SQL_SLICES_DROP, c->err, DB_I(SLICE_ID(run, 0)),
		   DB_I(SLICE_ID(run + 1, 0)), DB_I(begin_ms));
	if (r == 0)
		r = db_run(c->s->db, SQL_TIMES_DROP, c->err, DB_I(SLICE_ID(run, 0)),
			   DB_I(SLICE_ID(run + 1, 0)), DB_I(begin_ms));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(drops); i++)
		r = db_run(c->s->db, drops[i], c->err, DB_I(run));
	return r;
}

/* Columns of SQL_RUNS_BEFORE. */
enum { B_ID, B_UID, B_STATE, B_BEGIN, B_BRANCH };

static const struct store_keep_rule *rule_for(const struct store_keep *k, const char *branch)
{
	for (size_t i = 0; i < k->n; i++)
		if (!k->rules[i].branch || str_glob(k->rules[i].branch, branch))
			return &k->rules[i];
	return NULL;
}

static bool is_over(int64_t keep_ms, int64_t begin_ms, int64_t now_ms)
{
	return keep_ms >= 0 && begin_ms < now_ms - keep_ms;
}

static int collect_one(struct collection *c, struct db_rows *row)
{
	struct str branch = db_str(row, B_BRANCH);
	_free_ char *name = xstrndup(branch.p, branch.n);
	const struct store_keep_rule *rule = rule_for(c->keep, name);
	int64_t id = db_int(row, B_ID), begin_ms = db_int(row, B_BEGIN);
	bool old_run = rule && is_over(rule->runs_ms, begin_ms, c->keep->now_ms);
	bool old_logs = rule && is_over(rule->logs_ms, begin_ms, c->keep->now_ms);
	int r = 0;

	if (str_eq(db_str(row, B_STATE), STR("running")) &&
	    store_run_alive(c->s, db_str(row, B_UID)))
		return 0;
	if (old_logs || old_run)
		r = collect_logs(c, id);
	return r == 0 && old_run ? collect_run(c, id, begin_ms) : r;
}

/* What all rules keep. -1: nothing ever goes. */
static int64_t shortest(const struct store_keep *k)
{
	int64_t ms = -1;

	for (size_t i = 0; i < 2 * k->n; i++) {
		int64_t one = i % 2 ? k->rules[i / 2].runs_ms : k->rules[i / 2].logs_ms;

		if (one >= 0 && (ms < 0 || one < ms))
			ms = one;
	}
	return ms;
}

static int collect(struct collection *c)
{
	const struct store_keep *k = c->keep;
	_cleanup_(db_rows_done) struct db_rows rows = {};
	/* Rows that who folds writes too. */
	int r = db_share(c->s->db, c->err);

	if (r >= 0)
		r = db_query(c->s->db, SQL_RUNS_BEFORE, &rows, c->err,
			     DB_I(k->now_ms - shortest(k)));
	while (r == 0 && (r = db_next(&rows, c->err)) > 0)
		r = collect_one(c, &rows);
	if (r == 0 && c->found->runs && !k->dry)
		r = store_refold(c->s, c->err);
	return r;
}

int store_gc(struct store *s, const struct store_keep *keep, struct store_collected *ret,
	     struct err *err)
{
	_cleanup_(collection_done) struct collection c = { .s = s, .keep = keep, .found = ret,
							   .err = err };
	int r;

	*ret = (struct store_collected){};
	if (shortest(keep) < 0)
		return 0;
	r = store_begin(s, err);
	if (r == 0)
		r = store_end(s, collect(&c), err);
	/* Last: a log without its row is lost space, a row without its log a lie. */
	for (size_t i = 0; r == 0 && !keep->dry && i < c.n; i++) {
		_free_ char *dir = path_dir(c.files[i]);

		unlink(c.files[i]);
		rmdir(dir); /* when it was the last */
	}
	return r;
}

/* ---- a copy ---- */

int store_backup(struct store *s, const char *to, struct err *err)
{
	_cleanup_(closep) int fd = -1;
	int r;

	if (!s->db->driver->can_copy)
		return err_set(err, EOPNOTSUPP, "store '%s' is a server's: pg_dump copies it",
			       s->path);
	if (file_exists(to))
		return err_set(err, EEXIST, "'%s' is there already; name another file", to);
	r = db_run(s->db, SQL_BACKUP, err, DB_T(str_of(to)));
	if (r < 0)
		return err_wrap(err, r, "backup to '%s'", to);
	fd = open(to, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_sys(err, errno, "sync '%s'", to);
	return 0;
}
