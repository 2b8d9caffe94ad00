/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/changes.h"

#include <stdlib.h>

#include "base/mem.h"
#include "stat/presence.h"
#include "stat/rename.h"

const char *const JUDGE_WHAT_NAMES[JUDGE_WHAT_N] = {
	[JUDGE_REGRESSION] = "regression",
	[JUDGE_FIX] = "fix",
	[JUDGE_RATE_UP] = "rate up",
	[JUDGE_RATE_DOWN] = "rate down",
	[JUDGE_SKIPS] = "skipped more",
	[JUDGE_NEW] = "new",
	[JUDGE_VANISHED] = "vanished",
	[JUDGE_DID_NOT_RUN] = "did not run",
	[JUDGE_RENAMED] = "renamed?",
	[JUDGE_OUTAGE] = "outage",
};

/* ---- outages ---- */

struct pieces {
	struct stat_piece *v;
	size_t n, cap;
};

static void add_piece(struct pieces *p, const struct stat_series *s, uint32_t from, uint32_t to)
{
	ARRAY_GROW(p->v, p->n, p->cap);
	p->v[p->n++] = (struct stat_piece){ s, from, to };
}

static void add_pieces(struct pieces *p, struct stat_finder *f, const struct judge_axis *a,
		       const struct judge_series *s)
{
	struct stat_runs parts;
	uint32_t from = 0;

	if (!s->leaf && !s->own.bad.n)
		return;
	parts = stat_finder_parts(f, &s->own);
	for (size_t i = 0; i < parts.n; i++) {
		add_piece(p, &s->own, from, parts.v[i]);
		from = parts.v[i];
	}
	add_piece(p, &s->own, from, a->n);
}

void judge_outages(const struct judge_axis *a, struct stat_outages *ret)
{
	struct stat_finder *f = stat_finder_new(&a->stat, STAT_PRIOR_DEFAULT);
	struct pieces p = {};

	for (size_t i = 0; i < a->n_lanes; i++)
		for (size_t k = 0; k < a->lanes[i].n; k++)
			add_pieces(&p, f, a, &a->lanes[i].series[k]);
	stat_finder_free(f);
	stat_outages_find(p.v, p.n, a->n, ret);
	free(p.v);
}

/* ---- events ---- */

struct changes {
	const struct judge_changes_filter *f;
	const struct judge_run *runs;
	const struct judge_axis *axis;
	struct stat_outages outages;
	struct stat_finder *sure, *suspect;
	struct stat_series_room room;
	struct judge_events *to;
};

static struct judge_event *add(struct changes *c, enum judge_what what,
			       const struct judge_series *s, uint32_t last, uint32_t run)
{
	struct judge_events *e = c->to;
	int64_t ms = judge_run_at(c->runs, c->axis, run)->begin_ms;

	if (ms < c->f->since_ms)
		return NULL;
	ARRAY_GROW(e->v, e->n, e->cap);
	e->v[e->n] = (struct judge_event){
		.what = what, .axis = c->axis, .series = s, .last = last, .run = run,
		.low_last = last, .high = run, .ms = ms,
	};
	return &e->v[e->n++];
}

static void add_change(struct changes *c, enum judge_what what, const struct judge_series *s,
		       const struct stat_change *x, bool suspect)
{
	struct judge_event *e = add(c, what, s, x->last, x->run);

	if (!e)
		return;
	e->low_last = x->low_last;
	e->high = x->high;
	e->before = x->before;
	e->after = x->after;
	e->suspect = suspect;
}

/* Is it one of those that are sure, a little elsewhere? */
static bool is_known(const struct stat_change *x, const struct stat_change *sure, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x->low <= sure[i].high && sure[i].low <= x->high)
			return true;
	return false;
}

static void find_rates(struct changes *c, const struct judge_series *s)
{
	struct stat_changes sure, maybe;
	struct stat_series without;

	if (!s->own.bad.n)
		return;
	stat_series_without(&s->own, stat_outages_runs(&c->outages), &c->room, &without);
	if (!without.bad.n)
		return;
	sure = stat_finder_run(c->sure, &without);
	for (size_t i = 0; i < sure.n; i++)
		add_change(c, (enum judge_what)sure.v[i].kind, s, &sure.v[i], false);
	maybe = stat_finder_run(c->suspect, &without);
	for (size_t i = 0; i < maybe.n; i++)
		if (!is_known(&maybe.v[i], sure.v, sure.n))
			add_change(c, (enum judge_what)maybe.v[i].kind, s, &maybe.v[i], true);
}

static void find_skips(struct changes *c, const struct judge_series *s)
{
	struct stat_change x;

	/* Of what was published for its failures only, it isn't known how often a
	 * program as a whole was skipped. */
	if (!s->skips.n || !(s->leaf || (s->whole && !s->lane->failures_only)))
		return;
	if (stat_skips_grow(c->sure, s->said.in, s->skips, &x))
		add_change(c, JUDGE_SKIPS, s, &x, false);
	else if (stat_skips_grow(c->suspect, s->said.in, s->skips, &x))
		add_change(c, JUDGE_SKIPS, s, &x, true);
}

/* The last run of @spans before @run; @run where there is none. */
static uint32_t before(struct stat_spans spans, uint32_t run)
{
	uint32_t last = run;

	for (size_t i = 0; i < spans.n && spans.v[i].from < run; i++)
		last = (spans.v[i].to < run ? spans.v[i].to : run) - 1;
	return last;
}

static struct stat_presence presence_of(const struct judge_series *s)
{
	const struct judge_lane *l = s->lane;

	return stat_presence(s->whole ? l->suite_in : l->in, s->said.in, l->axis->n, 0);
}

static void find_presence(struct changes *c, const struct judge_series *s)
{
	struct stat_spans unit = s->whole ? s->lane->suite_in : s->lane->in;
	struct stat_presence p;
	struct judge_event *e = NULL;

	/* That a test appears when it fails is no sign that it is new. */
	if ((!s->leaf && !s->whole) || s->lane->failures_only)
		return;
	p = presence_of(s);
	/* It came and stayed for a while, also if it is gone again. */
	if (p.before && p.seen >= p.of / 2)
		add(c, JUDGE_NEW, s, before(unit, p.first), p.first);
	if (p.kind == STAT_VANISHED)
		e = add(c, JUDGE_VANISHED, s, p.last, p.missed_from);
	else if (p.kind == STAT_DID_NOT_RUN)
		e = add(c, JUDGE_DID_NOT_RUN, s, p.last, p.missed_from);
	if (e) {
		e->missed = p.missed;
		e->chance = p.chance;
	}
}

/* ---- renames ---- */

struct pair {
	struct stat_name *v;
	size_t *event;
	size_t n;
};

static void pair_add(struct pair *p, const struct judge_event *e, size_t nth)
{
	const struct judge_series *s = e->series;
	const struct stat_spans *in = &s->said.in;

	p->event[p->n] = nth;
	p->v[p->n++] = (struct stat_name){
		.program = s->whole ? s->lane->suite : s->lane->program,
		.key = s->whole ? s->lane->program : s->key,
		.first = in->v[0].from, .last = in->v[in->n - 1].to - 1, .ms = -1,
	};
}

static void pair_done(struct pair *p)
{
	free(p->v);
	free(p->event);
}

/* Of the events from @first on: those of one kind of test, programs or leaves.
 * A pair becomes one event, in the place of the one that came. */
static void find_renames(struct changes *c, size_t first, bool whole)
{
	size_t n = c->to->n - first, found;
	_cleanup_(pair_done) struct pair gone = { xcalloc(n + 1, sizeof(*gone.v)),
						  xcalloc(n + 1, sizeof(*gone.event)), 0 };
	_cleanup_(pair_done) struct pair came = { xcalloc(n + 1, sizeof(*came.v)),
						  xcalloc(n + 1, sizeof(*came.event)), 0 };
	_free_ struct stat_rename *r = xcalloc(n + 1, sizeof(*r));

	for (size_t i = first; i < c->to->n; i++) {
		const struct judge_event *e = &c->to->v[i];

		if (!e->series || e->series->whole != whole)
			continue;
		if (e->what == JUDGE_NEW)
			pair_add(&came, e, i);
		else if (e->what == JUDGE_VANISHED || e->what == JUDGE_DID_NOT_RUN)
			pair_add(&gone, e, i);
	}
	found = stat_renames(gone.v, gone.n, came.v, came.n, r, n);
	for (size_t i = 0; i < found; i++) {
		struct judge_event *old = &c->to->v[gone.event[r[i].gone]];
		struct judge_event *new = &c->to->v[came.event[r[i].came]];

		new->what = JUDGE_RENAMED;
		new->came = new->series;
		new->series = old->series;
		new->score = r[i].score;
		new->last = new->low_last = old->last;
		old->series = NULL; /* told by the other */
	}
}

static void drop_told(struct changes *c, size_t first)
{
	size_t n = first;

	for (size_t i = first; i < c->to->n; i++)
		if (c->to->v[i].series)
			c->to->v[n++] = c->to->v[i];
	c->to->n = n;
}

/* ---- all of it ---- */

static bool is_asked(const struct judge_changes_filter *f, const struct judge_lane *l)
{
	return (!f->suite || str_eq(l->suite, str_of(f->suite))) &&
	       (!f->program || str_eq(l->program, str_of(f->program)));
}

static void find_axis(struct changes *c)
{
	const struct judge_axis *a = c->axis;
	size_t first;

	for (size_t i = 0; i < a->n_lanes; i++)
		for (size_t k = 0; is_asked(c->f, &a->lanes[i]) && k < a->lanes[i].n; k++) {
			find_rates(c, &a->lanes[i].series[k]);
			find_skips(c, &a->lanes[i].series[k]);
		}
	first = c->to->n;
	for (size_t i = 0; i < a->n_lanes; i++)
		for (size_t k = 0; is_asked(c->f, &a->lanes[i]) && k < a->lanes[i].n; k++)
			find_presence(c, &a->lanes[i].series[k]);
	find_renames(c, first, true);
	find_renames(c, first, false);
	drop_told(c, first);
	for (size_t i = 0; i < c->outages.n; i++) {
		const struct stat_outage *o = &c->outages.v[i];
		struct judge_event *e = add(c, JUDGE_OUTAGE, NULL, o->first, o->last);

		if (!e)
			continue;
		e->failures = o->failures;
		e->expected = o->expected;
		e->chance = o->chance;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct judge_event *x = a, *y = b;

	if (x->ms != y->ms)
		return x->ms < y->ms ? 1 : -1;
	if (x->suspect != y->suspect)
		return x->suspect - y->suspect;
	if (x->what != y->what)
		return (int)x->what - (int)y->what;
	/* Skips: tests of an axis side by side. */
	if (x->what == JUDGE_SKIPS && x->axis != y->axis)
		return x->axis < y->axis ? -1 : 1;
	/* One series on several axes side by side; else as they were found. */
	if (x->series && y->series && x->series->id != y->series->id)
		return x->series->id < y->series->id ? -1 : 1;
	if (x->axis != y->axis)
		return x->axis < y->axis ? -1 : 1;
	return (x->run > y->run) - (x->run < y->run);
}

void judge_changes(const struct judge *j, const struct judge_changes_filter *f,
		   struct judge_events *ret)
{
	struct changes c = { .f = f, .to = ret };
	const struct judge_axis *axes;
	uint32_t n_runs;
	size_t n;

	*ret = (struct judge_events){};
	c.runs = judge_runs(j, &n_runs);
	axes = judge_axes(j, &n);
	for (size_t i = 0; i < n; i++) {
		c.axis = &axes[i];
		judge_outages(c.axis, &c.outages);
		c.sure = stat_finder_new(&c.axis->stat, STAT_PRIOR_DEFAULT);
		c.suspect = stat_finder_new(&c.axis->stat, STAT_PRIOR_SUSPECT);
		find_axis(&c);
		c.sure = stat_finder_free(c.sure);
		c.suspect = stat_finder_free(c.suspect);
		stat_outages_done(&c.outages);
	}
	stat_series_room_done(&c.room);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_time);
}

void judge_events_done(struct judge_events *e)
{
	free(e->v);
	*e = (struct judge_events){};
}
