/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cost: shares against the definition of the Shapley value, by all orders. */
#include "stat-history.h"
#include "stat/cost.h"

#define TESTS 4
static const char *const TEXTS[TESTS] = {
	"x..x.x....",
	".x.x.x....",
	".....x.x..",
	"..........",
};

/* Over all orders in which tests may come: how often it is the one that makes
 * the run red. */
static double shapley(unsigned failed, unsigned self)
{
	unsigned orders = 0, ours = 0;

	for (unsigned code = 0; code < TESTS * TESTS * TESTS * TESTS; code++) {
		unsigned order[TESTS], seen = 0, first = TESTS;

		for (unsigned i = 0, c = code; i < TESTS; i++, c /= TESTS)
			seen |= 1u << (order[i] = c % TESTS);
		if (seen != (1u << TESTS) - 1)
			continue; /* not a permutation */
		for (unsigned i = TESTS; i-- > 0;)
			if (failed & (1u << order[i]))
				first = order[i];
		orders++;
		ours += first == self;
	}
	return (double)ours / orders;
}

static void test_costs(struct tap *t)
{
	static const uint32_t RED[TESTS] = { 3, 3, 2, 0 }, ALONE[TESTS] = { 1, 1, 1, 0 };
	struct history *h[TESTS];
	struct stat_piece pieces[TESTS];
	struct stat_cost c[TESTS];
	struct stat_costs all;
	double sum = 0;

	for (size_t i = 0; i < TESTS; i++) {
		h[i] = history_of(TEXTS[i]);
		pieces[i] = (struct stat_piece){ &h[i]->series, 0, UINT32_MAX };
	}
	all = stat_cost(pieces, TESTS, 0, 10, c);
	ok(t, all.runs == 10 && all.red == 5, "5 of 10 runs are red");
	for (unsigned i = 0; i < TESTS; i++) {
		double want = 0;

		for (size_t r = 0; r < 10; r++) {
			unsigned failed = 0;

			for (unsigned k = 0; k < TESTS; k++)
				failed |= (TEXTS[k][r] == 'x') << k;
			want += shapley(failed, i);
		}
		ok(t, c[i].red == RED[i] && c[i].alone == ALONE[i] && near(c[i].share, want, 1e-12),
		   "test %u: red %u, alone %u, share %.3f", i, c[i].red, c[i].alone, c[i].share);
		sum += c[i].share;
	}
	ok(t, near(sum, all.red, 1e-12), "shares sum to the red runs");
	is_int(t, stat_cost_together(pieces, TESTS, 0, 10, (bool[]){ 1, 1, 0, 0 }), 3,
	       "the first two, together");
	is_int(t, stat_cost_together(pieces, TESTS, 0, 10, (bool[]){ 1, 1, 1, 1 }), 5, "all");
	is_int(t, stat_cost_together(pieces, TESTS, 0, 10, (bool[]){ 0, 0, 0, 1 }), 0, "none");

	all = stat_cost(pieces, TESTS, 3, 6, c);
	ok(t, all.runs == 3 && all.red == 2 && c[0].red == 2 && c[0].alone == 0 && c[2].red == 1,
	   "in a window");
	pieces[0].to = 4;
	all = stat_cost(pieces, TESTS, 0, 10, c);
	ok(t, c[0].red == 2 && near(c[1].share, 1 + 0.5 + 0.5, 1e-12), "of a piece of a series");
	all = stat_cost(pieces, TESTS, 6, 3, c);
	ok(t, all.runs == 0 && all.red == 0 && c[0].red == 0, "an empty window");
	for (size_t i = 0; i < TESTS; i++)
		history_freep(&h[i]);
}

static void test_order(struct tap *t)
{
	struct stat_cost more = { 2, 1, 1.5 }, less = { 5, 0, 1 }, alone = { 1, 1, 1 };

	ok(t,
	   stat_cost_order(&more, &less) < 0 && stat_cost_order(&less, &more) > 0 &&
		   stat_cost_order(&alone, &less) < 0 && stat_cost_order(&less, &less) == 0,
	   "the highest share first");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_costs(&t);
	test_order(&t);
	return tap_done(&t);
}
