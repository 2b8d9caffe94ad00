/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Outages: runs in which so much failed at once that one cause is likelier than
 * many: a full disk, a slow host, a patch that broke everything. One event, not
 * twenty flakes.
 *
 * If tests failed on their own, each at its base rate p, the number of failures
 * in a run would be Poisson-binomial with mean m = sum of p. Its tail is taken
 * from the Poisson distribution of the same mean, which for a count of m + 1 and
 * more is never smaller (Hoeffding, Annals of Mathematical Statistics 27, 1956:
 * the binomial bounds it; Anderson and Samuels, Proc. 5th Berkeley Symposium 1,
 * 1967: the Poisson bounds that). So an outage is never claimed for the sake of
 * the approximation.
 *
 * A run is an outage where that tail, times the number of runs (Bonferroni), is
 * below 0.01. What is expected to fail is no surprise: segments that fail in
 * half of their runs and more are left out of both sides. Base rates are of the
 * runs that are no outage: computed again, until no more outages come up.
 */
#include "stat/rate.h"
#include "stat/series.h"

struct stat_outage {
	uint32_t first, last; /* runs beside each other are one outage */
	uint32_t failures;    /* surprising ones, all of its runs together */
	double expected;      /* in those runs, from the base rates */
	double chance;        /* that a run fails so much by chance: the least of them */
};

struct stat_outages {
	struct stat_outage *v; /* in time */
	size_t n;
	uint32_t runs;         /* of the axis */
	uint32_t *in;          /* rising: the runs that are in one, for stat_runs_have() */
	size_t n_in;
};

/* @n_runs: of the axis. Give leaves only: a program fails because they do. */
void stat_outages_find(const struct stat_piece *pieces, size_t n, uint32_t n_runs,
		       struct stat_outages *ret);
void stat_outages_done(struct stat_outages *o);

static inline struct stat_runs stat_outages_runs(const struct stat_outages *o)
{
	return (struct stat_runs){ o->in, o->n_in };
}
