/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run that is told again: its jobs, and what they left. */
#include "store/replay.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

static void replay_done(struct replay *r)
{
	for (size_t i = 0; i < r->n_slices; i++) {
		buf_done(&r->slices[i].body);
		buf_done(&r->slices[i].times);
	}
	free(r->slices);
	free(r->places);
	arena_done(&r->arena);
}

int replay_damaged(struct replay *r, const char *what)
{
	return err_set(r->err, EBADMSG, "the store is damaged: %s can't be read", what);
}

struct str replay_keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p, s.n), s.n);
}

int replay_artefact_path(struct replay *r, unsigned job, unsigned program, const char *kind,
			 struct str *ret)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	_free_ char *real = NULL, *name = NULL, *path = NULL;
	int e = db_query(r->s->db, SQL_ARTEFACT, &rows, r->err, DB_I(r->run_id),
			 DB_I(program ? 0 : job), DB_I(program), DB_T(str_of(kind)));

	if (e == 0)
		e = db_next(&rows, r->err);
	*ret = STR("");
	if (e <= 0)
		return e;
	name = xstrndup(db_str(&rows, 0).p, db_str(&rows, 0).n);
	path = path_join(r->s->dir, name);
	real = realpath(path, NULL);
	*ret = replay_keep(&r->arena, str_of(real ? real : path));
	return 0;
}

static int emit_artefacts(struct replay *r, unsigned job)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e = db_query(r->s->db, SQL_ARTEFACT_KINDS, &rows, r->err, DB_I(r->run_id), DB_I(job));

	while (e == 0 && (e = db_next(&rows, r->err)) > 0) {
		struct event_artefact a = { .kind = replay_keep(&r->arena, db_str(&rows, 0)) };
		_free_ char *name = xstrndup(db_str(&rows, 1).p, db_str(&rows, 1).n);
		_free_ char *path = path_join(r->s->dir, name), *real = realpath(path, NULL);

		a.path = str_of(real ? real : path);
		event_emit(&r->sink, &(struct event){ .type = EVENT_ARTEFACT, .job = job,
						      .artefact = &a });
		e = 0;
	}
	return e;
}

static int emit_job(struct replay *r, struct db_rows *row, size_t *next)
{
	struct event_job j = {
		.mode = replay_keep(&r->arena, db_str(row, 1)),
		.machine = replay_keep(&r->arena, db_str(row, 2)),
		.accel = replay_keep(&r->arena, db_str(row, 3)),
		.why = replay_keep(&r->arena, db_str(row, 4)),
		.kernel = replay_keep(&r->arena, db_str(row, 5)),
		.host = replay_keep(&r->arena, db_str(row, 6)),
		.cpus = (unsigned)db_int(row, 7),
		.memory = (uint64_t)db_int(row, 8),
		.time_ms = db_int(row, 9),
	};
	struct event ev = { .type = EVENT_JOB_BEGIN, .job = (unsigned)db_int(row, 0),
			    .job_info = &j };
	int64_t end_ms = db_int(row, 10);
	int e;

	event_emit(&r->sink, &ev);
	e = replay_executions(r, ev.job, next);
	if (e == 0)
		e = emit_artefacts(r, ev.job);
	if (e < 0 || end_ms == 0)
		return e;
	e = replay_artefact_path(r, ev.job, 0, "console", &j.console_path);
	if (e < 0)
		return e;
	j.time_ms = end_ms;
	j.end = replay_keep(&r->arena, db_str(row, 11));
	j.reason = replay_keep(&r->arena, db_str(row, 12));
	ev.type = EVENT_JOB_END;
	event_emit(&r->sink, &ev);
	return 0;
}

/* One whose own row could not be written: its programs were. */
static int emit_rowless(struct replay *r, size_t *next)
{
	struct event_job j = {};
	struct event ev = { .type = EVENT_JOB_BEGIN, .job = r->places[*next].x.job,
			    .job_info = &j };

	event_emit(&r->sink, &ev);
	return replay_executions(r, ev.job, next);
}

static int emit_jobs(struct replay *r)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	size_t next = 0;
	int e = replay_slices_read(r);

	if (e == 0)
		e = replay_executions(r, 0, &next);
	if (e == 0)
		e = db_query(r->s->db, SQL_JOBS, &rows, r->err, DB_I(r->run_id));
	while (e == 0 && (e = db_next(&rows, r->err)) > 0) {
		e = 0;
		while (e == 0 && next < r->n_places &&
		       r->places[next].x.job < (unsigned)db_int(&rows, 0))
			e = emit_rowless(r, &next);
		if (e == 0)
			e = emit_job(r, &rows, &next);
		arena_reset(&r->arena);
	}
	while (e == 0 && next < r->n_places)
		e = emit_rowless(r, &next);
	return e;
}

static int emit_run(void *ctx, const struct store_run *stored)
{
	struct replay *r = ctx;
	struct event_run run = {
		.id = stored->uid,
		.title = stored->title,
		.branch = stored->branch,
		.commit = stored->commit,
		.command = stored->command,
		.time_ms = stored->begin_ms,
	};
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };
	int e;

	r->begin_ms = stored->begin_ms;
	event_emit(&r->sink, &ev);
	e = emit_jobs(r);
	/* Of a run that was lost nobody knows how it ended. */
	if (e < 0 || (stored->state != STORE_RUN_DONE && stored->state != STORE_RUN_STOPPED))
		return e;
	run.time_ms = stored->end_ms;
	run.conclusion = stored->conclusion;
	run.exit_code = stored->exit_code;
	run.stopped = stored->state == STORE_RUN_STOPPED;
	ev.type = EVENT_RUN_END;
	event_emit(&r->sink, &ev);
	return 0;
}

int store_replay(struct store *s, int64_t run_id, struct event_sink sink, struct err *err)
{
	_cleanup_(replay_done) struct replay r = { .s = s, .run_id = run_id, .sink = sink,
						   .err = err };

	return store_run_get(s, run_id, emit_run, &r, err);
}

int store_replay_program(struct store *s, int64_t run_id, struct str suite,
			 struct str program, struct event_sink sink, struct err *err)
{
	_cleanup_(replay_done) struct replay r = { .s = s, .run_id = run_id, .sink = sink,
						   .suite = suite, .program = program,
						   .err = err };

	return store_run_get(s, run_id, emit_run, &r, err);
}
