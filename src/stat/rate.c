/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/rate.h"

#include <assert.h>
#include <float.h>
#include <math.h>

static const enum stat_say SAYS[STATUS_N] = {
	[STATUS_SKIP] = STAT_NOTHING,
	[STATUS_PASS] = STAT_HELD,
	[STATUS_XFAIL] = STAT_HELD,
	[STATUS_FLAKY] = STAT_FAILED,
	[STATUS_XPASS] = STAT_HELD,
	[STATUS_MISSING] = STAT_FAILED,
	[STATUS_FAIL] = STAT_FAILED,
	[STATUS_TIMEOUT] = STAT_FAILED,
	[STATUS_ERROR] = STAT_NOTHING,
	[STATUS_CRASH] = STAT_FAILED,
};

enum stat_say stat_says(uint8_t cell)
{
	return cell < STATUS_N ? SAYS[cell] : STAT_NOTHING;
}

#define TAIL 0.025 /* on either side of the 95 % */

#define TERMS_MAX 20000 /* convergence takes about sqrt(max(a, b)) terms */
#define TINY      1e-300

/*
 * The n-th coefficient of the continued fraction, DLMF 8.17.23, with n = 2m
 * or n = 2m + 1:
 *	d(2m)     = m (b - m) x / ((a + 2m - 1) (a + 2m))
 *	d(2m + 1) = -(a + m) (a + b + m) x / ((a + 2m) (a + 2m + 1))
 */
static double coefficient(unsigned n, double x, double a, double b)
{
	double m = n / 2;

	if (n % 2 == 0)
		return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
	return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

static double not_zero(double v)
{
	return fabs(v) < TINY ? TINY : v;
}

/*
 * 1 / (1 + d1 / (1 + d2 / (1 + ...))), evaluated from the front: numerators
 * and denominators of neighbouring convergents as two running quotients
 * (W. J. Lentz, "Generating Bessel functions in Mie scattering calculations
 * using continued fractions", Applied Optics 15(3), 1976). Converges fast for
 * x < (a + 1) / (a + b + 2), DLMF 8.17(v).
 */
static double fraction(double x, double a, double b)
{
	double f = 1, up = 1, down = 0, step;

	for (unsigned n = 1; n < TERMS_MAX; n++) {
		double d = coefficient(n, x, a, b);

		up = not_zero(1 + d / up);
		down = 1 / not_zero(1 + d * down);
		step = up * down;
		f *= step;
		if (fabs(step - 1) < DBL_EPSILON)
			break;
	}
	return 1 / f;
}

static double log_gamma(double v)
{
	int sign;

	return lgamma_r(v, &sign); /* lgamma() writes a global */
}

double stat_beta_cdf(double x, double a, double b)
{
	double front;

	assert(a > 0 && b > 0);
	if (!(x > 0))
		return 0;
	if (x >= 1)
		return 1;
	/* x^a (1 - x)^b / B(a, b): DLMF 8.17.22, before the division by a. */
	front = exp(a * log(x) + b * log1p(-x) + log_gamma(a + b) - log_gamma(a) - log_gamma(b));
	/* I_x(a, b) = 1 - I_{1-x}(b, a), DLMF 8.17.4: take the side that converges. */
	if (x < (a + 1) / (a + b + 2))
		return front * fraction(x, a, b) / a;
	return 1 - front * fraction(1 - x, b, a) / b;
}

double stat_beta_quantile(double p, double a, double b)
{
	double low = 0, high = 1;

	assert(p >= 0 && p <= 1);
	if (p == 0 || p == 1)
		return p;
	/* Halving: about 60 steps, more for tiny results, and it cannot fail. */
	while (high - low > 4 * DBL_EPSILON * high) {
		double mid = low + (high - low) / 2;

		if (mid == low || mid == high)
			break;
		if (stat_beta_cdf(mid, a, b) < p)
			low = mid;
		else
			high = mid;
	}
	return low + (high - low) / 2;
}

struct stat_rate stat_rate(uint64_t k, uint64_t n)
{
	struct stat_rate r = { .k = k, .n = n, .low = 0, .high = 1 };
	double a = (double)k + 0.5, b = (double)(n - k) + 0.5;

	assert(k <= n);
	if (n == 0)
		return r;
	r.rate = (double)k / (double)n;
	if (k > 0)
		r.low = stat_beta_quantile(TAIL, a, b);
	if (k < n)
		r.high = stat_beta_quantile(1 - TAIL, a, b);
	return r;
}

bool stat_failed(const uint8_t *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (stat_says(cells[i]) == STAT_FAILED)
			return true;
	return false;
}

struct stat_rate stat_rate_of(const uint8_t *cells, size_t n)
{
	uint64_t says[] = { [STAT_NOTHING] = 0, [STAT_HELD] = 0, [STAT_FAILED] = 0 };

	for (size_t i = 0; i < n; i++)
		says[stat_says(cells[i])]++;
	return stat_rate(says[STAT_FAILED], says[STAT_HELD] + says[STAT_FAILED]);
}

int stat_rate_order(const struct stat_rate *a, const struct stat_rate *b)
{
	if (a->rate != b->rate)
		return a->rate < b->rate ? 1 : -1;
	return (a->n < b->n) - (a->n > b->n);
}
