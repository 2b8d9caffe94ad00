/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/sequential.h"

#include <math.h>

#include "stat/dist.h"

#define PRIOR 0.5 /* Jeffreys' */

double stat_mixture_log(uint64_t k, uint64_t n, double p, double a, double b)
{
	double failed = (double)k, held = (double)(n - k);

	return stat_log_beta(failed + a, held + b) - stat_log_beta(a, b) - failed * log(p) -
	       held * log1p(-p);
}

int stat_sure(uint64_t k, uint64_t n, double rate, double error)
{
	if (stat_mixture_log(k, n, rate, PRIOR, PRIOR) < -log(error))
		return 0;
	return (double)k > rate * (double)n ? 1 : -1;
}

/* What one pass more leaves of the chance. */
static double factor(uint64_t k, uint64_t n, uint64_t i)
{
	return ((double)(n - k) + PRIOR + (double)i) / ((double)n + 2 * PRIOR + (double)i);
}

uint64_t stat_passes(uint64_t k, uint64_t n, double error, uint64_t max)
{
	double chance = 1;
	uint64_t m = 0;

	while (m < max && chance > error)
		chance *= factor(k, n, m++);
	return m;
}

double stat_passes_error(uint64_t k, uint64_t n, uint64_t m)
{
	double chance = 1;

	for (uint64_t i = 0; i < m; i++)
		chance *= factor(k, n, i);
	return chance;
}
