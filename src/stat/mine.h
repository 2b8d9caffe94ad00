/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * "Is it mine?": tests failed in my runs; how often would they have anyway?
 *
 * A test that failed in k of n runs before has a rate known as
 * Beta(k + 1/2, n - k + 1/2) (Jeffreys, as the interval of rate.h). So the
 * number of failures in m further runs is beta-binomial (dist.h), and its tail
 * is the chance to fail so often without any change. A test that never failed in
 * 20 runs fails in the next with a chance of 1 in 42: that is all that 0 of 20
 * says, and it is said; "not flaky" never is.
 *
 * Who looks at 2,000 tests will see some steady one fail. So there is a second
 * chance: that any test at least as steady as this one fails, from the failures
 * that are expected of all of these in one run (stat_mine_peers()), as Poisson.
 * What is said of a test is by the larger of the two.
 *
 * Several together: on their own, the product of their chances; or else in an
 * outage (outage.h), which takes many at once. If o of r runs before were in
 * outages of at least so many failures, the next m have one with a chance of
 * 1 - (1 - q)^m, q = (o + 1/2) / (r + 1). Both are added: a bound from above
 * (Boole), and it is not claimed that they aren't related otherwise.
 */
#include "base/str.h"
#include "stat/rate.h"

enum stat_mine_says {
	STAT_MINE_NOTHING,  /* it did not run in my runs */
	STAT_MINE_UNSEEN,   /* it did not fail in them */
	STAT_MINE_NEW,      /* it has no history */
	STAT_MINE_USUAL,    /* from 1 in 20: it fails like this anyway */
	STAT_MINE_UNUSUAL,  /* from 1 in 1,000: more runs would tell */
	STAT_MINE_UNLIKELY, /* less: hardly by chance */
	STAT_MINE_N,
};

struct stat_mine_test {
	struct stat_rate before; /* without my runs; best of its last segment, no outages */
	uint32_t failed, ran;    /* in my runs; failed <= ran */
	double peers;            /* failures expected in one run, of all as steady; 0: not known */
};

struct stat_mine {
	enum stat_mine_says says;
	double chance;          /* of this test to fail so often; 1 where it did not fail */
	double any;             /* of any test as steady to fail once; 0: not asked */
	struct stat_rate mine;  /* of my runs alone */
};

struct stat_mine stat_mine(const struct stat_mine_test *t);
/* One sentence or two, in numbers and words, appended to @b. */
void stat_mine_tell(const struct stat_mine_test *t, const struct stat_mine *m, struct buf *b);

/* Failures expected in one run of all tests with a rate of at most k / n, each
 * (k + 0.05) / (n + 0.55), the mean under change points' prior. */
double stat_mine_peers(const struct stat_rate *all, size_t n, const struct stat_rate *of);

struct stat_mine_past {
	uint32_t runs;    /* before mine */
	uint32_t outages; /* of these, in outages with at least as many failures as here */
	uint32_t mine;    /* my runs */
};

struct stat_mine_joint {
	enum stat_mine_says says;
	uint32_t failing; /* tests that failed and have a history */
	double apart;     /* each by chance, on its own */
	double outage;    /* one of my runs is in such an outage; 0 with less than 3 failing */
	double chance;    /* apart + outage, at most 1 */
};

struct stat_mine_joint stat_mine_joint(const struct stat_mine_test *tests, size_t n,
				       const struct stat_mine_past *past);
void stat_mine_joint_tell(const struct stat_mine_joint *j, const struct stat_mine_past *past,
			  struct buf *b);
