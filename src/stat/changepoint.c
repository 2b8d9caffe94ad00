/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/changepoint.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stat/dist.h"

#define PLACES 2000  /* up to here the threshold is the prior's */
#define BURST  32    /* places between two cuts tried at once: 16 failing commits */
#define TAIL   0.005 /* on either side of the 99 % */

const char *const STAT_CHANGE_NAMES[STAT_CHANGE_KIND_N] = {
	[STAT_REGRESSION] = "regression",
	[STAT_FIX] = "fix",
	[STAT_RATE_UP] = "rate up",
	[STAT_RATE_DOWN] = "rate down",
};

/* A place to cut: observations and failures on its left. */
struct place {
	uint32_t n, k;
};

struct segment {
	uint32_t from, to; /* places */
};

struct finder_room {
	struct place *places;
	size_t n_places, cap_places;
	uint32_t *cuts; /* places, from 0 to the last; both are in it */
	size_t n_cuts, cap_cuts;
	struct segment *todo;
	size_t n_todo, cap_todo;
	struct stat_change *changes;
	size_t n_changes, cap_changes;
};

struct stat_finder {
	const struct stat_axis *axis;
	struct stat_prior prior;
	/* ln Gamma(i + a), ln Gamma(i + b), ln Gamma(i + a + b), for i = 0 .. n. */
	double *ga, *gb, *gab;
	double log_beta; /* ln B(a, b) */
	double penalty;	 /* -ln threshold, for the series at hand */
	/* Of one cut's posterior: the first run behind each place, its weight. */
	uint32_t *at;
	double *weight;
	struct finder_room room;
};

struct stat_finder *stat_finder_new(const struct stat_axis *axis, struct stat_prior prior)
{
	struct stat_finder *f = xcalloc(1, sizeof(*f));

	assert(prior.a > 0 && prior.b > 0 && prior.threshold > 0 && prior.threshold < 1);
	f->axis = axis;
	f->prior = prior;
	f->log_beta = stat_log_beta(prior.a, prior.b);
	f->ga = xcalloc(axis->n + 1, sizeof(*f->ga));
	f->gb = xcalloc(axis->n + 1, sizeof(*f->gb));
	f->gab = xcalloc(axis->n + 1, sizeof(*f->gab));
	f->at = xcalloc(axis->n + 1, sizeof(*f->at));
	f->weight = xcalloc(axis->n + 1, sizeof(*f->weight));
	stat_log_gammas(prior.a, f->ga, axis->n + 1);
	stat_log_gammas(prior.b, f->gb, axis->n + 1);
	stat_log_gammas(prior.a + prior.b, f->gab, axis->n + 1);
	return f;
}

struct stat_finder *stat_finder_free(struct stat_finder *f)
{
	if (!f)
		return NULL;
	free(f->ga);
	free(f->gb);
	free(f->gab);
	free(f->at);
	free(f->weight);
	free(f->room.places);
	free(f->room.cuts);
	free(f->room.todo);
	free(f->room.changes);
	free(f);
	return NULL;
}

double stat_log_likelihood(const struct stat_prior *prior, uint64_t k, uint64_t n)
{
	assert(k <= n);
	return stat_log_beta(prior->a + (double)k, prior->b + (double)(n - k)) -
	       stat_log_beta(prior->a, prior->b);
}

/* The same, of the part between two places. */
static double likelihood(const struct stat_finder *f, struct place from, struct place to)
{
	uint32_t n = to.n - from.n, k = to.k - from.k;

	return f->ga[k] + f->gb[n - k] - f->gab[n] - f->log_beta;
}

/* ---- where a cut may be best ---- */

static void place_add(struct stat_finder *f, uint32_t n, uint32_t k)
{
	struct finder_room *m = &f->room;
	struct place *last = m->n_places ? &m->places[m->n_places - 1] : NULL;

	if (last && last->n == n)
		return;
	/* Failures only, and failures only before: inside of a stretch. */
	if (m->n_places >= 2 && k - last->k == n - last->n &&
	    last->k - last[-1].k == last->n - last[-1].n) {
		*last = (struct place){ n, k };
		return;
	}
	ARRAY_GROW(m->places, m->n_places, m->cap_places);
	m->places[m->n_places++] = (struct place){ n, k };
}

/* Two for each commit that failed, with what is at both ends of the series. */
static void places_find(struct stat_finder *f, const struct stat_series *s)
{
	struct stat_cursor commits = {}, bad = {};
	uint32_t k = 0;

	f->room.n_places = 0;
	place_add(f, 0, 0);
	for (size_t i = 0; i < s->bad.n;) {
		uint32_t begin = f->axis->begin[s->bad.v[i]], end = f->axis->end[s->bad.v[i]];
		uint32_t before = k;

		for (; i < s->bad.n && s->bad.v[i] < end; i++) {
			uint32_t left = stat_series_rank(s, &bad, s->bad.v[i]);

			k += stat_series_rank(s, &bad, s->bad.v[i] + 1) - left;
		}
		if (k == before)
			continue;
		place_add(f, stat_series_rank(s, &commits, begin), before);
		place_add(f, stat_series_rank(s, &commits, end), k);
	}
	place_add(f, stat_series_rank(s, &commits, UINT32_MAX), k);
}

/* ---- the search ---- */

struct found {
	double gain;	  /* over the segment as it is */
	double next;	  /* of a single cut: the second best */
	uint32_t at, end; /* places; a single cut has no end: 0 */
};

static struct found best_cut(const struct stat_finder *f, struct segment seg)
{
	const struct place *p = f->room.places;
	struct found best = { .gain = -INFINITY, .next = -INFINITY };
	double whole = likelihood(f, p[seg.from], p[seg.to]);

	for (uint32_t i = seg.from + 1; i < seg.to; i++) {
		double gain =
			likelihood(f, p[seg.from], p[i]) + likelihood(f, p[i], p[seg.to]) - whole;

		if (gain > best.gain)
			best = (struct found){ gain, best.gain, i, 0 };
		else if (gain > best.next)
			best.next = gain;
	}
	return best;
}

/* Two cuts, few places apart. */
static struct found best_burst(struct stat_finder *f, struct segment seg)
{
	const struct place *p = f->room.places;
	double *behind = f->weight; /* not in use yet; places are no more than runs */
	struct found best = { .gain = -INFINITY };
	double whole = likelihood(f, p[seg.from], p[seg.to]);

	for (uint32_t i = seg.from + 1; i < seg.to; i++)
		behind[i] = likelihood(f, p[i], p[seg.to]) - whole;
	for (uint32_t i = seg.from + 1; i + 1 < seg.to; i++) {
		double left = likelihood(f, p[seg.from], p[i]);
		uint32_t stop = seg.to - i > BURST ? i + BURST : seg.to;

		for (uint32_t j = i + 1; j < stop; j++) {
			double gain = left + likelihood(f, p[i], p[j]) + behind[j];

			if (gain > best.gain)
				best = (struct found){ .gain = gain, .at = i, .end = j };
		}
	}
	return best;
}

static void cut_add(struct finder_room *m, uint32_t place)
{
	ARRAY_GROW(m->cuts, m->n_cuts, m->cap_cuts);
	m->cuts[m->n_cuts++] = place;
}

static void todo_add(struct finder_room *m, uint32_t from, uint32_t to)
{
	if (to - from < 2)
		return;
	ARRAY_GROW(m->todo, m->n_todo, m->cap_todo);
	m->todo[m->n_todo++] = (struct segment){ from, to };
}

static int by_place(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void cut_all(struct stat_finder *f)
{
	struct finder_room *m = &f->room;

	m->n_cuts = m->n_todo = 0;
	cut_add(m, 0);
	cut_add(m, (uint32_t)m->n_places - 1);
	todo_add(m, 0, (uint32_t)m->n_places - 1);
	while (m->n_todo) {
		struct segment seg = m->todo[--m->n_todo];
		struct found one = best_cut(f, seg), two = best_burst(f, seg);

		if (two.gain - f->penalty > one.gain)
			one = two;
		if (one.gain <= f->penalty * (one.end ? 2 : 1))
			continue;
		cut_add(m, one.at);
		todo_add(m, seg.from, one.at);
		if (one.end) {
			cut_add(m, one.end);
			todo_add(m, one.at, one.end);
		}
		todo_add(m, one.end ? one.end : one.at, seg.to);
	}
	qsort(m->cuts, m->n_cuts, sizeof(*m->cuts), by_place);
}

/* Moves each cut to where it is best between its neighbours, drops the weakest
 * that isn't worth it; until nothing moves, or for so many rounds. */
static void settle(struct stat_finder *f)
{
	struct finder_room *m = &f->room;

	for (unsigned round = 0; round < 16; round++) {
		size_t weakest = 0;
		double least = f->penalty;
		bool moved = false;

		for (size_t i = 1; i + 1 < m->n_cuts; i++) {
			struct segment seg = { m->cuts[i - 1], m->cuts[i + 1] };
			struct found best = best_cut(f, seg);

			moved |= best.at != m->cuts[i];
			m->cuts[i] = best.at;
			if (best.gain <= least) {
				least = best.gain;
				weakest = i;
			}
		}
		if (weakest) {
			memmove(&m->cuts[weakest], &m->cuts[weakest + 1],
				(m->n_cuts - weakest - 1) * sizeof(*m->cuts));
			m->n_cuts--;
			round = 0; /* bounded by the number of cuts */
		} else if (!moved) {
			break;
		}
	}
}

/* ---- what is said of a cut ---- */

enum stat_change_kind stat_change_kind(const struct stat_rate *before,
				       const struct stat_rate *after)
{
	bool up = after->rate > before->rate;
	const struct stat_rate *less = up ? before : after, *more = up ? after : before;

	if (less->k == 0 || (less->rate < 0.5 && more->rate >= 0.5))
		return up ? STAT_REGRESSION : STAT_FIX;
	return up ? STAT_RATE_UP : STAT_RATE_DOWN;
}

/* Failures on the left of @n observations, which is between two commits; @p is
 * the place at or before it. */
static struct place place_at(const struct place *p, uint32_t n)
{
	bool failing = p[1].k - p->k == p[1].n - p->n;

	return (struct place){ n, p->k + (failing ? n - p->n : 0) };
}

/* Posterior of the cut's place between its neighbours, each place between two
 * commits as likely as any other beforehand. Sets *low and *high, in
 * observations on their left. */
static void range(struct stat_finder *f, const struct stat_series *s, uint32_t first, uint32_t end,
		  uint32_t *low, uint32_t *high)
{
	const struct place *p = &f->room.places[first], *stop = &f->room.places[end];
	struct place from = *p;
	struct stat_cursor c = {};
	double most = -INFINITY, sum = 0, part = 0;
	size_t n = 0;
	uint32_t r = f->axis->end[stat_series_run(s, from.n)];

	for (uint32_t before = from.n; r < f->axis->n; r = f->axis->end[r]) {
		uint32_t i = stat_series_rank(s, &c, r);

		if (i >= stop->n)
			break;
		if (i == before)
			continue; /* not run on that commit */
		before = i;
		while (p[1].n <= i)
			p++;
		f->at[n] = i;
		f->weight[n] =
			likelihood(f, from, place_at(p, i)) + likelihood(f, place_at(p, i), *stop);
		most = fmax(most, f->weight[n++]);
	}
	assert(n > 0);
	for (size_t i = 0; i < n; i++)
		sum += f->weight[i] = exp(f->weight[i] - most);
	*high = f->at[n - 1];
	*low = 0;
	for (size_t i = 0; i < n; i++) {
		part += f->weight[i];
		if (*low == 0 && part >= TAIL * sum)
			*low = f->at[i];
		if (part >= (1 - TAIL) * sum) {
			*high = f->at[i];
			break;
		}
	}
}

static struct stat_rate part_rate(struct place from, struct place to)
{
	return stat_rate(to.k - from.k, to.n - from.n);
}

static void change_add(struct stat_finder *f, const struct stat_series *s, size_t cut)
{
	struct finder_room *m = &f->room;
	const struct place *p = m->places;
	uint32_t from = m->cuts[cut - 1], at = m->cuts[cut], to = m->cuts[cut + 1], low, high;
	struct stat_change c = {
		.last = stat_series_run(s, p[at].n - 1),
		.run = stat_series_run(s, p[at].n),
		.before = part_rate(p[from], p[at]),
		.after = part_rate(p[at], p[to]),
		.gain = likelihood(f, p[from], p[at]) + likelihood(f, p[at], p[to]) -
			likelihood(f, p[from], p[to]),
	};

	range(f, s, from, to, &low, &high);
	c.low_last = stat_series_run(s, low - 1);
	c.low = stat_series_run(s, low);
	c.high_last = stat_series_run(s, high - 1);
	c.high = stat_series_run(s, high);
	c.kind = stat_change_kind(&c.before, &c.after);
	ARRAY_GROW(m->changes, m->n_changes, m->cap_changes);
	m->changes[m->n_changes++] = c;
}

/* ---- how long it holds ---- */

/* What a pass at its end takes from a segment's log likelihood. It gets less
 * with each one. */
static double pass_cost(const struct stat_finder *f, struct place from, struct place to)
{
	double n = to.n - from.n, k = to.k - from.k;

	return log((n + f->prior.a + f->prior.b) / (n - k + f->prior.b));
}

/*
 * With each pass at the end, a further cut in the last segment gains at most
 * what that pass costs the segment as a whole; the last cut loses at most what
 * it costs the last segment, against another place for it too; and every cut
 * loses what the threshold falls by, at most 1 / n. Margins over these are
 * numbers of passes.
 */
static uint32_t quiet(struct stat_finder *f)
{
	struct finder_room *m = &f->room;
	const struct place *p = m->places;
	struct place end = p[m->n_places - 1];
	struct segment last = { m->cuts[m->n_cuts - 2], m->cuts[m->n_cuts - 1] };
	double cost = pass_cost(f, p[last.from], p[last.to]), shrink = 1 / fmax(end.n, PLACES);
	double margin = f->penalty, passes;

	if (end.k == 0)
		return UINT32_MAX;
	if (last.to - last.from >= 2) {
		margin = fmin(margin, f->penalty - best_cut(f, last).gain);
		margin = fmin(margin, 2 * f->penalty - best_burst(f, last).gain);
	}
	passes = margin / cost;
	if (m->n_changes) {
		struct found cut = best_cut(f, (struct segment){ m->cuts[m->n_cuts - 3], last.to });

		passes = fmin(passes, (cut.gain - cut.next) / cost);
	}
	for (size_t i = 0; i < m->n_changes; i++) {
		double loss = shrink + (i + 1 == m->n_changes ? cost : 0);

		passes = fmin(passes, (m->changes[i].gain - f->penalty) / loss);
	}
	if (!(passes >= 1))
		return 0;
	return passes < UINT32_MAX ? (uint32_t)passes : UINT32_MAX;
}

/* False: there is nothing to cut. */
static bool cut_series(struct stat_finder *f, const struct stat_series *s)
{
	struct finder_room *m = &f->room;
	uint32_t n;

	if (s->bad.n == 0)
		return false;
	assert(s->bad.v[s->bad.n - 1] < f->axis->n);
	places_find(f, s);
	n = m->places[m->n_places - 1].n;
	assert(n <= f->axis->n);
	f->penalty = -log(f->prior.threshold) + log(fmax(1, (double)n / PLACES));
	if (m->n_places < 2)
		return false;
	cut_all(f);
	settle(f);
	return true;
}

struct stat_runs stat_finder_parts(struct stat_finder *f, const struct stat_series *s)
{
	struct finder_room *m = &f->room;

	if (!cut_series(f, s))
		return (struct stat_runs){};
	/* In the place of the cuts, which are not needed any more. */
	for (size_t i = 1; i + 1 < m->n_cuts; i++)
		m->cuts[i - 1] = stat_series_run(s, m->places[m->cuts[i]].n);
	return (struct stat_runs){ m->cuts, m->n_cuts - 2 };
}

struct stat_changes stat_finder_run(struct stat_finder *f, const struct stat_series *s)
{
	struct finder_room *m = &f->room;

	m->n_changes = 0;
	if (!cut_series(f, s))
		return (struct stat_changes){ .quiet = UINT32_MAX };
	for (size_t i = 1; i + 1 < m->n_cuts; i++)
		change_add(f, s, i);
	return (struct stat_changes){ m->changes, m->n_changes, quiet(f) };
}
