/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Diff: what tests did in some runs, and in others: which fail that did not, and
 * what else is not as it was. Axes on which only one side ran are not compared.
 */
#include "judge/judge.h"

/* Unknown: of a history that tells failures only; it passed, or did not run. */
enum judge_did {
	JUDGE_DID_ABSENT,
	JUDGE_DID_UNKNOWN,
	JUDGE_DID_SKIP,
	JUDGE_DID_ERROR,
	JUDGE_DID_PASS,
	JUDGE_DID_FAIL,
	JUDGE_DID_N,
};
extern const char *const JUDGE_DID_NAMES[JUDGE_DID_N]; /* "absent", ... */

enum judge_differs {
	JUDGE_FAILS,
	JUDGE_PASSES,
	JUDGE_CAME,
	JUDGE_GONE,
	JUDGE_SKIPPED,
	JUDGE_RUNS_AGAIN,
	JUDGE_ERRORS,
	JUDGE_SAME,
	JUDGE_DIFFERS_N,
};
struct judge_differs_info {
	const char *name, *title; /* "fails", "Fails now" */
};
extern const struct judge_differs_info JUDGE_DIFFERS[JUDGE_DIFFERS_N];

enum { JUDGE_SIDE_A, JUDGE_SIDE_B, JUDGE_SIDES };

struct judge_side {
	uint32_t from, to; /* of the judge's runs: from <= run < to */
};

/* The worst it did decides; failures that its subtests explain are theirs. */
struct judge_tally {
	uint32_t failed, held, skipped, error, unknown;
	enum judge_did did;
};

/* Of a history that tells failures only it may have run as well in the others. */
static inline uint32_t judge_tally_n(const struct judge_tally *t)
{
	return t->failed + t->held + t->unknown;
}

struct judge_difference {
	enum judge_differs what;
	const struct judge_series *s;
	struct judge_tally t[JUDGE_SIDES];
};

struct judge_diff {
	struct judge_difference *v;
	size_t n, cap;
	const struct judge_axis **apart; /* ran on one side only */
	size_t n_apart, cap_apart;
	uint64_t same[JUDGE_DID_N];  /* leaves */
};

/* Adds what differs on @a, in the order of its series. Zero-initialise @d. */
void judge_diff_axis(struct judge_diff *d, const struct judge_axis *a,
		     const struct judge_side side[JUDGE_SIDES]);
void judge_diff_done(struct judge_diff *d);
