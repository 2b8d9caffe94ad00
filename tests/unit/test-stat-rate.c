/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judgement: numbers against published ones and against a computation with 40
 * digits (mpmath's betainc, halved to the quantile).
 */
#include "stat-history.h"
#include "stat/dist.h"
#include "stat/rate.h"

struct rate_row {
	uint64_t k, n;
	double low, high;
};

static const struct rate_row RATES[] = {
	{ 0, 10, 0, 0.2171962675092106 },
	{ 1, 10, 0.01101167376316114, 0.3813147710666164 },
	{ 5, 10, 0.2235286702527052, 0.7764713297472948 },
	{ 10, 10, 0.7828037324907894, 1 },
	{ 0, 100, 0, 0.0247452700152699 },
	{ 1, 100, 0.001081101709080064, 0.04577889660072312 },
	{ 6, 1886, 0.001328932659973734, 0.006545756353000855 },
	{ 43, 45, 0.864982560789248, 0.9906505843755327 },
	{ 0, 622, 0, 0.00402873310397932 },
	{ 1, 1, 0.1467463163095751, 1 },
	{ 0, 0, 0, 1 },
};

/* Brown, Cai, DasGupta 2001, table 5: Jeffreys limits, three digits. */
static const struct rate_row PUBLISHED[] = {
	{ 1, 10, 0.011, 0.381 },
	{ 2, 10, 0.044, 0.503 },
	{ 3, 10, 0.093, 0.606 },
	{ 4, 10, 0.153, 0.696 },
	{ 5, 10, 0.224, 0.776 },
};

static void test_rates(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(RATES); i++) {
		const struct rate_row *row = &RATES[i];
		struct stat_rate r = stat_rate(row->k, row->n);

		ok(t, near(r.low, row->low, 1e-11) && near(r.high, row->high, 1e-11),
		   "interval of %" PRIu64 " in %" PRIu64, row->k, row->n);
		ok(t, row->n == 0 || r.rate == (double)row->k / (double)row->n, "and its rate");
	}
	for (size_t i = 0; i < ARRAY_SIZE(PUBLISHED); i++) {
		const struct rate_row *row = &PUBLISHED[i];
		struct stat_rate r = stat_rate(row->k, row->n);

		ok(t, fabs(r.low - row->low) < 0.0006 && fabs(r.high - row->high) < 0.0006,
		   "as published: %" PRIu64 " in %" PRIu64, row->k, row->n);
	}
}

/* Years of runs: still exact, still quick. */
static void test_large(struct tap *t)
{
	struct stat_rate half = stat_rate(500000, 1000000), rare = stat_rate(3, 1000000);
	struct stat_rate most = stat_rate(999997, 1000000);

	/* The normal limit of a binomial proportion. */
	ok(t, fabs(half.low - (0.5 - 1.959964 * 0.0005)) < 1e-6 &&
	   fabs(half.high - (0.5 + 1.959964 * 0.0005)) < 1e-6, "half of a million");
	/* Its Poisson limit: half the quantiles of chi-squared with 7 degrees. */
	ok(t, fabs(rare.low * 1e6 - 1.68987 / 2) < 1e-4 &&
	   fabs(rare.high * 1e6 - 16.01276 / 2) < 1e-3, "three in a million");
	ok(t, near(most.high, 1 - rare.low, 1e-12) && near(most.low, 1 - rare.high, 1e-12),
	   "all but three in a million is its mirror");
	ok(t, fabs(stat_beta_cdf(rare.high, 3.5, 999997.5) - 0.975) < 1e-10, "and back");
}

static void test_order(struct tap *t)
{
	bool good = true;

	for (uint64_t n = 1; n <= 40; n++) {
		for (uint64_t k = 0; k <= n; k++) {
			struct stat_rate r = stat_rate(k, n), m = stat_rate(n - k, n);

			good &= r.low <= r.rate && r.rate <= r.high && r.low >= 0 && r.high <= 1;
			good &= fabs(r.low - (1 - m.high)) < 1e-12;
		}
	}
	ok(t, good, "every interval holds its rate and mirrors its opposite");
}

/* The cells of one test, a letter each: see letter(). */
struct cells_row {
	const char *name, *cells;
	uint64_t k, n;
};

static const struct cells_row CELLS[] = {
	{ "no run at all", "", 0, 0 },
	{ "pass, expected failure, unexpected pass", "pxX", 0, 3 },
	{ "fail, timeout, crash, missing", "ftcm", 4, 4 },
	{ "flaky failed, excused", "~", 1, 1 },
	{ "skipped says nothing", "s", 0, 0 },
	{ "absent says nothing", ".", 0, 0 },
	{ "a harness error says nothing", "e", 0, 0 },
	{ "a failure between errors", "eefe", 1, 1 },
	{ "all of them", "pxXftcm~s.e", 5, 8 },
};

static uint8_t letter(char c)
{
	static const char LETTERS[STATUS_N] = {
		[STATUS_SKIP] = 's', [STATUS_PASS] = 'p', [STATUS_XFAIL] = 'x',
		[STATUS_FLAKY] = '~', [STATUS_XPASS] = 'X', [STATUS_MISSING] = 'm',
		[STATUS_FAIL] = 'f', [STATUS_TIMEOUT] = 't', [STATUS_ERROR] = 'e',
		[STATUS_CRASH] = 'c',
	};
	const char *p = memchr(LETTERS, c, sizeof(LETTERS));

	return p ? (uint8_t)(p - LETTERS) : 0xff;
}

static void test_cells(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(CELLS); i++) {
		const struct cells_row *row = &CELLS[i];
		size_t n = strlen(row->cells);
		uint8_t cells[16];
		struct stat_rate r;

		for (size_t c = 0; c < n; c++)
			cells[c] = letter(row->cells[c]);
		r = stat_rate_of(cells, n);
		ok(t, r.k == row->k && r.n == row->n && stat_failed(cells, n) == (row->k > 0),
		   "%s", row->name);
	}
}

static void test_sorting(struct tap *t)
{
	struct stat_rate half = stat_rate(1, 2), more = stat_rate(5, 10), all = stat_rate(2, 2);

	ok(t, stat_rate_order(&all, &half) < 0 && stat_rate_order(&half, &all) > 0,
	   "the higher rate first");
	ok(t, stat_rate_order(&more, &half) < 0 && stat_rate_order(&half, &more) > 0 &&
	      stat_rate_order(&half, &half) == 0, "then the one with more runs");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_rates(&t);
	test_large(&t);
	test_order(&t);
	test_cells(&t);
	test_sorting(&t);
	return tap_done(&t);
}
