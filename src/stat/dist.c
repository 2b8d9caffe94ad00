/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/dist.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>

#define TERMS_MAX 20000 /* convergence takes about sqrt(max(a, b)) terms */
#define TINY	  1e-300

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

double stat_log_gamma(double v)
{
	int sign;

	assert(v > 0);
	return lgamma_r(v, &sign); /* lgamma() writes a global */
}

#define GAMMA_STEPS 64 /* what rounding adds up in */

void stat_log_gammas(double v, double *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = i % GAMMA_STEPS ? ret[i - 1] + log((double)(i - 1) + v)
					 : stat_log_gamma((double)i + v);
}

double stat_log_beta(double a, double b)
{
	return stat_log_gamma(a) + stat_log_gamma(b) - stat_log_gamma(a + b);
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
	front = exp(a * log(x) + b * log1p(-x) - stat_log_beta(a, b));
	/* I_x(a, b) = 1 - I_{1-x}(b, a), DLMF 8.17.4: take the side that converges. */
	if (x < (a + 1) / (a + b + 2))
		return front * fraction(x, a, b) / a;
	return 1 - front * fraction(1 - x, b, a) / b;
}

/*
 * Newton's steps inside of a bracket that every step narrows; where one leaves
 * it, or is more than half as long as the one before, the bracket is halved. So
 * it can't fail, and takes about 8 evaluations.
 */
double stat_beta_quantile(double p, double a, double b)
{
	double low = 0, high = 1, x = a / (a + b), last = 1;
	double log_beta = stat_log_beta(a, b);

	assert(p >= 0 && p <= 1);
	if (p == 0 || p == 1)
		return p;
	while (high - low > 4 * DBL_EPSILON * high) {
		double f = stat_beta_cdf(x, a, b) - p, next;

		if (f < 0)
			low = x;
		else
			high = x;
		next = x - f / exp((a - 1) * log(x) + (b - 1) * log1p(-x) - log_beta);
		if (fabs(next - x) <= 2 * DBL_EPSILON * x)
			return next;
		if (!(next > low && next < high) || fabs(next - x) > last / 2)
			next = low + (high - low) / 2;
		last = fabs(next - x);
		if (next == low || next == high)
			break;
		x = next;
	}
	return low + (high - low) / 2;
}

double stat_poisson_tail(uint64_t k, double mean)
{
	double term, sum = 0;
	bool upper = (double)k > mean; /* the side of the mean with the shorter sum */

	assert(mean >= 0);
	if (k == 0)
		return 1;
	if (mean == 0)
		return 0;
	if (!upper)
		k--;
	term = exp((double)k * log(mean) - mean - stat_log_gamma((double)k + 1));
	while (term > sum * DBL_EPSILON / 4) {
		sum += term;
		if (upper)
			term *= mean / (double)++k;
		else if (k)
			term *= (double)k-- / mean;
		else
			break;
	}
	return upper ? sum : 1 - sum;
}

double stat_beta_binomial_tail(uint64_t k, uint64_t m, double a, double b)
{
	double term, sum = 0;

	assert(a > 0 && b > 0);
	if (k == 0)
		return 1;
	if (k > m)
		return 0;
	/* Choose(m, j) B(a + j, b + m - j) / B(a, b), with j = k; then the ratio of neighbours. */
	term = exp(stat_log_gamma((double)m + 1) - stat_log_gamma((double)k + 1) -
		   stat_log_gamma((double)(m - k) + 1) +
		   stat_log_beta(a + (double)k, b + (double)(m - k)) - stat_log_beta(a, b));
	for (uint64_t j = k;; j++) {
		sum += term;
		if (j == m)
			break;
		term *= (double)(m - j) / (double)(j + 1) * (a + (double)j) /
			(b + (double)(m - j) - 1);
	}
	return sum < 1 ? sum : 1;
}
