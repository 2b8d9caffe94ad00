/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run against the one before that is like it: of the same branch, mode and
 * machine, with one of its suites. What fails now is first, with how often it
 * failed before: then what fails no more; the rest is folded. A server compares
 * any two, or ranges.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "judge/compare.h"
#include "web/history.h"
#include "web/pages.h"

#define ROWS_MAX 300 /* told of one kind */

struct page {
	struct web_html *h;
	const struct web_history *history;
	struct judge_side side[JUDGE_SIDES];
	struct judge_compared d;
	struct buf told;          /* of the one above */
	bool machines;
};

static void page_done(struct page *p)
{
	judge_compared_done(&p->d);
	buf_done(&p->told);
}

/* ---- is it mine? ---- */

static void joint(struct page *p, const struct judge_joint *j)
{
	_cleanup_(buf_done) struct buf words = {};

	stat_mine_joint_tell(&j->j, &j->past, &words);
	out_lit(p->h->out, "<p>All of ");
	html_axis(p->h, j->axis, p->machines);
	out_lit(p->h->out, " together: ");
	out_html(p->h->out, buf_str(&words));
	out_lit(p->h->out, "</p>\n");
}

/* ---- rows ---- */

/* Of several runs how often it failed; of one the status that stands for it. */
static void did(struct page *p, const struct judge_difference *x, int side)
{
	const struct judge_tally *t = &x->t[side];
	const struct judge_axis *a = x->s->lane->axis;
	uint32_t place = judge_place(a, p->side[side].from);
	uint8_t cell = STORE_CELL_ABSENT;

	if (p->side[side].to - p->side[side].from > 1) {
		html_text(p->h, JUDGE_DID_NAMES[t->did]);
		if (t->failed)
			out_printf(p->h->out, " %u/%u", t->failed, judge_tally_n(t));
		return;
	}
	if (place < a->n && a->run[place] == p->side[side].from)
		cell = judge_cell_or_unknown(x->s, place);
	if (cell < STATUS_N)
		html_mark(p->h, (enum status)cell, true);
	else if (cell == JUDGE_CELL_UNKNOWN)
		out_lit(p->h->out, "<span class=\"mark unknown\" role=\"img\" "
				   "aria-label=\"unknown: passed, or did not run\" "
				   "title=\"unknown: passed, or did not run\">◦</span>");
	else
		out_lit(p->h->out, "<span class=\"mark absent\" role=\"img\" aria-label=\"absent\" "
				   "title=\"absent\">·</span>");
}

/* What it makes of one that fails now; the words of the one above are not said twice. */
static void mine(struct page *p, const struct judge_compared_test *x)
{
	_cleanup_(buf_done) struct buf words = {};

	stat_mine_tell(&x->test, &x->mine, &words);
	out_lit(p->h->out, "<p class=\"quiet\">");
	if (str_eq(buf_str(&words), buf_str(&p->told))) {
		out_lit(p->h->out, "As the one above.");
	} else {
		out_html(p->h->out, buf_str(&words));
		buf_clear(&p->told);
		buf_add_str(&p->told, buf_str(&words));
	}
	out_lit(p->h->out, "</p>");
}

static void row(struct page *p, const struct judge_compared_test *test)
{
	const struct judge_difference *x = &test->d;
	struct out *o = p->h->out;

	out_lit(o, "<tr><td>");
	did(p, x, JUDGE_SIDE_A);
	out_lit(o, " → ");
	did(p, x, JUDGE_SIDE_B);
	out_lit(o, "</td><td>");
	html_test_name(p->h, x->s);
	if (x->what == JUDGE_FAILS)
		mine(p, test);
	out_lit(o, "</td><td>");
	html_axis(p->h, x->s->lane->axis, p->machines);
	out_lit(o, "</td></tr>\n");
}

/* Those of one kind; what passes or fails is open. */
static void kind(struct page *p, enum judge_differs what)
{
	bool open = what == JUDGE_FAILS || what == JUDGE_PASSES;
	struct out *o = p->h->out;
	size_t n = 0, told = 0;

	for (size_t i = 0; i < p->d.n; i++)
		n += p->d.v[i].d.what == what;
	if (!n)
		return;
	out_str(o, open ? STR("<details class=\"group\" open>\n<summary><h2>")
			: STR("<details class=\"group\">\n<summary><h2>"));
	out_printf(o, "%s: %zu</h2></summary>\n<table class=\"results differ\">\n"
		      "<thead class=\"hidden\"><tr><th scope=\"col\">Before and now</th>"
		      "<th scope=\"col\">Test</th><th scope=\"col\">Branch and mode</th></tr>"
		      "</thead>\n<tbody>\n", JUDGE_DIFFERS[what].title, n);
	for (size_t i = 0; i < p->d.n && told < ROWS_MAX; i++) {
		if (p->d.v[i].d.what != what)
			continue;
		told++;
		row(p, &p->d.v[i]);
	}
	out_lit(o, "</tbody>\n</table>\n");
	if (told < n)
		out_printf(o, "<p class=\"quiet\">and %zu more</p>\n", n - told);
	for (size_t i = 0; what == JUDGE_FAILS && i < p->d.n_joints; i++)
		joint(p, &p->d.joints[i]);
	out_lit(o, "</details>\n");
}

static void side(struct page *p, int i)
{
	const struct judge_run *r = &p->history->runs[p->side[i].from];
	const struct judge_run *last = &p->history->runs[p->side[i].to - 1];

	if (last != r) {
		html_run_link(p->h, r->id, "runs ");
		html_run_link(p->h, last->id, " to ");
		out_lit(p->h->out, ", ");
		html_date(p->h, r->begin_ms);
		out_lit(p->h->out, " to ");
		html_date(p->h, last->begin_ms);
		return;
	}

	html_run_link(p->h, r->id, "run ");
	out_lit(p->h->out, " of ");
	html_time(p->h, r->begin_ms);
	if (r->commit.n) {
		out_lit(p->h->out, ", ");
		html_commit(p->h, r->commit);
	}
}

/* Whether there was something to compare. */
static bool lead(struct page *p)
{
	struct out *o = p->h->out;
	bool any = false;

	out_lit(o, "<p class=\"lead\">Before: ");
	side(p, JUDGE_SIDE_A);
	out_lit(o, ". Now: ");
	side(p, JUDGE_SIDE_B);
	out_lit(o, ".</p>\n<p>Unchanged:");
	for (unsigned i = JUDGE_DID_N; i-- > JUDGE_DID_ABSENT + 1;) {
		if (!p->d.found.same[i])
			continue;
		out_str(o, any ? STR(", ") : STR(" "));
		html_count(p->h, p->d.found.same[i]);
		out_printf(o, " %s", JUDGE_DID_NAMES[i]);
		any = true;
	}
	out_str(o, any ? STR(".") : STR(" nothing."));
	for (size_t i = 0; i < p->d.found.n_apart; i++) {
		out_str(o, i ? STR(", ") : STR(" Not compared, as only one of them ran it: "));
		html_axis(p->h, p->d.found.apart[i], p->machines);
	}
	out_lit(o, "</p>\n");
	return any || p->d.n;
}

/* What only unknown became, or was, says nothing. */
static bool is_news(const struct judge_difference *x)
{
	return x->t[JUDGE_SIDE_A].did != JUDGE_DID_UNKNOWN ||
	       x->t[JUDGE_SIDE_B].did != JUDGE_DID_ABSENT;
}

static void compare(struct page *p)
{
	size_t kept = 0;

	judge_compare(&p->d, p->history->axes, p->history->n_axes, p->side);
	for (size_t i = 0; i < p->d.n; i++)
		if (is_news(&p->d.v[i].d))
			p->d.v[kept++] = p->d.v[i];
	p->d.n = kept;
	for (size_t i = 1; i < p->history->n_axes; i++)
		p->machines |= !str_eq(p->history->axes[i].machine, p->history->axes[0].machine);
}

/* "Run 17", "Runs 17 to 20". */
static void name(struct web_span s, const char *word, const char *to, struct buf *ret)
{
	if (*word)
		buf_printf(ret, "%s%s ", word, s.last != s.first ? "s" : "");
	buf_printf(ret, "%" PRId64, s.first);
	if (s.last != s.first)
		buf_printf(ret, "%s%" PRId64, to, s.last);
}

static void title_of(const struct page *p, const struct web_args *args, struct buf *ret)
{
	const struct web_query *q = &args->q;

	if (args->run) {
		buf_printf(ret, "Run %" PRId64 ", and run %" PRId64 " before it", args->run,
			   p->history->runs[p->side[JUDGE_SIDE_A].from].id);
		return;
	}
	name(q->a, "Run", " to ", ret);
	name(q->b, ", and run", " to ", ret);
}

/* ---- which two ---- */

static void input(struct web_html *h, const char *key, const char *label, struct web_span s)
{
	_cleanup_(buf_done) struct buf value = {};
	struct out *o = h->out;

	if (s.first)
		name(s, "", "..", &value);
	out_printf(o, "<div><label for=\"f-%s\">%s</label><input id=\"f-%s\" name=\"%s\" "
		      "type=\"text\" required pattern=\"[0-9]+([.][.][0-9]+)?\" "
		      "placeholder=\"17, or 17..20\" value=\"", key, label, key, key);
	out_html(o, buf_str(&value));
	out_lit(o, "\"></div>\n");
}

void html_diff_form(struct web_html *h)
{
	if (!h->site->live)
		return;
	out_lit(h->out, "<form class=\"filter\" action=\"");
	html_root(h);
	web_path(WEB_DIFF_ANY, h->args, h->out);
	out_lit(h->out, "\">\n");
	input(h, "a", "Run, or runs", h->args->q.a);
	input(h, "b", "Compare with", h->args->q.b);
	out_lit(h->out, "<div><button>Compare</button></div>\n</form>\n");
}

/* Asked for nothing yet. */
static void ask(struct web_html *h)
{
	html_begin(h, STR("Compare runs"));
	out_lit(h->out, "<h1>Compare runs</h1>\n<p class=\"lead\">Two runs by their numbers, or "
			"ranges of runs.</p>\n");
	html_diff_form(h);
	html_end(h);
}

/* A run and the one before it, or what a server is asked for. */
static int sides(struct page *p, const struct web_site *site, const struct web_args *args,
		 struct err *err)
{
	const struct web_history *w = site->history;
	uint32_t now = web_history_run(w, args->run), before = web_history_before(w, now);

	if (!args->run && site->live)
		return web_sides(site, &args->q, p->side, err);
	if (before == w->n_runs)
		return err_set(err, ENOENT, "there is no run before %" PRId64 " that is like it",
			       args->run);
	p->side[JUDGE_SIDE_A] = (struct judge_side){ before, before + 1 };
	p->side[JUDGE_SIDE_B] = (struct judge_side){ now, now + 1 };
	return 0;
}

WEB_RENDER(web_diff_page)
{
	struct web_html h = { .site = site, .out = out, .args = args,
			      .page = args->run || !site->live ? WEB_DIFF : WEB_DIFF_ANY };
	_cleanup_(buf_done) struct buf title = {};
	_cleanup_(page_done) struct page p = { .h = &h, .history = site->history };
	int r;

	if (site->live && !args->run && !args->q.a.first && !args->q.b.first) {
		ask(&h);
		return 0;
	}
	r = sides(&p, site, args, err);
	if (r < 0)
		return r;
	compare(&p);
	title_of(&p, args, &title);
	html_begin(&h, buf_str(&title));
	if (args->run) {
		html_crumbs(&h, args->run);
		out_lit(out, "difference</p>\n");
	}
	out_lit(out, "<h1>");
	out_html(out, buf_str(&title));
	out_lit(out, "</h1>\n");
	if (!args->run)
		html_diff_form(&h);
	if (!lead(&p))
		out_lit(out, "<p class=\"empty\">Nothing of them can be compared.</p>\n");
	else if (!p.d.n)
		out_lit(out, "<p class=\"empty\">No test did anything else.</p>\n");
	for (int i = 0; i < JUDGE_SAME; i++)
		kind(&p, (enum judge_differs)i);
	html_end(&h);
	return 0;
}

WEB_EACH(web_each_diff)
{
	const struct web_history *w = site->history;

	for (unsigned i = 0; i < site->n_runs; i++) {
		struct web_args args = { .run = site->runs[i].id };
		int r = 0;

		if (web_history_before(w, web_history_run(w, args.run)) < w->n_runs)
			r = fn(ctx, &args);
		if (r)
			return r;
	}
	return 0;
}
