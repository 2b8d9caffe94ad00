/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/rate.h"

#include <assert.h>

#include "stat/dist.h"

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
