/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run that is being recorded: its events, and what becomes of each execution. */
#include "store/recorder.h"

#include <assert.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

/* Problems and splats of one job outside of its programs that are kept. */
#define NOTES_MAX 200
/* No note that was taken while its program ran has this number or a higher one. */
#define LATE_SEQ (RESULTS_MAX + 1)

void record_keep_error(struct store_record *r, const struct err *err)
{
	if (!r->error.code)
		r->error = *err;
}

struct record_job *record_job(struct store_record *r, unsigned number)
{
	for (size_t i = 0; i < r->n_jobs; i++)
		if (r->jobs[i].number == number)
			return &r->jobs[i];
	ARRAY_GROW(r->jobs, r->n_jobs, r->cap_jobs);
	r->jobs[r->n_jobs] = (struct record_job){
		.number = number,
		.setting = dict_setting(&r->store->dict, STR(""), STR("")),
	};
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
	execution_free(r->store->spare);
	r->store->spare = r->open[i];
	r->open[i] = r->open[--r->n_open];
}

int record_slice_store(struct store_record *r, struct err *err)
{
	return slicing_store(&r->slice, r->store->db, &r->store->dict.zstd, r->run_id, r->begin_ms,
			     err);
}

/* A retry's counts stand for the program, as in tap/tally. */
struct counted *record_earlier(struct store_record *r, const struct program *p,
			       const struct setting *s, unsigned attempt)
{
	for (size_t i = 0; attempt > 1 && i < r->n_counted; i++)
		if (r->counted[i].program == p && r->counted[i].setting == s)
			return &r->counted[i];
	return NULL;
}

void record_counted(struct store_record *r, const struct counted *now, struct counted *before)
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

/* Inside a transaction: the execution into the slice, and this into its row. */
static int save_inside(struct store_record *r, struct execution *x, const uint64_t *counts,
		       bool retry, struct err *err)
{
	struct slicing *s = &r->slice;
	int e = execution_save(x, &r->store->dict, record_job(r, x->job)->setting, r->begin_ms,
			       &s->body, &s->times, err);

	s->n++;
	if (e == 0 && (!record_per_run(r) || slicing_is_full(s)))
		e = record_slice_store(r, err);
	for (size_t i = 0; i < x->n_notes && e == 0; i++)
		e = note_save(&x->notes[i], r->store->db, r->run_id, r->begin_ms, x->job,
			      x->number, err);
	if (e == 0)
		e = save_artefact(r, x, err);
	if (e == 0 && !record_per_run(r))
		e = record_save_counts(r, counts, r->splats + x->n_splats, !retry, err);
	return e;
}

/* One transaction: when it returns 0 the execution is on the disk. */
static int save(struct store_record *r, struct execution *x, struct err *err)
{
	struct counted now = { x->program, record_job(r, x->job)->setting, {} };
	struct counted *before = record_earlier(r, x->program, now.setting, x->attempt);
	struct slicing was = r->slice;
	uint64_t counts[STATUS_N];
	int e = store_begin(r->store, err);

	execution_count(x, now.counts);
	for (unsigned i = 0; i < STATUS_N; i++)
		counts[i] = r->counts[i] + now.counts[i] - (before ? before->counts[i] : 0);
	if (e == 0)
		e = store_end(r->store, save_inside(r, x, counts, before, err), err);
	if (e < 0) {
		r->slice.n = was.n;
		r->slice.stored = was.stored;
		r->slice.body.n = was.body.n;
		r->slice.times.n = was.times.n;
		return err_wrap(err, e, "record %.*s/%.*s", STR_FMT(x->program->suite),
				STR_FMT(x->program->name));
	}
	if (slicing_is_full(&r->slice))
		slicing_next(&r->slice);
	record_counted(r, &now, before);
	memcpy(r->counts, counts, sizeof(counts));
	r->splats += x->n_splats;
	ARRAY_GROW(r->saved, r->n_saved, r->cap_saved);
	r->saved[r->n_saved++] = (struct saved){ x->number, x->job };
	record_job(r, x->job)->ended++;
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

/* For who looks on meanwhile: it may be lost with the power, and costs nothing else. Inside
 * of another transaction nobody sees it, and what fails would fail all of that. */
static void tell_running(struct store_record *r)
{
	if (!r->store->db->depth && db_begin_lazy(r->store->db, NULL) == 0)
		store_end(r->store, record_save_counts(r, r->counts, r->splats, 0, NULL), NULL);
}

static int program_begin(struct store_record *r, const struct event *ev, struct err *err)
{
	struct dict *d = &r->store->dict;
	struct program *p = dict_program(d, ev->prog->suite, ev->prog->name);

	/* What can't be recalled is only slower. */
	dict_recall(d, p, NULL);
	ARRAY_GROW(r->open, r->n_open, r->cap_open);
	r->open[r->n_open++] = execution_new(TAKE(r->store->spare), p, ev);
	if (!record_per_run(r))
		tell_running(r);
	return 0;
}

static int program_end(struct store_record *r, const struct event *ev, struct err *err)
{
	struct execution *x = open_find(r, ev->program);
	_free_ char *name = NULL;

	assert(x && !x->ended);
	execution_end(x, &r->store->dict, ev->prog);
	if (ev->prog->log_path.n) {
		name = execution_file_name(x);
		x->artefact = record_keep_file(r, ev->prog->log_path, name, &x->artefact_bytes);
	}
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
	struct record_job *job = record_job(r, ev->job);
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
	splats += note.splat && !note.splat->excuse;
	e = store_begin(r->store, err);
	if (e < 0)
		return e;
	e = note_save(&note, r->store->db, r->run_id, r->begin_ms, ev->job,
		      late ? ev->program : 0, err);
	if (e == 0 && note.splat && !record_per_run(r))
		e = record_save_counts(r, r->counts, splats, 0, err);
	e = store_end(r->store, e, err);
	if (e == 0)
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
	[EVENT_RUN_BEGIN] = record_run_begin,
	[EVENT_RUN_END] = record_run_end,
	[EVENT_JOB_BEGIN] = record_job_begin,
	[EVENT_JOB_END] = record_job_end,
	[EVENT_PROGRAM_BEGIN] = program_begin,
	[EVENT_PROGRAM_END] = program_end,
	[EVENT_RESULT] = inside,
	[EVENT_PROBLEM] = inside,
	[EVENT_SPLAT] = inside,
	[EVENT_ARTEFACT] = record_artefact,
};

static void on_event(void *ctx, const struct event *ev)
{
	struct store_record *r = ctx;
	struct err err = {};

	if (r->resumed && ev->type == EVENT_RUN_BEGIN) {
		r->tests = ev->run->tests;
		return;
	}
	/* Without its row nothing of the run can be kept. */
	if ((!r->run_id && ev->type != EVENT_RUN_BEGIN) || r->ended)
		return;
	if (ev->type == EVENT_RUN_END)
		save_ended(r);
	if (RECORD[ev->type](r, ev, &err) < 0)
		record_keep_error(r, &err);
}

int store_record_new(struct store *s, struct store_record **ret, struct err *err)
{
	struct store_record *r = xcalloc(1, sizeof(*r));

	r->store = s;
	r->lock = -1;
	*ret = r;
	return 0;
}

void store_record_durable(struct store_record *r, enum store_durable d)
{
	assert(!r->run_id);
	r->durable = d;
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
	if (record_per_run(r) && r->run_id && !r->ended)
		store_rollback(r->store);
	while (r->n_open)
		open_drop(r, 0);
	for (size_t i = 0; i < r->n_jobs; i++)
		free(r->jobs[i].kernel);
	slicing_done(&r->slice);
	if (!r->ended)
		record_release(r);
	closep(&r->lock);
	free(r->open);
	free(r->jobs);
	free(r->counted);
	free(r->saved);
	free(r->uid);
	free(r);
	return NULL;
}
