/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One program with its results: what wants a look is open, the rest folded;
 * failures bring the log lines behind them.
 */
#include <inttypes.h>

#include "web/history.h"
#include "web/known.h"
#include "web/programs.h"

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

static void id_attribute(struct web_programs *p, const struct program *g,
			 const struct result *r)
{
	_cleanup_(buf_done) struct buf id = {};
	struct out o;

	out_to_buf(&o, &id);
	if (r)
		html_result_id(&o, program_mode(p, g->job), g->suite, g->name, r->path);
	else
		html_program_id(&o, program_mode(p, g->job), g->suite, g->name);
	out_flush(&o);
	if (!id_take(p, buf_str(&id)))
		return;
	out_lit(p->h->out, " id=\"");
	out_html(p->h->out, buf_str(&id));
	out_lit(p->h->out, "\"");
}

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

static void log_link(struct web_programs *p, const struct program *g, uint64_t line)
{
	struct web_args args = { .run = p->run, .program = g->id };

	html_line_link(p->h, WEB_LOG, &args, line);
}

static void result_lines(struct web_programs *p, const struct program *g,
			 const struct result *r, bool log)
{
	uint64_t to = r->line_to, from = r->line_from && r->line_from < to ? r->line_from : to;

	if (!r->line)
		return;
	if (log)
		log_link(p, g, from);
	if (from < to)
		out_printf(p->h->out, "%" PRIu64 "–%" PRIu64, from, to);
	else
		out_printf(p->h->out, "%" PRIu64, to);
	if (log)
		out_lit(p->h->out, "</a>");
}

/* To the test's page, where there is something to see: it did not always pass. */
static bool test_begin(struct web_programs *p, uint64_t hash)
{
	const struct web_test *t = web_tests_find(&p->h->site->history->tests, hash);

	return t && t->page && html_test_begin(p->h, t);
}

/* The rule that excused it then, or one that would now. */
static void excuse(struct web_programs *p, const struct program *g, uint64_t test,
		   enum status status, const struct event_excuse *known)
{
	struct web_excuse e = {};

	if (known && known->reason.n)
		e.say = *known;
	else if (fold_of(status) != FOLD_BAD ||
		 !web_known_find_test(p->h->site, test, program_mode(p, g->job), &e))
		return;
	out_lit(p->h->out, " <span class=\"excuse\">");
	html_known(p->h, &e);
	out_lit(p->h->out, "</span>");
}

static void result_row(struct web_programs *p, const struct program *g, const struct result *r,
		       bool log)
{
	struct out *o = p->h->out;
	bool bad = fold_of(r->status) == FOLD_BAD, link;

	out_lit(o, "<tr");
	if (bad)
		id_attribute(p, g, r);
	out_lit(o, "><td>");
	html_mark(p->h, r->status, true);
	out_lit(o, "</td><td>");
	link = test_begin(p, r->test);
	out_html(o, r->name);
	out_str(o, link ? STR("</a>") : STR(""));
	if (r->ordinal > 1)
		out_printf(o, " <span class=\"quiet\">#%u</span>", r->ordinal);
	if (r->reason.n) {
		out_lit(o, " <span class=\"reason\">");
		out_html(o, r->reason);
		out_lit(o, "</span>");
	}
	excuse(p, g, r->test, r->status, &r->known);
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
	p->budget--;
	html_excerpt(p->h, p->run, g->id, g->job, r->line_from ? r->line_from : r->line_to,
		     r->line_to);
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

/* @end: NULL: there is no log. */
static void links(struct web_programs *p, const struct program *g,
		  const struct event_program *end)
{
	struct web_args args = { .run = p->run, .program = g->id };
	const struct web_test *t;
	struct web_html *h = p->h;

	out_lit(h->out, "<p class=\"links\">");
	if (end) {
		out_lit(h->out, "<a");
		html_href(h, WEB_LOG, &args);
		out_lit(h->out, ">Log</a>");
		if (end->log_lines) {
			out_lit(h->out, ", ");
			html_count(h, end->log_lines);
			out_str(h->out, end->log_lines == 1 ? STR(" line") : STR(" lines"));
		}
		out_lit(h->out, " · <a");
		html_href(h, WEB_LOG_RAW, &args);
		out_lit(h->out, ">plain text</a>");
	}
	t = web_tests_find(&h->site->history->tests,
			   web_test_hash(g->suite, g->name, STR(""), 1));
	if (t && t->page) {
		out_str(h->out, end ? STR(" · ") : STR(""));
		html_test_begin(h, t);
		out_lit(h->out, "History</a>");
	}
	out_lit(h->out, "</p>\n");
}

static void program_summary(struct web_programs *p, const struct program *g,
			    const struct event_program *end)
{
	enum status status = end ? end->status : STATUS_ERROR;
	uint64_t counts[STATUS_N];
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
		out_html(o, program_mode(p, g->job));
		out_lit(o, "</span>");
	}
	if (g->attempt > 1)
		out_printf(o, " <span class=\"quiet\">attempt %u</span>", g->attempt);
	out_lit(o, "</h3>");
	memcpy(counts, g->counts, sizeof(counts));
	counts[status] += end && status_end_counts(status, counts);
	if (g->n_results)
		html_counts(h, counts, true);
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
	p->budget--;
	html_excerpt(p->h, p->run, g->id, g->job, 1, end->log_lines);
	out_lit(p->h->out, "\n");
}

void program_write(struct web_programs *p, const struct program *g,
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
	if (end)
		excuse(p, g, web_test_hash(g->suite, g->name, STR(""), 1), end->status,
		       end->known);
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
	links(p, g, log ? end : NULL);
	out_lit(o, "</details>\n");
}
