/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flakes: rows are tests, columns runs, newest first. Those that failed come
 * with their rate, the one with the highest on top, unless other ones or another
 * order are asked for (filter.c). A test that is not in a run is grey, and one
 * of which nobody told whether it passed has a mark of its own: neither is drawn
 * as a pass.
 */
#include <inttypes.h>

#include "base/units.h"
#include "web/filter.h"
#include "web/grid.h"

#define OLDER_MAX (WEB_RUNS_MAX / GRID_COLUMNS)

/* ---- which branch and mode ---- */

static bool first_branch(const struct web_site *site, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (str_eq(site->choices[k].branch, site->choices[i].branch))
			return false;
	return site->choices[i].branch.n > 0;
}

static bool first_mode(const struct web_site *site, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (str_eq(site->choices[k].mode, site->choices[i].mode))
			return false;
	return site->choices[i].mode.n > 0;
}

static bool is_pair(const struct web_site *site, struct str branch, struct str mode)
{
	for (unsigned i = 0; i < site->n_choices; i++)
		if (str_eq(site->choices[i].branch, branch) &&
		    str_eq(site->choices[i].mode, mode))
			return true;
	return false;
}

static void choice(struct grid *g, struct str branch, struct str mode, struct str label)
{
	const struct web_query *now = g->q;
	struct web_query q = *now;
	struct out *o = g->h->out;

	q.branch = branch;
	q.mode = mode;
	q.before = 0;
	q.skip = 0;
	out_lit(o, "<li><a");
	html_flakes_href(g->h, &q);
	if (str_eq(branch, now->branch) && str_eq(mode, now->mode))
		out_lit(o, " aria-current=\"page\"");
	out_lit(o, ">");
	out_html(o, label);
	out_lit(o, "</a></li>\n");
}

/* Branches keep the mode that is chosen where that pair occurs. */
static void choices(struct grid *g)
{
	const struct web_site *site = g->h->site;
	const struct web_query *now = g->q;
	struct out *o = g->h->out;

	out_lit(o, "<nav class=\"choices\" aria-label=\"Branch and mode\">\n<ul>\n"
		   "<li class=\"what\">Branch</li>\n");
	choice(g, STR(""), now->mode, STR("all"));
	for (unsigned i = 0; i < site->n_choices; i++) {
		struct str branch = site->choices[i].branch;

		if (first_branch(site, i))
			choice(g, branch, is_pair(site, branch, now->mode) ? now->mode : STR(""),
			       branch);
	}
	out_lit(o, "</ul>\n<ul>\n<li class=\"what\">Mode</li>\n");
	choice(g, now->branch, STR(""), STR("all"));
	for (unsigned i = 0; i < site->n_choices; i++) {
		if (now->branch.n ? str_eq(site->choices[i].branch, now->branch) &&
					    site->choices[i].mode.n
				  : first_mode(site, i))
			choice(g, now->branch, site->choices[i].mode, site->choices[i].mode);
	}
	out_lit(o, "</ul>\n</nav>\n");
}

/* ---- words ---- */

static void legend(struct grid *g)
{
	struct out *o = g->h->out;

	out_lit(o, "<ul class=\"legend\" aria-label=\"Marks\">\n");
	for (int i = STATUS_N - 1; i >= 0; i--) {
		out_lit(o, "<li>");
		html_mark(g->h, (enum status)i, false);
		out_lit(o, " ");
		html_text(g->h, STATUS_INFO[i].name);
		out_lit(o, "</li>\n");
	}
	if (g->at_least)
		out_lit(o, "<li><span class=\"mark unknown\" aria-hidden=\"true\">◦</span> "
			   "unknown: passed, or did not run</li>\n");
	out_lit(o, "<li><span class=\"mark absent\" aria-hidden=\"true\">·</span> "
		   "absent</li>\n<li><span class=\"tick\" aria-hidden=\"true\"></span> "
		   "another commit</li>\n<li><span class=\"sign\" aria-hidden=\"true\">◆</span> "
		   "a rate changed</li>\n<li><span class=\"sign\" aria-hidden=\"true\">▼</span> "
		   "outage</li>\n</ul>\n");
}

/* Of what ran; that nothing has a name that was asked for is another thing. */
static bool nothing_failed(const struct grid *g)
{
	return !g->failed && !g->programs && g->flakes.tests && !g->q->name.n;
}

/* Of several modes a test is as many: it has a rate in each. */
static bool in_modes(const struct judge_flakes *f)
{
	const struct judge_axis *first = NULL;

	for (size_t i = 0; i < f->n_axes; i++) {
		if (!f->asked[i])
			continue;
		if (first && !str_eq(f->axes[i].mode, first->mode))
			return true;
		first = &f->axes[i];
	}
	return false;
}

static void lead(struct grid *g)
{
	const struct judge_flakes *f = &g->flakes;
	struct out *o = g->h->out;
	uint64_t runs = 0;
	uint32_t oldest = f->n_runs;

	for (uint32_t i = f->first; i < f->n_runs; i++) {
		bool in = false;

		for (size_t k = 0; k < f->n_axes && !in; k++) {
			uint32_t at = f->asked[k] ? judge_place(&f->axes[k], i) : UINT32_MAX;

			in = f->asked[k] && at < f->axes[k].n && f->axes[k].run[at] == i;
		}
		oldest = in && oldest == f->n_runs ? i : oldest;
		runs += in;
	}
	out_lit(o, "<p class=\"lead\">");
	if (nothing_failed(g))
		out_lit(o, "None");
	else
		html_count(g->h, g->failed);
	out_lit(o, " of ");
	html_count(g->h, f->tests);
	out_str(o, f->tests == 1 ? STR(" test") : STR(" tests"));
	if (in_modes(f))
		out_lit(o, ", counted in each mode,");
	if (g->programs)
		out_printf(o, "%s and %" PRIu64 " program%s as a whole,",
			   in_modes(f) ? "" : ",", g->programs, g->programs == 1 ? "" : "s");
	out_str(o, nothing_failed(g) ? STR(" failed in ") : STR(" failed at least once in "));
	html_count(g->h, runs);
	out_str(o, runs == 1 ? STR(" run since ") : STR(" runs since "));
	if (oldest < f->n_runs)
		html_time(g->h, f->runs[oldest].begin_ms);
	out_lit(o, ".");
	if (f->n_outages)
		out_printf(o, " In %zu outage%s so much failed at once that it is one event: "
			      "counted once.", f->n_outages, f->n_outages == 1 ? "" : "s");
	if (g->at_least)
		out_lit(o, " Only failures were published of some of it: what isn't told passed "
			   "or did not run, so a rate is at least (≥) what stands here.");
	out_lit(o, "</p>\n<details class=\"how\">\n<summary>How to read the numbers</summary>\n"
		   "<p>The rate counts the runs in which the test said something: skipped, "
		   "absent, and a harness error say nothing. A flaky failure is a failure. The "
		   "brackets are the rate's 95 % interval. A red run is shared among those that "
		   "failed in it: the sum of its shares is a test's cost. A flip is a change "
		   "between holding and failing; the streak says how often it failed or held "
		   "since the last one, where it failed last.</p>\n</details>\n");
}

/* ---- turning over ---- */

static void turn(struct grid *g, const struct web_query *q, const char *rel, const char *text)
{
	out_lit(g->h->out, "<a");
	if (*rel) {
		out_lit(g->h->out, " rel=\"");
		html_text(g->h, rel);
		out_lit(g->h->out, "\"");
	}
	html_flakes_href(g->h, q);
	out_lit(g->h->out, ">");
	html_text(g->h, text);
	out_lit(g->h->out, "</a>\n");
}

/* As files so many pages are made. */
static bool is_made(const struct grid *g, const struct web_query *q);

static void columns_nav(struct grid *g)
{
	struct web_query q = *g->q;
	char text[UNIT_TEXT_MAX];
	struct out *o = g->h->out;

	if (!g->older && !q.before)
		return;
	out_lit(o, "<nav class=\"pages\" aria-label=\"Runs\">");
	if (q.before) {
		q.before = 0;
		turn(g, &q, "", "Newest runs");
	}
	if (!g->n_columns) {
		out_lit(o, "</nav>\n");
		return;
	}
	out_printf(o, "<span>%u run%s, ", g->n_columns, g->n_columns == 1 ? "" : "s");
	html_text(g->h, date_text(g->history->runs[g->columns[g->n_columns - 1]].begin_ms, text));
	out_lit(o, " to ");
	html_text(g->h, date_text(g->history->runs[g->columns[0]].begin_ms, text));
	out_lit(o, "</span>\n");
	q.before = g->history->runs[g->columns[g->n_columns - 1]].id;
	if (g->older && is_made(g, &q))
		turn(g, &q, "next", "Older runs");
	else if (g->older)
		out_lit(o, "<span>Older runs are not in these files</span>\n");
	out_lit(o, "</nav>\n");
}

static void rows_nav(struct grid *g)
{
	struct web_query q = *g->q;
	size_t end = grid_end(g);
	struct out *o = g->h->out;

	if (!q.skip && end == g->n_rows)
		return;
	out_lit(o, "<nav class=\"pages\" aria-label=\"Tests\">");
	if (g->h->site->live && q.skip) {
		q.skip = q.skip > GRID_ROWS ? q.skip - GRID_ROWS : 0;
		turn(g, &q, "", "Tests above");
	}
	out_printf(o, "<span>Tests %u to %zu of %zu%s</span>\n", g->q->skip + 1, end, g->n_rows,
		   g->h->site->live ? "" : "; only these are sought and sorted");
	if (g->h->site->live && end < g->n_rows) {
		q.skip = (uint32_t)end;
		turn(g, &q, "", "Tests below");
	}
	out_lit(o, "</nav>\n");
}

/* ---- the page ---- */

static enum web_page_id page_of(const struct web_query *q)
{
	static const enum web_page_id pages[2][2][2] = { /* branch, mode, older */
		{ { WEB_FLAKES, WEB_FLAKES_OLDER }, { WEB_FLAKES_MODE, WEB_FLAKES_MODE_OLDER } },
		{ { WEB_FLAKES_BRANCH, WEB_FLAKES_BRANCH_OLDER },
		  { WEB_FLAKES_BRANCH_MODE, WEB_FLAKES_BRANCH_MODE_OLDER } },
	};

	return pages[q->branch.n > 0][q->mode.n > 0][q->before > 0];
}

void html_flakes_href(struct web_html *h, const struct web_query *q)
{
	struct web_args args = { .q = *q };
	struct web_query rest = *q;

	out_lit(h->out, " href=\"");
	html_root(h);
	if (h->site->live) {
		web_path(WEB_FLAKES, &args, h->out);
	} else {
		web_path(page_of(q), &args, h->out);
		rest.branch = rest.mode = STR("");
		rest.before = 0;
	}
	web_query_print(&rest, true, h->out);
	out_lit(h->out, "\"");
}

static void rows(struct grid *g)
{
	if (g->n_rows > g->q->skip)
		grid_write(g);
	else if (!nothing_failed(g))
		out_lit(g->h->out, "<p class=\"empty\">No test fits.</p>\n");
	rows_nav(g);
}

WEB_RENDER(web_flakes_page)
{
	struct web_html h = { site, out, site->live ? WEB_FLAKES : page_of(&args->q), args };
	_cleanup_(grid_done) struct grid g = {};
	int r = grid_init(&g, &h, err);

	if (r < 0)
		return r;
	html_begin(&h, STR("Flakes"));
	out_lit(out, "<h1>Flakes</h1>\n");
	choices(&g);
	if (!g.history->n_runs) {
		out_lit(out, "<p class=\"empty\">No results yet. <code>taproom run</code> "
			     "makes the first.</p>\n");
		html_end(&h);
		return 0;
	}
	if (g.n_columns)
		lead(&g);
	else
		out_lit(out, "<p class=\"lead\">No run fits.</p>\n");
	filter_write(&g);
	if (g.n_columns && (g.n_rows || !nothing_failed(&g)))
		legend(&g);
	columns_nav(&g);
	if (g.n_columns)
		rows(&g);
	html_end(&h);
	return 0;
}

/* ---- which there are ---- */

static bool is_asked(const struct judge_axis *a, const struct web_query *q)
{
	return (!q->branch.n || str_eq(q->branch, a->branch)) &&
	       (!q->mode.n || str_eq(q->mode, a->mode));
}

static bool ran(const struct web_history *h, const struct web_query *q, uint32_t run)
{
	for (size_t i = 0; i < h->n_axes; i++) {
		const struct judge_axis *a = &h->axes[i];
		uint32_t at = is_asked(a, q) ? judge_place(a, run) : a->n;

		if (at < a->n && a->run[at] == run)
			return true;
	}
	return false;
}

/* Ids of the runs at which older pages begin. Returns how many. */
static unsigned older_of(const struct web_site *site, const struct web_query *q,
			 int64_t ret[OLDER_MAX])
{
	const struct web_history *h = site->history;
	unsigned max = (site->window - 1) / GRID_COLUMNS, n = 0, columns = 0;

	if (max < WEB_OLDER_PAGES)
		max = WEB_OLDER_PAGES;
	for (uint32_t i = h->n_runs; i > 0; i--) {
		if (!ran(h, q, i - 1))
			continue;
		if (columns && columns % GRID_COLUMNS == 0) {
			uint32_t last = i;

			while (!ran(h, q, last))
				last++;
			if (n == max)
				break;
			ret[n++] = h->runs[last].id;
		}
		columns++;
	}
	return n;
}

static bool is_made(const struct grid *g, const struct web_query *q)
{
	int64_t ids[OLDER_MAX];
	unsigned n;

	if (g->h->site->live)
		return true;
	n = older_of(g->h->site, q, ids);
	for (unsigned i = 0; i < n; i++)
		if (ids[i] == q->before)
			return true;
	return false;
}

static int each_older(const struct web_site *site, struct web_query q, web_args_fn fn, void *ctx)
{
	int64_t ids[OLDER_MAX];
	unsigned n = older_of(site, &q, ids);

	for (unsigned i = 0; i < n; i++) {
		struct web_args args = { .q = q };
		int r;

		args.q.before = ids[i];
		r = fn(ctx, &args);
		if (r)
			return r;
	}
	return 0;
}

/* Those of one kind: with a branch, with a mode, with what is older. */
static int each(const struct web_site *site, bool branch, bool mode, bool older, web_args_fn fn,
		void *ctx)
{
	for (unsigned i = 0; i < site->n_choices; i++) {
		const struct web_choice *c = &site->choices[i];
		struct web_args args = {};
		int r;

		if ((branch && mode && (!c->branch.n || !c->mode.n)) ||
		    (branch && !mode && !first_branch(site, i)) ||
		    (!branch && mode && !first_mode(site, i)) || (!branch && !mode && i))
			continue;
		args.q.branch = branch ? c->branch : STR("");
		args.q.mode = mode ? c->mode : STR("");
		r = older ? each_older(site, args.q, fn, ctx) : fn(ctx, &args);
		if (r)
			return r;
	}
	return 0;
}

WEB_EACH(web_each_branch_mode) { return each(site, true, true, false, fn, ctx); }
WEB_EACH(web_each_branch) { return each(site, true, false, false, fn, ctx); }
WEB_EACH(web_each_mode) { return each(site, false, true, false, fn, ctx); }
WEB_EACH(web_each_branch_mode_older) { return each(site, true, true, true, fn, ctx); }
WEB_EACH(web_each_branch_older) { return each(site, true, false, true, fn, ctx); }
WEB_EACH(web_each_mode_older) { return each(site, false, true, true, fn, ctx); }
WEB_EACH(web_each_older) { return each(site, false, false, true, fn, ctx); }
