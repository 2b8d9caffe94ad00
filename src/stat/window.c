/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/window.h"

#include <math.h>

#include "stat/changepoint.h"

#define STRONG 20

const char *const STAT_OUTAGES_WORDS[STAT_OUTAGES_N] = {
	[STAT_OUTAGES_COUNT] = "outages included",
	[STAT_OUTAGES_ONCE] = "each outage counted once",
	[STAT_OUTAGES_LEAVE] = "outages left out",
};

struct counts {
	uint64_t k, n;
};

/* What one series said in from <= run < to. */
static struct counts part(const struct stat_series *s, uint32_t from, uint32_t to)
{
	struct stat_cursor c = {}, bad = {};
	uint32_t left = stat_series_rank(s, &c, from);
	struct counts sum = { .n = stat_series_rank(s, &c, to) - left };

	for (size_t i = stat_runs_count(s->bad, 0, from); i < s->bad.n && s->bad.v[i] < to; i++) {
		left = stat_series_rank(s, &bad, s->bad.v[i]);
		sum.k += stat_series_rank(s, &bad, s->bad.v[i] + 1) - left;
	}
	return sum;
}

static struct counts parts(const struct stat_series *const *series, size_t n, uint32_t from,
			   uint32_t to)
{
	struct counts sum = {};

	for (size_t i = 0; i < n; i++) {
		struct counts one = part(series[i], from, to);

		sum.k += one.k;
		sum.n += one.n;
	}
	return sum;
}

/* Widens first .. last to where @s said something in the window. */
static void reach(struct stat_window *w, const struct stat_series *s, bool *some)
{
	struct stat_cursor c = {};
	uint32_t left = stat_series_rank(s, &c, w->from), right = stat_series_rank(s, &c, w->to);
	uint32_t first, last;

	if (left == right)
		return;
	first = stat_series_run(s, left);
	last = stat_series_run(s, right - 1);
	w->first = *some && w->first < first ? w->first : first;
	w->last = *some && w->last > last ? w->last : last;
	*some = true;
}

struct stat_window stat_window_counts(const struct stat_series *const *series, size_t n,
				      uint32_t from, uint32_t to,
				      const struct stat_outages *outages,
				      enum stat_outage_use use)
{
	struct stat_window w = { .from = from, .to = to, .first = from, .last = from, .use = use };
	struct counts all;
	bool some = false;

	if (from > to)
		to = w.to = from;
	all = parts(series, n, from, to);
	for (size_t i = 0; i < n; i++)
		reach(&w, series[i], &some);
	for (size_t i = 0; outages && i < outages->n; i++) {
		const struct stat_outage *o = &outages->v[i];
		uint32_t a = o->first > from ? o->first : from;
		uint32_t b = o->last + 1 < to ? o->last + 1 : to;
		struct counts in;

		if (a >= b)
			continue;
		in = parts(series, n, a, b);
		w.outages += in.k > 0;
		if (use == STAT_OUTAGES_COUNT)
			continue;
		w.set_aside += in.k;
		all.n -= in.n;
		all.k -= in.k;
		if (use == STAT_OUTAGES_ONCE && in.n) {
			all.n++;
			all.k += in.k > 0;
		}
	}
	w.rate = (struct stat_rate){ .k = all.k, .n = all.n, .high = 1 };
	if (all.n)
		w.rate.rate = (double)all.k / (double)all.n;
	return w;
}

struct stat_window stat_window(const struct stat_series *const *series, size_t n, uint32_t from,
			       uint32_t to, const struct stat_outages *outages,
			       enum stat_outage_use use)
{
	struct stat_window w = stat_window_counts(series, n, from, to, outages, use);

	w.rate = stat_rate(w.rate.k, w.rate.n);
	return w;
}

struct stat_pool stat_pool(const struct stat_rate *v, size_t n)
{
	const struct stat_prior prior = { 0.5, 0.5, 0.05 };
	struct counts sum = {};
	double each = 0;

	for (size_t i = 0; i < n; i++) {
		sum.k += v[i].k;
		sum.n += v[i].n;
		each += stat_log_likelihood(&prior, v[i].k, v[i].n);
	}
	each -= stat_log_likelihood(&prior, sum.k, sum.n);
	return (struct stat_pool){
		.rate = stat_rate(sum.k, sum.n),
		.factor = exp(each),
		.differ = each >= log(STRONG),
	};
}
