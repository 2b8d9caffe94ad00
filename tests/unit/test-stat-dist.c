/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distributions against computations with 40 digits (mpmath's betainc) and
 * against R.
 */
#include <math.h>
#include <stdlib.h>

#include "stat-history.h"
#include "stat/dist.h"

struct beta_row {
	double x, a, b, want;
};

static const struct beta_row BETAS[] = {
	{ 0.5, 2, 3, 0.6875 },
	{ 0.1, 0.5, 0.5, 0.2048327646991335 },
	{ 0.99, 0.5, 100.5, 1.0 },
	{ 1e-8, 0.5, 0.5, 6.366197734286143e-5 },
	{ 0.003, 6.5, 1880.5, 0.4156758237951365 },
	{ 0.7, 30, 10, 0.2241297491808366 },
	{ 0.3, 1, 1, 0.3 },
	{ 0.2, 5, 1, 0.00032 },
	{ 0, 2, 3, 0 },
	{ 1, 2, 3, 1 },
	{ -1, 2, 3, 0 },
};

static void test_beta(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(BETAS); i++) {
		const struct beta_row *r = &BETAS[i];

		ok(t, near(stat_beta_cdf(r->x, r->a, r->b), r->want, 1e-11), "I_%g(%g, %g)", r->x,
		   r->a, r->b);
	}
}

/* R: ppois(k - 1, mean, lower.tail = FALSE) */
static const struct {
	uint64_t k;
	double mean, want;
} POISSON[] = {
	{ 0, 3, 1 },
	{ 5, 0, 0 },
	{ 6, 0.3, 7.8347157285517611e-07 },
	{ 20, 2, 6.4437313931120937e-14 },
	{ 1, 1e-9, 9.9999999949999999e-10 },
	{ 35, 15, 7.2977956806312126e-06 },
	{ 100, 100, 0.51329879827914882 },
	{ 20, 13.8, 0.068624517124100379 },
};

/* R: bbt <- function(x, m, a, b) { j <- x:m
 *	sum(exp(lchoose(m, j) + lbeta(a + j, b + m - j) - lbeta(a, b))) } */
static const struct {
	uint64_t k, m;
	double a, b, want;
} BETA_BINOMIAL[] = {
	{ 0, 5, 0.05, 0.5, 1 },
	{ 6, 5, 0.05, 0.5, 0 },
	{ 1, 1, 0.05, 20.5, 0.002433090024330899 },
	{ 2, 3, 6.05, 1880.5, 3.58313421676419e-05 },
	{ 1, 20, 0.05, 20.5, 0.034029762483636788 },
	{ 3, 3, 0.05, 1000.5, 1.0712619796072981e-10 },
	{ 5, 20, 43.05, 1807.5, 9.505632259834236e-05 },
	{ 2, 4, 1, 1, 0.6 }, /* every number of failures is as likely */
};

static void test_tails(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(POISSON); i++)
		ok(t, near(stat_poisson_tail(POISSON[i].k, POISSON[i].mean), POISSON[i].want, 1e-9),
		   "%" PRIu64 " or more of %g expected", POISSON[i].k, POISSON[i].mean);
	for (size_t i = 0; i < ARRAY_SIZE(BETA_BINOMIAL); i++)
		ok(t,
		   near(stat_beta_binomial_tail(BETA_BINOMIAL[i].k, BETA_BINOMIAL[i].m,
						BETA_BINOMIAL[i].a, BETA_BINOMIAL[i].b),
			BETA_BINOMIAL[i].want, 1e-9),
		   "%" PRIu64 " or more of %" PRIu64, BETA_BINOMIAL[i].k, BETA_BINOMIAL[i].m);
}

/* Either side of the mean, and very many. */
static void test_edges(struct tap *t)
{
	bool falls = true;

	for (uint64_t k = 1; k < 400; k++) {
		double a = stat_poisson_tail(k, 120), b = stat_poisson_tail(k + 1, 120);

		falls &= b < a || (a == 1 && b == 1);
	}
	ok(t, falls, "the tail falls, the mean's two sides meet");
	ok(t, near(stat_poisson_tail(1000000, 1e6), 0.5001329807, 1e-7), "a million of a million");
	/* R: ppois(1999999, 1e6, lower.tail = FALSE) is 0 too. */
	ok(t, stat_poisson_tail(2000000, 1e6) == 0, "too small for a number");
}

/* By recurrence, against the library's. */
static void test_gammas(struct tap *t)
{
	static const double from[] = { 0.05, 0.5, 0.55, 1, 40 };
	enum { N = 60000 };
	double *v = calloc(N, sizeof(*v));

	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		double worst = 0;

		stat_log_gammas(from[i], v, N);
		for (size_t k = 0; k < N; k++) {
			double want = stat_log_gamma((double)k + from[i]);
			double off = fabs(v[k] - want) / fmax(1, fabs(want));

			worst = off > worst ? off : worst;
		}
		ok(t, worst < 1e-12, "log gamma from %g on: off by %g", from[i], worst);
	}
	free(v);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_beta(&t);
	test_tails(&t);
	test_edges(&t);
	test_gammas(&t);
	return tap_done(&t);
}
