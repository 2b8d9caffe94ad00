/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of a run that is being recorded, and of its jobs, and the files that they leave. */
#include "store/recorder.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/zlog.h"

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

void record_release(struct store_record *r)
{
	if (r->uid && !record_per_run(r))
		store_run_release(r->store, str_of(r->uid), &r->lock);
}

int record_save_counts(struct store_record *r, const uint64_t counts[static STATUS_N],
		       uint64_t splats, unsigned more, struct err *err)
{
	/* The one that is being saved is not among those that are counted yet. */
	struct store_counts all = { .tests = r->tests, .ended = r->n_counted + more };
	struct buf text = {};
	int e;

	memcpy(all.status, counts, sizeof(all.status));
	store_counts_format(&all, &text);
	record_running(r, &text);
	e = db_run(r->store->db, SQL_RUN_COUNTS, err, DB_I(r->run_id), DB_T(buf_str(&text)),
		   DB_I((int64_t)splats));
	buf_done(&text);
	return e;
}

int record_run_begin(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_run *run = ev->run;
	int64_t id;
	int e = check_uid(run->id, err);

	assert(!r->run_id);
	if (e == 0 && r->store->db->driver->run_begins)
		e = r->store->db->driver->run_begins(r->store->db, run->time_ms, err);
	/* A run that nobody sees before it has ended needs no sign of life. */
	if (e == 0)
		e = record_per_run(r) ? store_begin(r->store, err) :
				 store_run_claim(r->store, run->id, &r->lock, err);
	if (e < 0)
		return e;
	e = db_add(r->store->db, SQL_RUN_ADD, &id, err, DB_T(run->id), DB_T(run->title),
		   DB_T(run->branch), DB_T(run->commit), DB_T(run->command),
		   DB_I(run->time_ms));
	if (e < 0) {
		if (record_per_run(r))
			store_rollback(r->store);
		return e;
	}
	r->run_id = id;
	r->begin_ms = run->time_ms;
	r->uid = xstrndup(run->id.p, run->id.n);
	r->tests = run->tests;
	return r->tests && !record_per_run(r) ? record_save_counts(r, r->counts, 0, 0, err) : 0;
}

static bool has_word(struct str words, struct str word)
{
	for (struct str rest = words; rest.p;)
		if (str_eq(str_cut(&rest, ','), word))
			return true;
	return false;
}

static void add_word(struct buf *words, struct str word, bool empty_too)
{
	if (!word.n && !empty_too)
		return;
	if (words->p && has_word(buf_str(words), word))
		return;
	if (words->p)
		buf_add(words, ",", 1);
	buf_add_str(words, word);
}

/* What the run's row says of its jobs. */
static int save_jobs(struct store_record *r, struct err *err)
{
	_cleanup_(buf_done) struct buf modes = {}, machines = {}, kernels = {};

	for (size_t i = 0; i < r->n_jobs; i++) {
		const struct record_job *j = &r->jobs[i];

		if (!j->kernel)
			continue;
		add_word(&modes, j->setting->mode, true);
		add_word(&machines, j->setting->machine, true);
		add_word(&kernels, str_of(j->kernel), false);
	}
	return db_run(r->store->db, SQL_RUN_JOBS, err, DB_I(r->run_id), DB_T(buf_str(&modes)),
		      DB_T(buf_str(&machines)), DB_T(buf_str(&kernels)));
}

void record_job_kernel(struct record_job *job, struct str kernel)
{
	if (job->kernel && !kernel.n)
		return;
	free(job->kernel);
	job->kernel = xstrndup(kernel.p ? kernel.p : "", kernel.n);
}

int record_job_begin(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_job *j = ev->job_info;
	struct record_job *job = record_job(r, ev->job);
	int e = store_begin(r->store, err);

	if (e < 0)
		return e;
	job->setting = dict_setting(&r->store->dict, j->mode, j->machine);
	record_job_kernel(job, j->kernel);
	e = db_run(r->store->db, SQL_JOB_ADD, err, DB_I(r->run_id), DB_I(ev->job),
		   DB_T(j->mode), DB_T(j->machine), DB_T(j->accel), DB_T(j->why),
		   DB_T(j->kernel), DB_T(j->host), DB_I(j->cpus), DB_I((int64_t)j->memory),
		   DB_I(j->time_ms));
	if (e == 0 && !record_per_run(r))
		e = save_jobs(r, err);
	return store_end(r->store, e, err);
}

char *record_keep_file(struct store_record *r, struct str from, const char *name,
		       uint64_t *ret_bytes)
{
	_free_ char *path = xstrndup(from.p ? from.p : "", from.n), *to = NULL, *dir = NULL;
	_free_ char *relative = xasprintf("%s/%s", r->uid, name);
	struct err err = {};

	if (from.n == 0)
		return NULL;
	to = path_join(r->store->dir, relative);
	dir = path_dir(to);
	if (dir_make(dir, &err) < 0 || zlog_write(path, to, ret_bytes, &err) < 0) {
		record_keep_error(r, &err);
		return NULL;
	}
	return TAKE(relative);
}

int record_artefact(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_artefact *a = ev->artefact;
	_free_ char *name = NULL, *kept = NULL;
	uint64_t bytes = 0;
	int e;

	if (!event_kind_fits(a->kind))
		return err_set(err, EINVAL, "an artefact's kind is no word");
	name = xasprintf("%.*s.%u.zst", STR_FMT(a->kind), ev->job);
	kept = record_keep_file(r, a->path, name, &bytes);
	if (!kept)
		return 0;
	e = store_begin(r->store, err);
	if (e < 0)
		return e;
	e = db_run(r->store->db, SQL_ARTEFACT_ADD, err, DB_I(r->run_id), DB_I(ev->job), DB_I(0),
		   DB_T(a->kind), DB_T(str_of(kept)), DB_I((int64_t)bytes));
	return store_end(r->store, e, err);
}

int record_job_end(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_job *j = ev->job_info;
	_free_ char *name = xasprintf("console.%u.zst", ev->job), *kept = NULL;
	uint64_t bytes = 0;
	int e;

	kept = record_keep_file(r, j->console_path, name, &bytes);
	e = store_begin(r->store, err);
	if (e < 0)
		return e;
	if (kept)
		e = db_run(r->store->db, SQL_ARTEFACT_ADD, err, DB_I(r->run_id), DB_I(ev->job),
			   DB_I(0), DB_T(STR("console")), DB_T(str_of(kept)),
			   DB_I((int64_t)bytes));
	if (e == 0)
		e = db_run(r->store->db, SQL_JOB_END, err, DB_I(r->run_id), DB_I(ev->job),
			   DB_I(j->time_ms), DB_T(j->kernel), DB_T(j->accel), DB_T(j->why),
			   DB_T(j->end), DB_T(j->reason));
	record_job_kernel(record_job(r, ev->job), j->kernel);
	if (e == 0 && !record_per_run(r))
		e = save_jobs(r, err);
	return store_end(r->store, e, err);
}

/* What a run that is written as a whole leaves to its end. */
static int save_rest(struct store_record *r, struct err *err)
{
	int e = record_slice_store(r, err);

	if (e == 0)
		e = record_save_counts(r, r->counts, r->splats, 0, err);
	return e == 0 ? save_jobs(r, err) : e;
}

int record_run_end(struct store_record *r, const struct event *ev, struct err *err)
{
	const struct event_run *run = ev->run;
	_free_ char *lock = store_lock_path(r->store, str_of(r->uid));
	struct str state = run->stopped ? STR("stopped") : STR("done");
	int e = record_per_run(r) ? save_rest(r, err) : store_begin(r->store, err);

	if (e < 0 && !record_per_run(r))
		return e;
	if (e == 0)
		e = db_run(r->store->db, SQL_RUN_END, err, DB_I(r->run_id), DB_I(run->time_ms),
			   DB_T(state), DB_I(run->exit_code), DB_T(run->conclusion),
			   DB_T(run->branch), DB_T(run->commit));
	if (record_per_run(r) && r->error.code && e == 0)
		e = -r->error.code; /* all of it, or nothing */
	e = store_end(r->store, e, err);
	r->ended = true;
	if (e < 0)
		return e;
	if (r->lock >= 0)
		unlink(lock);
	record_release(r);
	/* A fold that fails leaves the runs as they are, for the next one. */
	store_fold(r->store, FOLD_RUNS, NULL);
	return 0;
}
