/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run's programs on its page: one fold each, open where something is wrong.
 * A program is collected until it ends, then written and forgotten.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "web/pages.h"

#define RESULTS_MAX  20000 /* shown of one program */
#define PROBLEMS_MAX 50
#define EXCERPT_LINES 14
#define JOBS_MAX     1024  /* whose modes are remembered */

struct result {
	struct str name, path;
	enum status status;
	bool leaf, implied;
	uint64_t line, line_from;
	int64_t duration_ms;
	int exit_code;
	unsigned ordinal;
	struct str reason;
};

struct trouble {
	const char *what;
	uint64_t line;
	struct str message;
};

struct program {
	struct program *next;
	unsigned id, job, attempt;
	struct str suite, name;
	struct result *results;
	size_t n_results, cap_results;
	struct trouble problems[PROBLEMS_MAX];
	unsigned n_problems, more_problems;
	uint64_t counts[STATUS_N], hidden;
	struct arena arena;
};

struct web_programs {
	struct web_html *h;
	int64_t run;
	bool modes;
	unsigned budget;          /* excerpts left */
	struct program *open;     /* began, not ended */
	struct str mode[JOBS_MAX];
	uint32_t *ids;            /* hashes of the ids that are taken */
	size_t n_ids, cap_ids;
	struct arena arena;
};

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p ? s.p : "", s.n), s.n);
}

/* An id may stand once on a page; the second of a name goes without. */
static bool id_take(struct web_programs *p, struct str id)
{
	uint32_t hash = web_hash(id);

	for (size_t i = 0; i < p->n_ids; i++)
		if (p->ids[i] == hash)
			return false;
	ARRAY_GROW(p->ids, p->n_ids, p->cap_ids);
	p->ids[p->n_ids++] = hash;
	return true;
}

static struct str job_mode(const struct web_programs *p, unsigned job)
{
	return job < JOBS_MAX ? p->mode[job] : STR("");
}

static void id_attribute(struct web_programs *p, const struct program *g,
			 const struct result *r)
{
	_cleanup_(buf_done) struct buf id = {};
	struct out o;

	out_to_buf(&o, &id);
	if (r)
		html_result_id(&o, job_mode(p, g->job), g->suite, g->name, r->path);
	else
		html_program_id(&o, job_mode(p, g->job), g->suite, g->name);
	out_flush(&o);
	if (!id_take(p, buf_str(&id)))
		return;
	out_lit(p->h->out, " id=\"");
	out_html(p->h->out, buf_str(&id));
	out_lit(p->h->out, "\"");
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
	if (e->leaf)
		g->counts[e->status]++;
	if (g->n_results == RESULTS_MAX) {
		g->hidden++;
		return;
	}
	ARRAY_GROW(g->results, g->n_results, g->cap_results);
	g->results[g->n_results++] = (struct result){
		.name = join(&g->arena, e, STR(" › ")),
		.path = join(&g->arena, e, STR("/")),
		.status = e->status,
		.leaf = e->leaf,
		.implied = e->implied,
		.line = e->line,
		.line_from = e->line_from,
		.duration_ms = e->duration_ms,
		.exit_code = e->exit_code,
		.ordinal = e->ordinal,
		.reason = keep(&g->arena, e->reason),
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

/* ---- writing one ---- */

enum fold {
	FOLD_BAD,   /* wants a look */
	FOLD_KNOWN, /* skipped or failed as announced */
	FOLD_PASS,
};

static enum fold fold_of(enum status s)
{
	static const enum fold folds[STATUS_N] = {
		[STATUS_SKIP] = FOLD_KNOWN,
		[STATUS_XFAIL] = FOLD_KNOWN,
		[STATUS_PASS] = FOLD_PASS,
	};

	return folds[s];
}

/* A group is told only where no result below it tells the same. */
static bool shown(const struct program *g, const struct result *r)
{
	if (r->leaf)
		return true;
	if (fold_of(r->status) != FOLD_BAD)
		return false;
	for (size_t i = 0; i < g->n_results; i++) {
		const struct result *below = &g->results[i];

		if (below->leaf && fold_of(below->status) == FOLD_BAD &&
		    str_starts(below->path, r->path))
			return false;
	}
	return true;
}

/* The last of lines @from to @to, as evidence. */
static void excerpt(struct web_programs *p, const struct program *g, uint64_t from, uint64_t to)
{
	struct web_lines lines = { .out = p->h->out, .plain = true };
	struct err err = {};
	struct out feed;

	if (to - from >= EXCERPT_LINES)
		from = to - EXCERPT_LINES + 1;
	p->budget--;
	out_lit(p->h->out, "<pre class=\"excerpt\">");
	lines_out(&lines, &feed);
	/* A log that is gone takes nothing from the result itself. */
	if (store_log(p->h->site->store, p->run, g->id, g->job, from, to, &feed, &err) < 0)
		out_lit(p->h->out, "(no log was kept)");
	out_flush(&feed);
	lines_done(&lines);
	out_lit(p->h->out, "</pre>");
}

static void log_link(struct web_programs *p, const struct program *g, uint64_t line)
{
	struct web_args args = { .run = p->run, .program = g->id };

	html_line_link(p->h, WEB_LOG, &args, line);
}

static void result_lines(struct web_programs *p, const struct program *g,
			 const struct result *r, bool log)
{
	uint64_t from = r->line_from && r->line_from < r->line ? r->line_from : r->line;

	if (!r->line)
		return;
	if (log)
		log_link(p, g, from);
	if (from < r->line)
		out_printf(p->h->out, "%" PRIu64 "–%" PRIu64, from, r->line);
	else
		out_printf(p->h->out, "%" PRIu64, r->line);
	if (log)
		out_lit(p->h->out, "</a>");
}

static void result_row(struct web_programs *p, const struct program *g, const struct result *r,
		       bool log)
{
	struct out *o = p->h->out;
	bool bad = fold_of(r->status) == FOLD_BAD;

	out_lit(o, "<tr");
	if (bad)
		id_attribute(p, g, r);
	out_lit(o, "><td>");
	html_mark(p->h, r->status, true);
	out_lit(o, "</td><td>");
	out_html(o, r->name);
	if (r->ordinal > 1)
		out_printf(o, " <span class=\"quiet\">#%u</span>", r->ordinal);
	if (r->reason.n) {
		out_lit(o, " <span class=\"reason\">");
		out_html(o, r->reason);
		out_lit(o, "</span>");
	}
	if (r->exit_code > 0)
		out_printf(o, " <span class=\"quiet\">exit %d</span>", r->exit_code);
	out_lit(o, "</td><td class=\"num\">");
	html_duration(p->h, r->duration_ms);
	out_lit(o, "</td><td class=\"num\">");
	result_lines(p, g, r, log);
	out_lit(o, "</td></tr>\n");
	if (!bad || !log || !p->budget || !r->line)
		return;
	out_lit(o, "<tr><td></td><td colspan=\"3\">");
	excerpt(p, g, r->line_from ? r->line_from : r->line, r->line);
	out_lit(o, "</td></tr>\n");
}

static void fold_summary(struct web_html *h, const uint64_t counts[STATUS_N], enum fold fold)
{
	uint64_t part[STATUS_N] = {};

	for (int i = 0; i < STATUS_N; i++)
		if (fold_of((enum status)i) == fold)
			part[i] = counts[i];
	out_lit(h->out, "<details>\n<summary>");
	html_counts(h, part, true);
	out_lit(h->out, "</summary>\n");
}

static void result_table(struct web_programs *p, const struct program *g, enum fold fold,
			 bool log)
{
	struct out *o = p->h->out;
	bool any = false;

	for (size_t i = 0; i < g->n_results; i++) {
		const struct result *r = &g->results[i];

		if (fold_of(r->status) != fold || !shown(g, r))
			continue;
		if (!any && fold != FOLD_BAD)
			fold_summary(p->h, g->counts, fold);
		if (!any)
			out_lit(o, "<table class=\"results\">\n<thead class=\"hidden\"><tr>"
				   "<th scope=\"col\">Status</th><th scope=\"col\">Result</th>"
				   "<th scope=\"col\">Took</th><th scope=\"col\">Log lines</th>"
				   "</tr></thead>\n<tbody>\n");
		any = true;
		result_row(p, g, r, log);
	}
	if (any)
		out_lit(o, "</tbody>\n</table>\n");
	if (any && fold != FOLD_BAD)
		out_lit(o, "</details>\n");
}

static void problems(struct web_programs *p, const struct program *g, bool log)
{
	struct out *o = p->h->out;

	if (!g->n_problems)
		return;
	out_lit(o, "<ul class=\"problems\">\n");
	for (unsigned i = 0; i < g->n_problems; i++) {
		const struct trouble *b = &g->problems[i];

		out_lit(o, "<li><span class=\"word\">");
		html_text(p->h, b->what);
		out_lit(o, "</span> ");
		out_html(o, b->message);
		if (b->line && log) {
			out_lit(o, " ");
			log_link(p, g, b->line);
			out_printf(o, "line %" PRIu64 "</a>", b->line);
		}
		out_lit(o, "</li>\n");
	}
	if (g->more_problems)
		out_printf(o, "<li>and %u more</li>\n", g->more_problems);
	out_lit(o, "</ul>\n");
}

static void log_links(struct web_programs *p, const struct program *g, uint64_t lines)
{
	struct web_args args = { .run = p->run, .program = g->id };
	struct web_html *h = p->h;

	out_lit(h->out, "<p class=\"links\"><a");
	html_href(h, WEB_LOG, &args);
	out_lit(h->out, ">Log</a>");
	if (lines) {
		out_lit(h->out, ", ");
		html_count(h, lines);
		out_str(h->out, lines == 1 ? STR(" line") : STR(" lines"));
	}
	out_lit(h->out, " · <a");
	html_href(h, WEB_LOG_RAW, &args);
	out_lit(h->out, ">plain text</a></p>\n");
}

static void program_summary(struct web_programs *p, const struct program *g,
			    const struct event_program *end)
{
	enum status status = end ? end->status : STATUS_ERROR;
	struct web_html *h = p->h;
	struct out *o = h->out;

	out_lit(o, "<summary>");
	html_mark(h, status, true);
	out_lit(o, "<h3>");
	out_html(o, g->suite);
	out_lit(o, "/<b>");
	out_html(o, g->name);
	out_lit(o, "</b>");
	if (p->modes) {
		out_lit(o, " <span class=\"quiet\">");
		out_html(o, job_mode(p, g->job));
		out_lit(o, "</span>");
	}
	if (g->attempt > 1)
		out_printf(o, " <span class=\"quiet\">attempt %u</span>", g->attempt);
	out_lit(o, "</h3>");
	if (g->n_results)
		html_counts(h, g->counts, true);
	else
		out_printf(o, "<span class=\"counts\">%s</span>", STATUS_INFO[status].label);
	out_lit(o, "<span class=\"num\">");
	html_duration(h, end ? end->duration_ms : -1);
	out_lit(o, "</span></summary>\n");
}

/* Where it is bad and no line of a result says why, its last lines may. */
static void last_words(struct web_programs *p, const struct program *g,
		       const struct event_program *end)
{
	if (!p->budget || !end->log_lines || fold_of(end->status) != FOLD_BAD)
		return;
	for (size_t i = 0; i < g->n_results; i++)
		if (fold_of(g->results[i].status) == FOLD_BAD && g->results[i].line)
			return;
	excerpt(p, g, 1, end->log_lines);
	out_lit(p->h->out, "\n");
}

static void program_write(struct web_programs *p, const struct program *g,
			  const struct event_program *end)
{
	bool log = end && end->log_path.n;
	bool open = !end || fold_of(end->status) == FOLD_BAD;
	struct out *o = p->h->out;

	for (unsigned i = 0; i < STATUS_N && !open; i++)
		open = g->counts[i] && fold_of((enum status)i) == FOLD_BAD;
	out_lit(o, "<details class=\"program\"");
	id_attribute(p, g, NULL);
	out_str(o, open ? STR(" open>\n") : STR(">\n"));
	program_summary(p, g, end);
	if (!end)
		out_lit(o, "<p class=\"reason\">It never ended: the run stopped before.</p>\n");
	if (end && end->reason.n) {
		out_lit(o, "<p class=\"reason\">");
		out_html(o, end->reason);
		out_lit(o, "</p>\n");
	}
	result_table(p, g, FOLD_BAD, log);
	if (log)
		last_words(p, g, end);
	problems(p, g, log);
	result_table(p, g, FOLD_KNOWN, log);
	result_table(p, g, FOLD_PASS, log);
	if (g->hidden)
		out_printf(o,
			   "<p>%" PRIu64 " more results are not shown; the log has them.</p>\n",
			   g->hidden);
	if (log)
		log_links(p, g, end->log_lines);
	out_lit(o, "</details>\n");
}

static void program_free(struct program *g)
{
	free(g->results);
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
