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

/* Where the likelihoods' ratio is 1/error: (B(k + 1/2, n - k + 1/2) / pi * error)^(1/k)
 * for k = n. */
static const struct {
	uint64_t k, n;
	double error, want;
} MORE[] = {
	{ 1, 1, 0.025, 0.0125 }, /* 1/2 / 40 */
	{ 2, 2, 0.025, 0.096824583655185422 }, /* sqrt(3/8 / 40) */
	{ 0, 20, 0.05, 0 },
	{ 0, 0, 0.05, 0 },
};

static void test_more(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(MORE); i++) {
		double got = stat_surely_more(MORE[i].k, MORE[i].n, MORE[i].error);

		ok(t, fabs(got - MORE[i].want) < 1e-9, "%ju of %ju surely more than %g",
		   (uintmax_t)MORE[i].k, (uintmax_t)MORE[i].n, got);
	}
	for (uint64_t k = 1; k <= 400; k *= 3) {
		double low = stat_surely_more(k, 400, 0.05);

		ok(t, stat_sure(k, 400, low * 0.999, 0.05) == 1 &&
		   stat_sure(k, 400, low * 1.001, 0.05) == 0, "%ju of 400: %g, as sure() has it",
		   (uintmax_t)k, low);
	}
}

static const struct {
	double rate, error;
	uint64_t max, want;
} PASSES[] = {
	{ 0.2, 0.05, 1000, 14 }, /* 0.8^13 = 0.055, 0.8^14 = 0.044 */
	{ 0.5, 0.25, 1000, 2 },
	{ 1, 0.001, 1000, 1 },
	{ 0.99, 0.5, 1000, 1 },
	{ 0.001, 1e-6, 50, 50 },
	{ 0, 0.05, 50, 50 },
};

static void test_passes(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(PASSES); i++)
		is_int(t, (int64_t)stat_passes(PASSES[i].rate, PASSES[i].error, PASSES[i].max),
		       (int64_t)PASSES[i].want, "passes that show it");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_mixtures(&t);
	test_sure(&t);
	test_more(&t);
	test_passes(&t);
	return tap_done(&t);
}
