/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs: what ran, newest first, a page of it at a time.
 */
#include <inttypes.h>
#include <stdlib.h>

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

static void modes(struct web_html *h, struct str s)
{
	while (s.n) {
		out_lit(h->out, " <span class=\"mode\">");
		out_html(h->out, str_cut(&s, ','));
		out_lit(h->out, "</span>");
	}
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
	if (run->end_ms > run->begin_ms) /* else nobody told */
		html_duration(h, run->end_ms - run->begin_ms);
	out_lit(h->out, "</td>\n");
	cell(h, "branch", "Branch");
	out_html(h->out, run->branch);
	modes(h, run->modes);
	out_lit(h->out, " ");
	html_commit(h, run->commit);
	out_lit(h->out, "</td>\n");
	words(h, "kernel", "Kernel", run->kernel);
	words(h, "", "Machine", run->machines);
	out_lit(h->out, "</tr>\n");
	return 0;
}

/* ---- among files: a page for each hundred of the site's runs ---- */

/* Where in the site's runs the page begins. */
static unsigned first_of(const struct web_site *site, int64_t before)
{
	const struct web_run *run = before ? web_site_run(site, before) : NULL;

	return run ? (unsigned)(run - site->runs) + 1 : before ? site->n_runs : 0;
}

/* ---- the list ---- */

struct list {
	struct web_html *h;
	unsigned n, max;
	int64_t last;
	bool more;
};

static void list_begin(struct web_html *h)
{
	out_lit(h->out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
			"aria-label=\"Runs, newest first\">\n<table class=\"runs\">\n<thead>\n<tr>"
			"<th scope=\"col\">Run</th><th scope=\"col\">Result</th>"
			"<th scope=\"col\">When</th><th scope=\"col\">Took</th>"
			"<th scope=\"col\">Branch, mode, commit</th><th scope=\"col\">Kernel</th>"
			"<th scope=\"col\">Machine</th></tr>\n"
			"</thead>\n<tbody>\n");
}

static int on_run(void *ctx, const struct store_run *run)
{
	struct list *l = ctx;

	if (l->n == l->max) {
		l->more = true;
		return 1;
	}
	if (l->n++ == 0)
		list_begin(l->h);
	l->last = run->id;
	return row(l->h, run);
}

static void older(struct web_html *h, const struct list *l)
{
	struct web_args args = *h->args;

	if (!l->more)
		return;
	args.q.before = l->last;
	out_lit(h->out, "<p class=\"pages\"><a rel=\"next\" href=\"");
	html_root(h);
	web_path(h->site->live ? WEB_RUNS : WEB_RUNS_BEFORE, &args, h->out);
	if (h->site->live)
		web_query_print(&args.q, true, h->out);
	out_lit(h->out, "\">Older runs</a></p>\n");
}

/* A list of some says so. */
static void only(struct web_html *h)
{
	const struct web_query *q = &h->args->q;
	struct judge_axis a = { .branch = q->branch, .mode = q->mode };

	if (!h->site->live || (!q->branch.n && !q->mode.n))
		return;
	out_lit(h->out, "<p class=\"lead\">Only those of ");
	if (!q->branch.n)
		a.branch = STR("all branches");
	html_axis(h, &a, false);
	out_lit(h->out, ". <a");
	html_href(h, WEB_RUNS, &(struct web_args){});
	out_lit(h->out, ">All runs</a></p>\n");
}

static void nothing(struct web_html *h)
{
	if (h->site->n_runs)
		out_lit(h->out, "<p class=\"empty\">No run fits, or none that is older.</p>\n");
	else
		out_lit(h->out, "<p class=\"empty\">Nothing ran yet. <code>taproom run</code> "
				"makes the first.</p>\n");
}

WEB_RENDER(web_runs_page)
{
	int64_t before = args->q.before;
	unsigned left = site->n_runs - first_of(site, before);
	struct web_html h = { .site = site, .out = out, .args = args,
			      .page = before && !site->live ? WEB_RUNS_BEFORE : WEB_RUNS };
	struct list l = { .h = &h, .max = site->live || left > PER_PAGE ? PER_PAGE : left };
	_free_ char *branch = xstrndup(args->q.branch.p ? args->q.branch.p : "", args->q.branch.n);
	_free_ char *mode = xstrndup(args->q.mode.p ? args->q.mode.p : "", args->q.mode.n);
	struct store_runs_filter f = { .branch = *branch ? branch : NULL,
				       .mode = *mode ? mode : NULL, .before_id = before,
				       .limit = PER_PAGE + 1 };
	int r;

	html_begin(&h, before ? STR("Older runs") : STR("Runs"));
	out_lit(out, "<h1>Runs</h1>\n");
	only(&h);
	html_diff_form(&h);
	r = store_runs(site->store, &f, on_run, &l, err);
	if (r < 0)
		return r;
	if (l.n)
		out_lit(out, "</tbody>\n</table>\n</div>\n");
	else
		nothing(&h);
	l.more &= site->live || left > PER_PAGE;
	older(&h, &l);
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
