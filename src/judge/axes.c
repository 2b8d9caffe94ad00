/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw lanes onto an axis: which places it has, where each lane's runs are among
 * them, and what each test says there.
 */
#include "judge/load.h"
#include "judge/published.h"

#include <stdlib.h>

/* Marks become spans of what is marked. */
static struct stat_spans spans_of(struct judge *j, const uint8_t *mark, uint32_t n)
{
	struct stat_span *v;
	size_t count = 0, k = 0;

	for (uint32_t i = 0; i < n; i++)
		count += mark[i] && (i == 0 || !mark[i - 1]);
	v = arena_alloc(&j->arena, count * sizeof(*v));
	for (uint32_t i = 0; i < n; i++) {
		if (mark[i] && (i == 0 || !mark[i - 1]))
			v[k++] = (struct stat_span){ i, i + 1 };
		else if (mark[i])
			v[k - 1].to = i + 1;
	}
	return (struct stat_spans){ v, count };
}

/* Neighbours with the same commit; an unknown one is like no other. */
static void axis_commits(struct judge *j, struct judge_axis *a)
{
	_free_ uint32_t *commit = xcalloc((size_t)a->n + 1, sizeof(*commit));

	for (uint32_t i = 1; i < a->n; i++) {
		const struct judge_run *x = &j->runs[a->run[i - 1]], *y = &j->runs[a->run[i]];
		bool same = x == y || (y->commit.n && str_eq(x->commit, y->commit) &&
				       str_eq(x->branch, y->branch));

		commit[i] = commit[i - 1] + !same;
	}
	stat_axis_init(&a->stat, commit, a->n);
}

/* Which places the axis has, and where its lanes' runs are among them. */
static void axis_places(struct load *l, struct judge_axis *a, uint32_t nth)
{
	size_t m = l->n_machines, all = (size_t)l->j->n_runs * m;
	_free_ uint32_t *place = xcalloc(all + 1, sizeof(*place));
	uint32_t *run;

	for (size_t i = 0; i < l->n_lanes; i++)
		for (uint32_t k = 0; l->lanes[i].axis == nth && k < l->lanes[i].n; k++)
			place[l->lanes[i].runs[k] * m + l->lanes[i].machine_nth] = 1;
	for (size_t i = 0; i < all; i++)
		a->n += place[i];
	a->run = run = arena_raw(&l->j->arena, a->n * sizeof(*run));
	a->n = 0;
	for (size_t i = 0; i < all; i++) {
		if (!place[i])
			continue;
		run[a->n] = (uint32_t)(i / m);
		place[i] = a->n++;
	}
	for (size_t i = 0; i < l->n_lanes; i++) {
		struct raw_lane *x = &l->lanes[i];

		if (x->axis != nth)
			continue;
		x->at = arena_raw(&l->arena, x->n * sizeof(*x->at));
		for (uint32_t k = 0; k < x->n; k++) {
			x->at[k] = place[x->runs[k] * m + x->machine_nth];
			x->n_breaks += k && x->at[k] != x->at[k - 1] + 1;
		}
		x->breaks = arena_raw(&l->arena, x->n_breaks * sizeof(*x->breaks));
		for (uint32_t k = 1, b = 0; b < x->n_breaks; k++)
			if (x->at[k] != x->at[k - 1] + 1)
				x->breaks[b++] = k;
	}
	axis_commits(l->j, a);
}

/* ---- series on an axis ---- */

struct room {
	struct stat_span *spans;
	size_t n_spans, cap_spans;
	struct store_exception *exceptions;
	size_t n_exceptions, cap_exceptions;
	uint32_t *stamps, stamp; /* of places, for judge_series.own */
};

/* The first of the lane's breaks behind index @from. */
static uint32_t break_behind(const struct raw_lane *x, uint32_t from)
{
	uint32_t low = 0, high = x->n_breaks;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (x->breaks[mid] <= from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_span(struct room *r, uint32_t from, uint32_t to)
{
	ARRAY_GROW(r->spans, r->n_spans, r->cap_spans);
	r->spans[r->n_spans++] = (struct stat_span){ from, to };
}

static void add_raw(struct room *r, const struct raw_lane *x, const struct raw_series *s)
{
	for (size_t i = 0; i < s->n_present; i++) {
		uint32_t from = s->present[i].from, end = from + s->present[i].n;
		uint32_t b = break_behind(x, from);

		while (from < end) {
			uint32_t to = b < x->n_breaks && x->breaks[b] < end ? x->breaks[b] : end;

			add_span(r, x->at[from], x->at[to - 1] + 1);
			from = to;
			b++;
		}
	}
	for (size_t i = 0; i < s->n_exceptions; i++) {
		ARRAY_GROW(r->exceptions, r->n_exceptions, r->cap_exceptions);
		r->exceptions[r->n_exceptions++] = (struct store_exception){
			x->at[s->exceptions[i].at], s->exceptions[i].status };
	}
}

static int by_from(const void *a, const void *b)
{
	const struct stat_span *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static int by_at(const void *a, const void *b)
{
	const struct store_exception *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static void join_spans(struct room *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_spans; i++) {
		if (n && r->spans[n - 1].to >= r->spans[i].from)
			r->spans[n - 1].to = r->spans[i].to;
		else
			r->spans[n++] = r->spans[i];
	}
	r->n_spans = n;
}

static void set_said(struct judge *j, struct judge_series *s)
{
	size_t n = s->n_exceptions, n_mute = 0, n_bad = 0, n_skips = 0;
	uint32_t *mute, *bad, *skips;

	for (size_t i = 0; i < n; i++) {
		enum stat_say say = stat_says(s->exceptions[i].status);

		n_mute += say == STAT_NOTHING;
		n_bad += say == STAT_FAILED;
		n_skips += s->exceptions[i].status == STATUS_SKIP;
	}
	mute = arena_raw(&j->arena, n_mute * sizeof(*mute));
	bad = arena_raw(&j->arena, n_bad * sizeof(*bad));
	skips = arena_raw(&j->arena, n_skips * sizeof(*skips));
	s->said.mute = (struct stat_runs){ mute, n_mute };
	s->said.bad = (struct stat_runs){ bad, n_bad };
	s->skips = (struct stat_runs){ skips, n_skips };
	for (size_t i = 0; i < n; i++) {
		enum stat_say say = stat_says(s->exceptions[i].status);

		if (say == STAT_NOTHING)
			*mute++ = s->exceptions[i].at;
		else if (say == STAT_FAILED)
			*bad++ = s->exceptions[i].at;
		if (s->exceptions[i].status == STATUS_SKIP)
			*skips++ = s->exceptions[i].at;
	}
	s->own = s->said;
}

/* Several raw series of one test, of lanes that share the axis. */
static void make_series(struct load *l, struct room *r, const struct raw_series *const *v,
			size_t n, struct judge_series *to)
{
	const struct raw_series *newest = NULL;
	uint32_t last = 0;

	r->n_spans = r->n_exceptions = 0;
	for (size_t i = 0; i < n; i++) {
		const struct store_stretch *end = &v[i]->present[v[i]->n_present - 1];
		uint32_t at = l->lanes[v[i]->lane].at[end->from + end->n - 1];

		add_raw(r, &l->lanes[v[i]->lane], v[i]);
		if (!newest || at > last) {
			newest = v[i];
			last = at;
		}
		for (int k = 0; k < STATUS_N; k++)
			to->counts[k] += v[i]->counts[k];
	}
	if (n > 1) {
		qsort(r->spans, r->n_spans, sizeof(*r->spans), by_from);
		if (r->n_exceptions)
			qsort(r->exceptions, r->n_exceptions, sizeof(*r->exceptions), by_at);
	}
	join_spans(r);
	to->id = newest->id;
	to->path = newest->path;
	to->key = newest->key;
	to->whole = newest->whole;
	to->leaf = newest->leaf;
	to->nth = newest->nth;
	to->said.in = (struct stat_spans){
		load_copy(&l->j->arena, r->spans, r->n_spans, sizeof(*r->spans)), r->n_spans };
	to->exceptions = load_copy(&l->j->arena, r->exceptions, r->n_exceptions,
			      sizeof(*r->exceptions));
	to->n_exceptions = r->n_exceptions;
	set_said(l->j, to);
}

/* ---- what a program's failures are made of ---- */

static bool is_below(const struct judge_series *x, const struct judge_series *parent)
{
	if (!x->leaf || x == parent)
		return false;
	return parent->whole || (x->key.n > parent->key.n && x->key.p[parent->key.n] == '/' &&
				 str_starts(x->key, parent->key));
}

static void set_own(struct judge *j, struct room *r, const struct judge_lane *lane,
		    struct judge_series *s)
{
	uint32_t *v, n = 0;

	if (s->leaf || !s->said.bad.n)
		return;
	r->stamp++;
	for (size_t i = 0; i < lane->n; i++)
		for (size_t k = 0; is_below(&lane->series[i], s) &&
				   k < lane->series[i].said.bad.n; k++)
			r->stamps[lane->series[i].said.bad.v[k]] = r->stamp;
	v = arena_alloc(&j->arena, s->said.bad.n * sizeof(*v));
	for (size_t k = 0; k < s->said.bad.n; k++)
		if (r->stamps[s->said.bad.v[k]] != r->stamp)
			v[n++] = s->said.bad.v[k];
	s->own.bad = (struct stat_runs){ v, n };
}

/* ---- lanes on an axis ---- */

static int by_id(const void *a, const void *b)
{
	const struct raw_series *x = *(const struct raw_series *const *)a;
	const struct raw_series *y = *(const struct raw_series *const *)b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x > y) - (x < y);
}

static void set_times(struct load *l, struct judge_lane *to, const struct raw_lane *x)
{
	int32_t *ms = (int32_t *)(uintptr_t)to->ms;

	if (!ms) {
		to->ms = ms = arena_alloc(&l->j->arena, to->axis->n * sizeof(*ms));
		memset(ms, 0xff, to->axis->n * sizeof(*ms));
	}
	for (uint32_t k = 0; k < x->n; k++)
		ms[x->at[k]] = x->times[k];
}

/* @v[n]: raw lanes of one program on @a, in the order of the scan. */
static void make_lane(struct load *l, struct room *r, const struct judge_axis *a,
		      const struct raw_lane *const *v, size_t n, struct judge_lane *to)
{
	_free_ uint8_t *mark = xcalloc((size_t)a->n + 1, 1);
	_free_ const struct raw_series **raw = NULL;
	size_t n_raw = 0, k = 0;

	*to = (struct judge_lane){ .axis = a, .suite = v[0]->suite, .program = v[0]->program };
	for (size_t i = 0; i < n; i++) {
		for (uint32_t at = 0; at < v[i]->n; at++)
			mark[v[i]->at[at]] = 1;
		if (v[i]->times)
			set_times(l, to, v[i]);
		n_raw += v[i]->count;
	}
	to->in = spans_of(l->j, mark, a->n);
	raw = xcalloc(n_raw + 1, sizeof(*raw));
	for (size_t i = 0; i < n; i++)
		for (size_t x = 0; x < v[i]->count; x++)
			raw[k++] = &l->series[v[i]->first + x];
	if (n > 1)
		qsort(raw, n_raw, sizeof(*raw), by_id);
	to->series = arena_alloc(&l->j->arena, n_raw * sizeof(*to->series));
	for (size_t i = 0, e; i < n_raw; i = e) {
		for (e = i + 1; e < n_raw && raw[e]->id == raw[i]->id; e++)
			;
		to->series[to->n].lane = to;
		make_series(l, r, raw + i, e - i, &to->series[to->n++]);
	}
	published_mark(to, v[0]->machine);
	for (size_t i = 0; i < to->n; i++)
		set_own(l->j, r, to, &to->series[i]);
}

static void set_suites(struct judge *j, struct judge_axis *a)
{
	_free_ uint8_t *mark = xcalloc((size_t)a->n + 1, 1);

	for (size_t i = 0; i < a->n_lanes; i++) {
		struct judge_lane *x = &a->lanes[i];

		if (x->suite_in.n)
			continue;
		memset(mark, 0, a->n);
		for (size_t k = i; k < a->n_lanes; k++)
			for (size_t s = 0; str_eq(a->lanes[k].suite, x->suite) &&
					   s < a->lanes[k].in.n; s++)
				memset(mark + a->lanes[k].in.v[s].from, 1,
				       a->lanes[k].in.v[s].to - a->lanes[k].in.v[s].from);
		x->suite_in = spans_of(j, mark, a->n);
		for (size_t k = i + 1; k < a->n_lanes; k++)
			if (str_eq(a->lanes[k].suite, x->suite))
				a->lanes[k].suite_in = x->suite_in;
	}
}

static bool same_program(const struct raw_lane *a, const struct raw_lane *b)
{
	return str_eq(a->suite, b->suite) && str_eq(a->program, b->program);
}

void load_axis(struct load *l, uint32_t nth)
{
	struct judge_axis *a = &l->j->axes[nth];
	_free_ const struct raw_lane **v = xcalloc(l->n_lanes + 1, sizeof(*v));
	struct room r = {};
	size_t n = 0;

	for (size_t i = 0; i < l->n_lanes; i++)
		if (l->lanes[i].axis == nth)
			v[n++] = &l->lanes[i];
	axis_places(l, a, nth);
	r.stamps = xcalloc((size_t)a->n + 1, sizeof(*r.stamps));
	a->lanes = arena_alloc(&l->j->arena, n * sizeof(*a->lanes));
	for (size_t i = 0, e; i < n; i = e) {
		for (e = i + 1; e < n && same_program(v[i], v[e]); e++)
			;
		make_lane(l, &r, a, v + i, e - i, &a->lanes[a->n_lanes++]);
	}
	set_suites(l->j, a);
	published_hold(&l->j->arena, a);
	free(r.spans);
	free(r.exceptions);
	free(r.stamps);
}
