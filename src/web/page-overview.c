/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Overview: what runs, how each branch and mode is doing, and what changed of
 * late, as sentences. What changed on several branches and modes at about the
 * same time is one sentence; so are tests of one program that came or went.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "web/history.h"
#include "web/pages.h"

#define DAY_MS     INT64_C(86400000)
#define LATELY_MS  (60 * DAY_MS) /* what is older than this changed long ago */
#define TOGETHER   (3 * DAY_MS)  /* apart by less: one sentence */
#define AT_LEAST   12              /* unless there are no more than so many */
#define SENTENCES  40
#define EVENTS_MAX 2000          /* looked at for one another */
#define PLACES_SHOWN 4 /* of a sentence */

struct page {
	struct web_html *h;
	const struct web_history *history;
	int64_t now_ms; /* when the newest run began */
	bool machines;
};

/* ---- what runs ---- */

static void running(struct page *p)
{
	const struct web_site *site = p->h->site;
	struct out *o = p->h->out;
	bool any = false;

	for (unsigned i = 0; i < site->n_runs; i++) {
		const struct web_run *r = &site->runs[i];

		if (r->state != STORE_RUN_RUNNING)
			continue;
		if (!any)
			out_lit(o, "<h2>Running</h2>\n<ul class=\"changes running\">\n");
		any = true;
		out_lit(o, "<li>");
		html_run_mark(p->h, r->state, r->exit_code);
		out_lit(o, " ");
		html_run_link(p->h, r->id, "run ");
		out_lit(o, ", since ");
		html_time(p->h, r->begin_ms);
		if (r->commit.n) {
			out_lit(o, ", of ");
			html_commit(p->h, r->commit);
		}
		if (r->tests)
			out_lit(o, " ");
		html_progress(p->h, r->id, r->ended, r->tests);
		html_running(p->h, r->running);
		out_lit(o, "</li>\n");
	}
	if (any)
		out_lit(o, "</ul>\n");
	html_live(p->h, "events");
}

/* ---- branches ---- */

struct sorted {
	const struct web_choice *c;
	bool stale;
};

/* Those that ran no more last; then the branch that ran last. */
static int by_last(const void *a, const void *b)
{
	const struct web_choice *x = ((const struct sorted *)a)->c;
	const struct web_choice *y = ((const struct sorted *)b)->c;
	int c = ((const struct sorted *)a)->stale - ((const struct sorted *)b)->stale;

	if (c)
		return c;
	if (x->branch_last != y->branch_last)
		return x->branch_last < y->branch_last ? 1 : -1;
	c = judge_str_order(x->branch, y->branch);
	return c ? c : judge_str_order(y->mode, x->mode);
}

static int branch_row(void *ctx, const struct store_run *run)
{
	struct page *p = ctx;
	struct out *o = p->h->out;

	out_lit(o, "<td>");
	html_run_mark(p->h, run->state, run->exit_code);
	out_lit(o, " ");
	html_run_link(p->h, run->id, "run ");
	out_lit(o, "</td><td>");
	html_time(p->h, run->begin_ms);
	out_lit(o, "</td><td>");
	if (run->commit.n)
		html_commit(p->h, run->commit);
	out_lit(o, "</td><td class=\"says\">");
	out_html(o, run->conclusion.n ? run->conclusion
				      : str_of(web_run_word(run->state, run->exit_code)));
	out_lit(o, "</td>");
	return 0;
}

static int branches_table(struct page *p, const struct sorted *v, size_t n,
			  const char *label, struct err *err)
{
	struct out *o = p->h->out;
	int r = 0;

	out_lit(o, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
	html_text(p->h, label);
	out_lit(o, "\">\n<table class=\"plain latest\">\n<thead>\n<tr><th scope=\"col\">Branch and "
		   "mode</th><th scope=\"col\">Latest run</th><th scope=\"col\">When</th>"
		   "<th scope=\"col\">Commit</th><th scope=\"col\">Result</th></tr>\n"
		   "</thead>\n<tbody>\n");
	for (size_t i = 0; i < n && r >= 0; i++) {
		struct judge_axis a = { .branch = v[i].c->branch, .mode = v[i].c->mode };
		struct web_query q = { .branch = a.branch, .mode = a.mode };

		out_lit(o, "<tr><th scope=\"row\"><a");
		html_flakes_href(p->h, &q);
		out_lit(o, ">");
		html_axis(p->h, &a, false);
		out_lit(o, "</a></th>");
		r = store_run_get(p->h->site->store, p->history->runs[v[i].c->last].id, branch_row,
				  p, err);
		out_lit(o, "</tr>\n");
	}
	out_lit(o, "</tbody>\n</table>\n</div>\n");
	return r;
}

static int branches(struct page *p, struct err *err)
{
	const struct web_site *site = p->h->site;
	_free_ struct sorted *v = xcalloc(site->n_choices + 1, sizeof(*v));
	size_t n = 0, fresh = 0;
	int r = 0;

	for (unsigned i = 0; i < site->n_choices; i++) {
		const struct web_choice *c = &site->choices[i];

		if (c->last >= p->history->n_runs)
			continue;
		v[n].stale = p->now_ms - p->history->runs[c->last].begin_ms >= WEB_STALE_MS;
		fresh += !v[n].stale;
		v[n++].c = c;
	}
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), by_last);
	out_lit(p->h->out, "<h2>Branches</h2>\n");
	if (fresh)
		r = branches_table(p, v, fresh, "The latest run of each branch and mode", err);
	if (r < 0 || fresh == n)
		return r;
	out_printf(p->h->out, "<details>\n<summary>%zu more branch%s and mode%s did not run for a "
			      "month</summary>\n", n - fresh, n - fresh == 1 ? "" : "es",
		   n - fresh == 1 ? "" : "s");
	r = branches_table(p, v + fresh, n - fresh, "Branches and modes that ran no more", err);
	out_lit(p->h->out, "</details>\n");
	return r;
}

/* ---- what changed ---- */

static bool is_rate(const struct judge_event *e)
{
	return e->what <= JUDGE_SKIPS;
}

/* Said in one sentence: the same test elsewhere; of what came or went, also others
 * of the program. */
static bool together(const struct judge_event *a, const struct judge_event *b)
{
	if (a->what != b->what || a->ms - b->ms > TOGETHER || !a->series || !b->series)
		return false;
	return a->series->id == b->series->id ||
	       (!is_rate(a) && a->what != JUDGE_RENAMED && a->series->lane == b->series->lane);
}

static bool same_place(const struct judge_axis *a, const struct judge_axis *b, bool machine)
{
	return str_eq(a->branch, b->branch) && (!machine || str_eq(a->machine, b->machine));
}

static bool place_before(const struct judge_event *const *v, size_t i, bool machine)
{
	for (size_t k = 0; k < i; k++)
		if (same_place(v[k]->axis, v[i]->axis, machine))
			return true;
	return false;
}

/* A branch with the modes of it; the machine with each where there are several, else once. */
static void place(struct page *p, const struct judge_event *const *v, size_t n, size_t i,
		  bool machine)
{
	struct judge_axis a = *v[i]->axis;
	struct out *o = p->h->out;

	a.mode = STR("");
	html_axis(p->h, &a, machine);
	for (size_t k = i; k < n; k++) {
		if (!same_place(v[k]->axis, &a, machine) || !v[k]->axis->mode.n)
			continue;
		out_lit(o, " <span class=\"mode\">");
		out_html(o, v[k]->axis->mode);
		out_lit(o, "</span>");
	}
}

static void places(struct page *p, const struct judge_event *const *v, size_t n)
{
	struct out *o = p->h->out;
	bool machines = false;
	size_t told = 0, more = 0;

	for (size_t i = 1; i < n; i++)
		machines |= !str_eq(v[i]->axis->machine, v[0]->axis->machine);
	for (size_t i = 0; i < n; i++) {
		if (place_before(v, i, machines))
			continue;
		if (told == PLACES_SHOWN) {
			more++;
			continue;
		}
		out_str(o, told++ ? STR(", ") : STR(" on "));
		place(p, v, n, i, machines);
	}
	if (more)
		out_printf(o, " and %zu more branch%s", more, more == 1 ? "" : "es");
	if (n && p->machines && !machines && v[0]->axis->machine.n) {
		out_lit(o, " <span class=\"quiet\">(");
		out_html(o, v[0]->axis->machine);
		out_lit(o, ")</span>");
	}
}

static void commits(struct page *p, const struct judge_event *e)
{
	const struct judge_run *runs = p->history->runs;

	out_lit(p->h->out, "; after ");
	html_commit_run(p->h, judge_run_at(runs, e->axis, e->last));
	out_lit(p->h->out, ", up to ");
	html_commit_run(p->h, judge_run_at(runs, e->axis, e->run));
}

static void rate_sentence(struct page *p, const struct judge_event *const *v, size_t n)
{
	struct out *o = p->h->out;

	html_test_name(p->h, v[0]->series);
	places(p, v, n);
	out_str(o, v[0]->what == JUDGE_SKIPS ? STR(": skipped in ") : STR(": fails in "));
	html_percent(p->h, v[0]->after.rate);
	out_lit(o, " of runs, ");
	html_percent(p->h, v[0]->before.rate);
	out_lit(o, " before");
	commits(p, v[0]);
}

static void presence_sentence(struct page *p, const struct judge_event **v, size_t n)
{
	const struct judge_event *e = v[0];
	struct out *o = p->h->out;
	size_t others = 0, elsewhere = 0;

	for (size_t i = 0; i < n; i++)
		others += v[i]->series->id != e->series->id;
	html_test_name(p->h, e->series);
	if (e->what == JUDGE_RENAMED && e->came) {
		out_lit(o, ", perhaps into ");
		html_test_name(p->h, e->came);
	}
	if (others)
		out_printf(o, " and %zu more of that program", others);
	for (size_t i = 0; i < n; i++)
		if (v[i]->series->id == e->series->id)
			v[elsewhere++] = v[i];
	places(p, v, elsewhere);
	if (e->missed)
		out_printf(o, ": not in the last %u run%s", e->missed, e->missed == 1 ? "" : "s");
	commits(p, e);
}

static void outage_sentence(struct page *p, const struct judge_event *e)
{
	const struct judge_run *runs = p->history->runs;
	struct out *o = p->h->out;

	html_axis(p->h, e->axis, p->machines);
	out_printf(o, ": %u failures at once, %.1f were to be expected, in ", e->failures,
		   e->expected);
	html_commit_run(p->h, judge_run_at(runs, e->axis, e->last));
	if (e->last != e->run) {
		out_lit(o, " to ");
		html_commit_run(p->h, judge_run_at(runs, e->axis, e->run));
	}
}

static void sentence(struct page *p, const struct judge_event **v, size_t n)
{
	static const enum status marks[JUDGE_WHAT_N] = {
		[JUDGE_REGRESSION] = STATUS_FAIL, [JUDGE_FIX] = STATUS_PASS,
		[JUDGE_RATE_UP] = STATUS_FAIL,    [JUDGE_RATE_DOWN] = STATUS_PASS,
		[JUDGE_SKIPS] = STATUS_SKIP,      [JUDGE_NEW] = STATUS_PASS,
		[JUDGE_VANISHED] = STATUS_MISSING,[JUDGE_DID_NOT_RUN] = STATUS_MISSING,
		[JUDGE_RENAMED] = STATUS_SKIP,    [JUDGE_OUTAGE] = STATUS_ERROR,
	};
	struct out *o = p->h->out;

	out_lit(o, "<li><span class=\"when\">");
	html_date(p->h, v[0]->ms);
	out_lit(o, "</span> <span class=\"what ");
	html_text(p->h, STATUS_INFO[marks[v[0]->what]].name);
	out_lit(o, "\">");
	html_text(p->h, JUDGE_WHAT_NAMES[v[0]->what]);
	out_lit(o, "</span> <span class=\"says\">");
	if (!v[0]->series)
		outage_sentence(p, v[0]);
	else if (is_rate(v[0]))
		rate_sentence(p, v, n);
	else
		presence_sentence(p, v, n);
	out_lit(o, "</span></li>\n");
}

static void lately(struct page *p)
{
	const struct judge_events *all = &p->history->events;
	size_t end = all->n < EVENTS_MAX ? all->n : EVENTS_MAX, told = 0, more = 0;
	_free_ const struct judge_event **v = xcalloc(end + 1, sizeof(*v));
	_free_ bool *taken = xcalloc(end + 1, sizeof(*taken));
	struct out *o = p->h->out;

	out_lit(o, "<h2>What changed of late</h2>\n");
	for (size_t i = 0;
	     i < end && (told < AT_LEAST || p->now_ms - all->v[i].ms < LATELY_MS); i++) {
		size_t n = 0;

		if (taken[i] || all->v[i].suspect)
			continue;
		if (told == SENTENCES) {
			more++;
			continue;
		}
		v[n++] = &all->v[i];
		for (size_t k = i + 1; k < end && all->v[i].ms - all->v[k].ms <= TOGETHER; k++) {
			if (taken[k] || all->v[k].suspect || !together(&all->v[i], &all->v[k]))
				continue;
			taken[k] = true;
			v[n++] = &all->v[k];
		}
		out_str(o, told++ ? STR("") : STR("<ul class=\"events\">\n"));
		sentence(p, v, n);
	}
	out_str(o, told ? STR("</ul>\n") : STR("<p class=\"quiet\">No rate ever changed for sure, "
					       "no test came or went.</p>\n"));
	out_lit(o, "<p class=\"quiet\">");
	if (more)
		out_printf(o, "And %zu more: <code>taproom changes</code> lists all. ", more);
	out_lit(o, "To be told: <a");
	html_href(p->h, WEB_ATOM, p->h->args);
	out_lit(o, ">Atom feed</a>, <a");
	html_href(p->h, WEB_JSON_FEED, p->h->args);
	out_lit(o, ">JSON feed</a>.</p>\n");
}

/* ---- the page ---- */

static void lead(struct page *p)
{
	const struct web_history *w = p->history;
	size_t n = web_history_leaves(w);
	struct out *o = p->h->out;

	out_lit(o, "<p class=\"lead\">");
	html_count(p->h, w->n_runs);
	out_str(o, w->n_runs == 1 ? STR(" run of ") : STR(" runs of "));
	html_count(p->h, n);
	out_str(o, n == 1 ? STR(" test, from ") : STR(" tests, from "));
	html_time(p->h, w->runs[0].begin_ms);
	out_lit(o, " to ");
	html_time(p->h, p->now_ms);
	out_lit(o, ". <a");
	html_href(p->h, WEB_FLAKES, p->h->args);
	out_lit(o, ">What flakes</a>, <a");
	html_href(p->h, WEB_RUNS, p->h->args);
	out_lit(o, ">what ran</a>.</p>\n");
}

WEB_RENDER(web_overview_page)
{
	struct web_html h = { site, out, WEB_INDEX, args };
	const struct web_history *w = site->history;
	struct page p = { .h = &h, .history = w };
	int r = 0;

	html_begin(&h, STR("Overview"));
	out_lit(out, "<h1>Overview</h1>\n");
	if (!w->n_runs && !site->n_runs)
		out_lit(out, "<p class=\"empty\">Nothing ran yet. <code>taproom run</code> "
			     "makes the first.</p>\n");
	for (size_t i = 1; i < w->n_axes; i++)
		p.machines |= !str_eq(w->axes[i].machine, w->axes[0].machine);
	if (w->n_runs) {
		p.now_ms = w->runs[w->n_runs - 1].begin_ms;
		lead(&p);
	}
	running(&p);
	if (w->n_runs) {
		lately(&p);
		r = branches(&p, err);
	}
	html_end(&h);
	return r < 0 ? r : 0;
}
