/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One execution as it is told again: its results, with what happened between them. */
#include "store/replay.h"

#include "base/mem.h"

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
	return e < 0 ? replay_damaged(r, "reasons") : 0;
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

static int emit_results(struct replay *r, const struct replay_place *place, struct event_program *p)
{
	_cleanup_(replay_notes_done) struct replay_notes notes = {};
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
		e = replay_damaged(r, "a slice");
	if (e == 0)
		e = replay_times_unpack(r, place, &layout->columns, &c);
	if (e == 0)
		e = replay_notes_read(r, x.job, x.program, &notes);
	for (size_t i = 0; e == 0 && i < c.n; i++) {
		replay_notes_emit(r, x.job, x.program, &notes, i);
		emit_result(r, &x, o->shape->names[i], &told[i], &c.rows[i], c.times[i]);
	}
	if (e == 0)
		replay_notes_emit(r, x.job, x.program, &notes, UINT64_MAX);
	fill_end(&x, o, told, layout, p);
	return e;
}

static int emit_execution(struct replay *r, const struct replay_place *place)
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
		e = replay_artefact_path(r, x->job, x->program, "log", &p.log_path);
	if (e < 0)
		return e;
	ev.type = EVENT_PROGRAM_END;
	event_emit(&r->sink, &ev);
	return 0;
}

int replay_executions(struct replay *r, unsigned job, size_t *next)
{
	_cleanup_(replay_notes_done) struct replay_notes notes = {};
	uint64_t done = 0;
	int e = replay_notes_read(r, job, 0, &notes);

	for (; e == 0 && *next < r->n_places && r->places[*next].x.job == job; ++*next) {
		struct arena keep_notes = r->arena;

		replay_notes_emit(r, job, 0, &notes, done++);
		r->arena = (struct arena){};
		e = emit_execution(r, &r->places[*next]);
		arena_done(&r->arena);
		r->arena = keep_notes;
	}
	if (e == 0)
		replay_notes_emit(r, job, 0, &notes, UINT64_MAX);
	return e;
}
