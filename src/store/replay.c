/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/inside.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/columns.h"
#include "store/pack.h"
#include "store/shape.h"
#include "tap/trace.h"

#define SPLAT_TEXT_MAX (16u << 20)

struct replay {
	struct store *s;
	int64_t run_id;
	struct event_sink sink;
	struct shapes shapes;
	struct arena arena; /* of one execution or job */
	struct err *err;
};

static void replay_done(struct replay *r)
{
	shapes_done(&r->shapes);
	arena_done(&r->arena);
}

static int damaged(struct replay *r, const char *what)
{
	return err_set(r->err, EBADMSG, "the store is damaged: %s can't be read", what);
}

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p, s.n), s.n);
}

/* ---- problems and splats, in their places between the results ---- */

struct stored_note {
	unsigned seq;
	uint64_t after;
	bool is_splat;
	struct event_problem problem;
	struct event_splat splat;
};

struct notes {
	struct stored_note *v;
	size_t n, cap, next;
};

static void notes_done(struct notes *n)
{
	free(n->v);
}

static struct stored_note *notes_add(struct notes *n, struct db_rows *rows)
{
	struct stored_note *note;

	ARRAY_GROW(n->v, n->n, n->cap);
	note = &n->v[n->n++];
	*note = (struct stored_note){ .seq = (unsigned)db_int(rows, 0),
				      .after = (uint64_t)db_int(rows, 1) };
	return note;
}

static enum problem problem_from_name(struct str name)
{
	for (unsigned i = 0; i < PROBLEM_N; i++)
		if (str_eq(name, str_of(PROBLEM_NAMES[i])))
			return (enum problem)i;
	return PROBLEM_BAD_SYNTAX;
}

static int read_problem(struct replay *r, struct db_rows *rows, struct stored_note *n)
{
	n->problem = (struct event_problem){
		.what = problem_from_name(db_str(rows, 2)),
		.line = (uint64_t)db_int(rows, 3),
		.message = keep(&r->arena, db_str(rows, 4)),
	};
	return 0;
}

static int read_splat(struct replay *r, struct db_rows *rows, struct stored_note *n)
{
	_cleanup_(buf_done) struct buf text = {};
	struct event_frame frames[EVENT_FRAMES_MAX], *copy;
	struct str reason = db_str(rows, 14);

	if (unpack_bytes(db_str(rows, 7), SPLAT_TEXT_MAX, &text) < 0)
		return damaged(r, "a splat");
	n->is_splat = true;
	n->splat = (struct event_splat){
		.kind = keep(&r->arena, db_str(rows, 2)),
		.title = keep(&r->arena, db_str(rows, 3)),
		.fingerprint = keep(&r->arena, db_str(rows, 4)),
		.line = (uint64_t)db_int(rows, 5),
		.lines = (uint64_t)db_int(rows, 6),
		.text = keep(&r->arena, buf_str(&text)),
		.task = keep(&r->arena, db_str(rows, 8)),
		.pid = db_int(rows, 9),
		.cpu = (int)db_int(rows, 10),
		.taint = keep(&r->arena, db_str(rows, 11)),
		.fatal = db_int(rows, 12) != 0,
		.n_frames = trace_read(keep(&r->arena, db_str(rows, 13)), frames),
	};
	copy = arena_alloc(&r->arena, sizeof(*copy) * n->splat.n_frames);
	memcpy(copy, frames, sizeof(*copy) * n->splat.n_frames);
	n->splat.frames = copy;
	if (reason.n) {
		struct event_excuse *excuse = arena_alloc(&r->arena, sizeof(*excuse));

		*excuse = (struct event_excuse){
			.reason = keep(&r->arena, reason),
			.link = keep(&r->arena, db_str(rows, 15)),
			.owner = keep(&r->arena, db_str(rows, 16)),
			.until = keep(&r->arena, db_str(rows, 17)),
		};
		n->splat.excuse = excuse;
	}
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const struct stored_note *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

static int notes_read(struct replay *r, unsigned job, unsigned program, struct notes *ret)
{
	static const struct {
		enum sql sql;
		int (*read)(struct replay *, struct db_rows *, struct stored_note *);
	} sources[] = { { SQL_PROBLEMS, read_problem }, { SQL_SPLATS, read_splat } };

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		_cleanup_(db_rows_done) struct db_rows rows = {};
		int e = db_query(r->s->db, sources[i].sql, &rows, r->err, DB_I(r->run_id),
				 DB_I(job), DB_I(program));

		while (e == 0 && (e = db_next(&rows, r->err)) > 0)
			e = sources[i].read(r, &rows, notes_add(ret, &rows));
		if (e < 0)
			return e;
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_seq);
	return 0;
}

/* Those that stand before result (or program) number @done, from 0. */
static void notes_emit(struct replay *r, unsigned job, unsigned program, struct notes *n,
		       uint64_t done)
{
	for (; n->next < n->n && n->v[n->next].after <= done; n->next++) {
		const struct stored_note *note = &n->v[n->next];
		struct event ev = { .type = EVENT_PROBLEM, .job = job, .program = program,
				    .problem = &note->problem };

		if (note->is_splat) {
			ev.type = EVENT_SPLAT;
			ev.splat = &note->splat;
		}
		event_emit(&r->sink, &ev);
	}
}

/* ---- one execution ---- */

struct told {
	enum status status;
	struct str reason;
};

static int read_exceptions(struct replay *r, int64_t execution, struct told *told, size_t n)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e = db_query(r->s->db, SQL_EXCEPTIONS, &rows, r->err, DB_I(execution));

	while (e == 0 && (e = db_next(&rows, r->err)) > 0) {
		uint64_t i = (uint64_t)db_int(&rows, 0);

		if (i >= n || !status_from_name(db_str(&rows, 1), &told[i].status))
			return damaged(r, "an exception");
		told[i].reason = keep(&r->arena, db_str(&rows, 2));
		e = 0;
	}
	return e;
}

static void emit_result(struct replay *r, unsigned job, unsigned program,
			const struct series *s, const struct told *told,
			const struct columns_row *row)
{
	struct event_result result = {
		.path = s->names,
		.depth = s->depth,
		.key = s->key,
		.status = told->status,
		.leaf = s->leaf,
		.implied = row->v[COLUMN_IMPLIED],
		.number = row->v[COLUMN_NUMBER],
		.line = (uint64_t)row->v[COLUMN_LINE],
		.line_from = (uint64_t)row->v[COLUMN_LINE_FROM],
		.line_to = (uint64_t)row->v[COLUMN_LINE],
		.duration_ms = row->v[COLUMN_DURATION],
		.exit_code = (int)row->v[COLUMN_EXIT],
		.ordinal = s->ordinal,
		.reason = told->reason,
	};
	struct event ev = { .type = EVENT_RESULT, .job = job, .program = program,
			    .result = &result };

	event_emit(&r->sink, &ev);
}

static int emit_results(struct replay *r, unsigned job, unsigned program, int64_t execution,
			int64_t shape_id, struct str columns)
{
	_cleanup_(notes_done) struct notes notes = {};
	_free_ struct columns_row *rows = NULL;
	_free_ struct told *told = NULL;
	const struct shape *shape;
	size_t n;
	int e = shapes_get(&r->shapes, r->s->db, shape_id, &shape, r->err);

	if (e < 0)
		return e;
	n = shape->n - 1;
	rows = xcalloc(n, sizeof(*rows));
	told = xcalloc(shape->n, sizeof(*told));
	for (size_t i = 0; i < shape->n; i++)
		told[i] = (struct told){ STATUS_PASS, STR("") };
	if (columns_unpack(columns, n, rows) < 0)
		return damaged(r, "an execution");
	e = read_exceptions(r, execution, told, shape->n);
	if (e == 0)
		e = notes_read(r, job, program, &notes);
	for (size_t i = 0; e == 0 && i < n; i++) {
		if (shape->series[i]->depth == 0)
			return damaged(r, "a shape");
		notes_emit(r, job, program, &notes, i);
		emit_result(r, job, program, shape->series[i], &told[i], &rows[i]);
	}
	if (e == 0)
		notes_emit(r, job, program, &notes, UINT64_MAX);
	return e;
}

/* Absolute path of an artefact, "" when none was kept. */
static int artefact_path(struct replay *r, unsigned job, unsigned program, const char *kind,
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
	*ret = keep(&r->arena, str_of(real ? real : path));
	return 0;
}

/* Columns of SQL_EXECUTIONS. */
enum { X_ID, X_PROGRAM, X_JOB, X_SUITE, X_NAME, X_SHAPE, X_ATTEMPT, X_STATUS, X_EXIT, X_BEGIN,
       X_END, X_DURATION, X_LINES, X_REASON, X_MODE, X_COLUMNS };

static int emit_execution(struct replay *r, struct db_rows *row)
{
	struct event_program p = {
		.suite = keep(&r->arena, db_str(row, X_SUITE)),
		.name = keep(&r->arena, db_str(row, X_NAME)),
		.attempt = (unsigned)db_int(row, X_ATTEMPT),
		.time_ms = db_int(row, X_BEGIN),
		.exit_code = -1,
	};
	struct event ev = { .type = EVENT_PROGRAM_BEGIN, .prog = &p,
			    .job = (unsigned)db_int(row, X_JOB),
			    .program = (unsigned)db_int(row, X_PROGRAM) };
	int e;

	event_emit(&r->sink, &ev);
	e = emit_results(r, ev.job, ev.program, db_int(row, X_ID), db_int(row, X_SHAPE),
			 db_str(row, X_COLUMNS));
	if (e == 0)
		e = artefact_path(r, ev.job, ev.program, "log", &p.log_path);
	if (e < 0)
		return e;
	if (!status_from_name(db_str(row, X_STATUS), &p.status))
		return damaged(r, "an execution");
	p.time_ms = db_int(row, X_END);
	p.exit_code = (int)db_int(row, X_EXIT);
	p.duration_ms = db_int(row, X_DURATION);
	p.log_lines = (uint64_t)db_int(row, X_LINES);
	p.reason = keep(&r->arena, db_str(row, X_REASON));
	ev.type = EVENT_PROGRAM_END;
	event_emit(&r->sink, &ev);
	return 0;
}

/* The executions of one job in their order, with what happened around them. */
static int emit_executions(struct replay *r, unsigned job)
{
	_cleanup_(notes_done) struct notes notes = {};
	_cleanup_(db_rows_done) struct db_rows rows = {};
	uint64_t done = 0;
	int e = notes_read(r, job, 0, &notes);

	if (e == 0)
		e = db_query(r->s->db, SQL_EXECUTIONS, &rows, r->err, DB_I(r->run_id), DB_I(job));
	while (e == 0 && (e = db_next(&rows, r->err)) > 0) {
		struct arena keep_notes = r->arena;

		notes_emit(r, job, 0, &notes, done++);
		r->arena = (struct arena){};
		e = emit_execution(r, &rows);
		arena_done(&r->arena);
		r->arena = keep_notes;
	}
	if (e == 0)
		notes_emit(r, job, 0, &notes, UINT64_MAX);
	return e;
}

/* ---- jobs and the run ---- */

static int emit_job(struct replay *r, struct db_rows *row)
{
	struct event_job j = {
		.mode = keep(&r->arena, db_str(row, 1)),
		.machine = keep(&r->arena, db_str(row, 2)),
		.accel = keep(&r->arena, db_str(row, 3)),
		.why = keep(&r->arena, db_str(row, 4)),
		.kernel = keep(&r->arena, db_str(row, 5)),
		.host = keep(&r->arena, db_str(row, 6)),
		.cpus = (unsigned)db_int(row, 7),
		.memory = (uint64_t)db_int(row, 8),
		.time_ms = db_int(row, 9),
	};
	struct event ev = { .type = EVENT_JOB_BEGIN, .job = (unsigned)db_int(row, 0),
			    .job_info = &j };
	int64_t end_ms = db_int(row, 10);
	int e;

	event_emit(&r->sink, &ev);
	e = emit_executions(r, ev.job);
	if (e < 0 || end_ms == 0)
		return e;
	e = artefact_path(r, ev.job, 0, "console", &j.console_path);
	if (e < 0)
		return e;
	j.time_ms = end_ms;
	ev.type = EVENT_JOB_END;
	event_emit(&r->sink, &ev);
	return 0;
}

static int emit_jobs(struct replay *r)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e = emit_executions(r, 0);

	if (e == 0)
		e = db_query(r->s->db, SQL_JOBS, &rows, r->err, DB_I(r->run_id));
	while (e == 0 && (e = db_next(&rows, r->err)) > 0) {
		e = emit_job(r, &rows);
		arena_reset(&r->arena);
	}
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
