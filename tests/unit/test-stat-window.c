/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows: what is counted, and what the rate says of itself. */
#include "stat-history.h"
#include "stat/window.h"

static struct stat_outage OUTAGES[] = {
	{ .first = 3, .last = 4 },
	{ .first = 8, .last = 8 },
	{ .first = 10, .last = 10 },
};
static const struct stat_outages FOUND = { .v = OUTAGES, .n = ARRAY_SIZE(OUTAGES) };

/* Two tests, runs 0 to 11. Outages at 3 and 4, 8, 10. */
#define ONE "x..xx.s.x--."
#define TWO "....x.....x."

static const struct {
	const char *name;
	unsigned series; /* 1: ONE, 2: both */
	uint32_t from, to;
	enum stat_outage_use use;
	uint64_t k, n;
	uint32_t first, last, outages;
	uint64_t aside;
} ROWS[] = {
	{ "all of it", 1, 0, 12, STAT_OUTAGES_COUNT, 4, 9, 0, 11, 2, 0 },
	{ "outages once", 1, 0, 12, STAT_OUTAGES_ONCE, 3, 8, 0, 11, 2, 3 },
	{ "outages left out", 1, 0, 12, STAT_OUTAGES_LEAVE, 1, 6, 0, 11, 2, 3 },
	{ "two tests", 2, 0, 12, STAT_OUTAGES_COUNT, 6, 21, 0, 11, 3, 0 },
	{ "one event for both", 2, 0, 12, STAT_OUTAGES_ONCE, 4, 17, 0, 11, 3, 5 },
	{ "neither", 2, 0, 12, STAT_OUTAGES_LEAVE, 1, 14, 0, 11, 3, 5 },
	{ "a window that cuts an outage", 1, 4, 8, STAT_OUTAGES_LEAVE, 0, 2, 4, 7, 1, 1 },
	{ "in which nothing was said", 1, 9, 11, STAT_OUTAGES_COUNT, 0, 0, 9, 9, 0, 0 },
	{ "upside down", 1, 9, 2, STAT_OUTAGES_COUNT, 0, 0, 9, 9, 0, 0 },
	{ "past the end", 1, 11, UINT32_MAX, STAT_OUTAGES_ONCE, 0, 1, 11, 11, 0, 0 },
};

static void test_windows(struct tap *t)
{
	_cleanup_(history_freep) struct history *one = history_of(ONE);
	_cleanup_(history_freep) struct history *two = history_of(TWO);
	const struct stat_series *both[] = { &one->series, &two->series };

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct stat_window w = stat_window(both, ROWS[i].series, ROWS[i].from, ROWS[i].to,
						   &FOUND, ROWS[i].use);

		ok(t,
		   w.rate.k == ROWS[i].k && w.rate.n == ROWS[i].n && w.first == ROWS[i].first &&
			   w.last == ROWS[i].last && w.outages == ROWS[i].outages &&
			   w.set_aside == ROWS[i].aside && w.use == ROWS[i].use,
		   "%s: %" PRIu64 " of %" PRIu64 ", %s", ROWS[i].name, w.rate.k, w.rate.n,
		   STAT_OUTAGES_WORDS[w.use]);
	}
	ok(t, stat_window(both, 2, 0, 12, NULL, STAT_OUTAGES_LEAVE).rate.k == 6,
	   "no outages known");
	ok(t, stat_window(NULL, 0, 0, 12, &FOUND, STAT_OUTAGES_ONCE).rate.n == 0, "no series");
}

/* R: B <- function(k, n) lbeta(k + .5, n - k + .5) - lbeta(.5, .5)
 * exp(B(k1, n1) + B(k2, n2) - B(k1 + k2, n1 + n2)) */
static const struct {
	struct stat_rate v[2];
	double factor;
	bool differ;
} POOLS[] = {
	{ { { .k = 3, .n = 1000 }, { .k = 5, .n = 1000 } }, 0.04520625066023429, false },
	{ { { .k = 8, .n = 1000 }, { .k = 51, .n = 1000 } }, 2229648.890352243, true },
	{ { { .k = 0, .n = 622 }, { .k = 43, .n = 45 } }, 4.310202225118438e+64, true },
	{ { { .k = 0, .n = 0 }, { .k = 4, .n = 9 } }, 1, false },
};

static void test_pools(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(POOLS); i++) {
		const struct stat_rate *v = POOLS[i].v;
		struct stat_pool p = stat_pool(v, 2);

		ok(t,
		   p.rate.k == v[0].k + v[1].k && p.rate.n == v[0].n + v[1].n &&
			   near(p.factor, POOLS[i].factor, 1e-9) && p.differ == POOLS[i].differ,
		   "pooled: %g times likelier to differ", p.factor);
	}
	ok(t, stat_pool(NULL, 0).rate.n == 0 && !stat_pool(NULL, 0).differ, "of nothing");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_windows(&t);
	test_pools(&t);
	return tap_done(&t);
}
