/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resume: a run that was interrupted is recorded on. What the recorder knew then is
 * made of what it wrote: jobs, counts, the slices that are there.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/recorder.h"

struct resume {
	struct store_record *record;
	unsigned jobs, programs;      /* highest numbers */
	struct counted now;           /* of the program that is being told */
	unsigned attempt;
};

static void program_begin(struct resume *x, const struct event *ev)
{
	struct dict *d = &x->record->store->dict;

	x->now = (struct counted){ .program = dict_program(d, ev->prog->suite, ev->prog->name),
				   .setting = record_job(x->record, ev->job)->setting };
	x->attempt = ev->prog->attempt;
}

static void program_end(struct resume *x, const struct event *ev)
{
	struct store_record *r = x->record;

	if (!x->now.program)
		return;
	x->now.counts[ev->prog->status] += status_end_counts(ev->prog->status, x->now.counts);
	record_counted(r, &x->now, record_earlier(r, x->now.program, x->now.setting, x->attempt));
	x->now.program = NULL;
}

static void on_event(void *ctx, const struct event *ev)
{
	struct resume *x = ctx;
	struct store_record *r = x->record;

	x->jobs = ev->job > x->jobs ? ev->job : x->jobs;
	x->programs = ev->program > x->programs ? ev->program : x->programs;
	if (ev->type == EVENT_JOB_BEGIN) {
		struct record_job *job = record_job(r, ev->job);

		job->setting = dict_setting(&r->store->dict, ev->job_info->mode,
					    ev->job_info->machine);
		record_job_kernel(job, ev->job_info->kernel);
	} else if (ev->type == EVENT_PROGRAM_BEGIN) {
		program_begin(x, ev);
	} else if (ev->type == EVENT_RESULT && ev->result->leaf) {
		x->now.counts[ev->result->status]++;
	} else if (ev->type == EVENT_PROGRAM_END) {
		program_end(x, ev);
	}
}

static int take_run(void *ctx, const struct store_run *run)
{
	struct store_record *r = ctx;

	if (run->state == STORE_RUN_RUNNING)
		return -EBUSY;
	if (run->state == STORE_RUN_DONE)
		return -EALREADY;
	r->run_id = run->id;
	r->begin_ms = run->begin_ms;
	r->uid = xstrndup(run->uid.p, run->uid.n);
	r->splats = run->splats;
	memcpy(r->counts, run->counts, sizeof(r->counts));
	return 0;
}

/* Slices are never reopened: the next one is behind those that are there. */
static int count_slices(struct store_record *r, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e = db_query(r->store->db, SQL_SLICES, &rows, err, DB_I(SLICE_ID(r->run_id, 0)),
			 DB_I(SLICE_ID(r->run_id + 1, 0)), DB_I(r->begin_ms));

	while (e == 0 && (e = db_next(&rows, err)) > 0) {
		r->slice.number = (unsigned)(db_int(&rows, 0) - SLICE_ID(r->run_id, 0)) + 1;
		e = 0;
	}
	return e;
}

static int reopen(struct store_record *r, struct err *err)
{
	int64_t id;
	int e = store_begin(r->store, err);

	if (e < 0)
		return e;
	e = db_get(r->store->db, SQL_RUN_RESUME, &id, err, DB_I(r->run_id));
	if (e == 0)
		e = err_set(err, ESTALE, "run %" PRId64 " is part of the history's statistics "
			    "already; begin a new one", r->run_id);
	return store_end(r->store, e < 0 ? e : 0, err);
}

int store_record_resume(struct store *s, int64_t run_id, struct store_record **ret,
			unsigned *ret_jobs, unsigned *ret_programs, struct err *err)
{
	struct store_record *r;
	struct resume x = {};
	int e = store_record_new(s, &r, err);

	if (e < 0)
		return e;
	x.record = r;
	e = store_run_get(s, run_id, take_run, r, err);
	if (e == -EBUSY || e == -EALREADY)
		e = err_set(err, -e, "run %" PRId64 " %s", run_id,
			    e == -EBUSY ? "is running" : "came to its end: nothing is left of it");
	if (e == 0)
		e = store_run_claim(s, str_of(r->uid), &r->lock, err);
	r->resumed = e == 0;
	if (e == 0)
		e = store_replay(s, run_id, (struct event_sink){ on_event, &x }, err);
	if (e == 0)
		e = count_slices(r, err);
	if (e == 0)
		e = reopen(r, err);
	if (e < 0) {
		store_record_free(r);
		return e;
	}
	*ret = r;
	*ret_jobs = x.jobs;
	*ret_programs = x.programs;
	return 0;
}
