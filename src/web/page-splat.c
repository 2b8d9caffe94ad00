/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splats of one fingerprint: since which commits they are seen, on what, in which
 * tests, and what the last one said. That a run did not show one is no proof that
 * it could not: how many runs before were without is told beside it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tap/trace.h"
#include "web/history.h"
#include "web/splat.h"

#define SIGHTINGS   200 /* the newest, by which tests are counted */
#define SHOWN       50  /* of them, as rows */
#define TESTS_MAX   40
#define AXES_MAX    60

struct counted {
	struct str suite, name;
	unsigned n;
};

struct page {
	struct web_html *h;
	const struct web_splat *splat;
	struct store_splat_at *v; /* sightings */
	size_t n, cap;
	struct counted tests[TESTS_MAX];
	unsigned n_tests;
	unsigned n_axes;
	bool said;                /* what the newest told was written */
	struct arena arena;
};

static struct str keep(struct page *p, struct str s)
{
	return str_n(arena_strndup(&p->arena, s.p ? s.p : "", s.n), s.n);
}

/* ---- what there is ---- */

static void count_test(struct page *p, const struct store_splat_at *at)
{
	unsigned i = 0;

	while (i < p->n_tests && (!str_eq(p->tests[i].name, at->name) ||
				  !str_eq(p->tests[i].suite, at->suite)))
		i++;
	if (i == TESTS_MAX)
		return;
	if (i == p->n_tests)
		p->tests[p->n_tests++] = (struct counted){ at->suite, at->name, 0 };
	p->tests[i].n++;
}

static int on_sighting(void *ctx, const struct store_splat_at *at)
{
	struct page *p = ctx;
	struct store_splat_at *x;

	ARRAY_GROW(p->v, p->n, p->cap);
	x = &p->v[p->n++];
	*x = *at;
	x->suite = keep(p, at->suite);
	x->name = keep(p, at->name);
	x->mode = keep(p, at->mode);
	x->machine = keep(p, at->machine);
	x->excuse = (struct event_excuse){ keep(p, at->excuse.reason), keep(p, at->excuse.link),
					   keep(p, at->excuse.owner), keep(p, at->excuse.until) };
	count_test(p, x);
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return (x->n < y->n) - (x->n > y->n);
}

/* ---- the head ---- */

static void seen(struct page *p, const char *what, int64_t ms, int64_t run)
{
	html_fact(p->h, what);
	html_time(p->h, ms);
	out_lit(p->h->out, ", ");
	html_run_link(p->h, run, "run ");
	html_fact_end(p->h);
}

static void head(struct page *p)
{
	const struct web_splat *s = p->splat;
	struct out *o = p->h->out;

	out_lit(o, "<p class=\"crumbs\"><a");
	html_href(p->h, WEB_SPLATS, p->h->args);
	out_lit(o, ">Splats</a> /</p>\n<h1 class=\"name\">");
	out_html(o, s->title);
	out_lit(o, "</h1>\n");
	if (p->n && p->v[0].excuse.reason.n) {
		out_lit(o, "<p class=\"lead\">Ignored by a rule: ");
		splat_excuse(p->h, &p->v[0].excuse);
		out_lit(o, "</p>\n");
	}
	out_lit(o, "<dl class=\"facts\">\n");
	html_fact_text(p->h, "Kind", s->kind);
	html_fact(p->h, "Seen");
	html_count(p->h, s->n);
	out_str(o, s->n == 1 ? STR(" time") : STR(" times"));
	html_fact_end(p->h);
	seen(p, "First", s->first_ms, s->first_run);
	seen(p, "Last", s->last_ms, s->last_run);
	html_fact(p->h, "Fingerprint");
	out_lit(o, "<code>");
	out_html(o, s->fingerprint);
	out_lit(o, "</code>");
	html_fact_end(p->h);
	out_lit(o, "</dl>\n");
}

/* ---- since when, on what ---- */

static const struct judge_axis *axis_of(const struct web_history *w,
					const struct store_splat_on *on)
{
	for (size_t i = 0; i < w->n_axes; i++) {
		const struct judge_axis *a = &w->axes[i];

		if (str_eq(a->branch, on->branch) && str_eq(a->mode, on->mode) &&
		    str_eq(a->machine, on->machine))
			return a;
	}
	return NULL;
}

/* The first place of a run that began at @ms or later. */
static uint32_t place_of(const struct web_history *w, const struct judge_axis *a, int64_t ms)
{
	uint32_t low = 0, high = a->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (w->runs[a->run[mid]].begin_ms < ms)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Of an axis that is not judged, as all of its runs broke off, only the count. */
static void since(struct page *p, const struct judge_axis *a, const struct store_splat_on *on)
{
	const struct web_history *w = p->h->site->history;
	uint32_t first = a ? place_of(w, a, on->first_ms) : 0;
	struct out *o = p->h->out;

	if (!a || first == a->n) {
		out_lit(o, "<td></td><td></td>");
		return;
	}
	out_lit(o, "<td>");
	if (first && str_eq(judge_run_at(w->runs, a, first - 1)->commit,
			     judge_run_at(w->runs, a, first)->commit)) {
		/* So it did not come with a commit, or there was luck. */
		html_run_link(p->h, judge_run_at(w->runs, a, first - 1)->id, "run ");
		out_lit(o, " of the same commit was without, ");
	} else if (first) {
		out_lit(o, "after ");
		html_commit_run(p->h, judge_run_at(w->runs, a, first - 1));
		out_lit(o, ", up to ");
	} else {
		out_lit(o, "up to the first one, ");
	}
	html_commit_run(p->h, judge_run_at(w->runs, a, first));
	out_lit(o, "</td><td class=\"num\">");
	html_count(p->h, first);
	out_lit(o, "</td>");
}

static int on_axis(void *ctx, const struct store_splat_on *on)
{
	struct page *p = ctx;
	const struct web_history *w = p->h->site->history;
	const struct judge_axis *a = axis_of(w, on);
	struct judge_axis named = { .branch = on->branch, .mode = on->mode,
				    .machine = on->machine };
	struct out *o = p->h->out;

	if (++p->n_axes > AXES_MAX)
		return 0;
	if (p->n_axes == 1)
		out_lit(o, "<h2>Where it came in</h2>\n<div class=\"scroll\" role=\"region\" "
			   "aria-label=\"Where it came in\" tabindex=\"0\">\n"
			   "<table class=\"plain\">\n<thead>\n<tr><th scope=\"col\">Branch and mode"
			   "</th><th scope=\"col\">In a commit</th><th scope=\"col\" class=\"num\">"
			   "Runs before</th><th scope=\"col\" class=\"num\">Since then in</th>"
			   "<th scope=\"col\">Last</th></tr>\n</thead>\n<tbody>\n");
	out_lit(o, "<tr><th scope=\"row\">");
	html_axis(p->h, &named, true);
	out_lit(o, "</th>");
	since(p, a, on);
	out_lit(o, "<td class=\"num\">");
	html_count(p->h, on->runs);
	if (a) {
		out_lit(o, " of ");
		html_count(p->h, a->n - place_of(w, a, on->first_ms));
	}
	out_lit(o, "</td><td>");
	html_date(p->h, on->last_ms);
	out_lit(o, "</td></tr>\n");
	return 0;
}

static int axes(struct page *p, const char *fingerprint, struct err *err)
{
	int r = store_splat_axes(p->h->site->store, fingerprint, on_axis, p, err);

	if (p->n_axes)
		out_lit(p->h->out, "</tbody>\n</table>\n</div>\n");
	if (p->n_axes > AXES_MAX)
		out_printf(p->h->out, "<p class=\"quiet\">and %u more</p>\n",
			   p->n_axes - AXES_MAX);
	return r;
}

/* ---- what it said ---- */

static void on_event(void *ctx, const struct event *ev)
{
	struct page *p = ctx;
	const struct store_splat_at *at = &p->v[0];
	struct web_args args = { .run = at->run, .job = at->job };
	bool bare = ev->type == EVENT_SPLAT && trace_bare(ev->splat->text);
	struct out *o = p->h->out;

	if (p->said || ev->type != EVENT_SPLAT || ev->job != at->job ||
	    !str_eq(ev->splat->fingerprint, p->splat->fingerprint))
		return;
	p->said = true;
	out_lit(o, "<h2>What the last one said</h2>\n");
	splat_about(p->h, ev->splat);
	splat_text(p->h, ev->splat);
	out_lit(o, "<p class=\"links\">");
	if (at->line && web_site_has_run(p->h->site, at->run)) {
		html_line_link(p->h, WEB_CONSOLE, &args, at->line);
		out_printf(o, "Console, line %" PRIu64 "</a>", at->line);
		out_str(o, bare ? STR(" · ") : STR(""));
	}
	if (bare)
		out_printf(o, "<code>taproom show %" PRId64 " --decode</code> names the places in "
			      "the source", at->run);
	out_lit(o, "</p>\n");
}

/* ---- tests ---- */

static void test_link(struct page *p, struct str suite, struct str name)
{
	const struct web_tests *t = &p->h->site->history->tests;
	bool link;

	if (!name.n) {
		out_lit(p->h->out, "<span class=\"quiet\">outside of any test</span>");
		return;
	}
	link = html_test_begin(p->h, web_tests_find(t, web_test_hash(suite, name, STR(""), 1)));
	out_html(p->h->out, suite);
	out_lit(p->h->out, "/");
	out_html(p->h->out, name);
	out_str(p->h->out, link ? STR("</a>") : STR(""));
}

static void tests(struct page *p)
{
	struct out *o = p->h->out;

	qsort(p->tests, p->n_tests, sizeof(*p->tests), by_count);
	out_lit(o, "<h2>In which tests</h2>\n<ul class=\"changes\">\n");
	for (unsigned i = 0; i < p->n_tests; i++) {
		out_lit(o, "<li>");
		test_link(p, p->tests[i].suite, p->tests[i].name);
		out_printf(o, " <span class=\"quiet\">%u</span></li>\n", p->tests[i].n);
	}
	out_lit(o, "</ul>\n");
	if (p->splat->n > p->n)
		out_printf(o, "<p class=\"quiet\">Of the newest %zu.</p>\n", p->n);
}

/* ---- sightings ---- */

static void sighting(struct page *p, const struct store_splat_at *at)
{
	const struct web_history *w = p->h->site->history;
	struct web_args args = { .run = at->run, .job = at->job };
	uint32_t run = web_history_run(w, at->run);
	struct judge_axis a = { .mode = at->mode, .machine = at->machine };
	struct out *o = p->h->out;

	out_lit(o, "<tr><th scope=\"row\">");
	html_run_link(p->h, at->run, "run ");
	out_lit(o, "</th><td>");
	if (run < w->n_runs) {
		a.branch = w->runs[run].branch;
		html_time(p->h, w->runs[run].begin_ms);
	}
	out_lit(o, "</td><td>");
	html_axis(p->h, &a, true);
	out_lit(o, "</td><td>");
	if (run < w->n_runs && w->runs[run].commit.n)
		html_commit(p->h, w->runs[run].commit);
	out_lit(o, "</td><td>");
	test_link(p, at->suite, at->name);
	out_lit(o, "</td><td>");
	if (at->line && web_site_has_run(p->h->site, at->run)) {
		html_line_link(p->h, WEB_CONSOLE, &args, at->line);
		out_printf(o, "line %" PRIu64 "</a>", at->line);
	}
	out_lit(o, "</td></tr>\n");
}

static void sightings(struct page *p)
{
	struct out *o = p->h->out;

	out_lit(o, "<h2>Where it was seen</h2>\n<div class=\"scroll\" role=\"region\" "
		   "aria-label=\"Where it was seen\" tabindex=\"0\">\n<table class=\"plain\">\n"
		   "<thead>\n<tr><th scope=\"col\">Run</th><th scope=\"col\">When</th>"
		   "<th scope=\"col\">Branch and mode</th><th scope=\"col\">Commit</th>"
		   "<th scope=\"col\">Test</th><th scope=\"col\">Console</th></tr>\n</thead>\n"
		   "<tbody>\n");
	for (size_t i = 0; i < p->n && i < SHOWN; i++)
		sighting(p, &p->v[i]);
	out_lit(o, "</tbody>\n</table>\n</div>\n");
	if (p->splat->n > SHOWN)
		out_printf(o, "<p class=\"quiet\">The newest %d of %" PRIu64 ".</p>\n", SHOWN,
			   p->splat->n);
}

/* ---- a rule for it ---- */

/* The title as a pattern that fits nothing else, as YAML in single quotes. */
static void pattern(struct out *o, struct str title)
{
	while (title.n) {
		size_t plain = 0;
		char c;

		while (plain < title.n && (unsigned char)title.p[plain] >= 0x20 &&
		       !strchr("'\\^$.[|()?*+{", title.p[plain]))
			plain++;
		out_html(o, str_n(title.p, plain));
		title = str_from(title, plain);
		if (!title.n)
			return;
		c = title.p[0];
		out_str(o, (unsigned char)c < 0x20 ? STR(".") :
			   c == '\''		    ? STR("&#39;") : STR("\\"));
		if ((unsigned char)c >= 0x20)
			out_html(o, str_n(title.p, 1));
		title = str_from(title, 1);
	}
}

static void rule(struct page *p)
{
	struct out *o = p->h->out;

	if (p->n && p->v[0].excuse.reason.n)
		return;
	out_lit(o, "<details class=\"for-later\">\n<summary>To ignore it from now on</summary>\n"
		   "<p>In <code>taproom.yaml</code>; it is still told, and does not count:</p>\n"
		   "<pre class=\"command\" tabindex=\"0\"><code>ignore:\n  - pattern: '^");
	pattern(o, p->splat->title);
	out_lit(o, "$'\n    reason: \n    owner: \n    until: </code></pre>\n</details>\n");
}

/* ---- the page ---- */

WEB_RENDER(web_splat_page)
{
	struct web_html h = { site, out, WEB_SPLAT, args };
	struct page p = { .h = &h, .splat = args->splat };
	_free_ char *fingerprint = xstrndup(p.splat->fingerprint.p, p.splat->fingerprint.n);
	int r = store_splats(site->store, fingerprint, SIGHTINGS, on_sighting, &p, err);

	if (r >= 0) {
		html_begin(&h, p.splat->title);
		head(&p);
		r = axes(&p, fingerprint, err);
	}
	if (r >= 0 && p.n) {
		r = store_replay_program(site->store, p.v[0].run, p.v[0].suite, p.v[0].name,
					 (struct event_sink){ on_event, &p }, err);
		tests(&p);
		sightings(&p);
	} else if (r >= 0) {
		out_lit(out, "<p class=\"empty\">The runs in which it was seen are no longer "
			     "kept.</p>\n");
	}
	if (r >= 0) {
		rule(&p);
		html_end(&h);
	}
	free(p.v);
	arena_done(&p.arena);
	return r < 0 ? r : 0;
}

WEB_EACH(web_each_splat)
{
	for (unsigned i = 0; i < site->n_splats; i++) {
		struct web_args args = { .splat = &site->splats[i] };
		int r = fn(ctx, &args);

		if (r)
			return r;
	}
	return 0;
}
