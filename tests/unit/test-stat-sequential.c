/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to stop repeating: against exact fractions (Python's fractions, 40 digits of
 * the logarithm), against Robbins' closed form, and the promise itself, summed over
 * every way that runs can go.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stat/dist.h"
#include "stat/sequential.h"
#include "tap.h"

static const struct {
	uint64_t k, n;
	double p, log;
} MIXTURES[] = {
	{ 0, 10, 0.1, -0.68254714001818873686 },
	{ 3, 3, 0.2, 3.66516292749662026073 },
	{ 5, 100, 0.01, 1.59114600382852470166 },
	{ 0, 640, 0.01, 2.62892060265923170051 },
	{ 50, 100, 0.5, -2.53087640397710493271 },
	{ 2, 7, 1.0 / 3, -1.20284429094613772812 },
};

static void test_mixtures(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(MIXTURES); i++) {
		double got = stat_mixture_log(MIXTURES[i].k, MIXTURES[i].n, MIXTURES[i].p, 0.5,
					      0.5);

		ok(t, fabs(got - MIXTURES[i].log) < 1e-9, "%ju of %ju beside %g: %.12f",
		   (uintmax_t)MIXTURES[i].k, (uintmax_t)MIXTURES[i].n, MIXTURES[i].p, got);
	}
	/* 1 / ((n + 1) C(n, k) p^k (1 - p)^(n - k)) */
	for (unsigned k = 0; k <= 12; k += 3) {
		double choose = exp(stat_log_gamma(13) - stat_log_gamma(k + 1.0) -
				    stat_log_gamma(13.0 - k));
		double want = -log(13 * choose) - k * log(0.3) - (12.0 - k) * log(0.7);

		ok(t, fabs(stat_mixture_log(k, 12, 0.3, 1, 1) - want) < 1e-9,
		   "Robbins' form, %u of 12", k);
	}
}

static const struct {
	uint64_t k, n;
	double rate;
	int want;
} SURE[] = {
	{ 0, 23, 0.2, 0 },   { 0, 24, 0.2, -1 },  { 2, 2, 0.2, 0 },   { 3, 3, 0.2, 1 },
	{ 0, 679, 0.01, 0 }, { 0, 680, 0.01, -1 }, { 0, 0, 0.5, 0 },
};

/* The chance that runs with rate @p ever come to a wrong end, within @n of them. */
static double wrong(double p, double rate, double error, int bad, uint64_t n)
{
	double *at = xcalloc(n + 2, sizeof(*at)), *next = xcalloc(n + 2, sizeof(*at)), sum = 0;

	at[0] = 1;
	for (uint64_t i = 1; i <= n; i++) {
		double *swap = at;

		for (uint64_t k = 0; k <= i; k++)
			next[k] = at[k] * (1 - p) + (k ? at[k - 1] * p : 0);
		for (uint64_t k = 0; k <= i; k++) {
			int sure = stat_sure(k, i, rate, error);

			if (sure && (!bad || sure == bad))
				sum += next[k];
			if (sure)
				next[k] = 0;
		}
		at = next;
		next = swap;
	}
	free(at);
	free(next);
	return sum;
}

static void test_sure(struct tap *t)
{
	double chance;

	for (size_t i = 0; i < ARRAY_SIZE(SURE); i++)
		is_int(t, stat_sure(SURE[i].k, SURE[i].n, SURE[i].rate, 0.05), SURE[i].want,
		       "sure or not");
	chance = wrong(0.2, 0.2, 0.05, 0, 500);
	ok(t, chance > 0.005 && chance <= 0.05, "at the rate itself it ends with %.4f", chance);
	chance = wrong(0.1, 0.2, 0.05, 1, 500);
	ok(t, chance <= 0.05, "below it, it says 'more' with %.4f", chance);
	chance = wrong(0.3, 0.2, 0.05, -1, 500);
	ok(t, chance <= 0.05, "above it, it says 'less' with %.4f", chance);
	chance = wrong(0.5, 0.2, 0.05, 1, 100);
	ok(t, chance > 0.99, "far above it, it says so soon: %.4f", chance);
}

static const struct {
	uint64_t k, n;
	double error;
	uint64_t want;
	double chance;
} PASSES[] = {
	{ 5, 5, 0.05, 2, 0.017857142857142856 },
	{ 5, 5, 0.005, 4, 0.002170138888888889 },
	{ 5, 25, 0.01, 30, 0.009695574746623588 },
	{ 5, 100, 0.01, 129, 0.009769761754089624 },
	{ 1, 1, 0.1, 3, 0.078125 },
};

static void test_passes(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(PASSES); i++) {
		uint64_t m = stat_passes(PASSES[i].k, PASSES[i].n, PASSES[i].error, 1000);
		double chance = stat_passes_error(PASSES[i].k, PASSES[i].n, m);

		is_int(t, (int64_t)m, (int64_t)PASSES[i].want, "passes that show it");
		ok(t, fabs(chance - PASSES[i].chance) < 1e-12, "with a chance of %.15f", chance);
		/* No success in m, by the other room's sum. */
		ok(t, fabs(1 - stat_beta_binomial_tail(1, m, (double)PASSES[i].k + 0.5,
						       (double)(PASSES[i].n - PASSES[i].k) + 0.5) -
			   chance) < 1e-9, "as the beta-binomial has it");
	}
	is_int(t, (int64_t)stat_passes(1, 1000, 1e-6, 50), 50, "at most so many");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_mixtures(&t);
	test_sure(&t);
	test_passes(&t);
	return tap_done(&t);
}
