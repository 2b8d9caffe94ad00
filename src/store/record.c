/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/inside.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/columns.h"
#include "store/execution.h"
#include "store/pack.h"
#include "store/zlog.h"

/* Problems and splats of one job outside of its programs that are kept. */
#define NOTES_MAX 200
/* No note that was taken while its program ran has this number or a higher one. */
#define LATE_SEQ (RESULTS_MAX + 1)

/* What an execution added to the run's counts: a later attempt replaces it. */
struct counted {
	int64_t program_id;
	unsigned job;
	uint64_t counts[STATUS_N];
};

struct record_job {
	unsigned number;
	unsigned ended;  /* programs */
	unsigned notes;  /* problems and splats outside of programs */
	char *mode;
};

/* A program whose execution is in the database. */
struct saved {
	unsigned number, job;
};

struct store_record {
	struct store *store;
	int64_t run_id;
	char *uid;
	int lock; /* held while we record */
	struct execution **open;
	size_t n_open, cap_open;
	struct record_job *jobs;
	size_t n_jobs, cap_jobs;
	struct counted *counted;
	size_t n_counted, cap_counted;
	struct saved *saved;
	size_t n_saved, cap_saved;
	uint64_t counts[STATUS_N];
	uint64_t splats;
	struct err error;   /* what is lost; code 0: nothing */
	struct err unsaved; /* what waits for the next try */
};

static void keep_error(struct store_record *r, const struct err *err)
{
	if (!r->error.code)
		r->error = *err;
}

static struct record_job *job_find(struct store_record *r, unsigned number)
{
	for (size_t i = 0; i < r->n_jobs; i++)
		if (r->jobs[i].number == number)
			return &r->jobs[i];
	ARRAY_GROW(r->jobs, r->n_jobs, r->cap_jobs);
	r->jobs[r->n_jobs] = (struct record_job){ .number = number };
	return &r->jobs[r->n_jobs++];
}

/* Running, or ended and not in the database yet. */
static struct execution *open_find(struct store_record *r, unsigned number)
{
	for (size_t i = 0; i < r->n_open; i++)
		if (r->open[i]->number == number)
			return r->open[i];
	return NULL;
}

static void open_drop(struct store_record *r, size_t i)
{
	execution_free(r->open[i]);
	r->open[i] = r->open[--r->n_open];
}

/* ---- the run and its jobs ---- */

/* The uid is a directory's name too. */
static int check_uid(struct str uid, struct err *err)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_.";

	for (size_t i = 0; i < uid.n; i++)
		if (!uid.p[i] || !strchr(good, uid.p[i]))
			return err_set(err, EINVAL, "a run's id may not have byte 0x%02x",
				       (unsigned char)uid.p[i]);
	if (uid.n == 0 || uid.n > 128 || uid.p[0] == '.')
		return err_set(err, EINVAL, "a run's id is 1 to 128 bytes, no '.' first");
	return 0;
}

static int take_lock(struct store_record *r, struct str uid, struct err *err)
{
	_free_ char *path = store_lock_path(r->store, uid), *dir = path_dir(path);
	int e = dir_make(dir, err);

	if (e < 0)
		return e;
	r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (r->lock < 0)
		return err_sys(err, errno, "write '%s'", path);
	if (flock(r->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, EBUSY, "run '%.*s' is being recorded already",
			       STR_FMT(uid));
	return 0;
}

static int run_begin(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_run *run = ev->run;
	int e = check_uid(run->id, err);

	assert(!r->run_id);
	if (e == 0)
		e = take_lock(r, run->id, err);
	if (e == 0)
		e = db_run(r->store->db, SQL_RUN_ADD, err, DB_T(run->id), DB_T(run->title),
			   DB_T(run->branch), DB_T(run->commit), DB_T(run->command),
			   DB_I(run->time_ms));
	if (e < 0)
		return e;
	r->run_id = db_last_id(r->store->db);
	r->uid = xstrndup(run->id.p, run->id.n);
	return 0;
}

static int job_begin(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_job *j = ev->job_info;
	struct record_job *job = job_find(r, ev->job);

	free(job->mode);
	job->mode = xstrndup(j->mode.p ? j->mode.p : "", j->mode.n);
	return db_run(r->store->db, SQL_JOB_ADD, err, DB_I(r->run_id), DB_I(ev->job),
		      DB_T(j->mode), DB_T(j->machine), DB_T(j->accel), DB_T(j->why),
		      DB_T(j->kernel), DB_T(j->host), DB_I(j->cpus), DB_I((int64_t)j->memory),
		      DB_I(j->time_ms));
}

/* Compresses one file of the run. A log that can't be kept is told, and costs
 * nothing else. Returns its name below the artefact directory, or NULL. */
static char *keep_file(struct store_record *r, struct str from, const char *name,
		       uint64_t *ret_bytes)
{
	_free_ char *path = xstrndup(from.p ? from.p : "", from.n), *to = NULL;
	_free_ char *relative = xasprintf("%s/%s", r->uid, name);
	struct err err = {};

	if (from.n == 0)
		return NULL;
	to = path_join(r->store->dir, relative);
	if (zlog_write(path, to, ret_bytes, &err) < 0) {
		keep_error(r, &err);
		return NULL;
	}
	return TAKE(relative);
}

static int job_end(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_job *j = ev->job_info;
	_free_ char *name = xasprintf("console.%u.zst", ev->job), *kept = NULL;
	uint64_t bytes = 0;
	int e;

	kept = keep_file(r, j->console_path, name, &bytes);
	e = db_begin(r->store->db, err);
	if (e == 0 && kept)
		e = db_run(r->store->db, SQL_ARTEFACT_ADD, err, DB_I(r->run_id), DB_I(ev->job),
			   DB_I(0), DB_T(STR("console")), DB_T(str_of(kept)),
			   DB_I((int64_t)bytes));
	if (e == 0)
		e = db_run(r->store->db, SQL_JOB_END, err, DB_I(r->run_id), DB_I(ev->job),
			   DB_I(j->time_ms), DB_T(j->kernel), DB_T(j->accel), DB_T(j->why));
	if (e == 0)
		e = db_commit(r->store->db, err);
	if (e < 0)
		db_rollback(r->store->db);
	return e;
}

static int save_counts(struct store_record *r, const uint64_t counts[static STATUS_N],
		       uint64_t splats, struct err *err)
{
	struct buf text = {};
	int e;

	store_counts_format(counts, &text);
	e = db_run(r->store->db, SQL_RUN_COUNTS, err, DB_I(r->run_id), DB_T(buf_str(&text)),
		   DB_I((int64_t)splats));
	buf_done(&text);
	return e;
}

static int run_end(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_run *run = ev->run;
	_free_ char *lock = store_lock_path(r->store, str_of(r->uid));
	struct str state = run->stopped ? STR("stopped") : STR("done");
	int e = db_run(r->store->db, SQL_RUN_END, err, DB_I(r->run_id), DB_I(run->time_ms),
		       DB_T(state), DB_I(run->exit_code), DB_T(run->conclusion),
		       DB_T(run->branch), DB_T(run->commit));

	if (e < 0)
		return e;
	unlink(lock);
	closep(&r->lock);
	r->lock = -1;
	return 0;
}

/* ---- executions ---- */

static bool same_mode(struct store_record *r, unsigned a, unsigned b)
{
	const char *x = job_find(r, a)->mode, *y;

	/* job_find() may move the array, not the strings. */
	y = job_find(r, b)->mode;
	return a == b || (x && y && strcmp(x, y) == 0);
}

/* A retry's counts stand for the program, as in tap/tally. */
static struct counted *earlier(struct store_record *r, const struct execution *x,
			       int64_t program_id)
{
	for (size_t i = 0; x->attempt > 1 && i < r->n_counted; i++)
		if (r->counted[i].program_id == program_id &&
		    same_mode(r, r->counted[i].job, x->job))
			return &r->counted[i];
	return NULL;
}

static void remember(struct store_record *r, const struct counted *now, struct counted *before)
{
	if (!before) {
		ARRAY_GROW(r->counted, r->n_counted, r->cap_counted);
		before = &r->counted[r->n_counted++];
	}
	*before = *now;
}

static int save_artefact(struct store_record *r, const struct execution *x, struct err *err)
{
	if (!x->artefact)
		return 0;
	return db_run(r->store->db, SQL_ARTEFACT_ADD, err, DB_I(r->run_id), DB_I(x->job),
		      DB_I(x->number), DB_T(STR("log")), DB_T(str_of(x->artefact)),
		      DB_I((int64_t)x->artefact_bytes));
}

/* One transaction: when it returns 0 the execution is on the disk. */
static int save(struct store_record *r, struct execution *x, struct err *err)
{
	struct counted now = { .job = x->job }, *before = NULL;
	uint64_t counts[STATUS_N];
	int e = db_begin(r->store->db, err);

	if (e == 0)
		e = execution_save(x, r->store->db, r->run_id, &now.program_id, err);
	if (e == 0)
		e = save_artefact(r, x, err);
	if (e == 0) {
		before = earlier(r, x, now.program_id);
		execution_count(x, now.counts);
		for (unsigned i = 0; i < STATUS_N; i++)
			counts[i] = r->counts[i] + now.counts[i] -
				    (before ? before->counts[i] : 0);
		e = save_counts(r, counts, r->splats + x->n_splats, err);
	}
	if (e == 0)
		e = db_commit(r->store->db, err);
	if (e < 0) {
		db_rollback(r->store->db);
		return err_wrap(err, e, "record %.*s/%.*s", STR_FMT(x->suite), STR_FMT(x->name));
	}
	remember(r, &now, before);
	memcpy(r->counts, counts, sizeof(counts));
	r->splats += x->n_splats;
	ARRAY_GROW(r->saved, r->n_saved, r->cap_saved);
	r->saved[r->n_saved++] = (struct saved){ x->number, x->job };
	job_find(r, x->job)->ended++;
	return 0;
}

/* What can't be saved now (locked, no space) is tried again with the next. */
static void save_ended(struct store_record *r)
{
	r->unsaved = (struct err){};
	for (size_t i = 0; i < r->n_open;) {
		if (!r->open[i]->ended) {
			i++;
			continue;
		}
		if (save(r, r->open[i], &r->unsaved) < 0)
			return;
		open_drop(r, i);
	}
}

static int program_begin(struct store_record *r, const struct event *ev, struct err *err)
{
	ARRAY_GROW(r->open, r->n_open, r->cap_open);
	r->open[r->n_open++] = execution_new(ev);
	return 0;
}

static int program_end(struct store_record *r, const struct event *ev, struct err *err)
{
	struct execution *x = open_find(r, ev->program);
	_free_ char *name = NULL;

	assert(x && !x->ended);
	execution_end(x, ev->prog);
	name = execution_file_name(x);
	x->artefact = keep_file(r, ev->prog->log_path, name, &x->artefact_bytes);
	save_ended(r);
	return 0;
}

static bool is_saved(const struct store_record *r, const struct event *ev)
{
	for (size_t i = r->n_saved; i-- > 0;)
		if (r->saved[i].number == ev->program && r->saved[i].job == ev->job)
			return true;
	return false;
}

/* Problems and splats of no running program: while a machine boots, or ends, and
 * those that are told after their program's end. */
static int note_of_job(struct store_record *r, const struct event *ev, struct err *err)
{
	static const struct event_problem too_many = {
		.what = PROBLEM_TOO_MANY,
		.message = STR("the history keeps no more of what happened between programs"),
	};
	struct record_job *job = job_find(r, ev->job);
	struct note note = { .seq = job->notes++, .after = job->ended };
	bool late = note.seq < NOTES_MAX && is_saved(r, ev);
	uint64_t splats = r->splats;
	int e;

	if (note.seq > NOTES_MAX)
		return 0;
	if (late) { /* behind all that the program said while it ran */
		note.seq += LATE_SEQ;
		note.after = RESULTS_MAX;
	}
	if (note.seq == NOTES_MAX)
		note.problem = &too_many;
	else if (ev->type == EVENT_PROBLEM)
		note.problem = ev->problem;
	else
		note.splat = ev->splat;
	e = db_begin(r->store->db, err);
	if (e == 0)
		e = note_save(&note, r->store->db, r->run_id, ev->job,
			      late ? ev->program : 0, err);
	if (e == 0 && note.splat && !note.splat->excuse)
		e = save_counts(r, r->counts, ++splats, err);
	if (e == 0)
		e = db_commit(r->store->db, err);
	if (e < 0)
		db_rollback(r->store->db);
	else
		r->splats = splats;
	return e;
}

static int inside(struct store_record *r, const struct event *ev, struct err *err)
{
	struct execution *x = open_find(r, ev->program);

	if (ev->type == EVENT_RESULT && (!x || x->ended))
		return 0;
	if (!x)
		return note_of_job(r, ev, err);
	execution_add(x, ev);
	return 0;
}

static int (*const RECORD[])(struct store_record *, const struct event *, struct err *) = {
	[EVENT_RUN_BEGIN] = run_begin,
	[EVENT_RUN_END] = run_end,
	[EVENT_JOB_BEGIN] = job_begin,
	[EVENT_JOB_END] = job_end,
	[EVENT_PROGRAM_BEGIN] = program_begin,
	[EVENT_PROGRAM_END] = program_end,
	[EVENT_RESULT] = inside,
	[EVENT_PROBLEM] = inside,
	[EVENT_SPLAT] = inside,
};

static void on_event(void *ctx, const struct event *ev)
{
	struct store_record *r = ctx;
	struct err err = {};

	/* Without its row nothing of the run can be kept. */
	if (!r->run_id && ev->type != EVENT_RUN_BEGIN)
		return;
	if (ev->type == EVENT_RUN_END)
		save_ended(r);
	if (RECORD[ev->type](r, ev, &err) < 0)
		keep_error(r, &err);
}

int store_record_new(struct store *s, struct store_record **ret, struct err *err)
{
	struct store_record *r = xcalloc(1, sizeof(*r));

	r->store = s;
	r->lock = -1;
	*ret = r;
	return 0;
}

struct event_sink store_record_sink(struct store_record *r)
{
	return (struct event_sink){ on_event, r };
}

int64_t store_record_run(const struct store_record *r)
{
	return r->run_id;
}

int store_record_error(const struct store_record *r, struct err *err)
{
	const struct err *e = r->error.code ? &r->error : &r->unsaved;

	if (err && e->code)
		*err = *e;
	return -e->code;
}

struct store_record *store_record_free(struct store_record *r)
{
	if (!r)
		return NULL;
	while (r->n_open)
		open_drop(r, 0);
	for (size_t i = 0; i < r->n_jobs; i++)
		free(r->jobs[i].mode);
	closep(&r->lock);
	free(r->open);
	free(r->jobs);
	free(r->counted);
	free(r->saved);
	free(r->uid);
	free(r);
	return NULL;
}
