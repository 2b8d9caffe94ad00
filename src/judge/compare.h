/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Compare: two runs, or ranges of runs, on all axes: what differs (diff.h), and for
 * each test that fails only in the second side: is it mine (stat/mine.h)? That is
 * asked of what was before the second side.
 */
#include "judge/diff.h"
#include "stat/mine.h"

struct judge_compared_test {
	struct judge_difference d;
	struct stat_mine_test test;  /* JUDGE_FAILS */
	struct stat_mine mine;
};

/* One axis's failures together. */
struct judge_joint {
	const struct judge_axis *axis;
	struct stat_mine_past past;
	struct stat_mine_joint j;
};

struct judge_compared {
	struct judge_compared_test *v; /* by kind; what is hardly chance first */
	size_t n, cap;
	struct judge_joint *joints;
	size_t n_joints, cap_joints;
	struct judge_diff found;
};

/* Zero-initialise @c. */
void judge_compare(struct judge_compared *c, const struct judge_axis *axes, size_t n_axes,
		   const struct judge_side side[JUDGE_SIDES]);
void judge_compared_done(struct judge_compared *c);

extern const char *const JUDGE_SAYS[STAT_MINE_N]; /* "new", "unlikely", ... */
