/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Cost: what a flake makes people look at. A run is red when a test failed in
 * it. Three numbers say what a test has to do with that:
 *
 *	red	runs in which it failed;
 *	alone	those in which nothing else did: they would be green without it;
 *	share	each red run split evenly among those that failed in it. This is
 *		the Shapley value ("A Value for n-Person Games", 1953) of "the run
 *		is red": in one run, any one failure is enough, so all that failed
 *		are symmetric and the others add nothing. Shares sum to the number
 *		of red runs.
 *
 * Give leaves only: a program fails because they do. Give all of them, not only
 * flakes: a run with a regression in it isn't red because of a flake.
 */
#include "stat/series.h"

struct stat_cost {
	uint32_t red, alone;
	double share;
};

struct stat_costs {
	uint32_t runs; /* looked at */
	uint32_t red;  /* of them: something failed */
};

/* In from <= run < to; ret[n], one for each piece. Pieces of one series don't
 * overlap. */
struct stat_costs stat_cost(const struct stat_piece *pieces, size_t n, uint32_t from, uint32_t to,
			    struct stat_cost *ret);
/* How many red runs would be green if those with in[i] had not failed: of many
 * flakes together this is more than the sum of their .alone. */
uint32_t stat_cost_together(const struct stat_piece *pieces, size_t n, uint32_t from, uint32_t to,
			    const bool *in);
/* For qsort(): the highest share first, then the most alone. */
int stat_cost_order(const struct stat_cost *a, const struct stat_cost *b);
