/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures by what was told of them: one fold each, with the lines of the newest. */
#include "web/failures.h"
#include "web/history.h"

#define EXCERPTS   12
#define OPEN       3  /* folds that are open */
#define GROUP_RUNS 12 /* told of one reason */

struct told {
	struct web_html *h;
	bool machines;
	unsigned excerpts; /* that may be shown yet */
};

/* Equal but for their numbers: "expected 3, got 17". */
static bool same_reason(struct str a, struct str b)
{
	size_t i = 0, k = 0;

	for (;;) {
		bool x = false, y = false;

		for (; i < a.n && a.p[i] >= '0' && a.p[i] <= '9'; i++)
			x = true;
		for (; k < b.n && b.p[k] >= '0' && b.p[k] <= '9'; k++)
			y = true;
		if (x != y)
			return false;
		if (i == a.n || k == b.n)
			return i == a.n && k == b.n;
		if (a.p[i++] != b.p[k++])
			return false;
	}
}

static void failure_row(struct told *p, const struct web_failure *f)
{
	const struct judge_run *r = &p->h->site->history->runs[f->run];
	struct web_args log = { .run = r->id, .program = f->program };
	struct out *o = p->h->out;

	out_lit(o, "<tr><td>");
	html_mark(p->h, f->status, true);
	out_lit(o, "</td><td>");
	html_run_link(p->h, r->id, "run ");
	out_lit(o, "</td><td>");
	html_time(p->h, r->begin_ms);
	out_lit(o, "</td><td>");
	html_axis(p->h, f->s->lane->axis, p->machines);
	out_lit(o, "</td><td>");
	if (r->commit.n)
		html_commit(p->h, r->commit);
	out_lit(o, "</td><td>");
	if (f->log && f->to && web_site_has_run(p->h->site, r->id)) {
		html_line_link(p->h, WEB_LOG, &log, f->from);
		out_lit(o, "log</a>");
	}
	out_lit(o, "</td></tr>\n");
}

/* The newest of the group whose log is here. */
static void evidence(struct told *p, const struct web_failure *const *v, size_t n)
{
	for (size_t i = 0; i < n && p->excerpts; i++) {
		int64_t id = p->h->site->history->runs[v[i]->run].id;

		if (!v[i]->log || !v[i]->to || !web_site_has_run(p->h->site, id))
			continue;
		p->excerpts--;
		html_excerpt(p->h, id, v[i]->program, v[i]->job, v[i]->from, v[i]->to);
		out_lit(p->h->out, "\n");
		return;
	}
}

static void group(struct told *p, const struct web_failure *const *v, size_t n, unsigned nth)
{
	struct out *o = p->h->out;

	out_str(o, nth < OPEN ? STR("<details class=\"group\" open>\n<summary>")
			: STR("<details class=\"group\">\n<summary>"));
	html_mark(p->h, v[0]->status, true);
	out_printf(o, " <b>%zu×</b> ", n);
	if (v[0]->reason.n)
		out_html(o, v[0]->reason);
	else
		out_printf(o, "<span class=\"quiet\">%s, and no reason was told</span>",
			   STATUS_INFO[v[0]->status].name);
	out_lit(o, "</summary>\n");
	evidence(p, v, n);
	out_printf(o, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		      "aria-label=\"Runs of reason %u\">\n", nth + 1);
	out_lit(o, "<table class=\"plain\">\n<thead class=\"hidden\">\n<tr><th scope=\"col\">Status"
		   "</th><th scope=\"col\">Run</th><th scope=\"col\">When</th><th scope=\"col\">"
		   "Branch and mode</th><th scope=\"col\">Commit</th>"
		   "<th scope=\"col\">Log</th></tr>\n"
		   "</thead>\n<tbody>\n");
	for (size_t i = 0; i < n && i < GROUP_RUNS; i++)
		failure_row(p, v[i]);
	out_lit(o, "</tbody>\n</table>\n</div>\n");
	if (n > GROUP_RUNS)
		out_printf(o, "<p class=\"quiet\">and %zu more</p>\n", n - GROUP_RUNS);
	out_lit(o, "</details>\n");
}

void failures_write(struct web_html *h, const struct web_failure *failures, size_t n_failures,
		    bool machines)
{
	struct told told = { h, machines, EXCERPTS }, *p = &told;
	const struct web_failure *v[WEB_FAILURES_MAX];
	bool taken[WEB_FAILURES_MAX] = {};
	unsigned groups = 0;

	if (!n_failures)
		return;
	out_lit(h->out, "<h2>What was told of its failures</h2>\n");
	if (n_failures == WEB_FAILURES_MAX)
		out_printf(p->h->out, "<p class=\"quiet\">Of the newest %d, by what they said, "
				      "numbers aside.</p>\n", WEB_FAILURES_MAX);
	for (size_t i = 0; i < n_failures; i++) {
		const struct web_failure *f = &failures[i];
		size_t n = 0;

		for (size_t k = i; k < n_failures; k++) {
			const struct web_failure *x = &failures[k];

			if (taken[k] || !same_reason(f->reason, x->reason) ||
			    f->status != x->status)
				continue;
			taken[k] = true;
			v[n++] = x;
		}
		if (n)
			group(p, v, n, groups++);
	}
}
