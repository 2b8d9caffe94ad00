/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/inside.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/pack.h"
#include "store/slice.h"
#include "tap/trace.h"

#define TIMES_MAX      (256u << 20)

/* One execution, where its slice is. */
struct place {
	struct sliced x;
	size_t slice, nth;
};

struct slice_data {
	int64_t id;
	struct buf body, times;
	bool times_read;
};

struct replay {
	struct store *s;
	int64_t run_id, begin_ms;
	struct event_sink sink;
	struct str suite, program; /* these only; none: all */
	struct arena arena; /* of one execution or job */
	struct slice_data *slices;
	size_t n_slices, cap_slices;
	struct place *places; /* by job, then program */
	size_t n_places, cap_places;
	struct err *err;
};

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

/* ---- slices ---- */

static int by_job(const void *a, const void *b)
{
	const struct sliced *x = &((const struct place *)a)->x, *y = &((const struct place *)b)->x;

	if (x->job != y->job)
		return x->job < y->job ? -1 : 1;
	return (x->program > y->program) - (x->program < y->program);
}

static int read_slice(struct replay *r, struct db_rows *rows)
{
	struct slice_data *d;
	struct str body;
	size_t nth = 0;
	int e;

	ARRAY_GROW(r->slices, r->n_slices, r->cap_slices);
	d = &r->slices[r->n_slices++];
	*d = (struct slice_data){ .id = db_int(rows, 0) };
	e = buf_add_str(&d->body, db_str(rows, 1));
	if (e < 0)
		return damaged(r, "a slice");
	body = buf_str(&d->body);
	for (;;) {
		struct place p = { .slice = r->n_slices - 1, .nth = nth++ };

		e = slice_next(&body, r->begin_ms, &p.x);
		if (e <= 0)
			return e < 0 ? damaged(r, "a slice") : 0;
		ARRAY_GROW(r->places, r->n_places, r->cap_places);
		r->places[r->n_places++] = p;
	}
}

static int read_slices(struct replay *r)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e = db_query(r->s->db, SQL_SLICES, &rows, r->err, DB_I(SLICE_ID(r->run_id, 0)),
			 DB_I(SLICE_ID(r->run_id + 1, 0)), DB_I(r->begin_ms));

	while (e == 0 && (e = db_next(&rows, r->err)) > 0)
		e = read_slice(r, &rows);
	if (r->n_places)
		qsort(r->places, r->n_places, sizeof(*r->places), by_job);
	return e;
}

static int read_times(struct replay *r, struct slice_data *d)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e;

	if (d->times_read)
		return 0;
	e = db_query(r->s->db, SQL_TIMES, &rows, r->err, DB_I(d->id), DB_I(r->begin_ms));
	if (e == 0)
		e = db_next(&rows, r->err);
	if (e < 0)
		return e;
	d->times.max = TIMES_MAX;
	if (e == 0 || unpack_bytes(db_str(&rows, 0), TIMES_MAX, &d->times) < 0)
		return damaged(r, "durations");
	d->times_read = true;
	return 0;
}

/* Those of one execution, behind those of its neighbours in the slice. */
static int unpack_times(struct replay *r, const struct place *p, const struct columns *base,
			struct columns *c)
{
	struct slice_data *d = &r->slices[p->slice];
	struct str rest, body = buf_str(&d->body);
	struct sliced x;
	int e = read_times(r, d);

	if (e < 0)
		return e;
	rest = buf_str(&d->times);
	for (size_t i = 0; i < p->nth; i++) {
		struct outcome *o;

		if (slice_next(&body, r->begin_ms, &x) <= 0)
			return damaged(r, "a slice");
		e = dict_outcome_get(&r->s->dict, x.outcome_id, &o, r->err);
		if (e < 0)
			return e;
		if (times_skip(o->shape->n - 1, &rest) < 0)
			return damaged(r, "durations");
	}
	return times_unpack(base, &rest, c) < 0 ? damaged(r, "durations") : 0;
}

/* ---- one execution ---- */

struct told {
	enum status status;
	struct str reason;
};

static int read_told(struct replay *r, const struct sliced *x, const struct outcome *o,
		     struct told *told)
{
	size_t n = o->shape->n, last = (size_t)-1;
	struct reasons *reasons;
	struct str body, text;
	int e;

	for (size_t i = 0; i < n; i++)
		told[i] = (struct told){ STATUS_PASS, STR("") };
	for (size_t i = 0; i < o->n; i++)
		told[o->exceptions[i].at].status = (enum status)o->exceptions[i].status;
	if (!x->reasons_id)
		return 0;
	e = dict_reasons_get(&r->s->dict, x->reasons_id, &reasons, r->err);
	if (e < 0)
		return e;
	body = reasons->body;
	while ((e = code_reason_read(&body, &last, n, &text)) > 0)
		told[last].reason = text;
	return e < 0 ? damaged(r, "reasons") : 0;
}

static void emit_result(struct replay *r, const struct sliced *x, const struct name *s,
			const struct told *told, const struct columns_row *row, int64_t ms)
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
		.line_to = (uint64_t)row->v[COLUMN_LINE_TO],
		.duration_ms = ms,
		.exit_code = (int)row->v[COLUMN_EXIT],
		.ordinal = s->ordinal,
		.reason = told->reason,
	};
	struct event ev = { .type = EVENT_RESULT, .job = x->job, .program = x->program,
			    .result = &result };

	event_emit(&r->sink, &ev);
}

/* The end, but for its log. */
static void fill_end(const struct sliced *x, const struct outcome *o, const struct told *told,
		     const struct layout *l, struct event_program *p)
{
	p->status = told[o->shape->n - 1].status;
	p->reason = told[o->shape->n - 1].reason;
	p->time_ms = x->end_ms;
	p->exit_code = o->exit_code;
	p->duration_ms = x->duration_ms;
	p->log_lines = (uint64_t)(x->log_lines + l->columns.log_lines);
}

static int emit_results(struct replay *r, const struct place *place, struct event_program *p)
{
	_cleanup_(notes_done) struct notes notes = {};
	_cleanup_(columns_done) struct columns c = {};
	_free_ struct told *told = NULL;
	struct sliced x = place->x;
	struct layout *layout = NULL;
	struct outcome *o;
	int e = dict_outcome_get(&r->s->dict, x.outcome_id, &o, r->err);

	if (e == 0)
		e = dict_layout_get(&r->s->dict, (struct shape *)o->shape, x.layout_id, &layout,
				    r->err);
	if (e < 0)
		return e;
	told = xcalloc(o->shape->n, sizeof(*told));
	columns_alloc(&c, o->shape->n - 1);
	e = read_told(r, &x, o, told);
	if (e == 0 && columns_patch(&layout->columns, x.n_diffs, &x.diffs, &c) < 0)
		e = damaged(r, "a slice");
	if (e == 0)
		e = unpack_times(r, place, &layout->columns, &c);
	if (e == 0)
		e = notes_read(r, x.job, x.program, &notes);
	for (size_t i = 0; e == 0 && i < c.n; i++) {
		notes_emit(r, x.job, x.program, &notes, i);
		emit_result(r, &x, o->shape->names[i], &told[i], &c.rows[i], c.times[i]);
	}
	if (e == 0)
		notes_emit(r, x.job, x.program, &notes, UINT64_MAX);
	fill_end(&x, o, told, layout, p);
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

static int emit_artefacts(struct replay *r, unsigned job)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e = db_query(r->s->db, SQL_ARTEFACT_KINDS, &rows, r->err, DB_I(r->run_id), DB_I(job));

	while (e == 0 && (e = db_next(&rows, r->err)) > 0) {
		struct event_artefact a = { .kind = keep(&r->arena, db_str(&rows, 0)) };
		_free_ char *name = xstrndup(db_str(&rows, 1).p, db_str(&rows, 1).n);
		_free_ char *path = path_join(r->s->dir, name), *real = realpath(path, NULL);

		a.path = str_of(real ? real : path);
		event_emit(&r->sink, &(struct event){ .type = EVENT_ARTEFACT, .job = job,
						      .artefact = &a });
		e = 0;
	}
	return e;
}

static int emit_execution(struct replay *r, const struct place *place)
{
	const struct sliced *x = &place->x;
	struct program *program;
	struct event_program p = { .attempt = x->attempt, .time_ms = x->begin_ms,
				   .exit_code = -1 };
	struct event ev = { .type = EVENT_PROGRAM_BEGIN, .prog = &p, .job = x->job,
			    .program = x->program };
	int e = dict_program_get(&r->s->dict, x->program_id, &program, r->err);

	if (e < 0)
		return e;
	if (r->program.p &&
	    (!str_eq(r->program, program->name) || !str_eq(r->suite, program->suite)))
		return 0;
	p.suite = program->suite;
	p.name = program->name;
	event_emit(&r->sink, &ev);
	e = emit_results(r, place, &p);
	if (e == 0)
		e = artefact_path(r, x->job, x->program, "log", &p.log_path);
	if (e < 0)
		return e;
	ev.type = EVENT_PROGRAM_END;
	event_emit(&r->sink, &ev);
	return 0;
}

/* The executions of one job in their order, with what happened around them. */
static int emit_executions(struct replay *r, unsigned job, size_t *next)
{
	_cleanup_(notes_done) struct notes notes = {};
	uint64_t done = 0;
	int e = notes_read(r, job, 0, &notes);

	for (; e == 0 && *next < r->n_places && r->places[*next].x.job == job; ++*next) {
		struct arena keep_notes = r->arena;

		notes_emit(r, job, 0, &notes, done++);
		r->arena = (struct arena){};
		e = emit_execution(r, &r->places[*next]);
		arena_done(&r->arena);
		r->arena = keep_notes;
	}
	if (e == 0)
		notes_emit(r, job, 0, &notes, UINT64_MAX);
	return e;
}

/* ---- jobs and the run ---- */

static int emit_job(struct replay *r, struct db_rows *row, size_t *next)
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
	e = emit_executions(r, ev.job, next);
	if (e == 0)
		e = emit_artefacts(r, ev.job);
	if (e < 0 || end_ms == 0)
		return e;
	e = artefact_path(r, ev.job, 0, "console", &j.console_path);
	if (e < 0)
		return e;
	j.time_ms = end_ms;
	j.end = keep(&r->arena, db_str(row, 11));
	j.reason = keep(&r->arena, db_str(row, 12));
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
	return emit_executions(r, ev.job, next);
}

static int emit_jobs(struct replay *r)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	size_t next = 0;
	int e = read_slices(r);

	if (e == 0)
		e = emit_executions(r, 0, &next);
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
