/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/outage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stat/dist.h"

#define ROUNDS	 8    /* base rates without the outages of the round before */
#define FEWEST	 3    /* failures that can be an outage */
#define LEVEL	 0.01 /* of one false outage in the whole axis */
#define EXPECTED 0.5  /* a rate from which a failure is no surprise */
/* The mean of a rate known as k of n: change points' prior. */
#define PRIOR_A 0.05
#define PRIOR_B 0.5

struct rounds {
	const struct stat_piece *pieces;
	size_t n;
	uint32_t n_runs;
	double *mean;	    /* [n_runs + 1]: first differences, then sums */
	uint32_t *failures; /* [n_runs] */
	double *chance;	    /* [n_runs] */
	bool *out;	    /* [n_runs]: found in the rounds before */
	uint32_t *sum;	    /* [n_runs + 1]: outages before each run */
};

/* What of @span is in from .. to; nothing: both ends are its end. */
static struct stat_span within(struct stat_span span, uint32_t from, uint32_t to)
{
	uint32_t a = span.from > from ? span.from : from, b = span.to < to ? span.to : to;

	return a < b ? (struct stat_span){ a, b } : (struct stat_span){ b, b };
}

/* Adds one piece's rate to the runs it was there in, and its failures. */
static void piece_add(struct rounds *w, const struct stat_piece *piece)
{
	const struct stat_series *s = piece->series;
	uint32_t from = piece->from, to = piece->to < w->n_runs ? piece->to : w->n_runs;
	uint32_t n = 0, k = 0, mute = 0;
	size_t bad = stat_runs_count(s->bad, 0, from);
	double rate;

	for (size_t i = 0; i < s->in.n && s->in.v[i].from < to; i++) {
		struct stat_span in = within(s->in.v[i], from, to);

		n += in.to - in.from - (w->sum[in.to] - w->sum[in.from]);
	}
	for (size_t i = stat_runs_count(s->mute, 0, from); i < s->mute.n && s->mute.v[i] < to; i++)
		mute += !w->out[s->mute.v[i]];
	for (size_t i = bad; i < s->bad.n && s->bad.v[i] < to; i++)
		k += !w->out[s->bad.v[i]];
	n = n > mute + k ? n - mute : k;
	rate = (k + PRIOR_A) / (n + PRIOR_A + PRIOR_B);
	if (rate >= EXPECTED)
		return;
	for (size_t i = 0; i < s->in.n && s->in.v[i].from < to; i++) {
		struct stat_span in = within(s->in.v[i], from, to);

		w->mean[in.from] += rate;
		w->mean[in.to] -= rate;
	}
	for (size_t i = bad; i < s->bad.n && s->bad.v[i] < to; i++)
		w->failures[s->bad.v[i]]++;
}

/* Returns how many outage runs are new. */
static uint32_t round_do(struct rounds *w)
{
	uint32_t found = 0;

	memset(w->mean, 0, (w->n_runs + 1) * sizeof(*w->mean));
	memset(w->failures, 0, w->n_runs * sizeof(*w->failures));
	for (uint32_t r = 0; r < w->n_runs; r++)
		w->sum[r + 1] = w->sum[r] + w->out[r];
	for (size_t i = 0; i < w->n; i++)
		piece_add(w, &w->pieces[i]);
	for (uint32_t r = 0; r < w->n_runs; r++) {
		double mean = fmax(w->mean[r], 0); /* sums of differences: -1e-17 happens */

		w->mean[r + 1] += w->mean[r];
		w->chance[r] = 1;
		if (w->failures[r] >= FEWEST && w->failures[r] >= mean + 1)
			w->chance[r] = stat_poisson_tail(w->failures[r], mean);
		if (w->chance[r] * w->n_runs < LEVEL && !w->out[r]) {
			w->out[r] = true;
			found++;
		}
	}
	return found;
}

static void collect(const struct rounds *w, struct stat_outages *ret)
{
	size_t cap = 0, cap_in = 0;

	for (uint32_t r = 0; r < w->n_runs; r++) {
		struct stat_outage *o;

		if (!w->out[r])
			continue;
		ARRAY_GROW(ret->in, ret->n_in, cap_in);
		ret->in[ret->n_in++] = r;
		if (!ret->n || ret->v[ret->n - 1].last + 1 < r) {
			ARRAY_GROW(ret->v, ret->n, cap);
			ret->v[ret->n++] = (struct stat_outage){ .first = r, .chance = 1 };
		}
		o = &ret->v[ret->n - 1];
		o->last = r;
		o->failures += w->failures[r];
		o->expected += fmax(w->mean[r], 0);
		o->chance = fmin(o->chance, w->chance[r]);
	}
}

void stat_outages_find(const struct stat_piece *pieces, size_t n, uint32_t n_runs,
		       struct stat_outages *ret)
{
	struct rounds w = { .pieces = pieces, .n = n, .n_runs = n_runs };

	w.mean = xcalloc((size_t)n_runs + 1, sizeof(*w.mean));
	w.failures = xcalloc((size_t)n_runs + 1, sizeof(*w.failures));
	w.chance = xcalloc((size_t)n_runs + 1, sizeof(*w.chance));
	w.out = xcalloc((size_t)n_runs + 1, sizeof(*w.out));
	w.sum = xcalloc((size_t)n_runs + 1, sizeof(*w.sum));
	*ret = (struct stat_outages){ .runs = n_runs };
	for (unsigned round = 0; round < ROUNDS && round_do(&w) > 0; round++)
		;
	collect(&w, ret);
	free(w.mean);
	free(w.failures);
	free(w.chance);
	free(w.out);
	free(w.sum);
}

void stat_outages_done(struct stat_outages *o)
{
	free(o->v);
	free(o->in);
	*o = (struct stat_outages){};
}
