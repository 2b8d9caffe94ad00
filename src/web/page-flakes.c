/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flakes: rows are tests, columns runs, newest first. Those that failed at
 * least once come first, with their rate, the program with the highest one on
 * top; the steady ones are folded below.
 * A test that is not in a run is grey: absent is never drawn as a pass.
 */
#include <inttypes.h>
#include <stdio.h>

#include "stat/rate.h"
#include "web/pages.h"

struct flakes {
	struct web_html h;
	struct store_grid_filter filter;
	char branch[256], mode[256]; /* the filter's, terminated */
	uint64_t total, failed;      /* tests in the window; that ever failed */
	bool any_failed;             /* a test, or a program as a whole */
	unsigned columns;
};

/* ---- above the tables ---- */

static int count_head(void *ctx, const int64_t *runs, unsigned n)
{
	struct flakes *g = ctx;

	g->columns = n;
	return 0;
}

static int count_row(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	struct flakes *g = ctx;
	bool failed = stat_failed(cells, n);

	if (!grid_is_row(s))
		return 0;
	g->total += s->leaf;
	g->failed += s->leaf && failed;
	g->any_failed |= failed;
	return 0;
}

static void choice(struct flakes *g, enum web_page_id page, struct str branch, struct str mode,
		   struct str label)
{
	struct web_args args = { .branch = branch, .mode = mode };
	const struct web_args *now = g->h.args;
	struct out *o = g->h.out;

	out_lit(o, "<li><a");
	html_href(&g->h, page, &args);
	if (str_eq(branch, now->branch) && str_eq(mode, now->mode))
		out_lit(o, " aria-current=\"page\"");
	out_lit(o, ">");
	out_html(o, label);
	out_lit(o, "</a></li>\n");
}

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
	return true;
}

/* Branches keep the mode that is chosen where that pair occurs. */
static enum web_page_id flakes_page(const struct web_site *site, struct str branch,
				    struct str *mode)
{
	if (!branch.n)
		return mode->n ? WEB_FLAKES_MODE : WEB_FLAKES;
	for (unsigned i = 0; mode->n && i < site->n_choices; i++)
		if (str_eq(site->choices[i].branch, branch) &&
		    str_eq(site->choices[i].mode, *mode))
			return WEB_FLAKES_BRANCH_MODE;
	*mode = STR("");
	return WEB_FLAKES_BRANCH;
}

static void choices(struct flakes *g)
{
	const struct web_site *site = g->h.site;
	const struct web_args *now = g->h.args;
	struct out *o = g->h.out;
	struct str mode = now->mode;
	enum web_page_id page = flakes_page(site, STR(""), &mode);

	out_lit(o, "<nav class=\"choices\" aria-label=\"Branch and mode\">\n<ul>\n"
		   "<li class=\"what\">Branch</li>\n");
	choice(g, page, STR(""), mode, STR("all"));
	for (unsigned i = 0; i < site->n_choices; i++) {
		if (!first_branch(site, i))
			continue;
		mode = now->mode;
		page = flakes_page(site, site->choices[i].branch, &mode);
		choice(g, page, site->choices[i].branch, mode, site->choices[i].branch);
	}
	out_lit(o, "</ul>\n<ul>\n<li class=\"what\">Mode</li>\n");
	choice(g, now->branch.n ? WEB_FLAKES_BRANCH : WEB_FLAKES, now->branch, STR(""),
	       STR("all"));
	for (unsigned i = 0; i < site->n_choices; i++) {
		if (now->branch.n ? !str_eq(site->choices[i].branch, now->branch)
				  : !first_mode(site, i))
			continue;
		choice(g, now->branch.n ? WEB_FLAKES_BRANCH_MODE : WEB_FLAKES_MODE, now->branch,
		       site->choices[i].mode, site->choices[i].mode);
	}
	out_lit(o, "</ul>\n</nav>\n");
}

static void legend(struct flakes *g)
{
	struct out *o = g->h.out;

	out_lit(o, "<ul class=\"legend\" aria-label=\"Marks\">\n");
	for (int i = STATUS_N - 1; i >= 0; i--) {
		out_lit(o, "<li>");
		html_mark(&g->h, (enum status)i, false);
		out_lit(o, " ");
		html_text(&g->h, STATUS_INFO[i].name);
		out_lit(o, "</li>\n");
	}
	out_lit(o, "<li><span class=\"mark absent\" aria-hidden=\"true\">·</span> "
		   "absent</li>\n<li><span class=\"tick\" aria-hidden=\"true\"></span> "
		   "another commit than the run before</li>\n</ul>\n");
}

static void lead(struct flakes *g)
{
	struct out *o = g->h.out;

	out_lit(o, "<p class=\"lead\">");
	html_count(&g->h, g->failed);
	out_lit(o, " of ");
	html_count(&g->h, g->total);
	if (g->columns == 1)
		out_lit(o, " tests failed in the only run so far.");
	else
		out_printf(o, " tests failed at least once in the newest %u runs.", g->columns);
	out_lit(o, " The rate counts the runs in which the test said something: skipped, "
		   "absent, and a harness error say nothing. A flaky failure is a failure. "
		   "The brackets are the rate's 95 % interval.</p>\n");
}

static int tables(struct flakes *g, struct err *err)
{
	struct out *o = g->h.out;
	uint64_t rows = 0;
	int r = g->any_failed ? grid_write(&g->h, &g->filter, false, &rows, err) : 0;

	if (r < 0 || g->failed == g->total)
		return r;
	out_str(o, g->any_failed ? STR("<details class=\"steady\">\n<summary>")
				 : STR("<details class=\"steady\" open>\n<summary>"));
	html_count(&g->h, g->total - g->failed);
	out_str(o, g->total - g->failed == 1 ? STR(" test") : STR(" tests"));
	out_lit(o, " never failed in these runs</summary>\n");
	r = grid_write(&g->h, &g->filter, true, &rows, err);
	if (r < 0)
		return r;
	if (rows == GRID_STEADY_MAX)
		out_printf(o, "<p>The first %" PRIu64 " rows of them.</p>\n", rows);
	out_lit(o, "</details>\n");
	return 0;
}

static enum web_page_id page_of(const struct web_args *a)
{
	if (a->branch.n)
		return a->mode.n ? WEB_FLAKES_BRANCH_MODE : WEB_FLAKES_BRANCH;
	return a->mode.n ? WEB_FLAKES_MODE : WEB_FLAKES;
}

static int render(struct flakes *g, struct err *err)
{
	struct store_grid_filter f = g->filter;
	struct out *o = g->h.out;
	int r;

	f.all = true;
	r = store_grid(g->h.site->store, &f, count_head, count_row, g, err);
	if (r < 0)
		return r;
	html_begin(&g->h, STR("Flakes"));
	out_lit(o, "<h1>Flakes</h1>\n");
	choices(g);
	if (g->total) {
		lead(g);
		legend(g);
		r = tables(g, err);
	} else {
		out_lit(o, "<p class=\"empty\">No results yet. <code>taproom run</code> "
			   "makes the first.</p>\n");
	}
	if (r < 0)
		return r;
	html_end(&g->h);
	return 0;
}

WEB_RENDER(web_flakes_page)
{
	_free_ struct flakes *g = xcalloc(1, sizeof(*g));

	g->h = (struct web_html){ site, out, page_of(args), args };
	snprintf(g->branch, sizeof(g->branch), "%.*s", STR_FMT(args->branch));
	snprintf(g->mode, sizeof(g->mode), "%.*s", STR_FMT(args->mode));
	g->filter.branch = args->branch.n ? g->branch : NULL;
	g->filter.mode = args->mode.n ? g->mode : NULL;
	g->filter.runs = site->window;
	return render(g, err);
}

/* ---- which there are ---- */

WEB_EACH(web_each_branch_mode)
{
	for (unsigned i = 0; i < site->n_choices; i++) {
		struct web_args args = { .branch = site->choices[i].branch,
					 .mode = site->choices[i].mode };
		int r = args.branch.n ? fn(ctx, &args) : 0;

		if (r)
			return r;
	}
	return 0;
}

WEB_EACH(web_each_branch)
{
	for (unsigned i = 0; i < site->n_choices; i++) {
		struct web_args args = { .branch = site->choices[i].branch };
		int r = first_branch(site, i) ? fn(ctx, &args) : 0;

		if (r)
			return r;
	}
	return 0;
}

WEB_EACH(web_each_mode)
{
	for (unsigned i = 0; i < site->n_choices; i++) {
		struct web_args args = { .mode = site->choices[i].mode };
		int r = first_mode(site, i) ? fn(ctx, &args) : 0;

		if (r)
			return r;
	}
	return 0;
}
