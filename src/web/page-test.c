/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One test, all of its past: each branch and mode as a picture on one axis of
 * time, where its rate changed, how long its program takes, and its failures by
 * what was told of them.
 *
 * Of a program the rates are of what none of its tests explains, as on the flakes
 * page; the strips show whatever it said.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/units.h"
#include "judge/past.h"
#include "web/chart.h"
#include "web/failures.h"
#include "web/history.h"
#include "web/known.h"

#define AXES_MAX    80 /* drawn */
#define CHANGES_MAX 40

struct page {
	struct web_html *h;
	const struct web_history *history;
	const struct web_test *test;
	const struct judge_series *s; /* of the axis that ran last */
	struct judge_past *v;         /* the one that ran last first */
	size_t n;
	struct web_scale scale;
	struct web_failure failures[WEB_FAILURES_MAX];
	size_t n_failures;
	bool machines;
	struct arena arena;
};

static const struct judge_run *run_at(const struct page *p, const struct judge_past *x,
				      uint32_t place)
{
	return judge_run_at(p->history->runs, x->axis, place);
}

static uint32_t last_run(const struct judge_past *x)
{
	return x->axis->run[x->last];
}

static int by_last(const void *a, const void *b)
{
	const struct judge_past *x = a, *y = b;
	uint32_t i = last_run(x), k = last_run(y);

	return i != k ? (i < k ? 1 : -1) : (x->axis > y->axis) - (x->axis < y->axis);
}

/* The branch that ran last first, its modes together. */
static void sort(struct page *p)
{
	qsort(p->v, p->n, sizeof(*p->v), by_last);
	for (size_t i = 1; i < p->n; i++) {
		struct judge_past x = p->v[i];
		size_t k = i;

		while (k > 0 && !str_eq(p->v[k - 1].axis->branch, x.axis->branch))
			k--;
		if (k == 0 || k == i)
			continue;
		memmove(&p->v[k + 1], &p->v[k], (i - k) * sizeof(x));
		p->v[k] = x;
	}
}

static void judge(struct page *p)
{
	const struct web_history *w = p->history;

	p->v = xcalloc(p->test->n_parts, sizeof(*p->v));
	p->scale = (struct web_scale){ INT64_MAX, INT64_MIN };
	for (size_t i = 0; i < p->test->n_parts; i++) {
		const struct judge_series *s = p->test->parts[i];
		const struct judge_event *const *events;
		struct judge_past *x = &p->v[p->n++];
		bool steady = !web_history_changes(w, s, &events);

		judge_past_init(x, s, &s->own,
				stat_outages_runs(&w->outages[s->lane->axis - w->axes]), steady);
		chart_widen(&p->scale, run_at(p, x, x->first)->begin_ms);
		chart_widen(&p->scale, run_at(p, x, x->last)->begin_ms);
		p->machines |= !str_eq(s->lane->axis->machine, p->v[0].axis->machine);
	}
	sort(p);
	p->s = p->v[0].s;
}

static void page_done(struct page *p)
{
	for (size_t i = 0; i < p->n; i++)
		judge_past_done(&p->v[i]);
	free(p->v);
	arena_done(&p->arena);
}

/* ---- words ---- */

static void crumbs(struct page *p)
{
	const struct judge_lane *l = p->s->lane;
	struct web_query all = {}, suite = { .suite = l->suite };
	struct out *o = p->h->out;

	out_lit(o, "<p class=\"crumbs\"><a");
	html_flakes_href(p->h, &all);
	out_lit(o, ">Flakes</a> / <a");
	html_flakes_href(p->h, &suite);
	out_lit(o, ">");
	out_html(o, l->suite);
	out_lit(o, "</a>");
	if (!p->s->whole) {
		bool link;

		out_lit(o, " / ");
		link = html_test_begin(p->h,
				       web_tests_find(&p->history->tests,
						      web_test_hash(l->suite, l->program,
								    STR(""), 1)));
		out_html(o, l->program);
		out_str(o, link ? STR("</a>") : STR(""));
	}
	out_lit(o, "</p>\n<h1 class=\"name\">");
	out_html(o, p->s->whole ? l->program : p->s->path);
	out_lit(o, "</h1>\n");
}

static void lead(struct page *p)
{
	uint64_t counts[STATUS_N] = {}, k = 0, n = 0;
	struct out *o = p->h->out;
	bool at_least = false;
	size_t left = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct judge_past *x = &p->v[i];

		for (unsigned s = 0; s < STATUS_N; s++)
			counts[s] += x->s->counts[s];
		k += x->s->own.bad.n;
		n += stat_series_n(&x->s->own);
		left += x->n_left;
		at_least |= x->s->lane->at_least;
	}
	out_lit(o, "<p class=\"lead\">");
	if (k) {
		out_lit(o, "Failed ");
		html_count(p->h, k);
		out_str(o, k == 1 ? STR(" time in ") : STR(" times in "));
	} else {
		out_str(o, p->s->whole && counts[STATUS_FAIL] + counts[STATUS_FLAKY] ?
			STR("Failed with its tests only, never by itself, in ") :
			STR("Never failed in "));
	}
	html_count(p->h, n);
	out_printf(o, " run%s on %zu %s, from ", n == 1 ? "" : "s", p->n,
		   p->n == 1 ? "branch and mode" : "branches and modes");
	html_time(p->h, p->scale.from_ms);
	out_lit(o, " to ");
	html_time(p->h, p->scale.to_ms - 1);
	out_lit(o, ".");
	if (left)
		out_printf(o, " %zu of these failures %s in outages, and in no rate here.", left,
			   left == 1 ? "was" : "were");
	if (at_least)
		out_lit(o, " Only failures were published of some of it: a rate is at least "
			   "(≥) what stands here.");
	out_lit(o, "</p>\n");
	html_counts(p->h, counts, true);
	out_lit(o, "\n");
}

static int on_name(void *ctx, struct str path)
{
	struct page *p = ctx;

	if (!path.n || str_eq(path, p->s->path))
		return 0;
	out_lit(p->h->out, "<li>");
	out_html(p->h->out, path);
	out_lit(p->h->out, "</li>\n");
	return 0;
}

/* Of each rule once, and where it holds. */
static void known(struct page *p)
{
	struct web_excuse before, e;
	struct out *o = p->h->out;

	for (size_t i = 0; i < p->n; i++) {
		bool told = false;

		if (!web_known_find(p->h->site, p->v[i].s, &e))
			continue;
		for (size_t k = 0; k < i && !told; k++)
			told = web_known_find(p->h->site, p->v[k].s, &before) &&
			       str_eq(before.say.reason, e.say.reason);
		if (told)
			continue;
		out_lit(o, "<p class=\"known\">");
		html_known(p->h, &e);
		out_lit(o, " <span class=\"quiet\">on ");
		for (size_t k = i; k < p->n; k++) {
			if (!web_known_find(p->h->site, p->v[k].s, &before) ||
			    !str_eq(before.say.reason, e.say.reason))
				continue;
			out_str(o, k > i ? STR(", ") : STR(""));
			html_axis(p->h, p->v[k].axis, p->machines);
		}
		out_lit(o, "</span></p>\n");
	}
}

struct others {
	const struct judge_series *s;
	unsigned n;
};

static int on_count(void *ctx, struct str path)
{
	struct others *o = ctx;

	o->n += path.n && !str_eq(path, o->s->path);
	return 0;
}

static int names(struct page *p, struct err *err)
{
	struct others others = { p->s, 0 };
	int r = store_test_names(p->h->site->store, p->s->id, on_count, &others, err);

	if (r < 0 || !others.n)
		return r;
	out_printf(p->h->out, "<details class=\"names\">\n<summary>It had %u other name%s"
			      "</summary>\n<ul>\n", others.n, others.n == 1 ? "" : "s");
	r = store_test_names(p->h->site->store, p->s->id, on_name, p, err);
	out_lit(p->h->out, "</ul>\n</details>\n");
	return r;
}

/* ---- the pictures ---- */

static void rate(struct page *p, const struct judge_past *x)
{
	struct judge_segment g = judge_past_segment(x, x->n_changes);
	struct out *o = p->h->out;

	if (!g.rate.n) {
		out_lit(o, "–");
		return;
	}
	if (x->s->lane->at_least)
		out_lit(o, "≥\u00a0");
	html_percent(p->h, g.rate.rate);
	out_lit(o, " <span class=\"interval\">[");
	judge_percent(o, g.rate.low);
	out_lit(o, "–");
	judge_percent(o, g.rate.high);
	out_printf(o, "] %" PRIu64 "/%" PRIu64 "</span>", g.rate.k, g.rate.n);
}

static void last_failure(struct page *p, const struct judge_past *x)
{
	const struct stat_runs *bad = &x->s->own.bad;
	const struct judge_run *r;

	if (!bad->n)
		return;
	r = run_at(p, x, bad->v[bad->n - 1]);
	html_run_link(p->h, r->id, "");
	out_lit(p->h->out, " <span class=\"quiet\">");
	html_date(p->h, r->begin_ms);
	out_lit(p->h->out, "</span>");
}

static void zoom(struct web_html *h)
{
	static const char *const levels[] = { "1", "4", "16" };

	out_lit(h->out, "<fieldset class=\"zoom scheme\">\n<legend class=\"hidden\">Zoom of the "
			"time</legend>\n");
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		out_printf(h->out, "<input type=\"radio\" name=\"zoom\" id=\"zoom-%s\" "
				   "value=\"%s\"%s><label for=\"zoom-%s\">%s×</label>\n",
			   levels[i], levels[i], i ? "" : " checked", levels[i], levels[i]);
	out_lit(h->out, "</fieldset>\n");
}

static void legend(struct page *p)
{
	struct out *o = p->h->out;
	bool at_least = false;

	out_lit(o, "<ul class=\"legend\" aria-label=\"In the pictures\">\n"
		   "<li><span class=\"key rate\" aria-hidden=\"true\"></span> failure rate, in its "
		   "95 % band</li>\n<li><span class=\"key cut\" aria-hidden=\"true\"></span> it "
		   "changed</li>\n");
	for (int i = STATUS_N - 1; i >= 0; i--) {
		uint64_t n = 0;

		for (size_t k = 0; k < p->n; k++) {
			n += p->v[k].s->counts[i];
			at_least |= p->v[k].s->lane->at_least;
		}
		if (!n)
			continue;
		out_lit(o, "<li><span class=\"key ");
		html_text(p->h, STATUS_INFO[i].name);
		out_lit(o, "\" aria-hidden=\"true\"></span> ");
		html_text(p->h, STATUS_INFO[i].name);
		out_lit(o, "</li>\n");
	}
	if (at_least)
		out_lit(o, "<li><span class=\"key maybe\" aria-hidden=\"true\"></span> passed, or "
			   "did not run</li>\n");
	out_lit(o, "</ul>\n");
}

static void row(struct page *p, const struct judge_past *x)
{
	struct web_query q = { .branch = x->axis->branch, .mode = x->axis->mode };
	struct out *o = p->h->out;

	out_lit(o, "<tr><th scope=\"row\" class=\"name\"><a");
	html_flakes_href(p->h, &q);
	out_lit(o, ">");
	html_axis(p->h, x->axis, p->machines);
	out_lit(o, "</a><span class=\"below\">");
	rate(p, x);
	out_lit(o, "</span></th><td class=\"stat\">");
	rate(p, x);
	out_lit(o, "</td><td class=\"stat\">");
	last_failure(p, x);
	out_lit(o, "</td><td class=\"picture\">");
	chart_write(p->h, &p->scale, x);
	out_lit(o, "</td></tr>\n");
}

static void pictures(struct page *p)
{
	struct out *o = p->h->out;

	out_lit(o, "<div class=\"heading\">\n<h2>History</h2>\n");
	zoom(p->h);
	out_lit(o, "</div>\n");
	legend(p);
	out_lit(o, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		   "aria-label=\"History of each branch and mode\">\n<table class=\"past\">\n"
		   "<thead>\n<tr><th scope=\"col\" "
		   "class=\"name\">Branch and mode</th><th scope=\"col\" class=\"stat\">"
		   "Failure rate now</th><th scope=\"col\" class=\"stat\">Failed last</th>"
		   "<th scope=\"col\" class=\"picture\">"
		   "<span class=\"hidden\">Through time</span>");
	chart_heads(p->h, &p->scale);
	out_lit(o, "</th></tr>\n</thead>\n<tbody>\n");
	for (size_t i = 0; i < p->n && i < AXES_MAX; i++)
		row(p, &p->v[i]);
	out_lit(o, "</tbody>\n</table>\n</div>\n");
	if (p->n > AXES_MAX)
		out_printf(o, "<p>and %zu more branches and modes</p>\n", p->n - AXES_MAX);
}

/* ---- changes ---- */

struct change {
	const struct judge_past *x;
	const struct stat_change *c;
};

static int by_time(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	uint32_t i = x->x->axis->run[x->c->run], k = y->x->axis->run[y->c->run];

	return i != k ? (i < k ? 1 : -1) : 0;
}

static void change(struct page *p, const struct change *x)
{
	const struct stat_change *c = x->c;
	struct out *o = p->h->out;

	out_lit(o, "<li>");
	html_date(p->h, run_at(p, x->x, c->run)->begin_ms);
	out_lit(o, " <b>");
	html_text(p->h, STAT_CHANGE_NAMES[c->kind]);
	out_lit(o, "</b> on ");
	html_axis(p->h, x->x->axis, p->machines);
	out_lit(o, ": from ");
	html_percent(p->h, c->before.rate);
	out_lit(o, " to ");
	html_percent(p->h, c->after.rate);
	out_lit(o, ", after ");
	html_commit_run(p->h, run_at(p, x->x, c->last));
	out_lit(o, ", up to ");
	html_commit_run(p->h, run_at(p, x->x, c->run));
	if (c->low_last != c->last || c->high != c->run) {
		out_lit(o, "<span class=\"quiet\">; with 99 % after ");
		html_commit_run(p->h, run_at(p, x->x, c->low_last));
		out_lit(o, ", up to ");
		html_commit_run(p->h, run_at(p, x->x, c->high));
		out_lit(o, "</span>");
	}
	out_lit(o, "</li>\n");
}

static void changes(struct page *p)
{
	_free_ struct change *v = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->v[i].n_changes;
	if (!n)
		return;
	v = xcalloc(n, sizeof(*v));
	n = 0;
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->v[i].n_changes; k++)
			v[n++] = (struct change){ &p->v[i], &p->v[i].changes[k] };
	qsort(v, n, sizeof(*v), by_time);
	out_lit(p->h->out, "<h2>Where its rate changed</h2>\n<ul class=\"changes\">\n");
	for (size_t i = 0; i < n && i < CHANGES_MAX; i++)
		change(p, &v[i]);
	if (n > CHANGES_MAX)
		out_printf(p->h->out, "<li>and %zu more</li>\n", n - CHANGES_MAX);
	out_lit(p->h->out, "</ul>\n");
}

/* ---- durations ---- */

static void pace(struct page *p, const struct judge_past *x, const struct stat_pace *c)
{
	struct out *o = p->h->out;

	out_str(o, c->after_ms > c->before_ms ? STR("<li><b>slower</b> on ")
					      : STR("<li><b>faster</b> on "));
	html_axis(p->h, x->axis, p->machines);
	out_lit(o, ": from ");
	html_duration(p->h, c->before_ms);
	out_lit(o, " to ");
	html_duration(p->h, c->after_ms);
	out_lit(o, ", after ");
	html_commit_run(p->h, run_at(p, x, c->last));
	out_lit(o, ", up to ");
	html_commit_run(p->h, run_at(p, x, c->run));
	out_lit(o, "</li>\n");
}

static void time_row(struct page *p, const struct judge_past *x)
{
	uint32_t from = x->n_paces ? x->paces[x->n_paces - 1].run : 0, median;
	struct out *o = p->h->out;
	size_t n;

	median = judge_median(x->s, from, x->axis->n, &n);
	if (!n)
		return;
	out_lit(o, "<tr><th scope=\"row\" class=\"name\">");
	html_axis(p->h, x->axis, p->machines);
	out_lit(o, "</th><td class=\"stat\">");
	html_duration(p->h, median);
	out_lit(o, "</td><td class=\"picture\">");
	chart_times(p->h, &p->scale, x);
	out_lit(o, "</td></tr>\n");
}

/* Zero is how an import tells that it doesn't know. */
static bool takes_time(const struct judge_past *x)
{
	const int32_t *ms = x->s->lane->ms;

	for (uint32_t i = 0; ms && x->s->whole && i < x->axis->n; i++)
		if (ms[i] > 0)
			return true;
	return false;
}

static void durations(struct page *p)
{
	struct out *o = p->h->out;
	bool any = false;
	size_t paces = 0;

	for (size_t i = 0; i < p->n; i++) {
		any |= takes_time(&p->v[i]);
		paces += p->v[i].n_paces;
	}
	if (!any)
		return;
	out_lit(o, "<h2>How long it takes</h2>\n");
	if (paces)
		out_lit(o, "<ul class=\"changes\">\n");
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = p->v[i].n_paces; k-- > 0;)
			pace(p, &p->v[i], &p->v[i].paces[k]);
	if (paces)
		out_lit(o, "</ul>\n");
	out_lit(o, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		   "aria-label=\"Durations on each branch and mode\">\n<table class=\"past\">\n"
		   "<thead>\n<tr><th scope=\"col\" "
		   "class=\"name\">Branch and mode</th><th scope=\"col\" class=\"stat\">Median "
		   "now</th><th scope=\"col\" class=\"picture\"><span class=\"hidden\">Through time"
		   "</span>");
	chart_heads(p->h, &p->scale);
	out_lit(o, "</th></tr>\n</thead>\n<tbody>\n");
	for (size_t i = 0; i < p->n && i < AXES_MAX; i++)
		if (takes_time(&p->v[i]))
			time_row(p, &p->v[i]);
	out_lit(o, "</tbody>\n</table>\n</div>\n");
}

/* ---- the page ---- */

WEB_RENDER(web_test_page)
{
	struct web_html h = { site, out, WEB_TEST, args };
	struct page *p = xcalloc(1, sizeof(*p));
	int r;

	*p = (struct page){ .h = &h, .history = site->history, .test = args->test };
	judge(p);
	r = web_failures(site, p->test, &p->arena, p->failures, err);
	if (r >= 0) {
		p->n_failures = (size_t)r;
		html_begin(&h, p->s->whole ? p->s->lane->program : p->s->path);
		crumbs(p);
		lead(p);
		known(p);
		r = names(p, err);
	}
	if (r >= 0) {
		pictures(p);
		changes(p);
		failures_write(&h, p->failures, p->n_failures, p->machines);
		durations(p);
		html_end(&h);
	}
	page_done(p);
	free(p);
	return r < 0 ? r : 0;
}

WEB_EACH(web_each_test)
{
	const struct web_tests *t = &site->history->tests;

	for (size_t i = 0; i < t->n; i++) {
		struct web_args args = { .test = &t->v[i] };
		int r = t->v[i].page ? fn(ctx, &args) : 0;

		if (r)
			return r;
	}
	return 0;
}
