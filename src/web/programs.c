/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run's programs on its page: one fold each, open where something is wrong.
 * A program is collected until it ends, then written and forgotten.
 */
#include <stdlib.h>

#include "web/programs.h"

#define RESULTS_MAX 20000 /* shown of one program */

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p ? s.p : "", s.n), s.n);
}

static struct program *program_find(struct web_programs *p, unsigned id)
{
	struct program *g = p->open;

	while (g && g->id != id)
		g = g->next;
	return g;
}

static void program_begin(struct web_programs *p, const struct event *ev)
{
	struct program *g = xcalloc(1, sizeof(*g));

	g->id = ev->program;
	g->job = ev->job;
	g->attempt = ev->prog->attempt;
	g->suite = keep(&g->arena, ev->prog->suite);
	g->name = keep(&g->arena, ev->prog->name);
	g->next = p->open;
	p->open = g;
}

static struct event_excuse keep_excuse(struct arena *a, const struct event_excuse *e)
{
	if (!e)
		return (struct event_excuse){};
	return (struct event_excuse){ keep(a, e->reason), keep(a, e->link), keep(a, e->owner),
				      keep(a, e->until) };
}

static struct str join(struct arena *a, const struct event_result *e, struct str with)
{
	_cleanup_(buf_done) struct buf b = {};

	for (unsigned i = 0; i < e->depth; i++) {
		if (i && buf_add_str(&b, with) < 0)
			break;
		if (buf_add_str(&b, e->path[i]) < 0)
			break;
	}
	return keep(a, buf_str(&b));
}

static void add_result(struct program *g, const struct event_result *e)
{
	uint64_t test;

	if (e->leaf)
		g->counts[e->status]++;
	if (g->n_results == RESULTS_MAX) {
		g->hidden++;
		return;
	}
	test = web_test_hash(g->suite, g->name, e->key, web_nth(&g->nth, e->key));
	ARRAY_GROW(g->results, g->n_results, g->cap_results);
	g->results[g->n_results++] = (struct result){
		.name = join(&g->arena, e, STR(" › ")),
		.path = join(&g->arena, e, STR("/")),
		.test = e->leaf ? test : 0,
		.status = e->status,
		.leaf = e->leaf,
		.implied = e->implied,
		.line = e->line,
		.line_from = e->line_from,
		.line_to = e->line_to,
		.duration_ms = e->duration_ms,
		.exit_code = e->exit_code,
		.ordinal = e->ordinal,
		.reason = keep(&g->arena, e->reason),
		.known = keep_excuse(&g->arena, e->known),
	};
}

static void add_problem(struct program *g, const struct event_problem *e)
{
	if (g->n_problems == PROBLEMS_MAX) {
		g->more_problems++;
		return;
	}
	g->problems[g->n_problems++] = (struct trouble){
		PROBLEM_NAMES[e->what], e->line, keep(&g->arena, e->message)
	};
}

static void program_free(struct program *g)
{
	free(g->results);
	free(g->nth.v);
	arena_done(&g->arena);
	free(g);
}

static void program_end(struct web_programs *p, const struct event *ev)
{
	for (struct program **at = &p->open; *at; at = &(*at)->next) {
		struct program *g = *at;

		if (g->id != ev->program)
			continue;
		program_write(p, g, ev->prog);
		*at = g->next;
		program_free(g);
		return;
	}
}

static void on_event(void *ctx, const struct event *ev)
{
	struct web_programs *p = ctx;
	struct program *g = program_find(p, ev->program);

	switch (ev->type) {
	case EVENT_JOB_BEGIN:
		if (ev->job < JOBS_MAX)
			p->mode[ev->job] = keep(&p->arena, ev->job_info->mode);
		break;
	case EVENT_PROGRAM_BEGIN: program_begin(p, ev); break;
	case EVENT_PROGRAM_END: program_end(p, ev); break;
	case EVENT_RESULT:
		if (g)
			add_result(g, ev->result);
		break;
	case EVENT_PROBLEM:
		if (g)
			add_problem(g, ev->problem);
		break;
	default: break;
	}
}

struct web_programs *programs_new(struct web_html *h, int64_t run, bool modes, unsigned budget)
{
	struct web_programs *p = xcalloc(1, sizeof(*p));

	p->h = h;
	p->run = run;
	p->modes = modes;
	p->budget = budget;
	return p;
}

struct event_sink programs_sink(struct web_programs *p)
{
	return (struct event_sink){ on_event, p };
}

struct web_programs *programs_free(struct web_programs *p)
{
	if (!p)
		return NULL;
	while (p->open) {
		struct program *g = p->open;

		p->open = g->next;
		program_write(p, g, NULL);
		program_free(g);
	}
	free(p->ids);
	arena_done(&p->arena);
	free(p);
	return NULL;
}
