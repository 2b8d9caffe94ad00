/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Change points: where a test's failure rate changed, and how sure that is.
 *
 * The model is LUCI's (luci-go, analysis/internal/changepoints/bayesian): in a
 * segment a test fails at one rate, known beforehand as Beta(a, b) only, so that
 *	P(k of n failed, in this order) = B(a + k, b + n - k) / B(a, b)
 * and a segment is cut in two where the product for the two parts is at least
 * 1 / threshold times that of the whole. Never inside a commit: runs of one
 * commit differ by chance alone. Three things differ from LUCI:
 *
 * - The threshold, there 1e-4, gets smaller as runs get more than 2,000 (which
 *   LUCI never keeps): it is min(1e-4, 0.2 / n), one chance in five shared by
 *   all the places where a change could be. With 1e-4 alone a first failure
 *   after 6,000 passes would be a regression.
 * - Beside one cut, two are tried at once where few failures lie between them
 *   (circular binary segmentation: Olshen, Venkatraman, Lucito, Wigler,
 *   Biostatistics 5(4), 2004), for the square of the threshold. Cutting in two
 *   can't see a burst in the middle: neither of its ends is worth a cut alone.
 *   Bursts of more than 14 failures need no such help, as one cut gains at
 *   least ln 2 for each failure.
 * - In the end each cut is looked at again between its neighbours: moved to
 *   where it is best, or dropped, the weakest first, when it isn't worth it any
 *   more.
 *
 * Speed: for a given number of failures on its left, the likelihood of a cut is
 * convex in its place (so is ln Gamma(x + c) - ln Gamma(x + d), c < d). In a
 * stretch of passes, or of failures, the best cut is at one of its ends. So the
 * search looks at two places per failing commit, however many runs there are.
 *
 * What it does not see: two rates that take turns many times, every 100 runs
 * say. A first cut between them gains too little.
 */
#include "stat/rate.h"
#include "stat/series.h"

enum stat_change_kind {
	STAT_REGRESSION, /* never failed and does now; or fails mostly, and did not */
	STAT_FIX,        /* the opposite */
	STAT_RATE_UP,    /* a rate shift: failed sometimes, and does more often */
	STAT_RATE_DOWN,
	STAT_CHANGE_KIND_N,
};

extern const char *const STAT_CHANGE_NAMES[STAT_CHANGE_KIND_N]; /* "regression", ... */

/* All places are runs of the axis in which the test said something. What
 * changed is in the commits behind that of .last, up to that of .run; with 99 %,
 * behind that of .low_last, up to that of .high. */
struct stat_change {
	enum stat_change_kind kind;
	uint32_t last, run;      /* the last before it, the first after it: most likely */
	uint32_t low_last, low;  /* the same, at the early end of 99 % */
	uint32_t high_last, high;/* and at the late one */
	struct stat_rate before, after; /* of the segments beside it */
	double gain;             /* ln of the likelihood ratio, cut to not cut */
};

struct stat_changes {
	const struct stat_change *v; /* in time; valid until the next call */
	size_t n;
	/*
	 * So many passes may follow at the end of the series before any of this
	 * can change: no cut gets too weak, no other strong enough. Until then, and
	 * without a failure, there is nothing to compute. UINT32_MAX: for ever.
	 */
	uint32_t quiet;
};

struct stat_prior {
	double a, b;      /* of the rate: Beta(a, b) */
	double threshold; /* for series of up to 2,000; then it falls as 1 / n */
};

/* Of steady series with 1,400 runs, at rates from 0.05 to 20 %, so many have a
 * change that is none: 1 in 5,000 with the default, 1 in 55 of the suspects.
 * Suspects are for lists that say "perhaps". */
#define STAT_PRIOR_DEFAULT ((struct stat_prior){ .a = 0.05, .b = 0.5, .threshold = 1e-4 })
#define STAT_PRIOR_SUSPECT ((struct stat_prior){ .a = 0.05, .b = 0.5, .threshold = 1e-2 })

/* Tables for one axis, and room to work in; one series after another. The axis
 * must outlive it. Takes about 60 bytes per run. */
struct stat_finder;
struct stat_finder *stat_finder_new(const struct stat_axis *axis, struct stat_prior prior);
struct stat_finder *stat_finder_free(struct stat_finder *f);
struct stat_changes stat_finder_run(struct stat_finder *f, const struct stat_series *s);
/* Only the .run of each change, which costs half: where a part begins that has a rate of
 * its own. Valid until the next call. */
struct stat_runs stat_finder_parts(struct stat_finder *f, const struct stat_series *s);

/* ln P(k of n failed, in this order) under @prior. k <= n. */
double stat_log_likelihood(const struct stat_prior *prior, uint64_t k, uint64_t n);
enum stat_change_kind stat_change_kind(const struct stat_rate *before,
				       const struct stat_rate *after);
