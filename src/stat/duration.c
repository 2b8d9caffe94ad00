/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/duration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stat/dist.h"

#define SHORT_MS  10   /* added to each: clocks count in whole milliseconds */
#define SIDE	  5    /* values looked at on either side of a spike */
#define SPIKE	  5    /* sigmas */
#define LEAST	  3    /* values in a stretch */
#define SIGMA_MIN 0.02 /* of the logarithm: 2 % */
#define KAPPA	  0.1  /* what the mean's prior is worth, in values */
#define ALPHA	  1.0
#define RATIO	  1.1 /* of medians: less is not told */
#define APART_MS  50
#define PENALTY	  9.210340371976182 /* ln 10000 */
#define PLACES	  2000

struct paces {
	const struct stat_axis *axis;
	const struct stat_time *v;
	uint32_t n;
	double *x;	       /* logarithms, without their median */
	double *sum, *squares; /* [n + 1]: of those before */
	double *gamma;	       /* [n + 1]: ln Gamma(ALPHA + i / 2) */
	double beta, penalty;
	uint32_t *cuts; /* rising, with 0 and n */
	size_t n_cuts, cap;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts @v. */
static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The @k-th smallest, from 0, found byte by byte from the highest: four looks at all of
 * them, whatever they are. A history of years has 100,000s, for each row of a page. */
static uint32_t nth(const struct stat_time *v, size_t n, size_t k)
{
	uint32_t value = 0, known = 0;

	for (int shift = 24; shift >= 0; shift -= 8) {
		size_t count[256] = {};
		unsigned byte = 0;

		for (size_t i = 0; i < n; i++)
			if ((v[i].ms & known) == value)
				count[v[i].ms >> shift & 0xff]++;
		while (k >= count[byte])
			k -= count[byte++];
		value |= (uint32_t)byte << shift;
		known |= UINT32_C(0xff) << shift;
	}
	return value;
}

uint32_t stat_time_median(const struct stat_time *v, size_t n)
{
	uint32_t high;

	if (!n)
		return 0;
	high = nth(v, n, n / 2);
	return n % 2 ? high : (uint32_t)(((double)nth(v, n, n / 2 - 1) + high) / 2 + 0.5);
}

static double median_of(const double *v, size_t n)
{
	double few[SIDE];

	memcpy(few, v, n * sizeof(*few));
	return median(few, n);
}

/* Takes away the median, and spikes. Sets the prior's variance. */
static void clean(struct paces *p, double *room)
{
	double middle, sigma;

	for (uint32_t i = 0; i < p->n; i++)
		room[i] = p->x[i] = log((double)p->v[i].ms + SHORT_MS);
	middle = median(room, p->n);
	for (uint32_t i = 0; i < p->n; i++)
		p->x[i] -= middle;
	for (uint32_t i = 0; i + 1 < p->n; i++)
		room[i] = fabs(p->x[i + 1] - p->x[i]);
	sigma = fmax(median(room, p->n - 1) / 0.9538726, SIGMA_MIN);
	p->beta = sigma * sigma;
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t before = i < SIDE ? i : SIDE;
		uint32_t behind = p->n - 1 - i < SIDE ? p->n - 1 - i : SIDE;
		double a, b, x = p->x[i];

		/* One neighbour is no median: then the other side decides. */
		a = before >= 2 ? median_of(p->x + i - before, before)
				: median_of(p->x + i + 1, behind);
		b = behind >= 2 ? median_of(p->x + i + 1, behind) : a;
		room[i] = x;
		if (x > fmax(a, b) + SPIKE * sigma)
			room[i] = fmax(a, b);
		else if (x < fmin(a, b) - SPIKE * sigma)
			room[i] = fmin(a, b);
	}
	memcpy(p->x, room, p->n * sizeof(*room));
}

/* ln of the marginal likelihood of values from .. to - 1; the prior's mean is 0. */
static double likelihood(const struct paces *p, uint32_t from, uint32_t to)
{
	double n = to - from, sum = p->sum[to] - p->sum[from], mean = sum / n;
	double spread = fmax(p->squares[to] - p->squares[from] - sum * mean, 0);
	double beta = p->beta + spread / 2 + KAPPA * n * mean * mean / (2 * (KAPPA + n));

	return p->gamma[to - from] - p->gamma[0] + ALPHA * log(p->beta) -
	       (ALPHA + n / 2) * log(beta) + log(KAPPA / (KAPPA + n)) / 2 - n / 2 * log(2 * M_PI);
}

/* 0: no place between commits. */
static uint32_t best_cut(const struct paces *p, uint32_t from, uint32_t to, double *gain)
{
	double whole = likelihood(p, from, to);
	uint32_t at = 0;

	*gain = -INFINITY;
	for (uint32_t i = from + LEAST; i + LEAST <= to; i++) {
		double g;

		if (p->v[i].run < p->axis->end[p->v[i - 1].run])
			continue;
		g = likelihood(p, from, i) + likelihood(p, i, to) - whole;
		if (g > *gain) {
			*gain = g;
			at = i;
		}
	}
	return at;
}

/* Cuts behind cuts[@i] as long as that is worth it; the list stays sorted. */
static void cut_all(struct paces *p)
{
	for (size_t i = 0; i + 1 < p->n_cuts;) {
		double gain;
		uint32_t at = best_cut(p, p->cuts[i], p->cuts[i + 1], &gain);

		if (!at || gain <= p->penalty) {
			i++;
			continue;
		}
		ARRAY_GROW(p->cuts, p->n_cuts, p->cap);
		memmove(&p->cuts[i + 2], &p->cuts[i + 1], (p->n_cuts - i - 1) * sizeof(*p->cuts));
		p->cuts[i + 1] = at;
		p->n_cuts++;
	}
}

static struct stat_pace pace(const struct paces *p, size_t cut)
{
	uint32_t from = p->cuts[cut - 1], at = p->cuts[cut], to = p->cuts[cut + 1];

	return (struct stat_pace){
		.last = p->v[at - 1].run,
		.run = p->v[at].run,
		.before_ms = stat_time_median(p->v + from, at - from),
		.after_ms = stat_time_median(p->v + at, to - at),
		.n_before = at - from,
		.n_after = to - at,
		.gain = likelihood(p, from, at) + likelihood(p, at, to) - likelihood(p, from, to),
	};
}

static bool worth_telling(const struct paces *p, const struct stat_pace *c)
{
	double a = c->before_ms, b = c->after_ms;

	return c->gain > p->penalty && fabs(a - b) >= APART_MS && fmax(a, b) >= RATIO * fmin(a, b);
}

/* Drops the cuts that don't say anything, the weakest first. */
static void settle(struct paces *p)
{
	for (;;) {
		double least = INFINITY;
		size_t weakest = 0;

		for (size_t i = 1; i + 1 < p->n_cuts; i++) {
			struct stat_pace c = pace(p, i);

			if (!worth_telling(p, &c) && c.gain < least) {
				least = c.gain;
				weakest = i;
			}
		}
		if (!weakest)
			break;
		memmove(&p->cuts[weakest], &p->cuts[weakest + 1],
			(p->n_cuts - weakest - 1) * sizeof(*p->cuts));
		p->n_cuts--;
	}
}

size_t stat_paces(const struct stat_axis *axis, const struct stat_time *v, size_t n,
		  struct stat_pace *ret, size_t max)
{
	struct paces p = { .axis = axis };
	_free_ double *room = NULL, *x = NULL, *sum = NULL, *squares = NULL, *gamma = NULL;
	size_t told = 0;

	if (n > STAT_TIMES_MAX) {
		v += n - STAT_TIMES_MAX;
		n = STAT_TIMES_MAX;
	}
	if (n < 2 * LEAST)
		return 0;
	p.v = v;
	p.n = (uint32_t)n;
	room = xcalloc(n + 1, sizeof(*room));
	p.x = x = xcalloc(n + 1, sizeof(*x));
	p.sum = sum = xcalloc(n + 1, sizeof(*sum));
	p.squares = squares = xcalloc(n + 1, sizeof(*squares));
	p.gamma = gamma = xcalloc(n + 1, sizeof(*gamma));
	clean(&p, room);
	p.penalty = PENALTY + log(fmax(1, (double)n / PLACES));
	gamma[0] = stat_log_gamma(ALPHA);
	for (size_t i = 0; i < n; i++) {
		sum[i + 1] = sum[i] + x[i];
		squares[i + 1] = squares[i] + x[i] * x[i];
		gamma[i + 1] = stat_log_gamma(ALPHA + (double)(i + 1) / 2);
	}
	for (uint32_t end = 0; p.n_cuts < 2; end = p.n) {
		ARRAY_GROW(p.cuts, p.n_cuts, p.cap);
		p.cuts[p.n_cuts++] = end;
	}
	cut_all(&p);
	settle(&p);
	for (size_t i = 1; i + 1 < p.n_cuts && told < max; i++)
		ret[told++] = pace(&p, i);
	free(p.cuts);
	return told;
}
