/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/sequential.h"

#include <math.h>

#include "stat/dist.h"

#define PRIOR    0.5 /* Jeffreys' */
#define HALVINGS 60  /* of an interval: more than a double tells apart */

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

double stat_surely_more(uint64_t k, uint64_t n, double error)
{
	/* The mixture's advantage falls towards the rate that was seen, where it has none. */
	double low = 0, high = n ? (double)k / (double)n : 0;

	for (unsigned i = 0; k && i < HALVINGS; i++) {
		double p = (low + high) / 2;

		if (stat_mixture_log(k, n, p, PRIOR, PRIOR) >= -log(error))
			low = p;
		else
			high = p;
	}
	return low;
}

uint64_t stat_passes(double rate, double error, uint64_t max)
{
	double m = rate < 1 ? ceil(log(error) / log1p(-rate)) : 1;

	return m < 1 ? 1 : m < (double)max ? (uint64_t)m : max;
}
