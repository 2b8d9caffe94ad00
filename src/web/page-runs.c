/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs: what ran, newest first, a page of it at a time.
 */
#include <inttypes.h>

#include "web/pages.h"

#define PER_PAGE 100

static void cell(struct web_html *h, const char *class, const char *label)
{
	out_lit(h->out, "<td class=\"");
	html_text(h, class);
	out_lit(h->out, "\" data-label=\"");
	html_text(h, label);
	out_lit(h->out, "\">");
}

static void words(struct web_html *h, const char *class, const char *label, struct str s)
{
	cell(h, class, label);
	html_list(h, s);
	out_lit(h->out, "</td>\n");
}

static void conclusion(struct web_html *h, const struct store_run *run)
{
	struct str s = run->conclusion;

	cell(h, "wide", "Result");
	out_lit(h->out, "<span class=\"says\">");
	out_html(h->out, s.n ? s : str_of(web_run_word(run->state, run->exit_code)));
	out_lit(h->out, "</span>");
	html_bar(h, run->counts);
	html_counts(h, run->counts, false);
	if (run->splats)
		out_printf(h->out, " <span class=\"counts\">%" PRIu64 " kernel splat%s</span>",
			   run->splats, run->splats == 1 ? "" : "s");
	out_lit(h->out, "</td>\n");
}

static int row(void *ctx, const struct store_run *run)
{
	struct web_html *h = ctx;
	struct web_args args = { .run = run->id };

	out_lit(h->out, "<tr>\n<th scope=\"row\">");
	html_run_mark(h, run->state, run->exit_code);
	out_lit(h->out, "<a");
	html_href(h, WEB_RUN, &args);
	out_printf(h->out, ">%" PRId64 "</a></th>\n", run->id);
	conclusion(h, run);
	cell(h, "when", "When");
	html_time(h, run->begin_ms);
	out_lit(h->out, "</td>\n");
	cell(h, "num", "Took");
	if (run->end_ms)
		html_duration(h, run->end_ms - run->begin_ms);
	out_lit(h->out, "</td>\n");
	cell(h, "", "Branch, commit");
	out_html(h->out, run->branch);
	out_lit(h->out, " ");
	html_commit(h, run->commit);
	out_lit(h->out, "</td>\n");
	words(h, "", "Kernel", run->kernel);
	words(h, "", "Mode", run->modes);
	words(h, "", "Machine", run->machines);
	out_lit(h->out, "</tr>\n");
	return 0;
}

/* Where in the site's runs the page begins. */
static unsigned first_of(const struct web_site *site, int64_t before)
{
	const struct web_run *run = before ? web_site_run(site, before) : NULL;

	return run ? (unsigned)(run - site->runs) + 1 : before ? site->n_runs : 0;
}

static void older(struct web_html *h, unsigned next)
{
	struct web_args args = {};

	if (next >= h->site->n_runs)
		return;
	args.q.before = h->site->runs[next - 1].id;
	out_lit(h->out, "<p class=\"pages\"><a rel=\"next\"");
	html_href(h, WEB_RUNS_BEFORE, &args);
	out_lit(h->out, ">Older runs</a></p>\n");
}

WEB_RENDER(web_runs_page)
{
	int64_t before = args->q.before;
	unsigned first = first_of(site, before), left = site->n_runs - first;
	struct web_html h = { site, out, before ? WEB_RUNS_BEFORE : WEB_RUNS, args };
	struct store_runs_filter f = { .before_id = before };
	int r;

	f.limit = left < PER_PAGE ? left : PER_PAGE;
	html_begin(&h, before ? STR("Older runs") : STR("Runs"));
	out_lit(out, "<h1>Runs</h1>\n");
	if (!f.limit) {
		out_lit(out, "<p class=\"empty\">Nothing ran yet. <code>taproom run</code> "
			     "makes the first.</p>\n");
		html_end(&h);
		return 0;
	}
	out_lit(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		     "aria-label=\"Runs, newest first\">\n<table class=\"runs\">\n<thead>\n<tr>"
		     "<th scope=\"col\">Run</th><th scope=\"col\">Result</th>"
		     "<th scope=\"col\">When</th><th scope=\"col\">Took</th>"
		     "<th scope=\"col\">Branch, commit</th><th scope=\"col\">Kernel</th>"
		     "<th scope=\"col\">Mode</th><th scope=\"col\">Machine</th></tr>\n"
		     "</thead>\n<tbody>\n");
	r = store_runs(site->store, &f, row, &h, err);
	if (r < 0)
		return r;
	out_lit(out, "</tbody>\n</table>\n</div>\n");
	older(&h, first + f.limit);
	html_end(&h);
	return 0;
}

WEB_EACH(web_each_runs_before)
{
	for (unsigned i = PER_PAGE; i < site->n_runs; i += PER_PAGE) {
		struct web_args args = { .q.before = site->runs[i - 1].id };
		int r = fn(ctx, &args);

		if (r)
			return r;
	}
	return 0;
}

WEB_EACH(web_each_run)
{
	for (unsigned i = 0; i < site->n_runs; i++) {
		struct web_args args = { .run = site->runs[i].id };
		int r = fn(ctx, &args);

		if (r)
			return r;
	}
	return 0;
}
