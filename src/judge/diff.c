/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/diff.h"

#include <stdlib.h>

#include "base/mem.h"
#include "judge/flakes.h"
#include "stat/rate.h"

const char *const JUDGE_DID_NAMES[JUDGE_DID_N] = { "absent", "unknown", "skip",
						      "error", "pass", "fail" };

const struct judge_differs_info JUDGE_DIFFERS[JUDGE_DIFFERS_N] = {
	[JUDGE_FAILS] = { "fails", "Fails now" },
	[JUDGE_PASSES] = { "passes", "Fails no more" },
	[JUDGE_CAME] = { "new", "New" },
	[JUDGE_GONE] = { "gone", "Gone" },
	[JUDGE_SKIPPED] = { "skipped", "Skipped now" },
	[JUDGE_RUNS_AGAIN] = { "runs again", "Skipped no more" },
	[JUDGE_ERRORS] = { "error", "The harness failed" },
	[JUDGE_SAME] = { "same", "The same" },
};

static struct judge_tally tally_of(const struct judge_series *s, const struct judge_side *x)
{
	const struct judge_axis *a = s->lane->axis;
	struct judge_tally t = {};

	for (uint32_t i = judge_place(a, x->from); i < a->n && a->run[i] < x->to; i++) {
		uint8_t cell = judge_cell_or_unknown(s, i);

		if (cell == STORE_CELL_ABSENT)
			continue;
		if (stat_runs_have(s->own.bad, i))
			t.failed++;
		else if (cell == JUDGE_CELL_UNKNOWN || (s->lane->at_least && !s->leaf))
			t.unknown++; /* but for its subtests */
		else if (cell == STATUS_SKIP)
			t.skipped++;
		else if (stat_says(cell) == STAT_NOTHING)
			t.error++;
		else
			t.held++; /* or its subtests failed */
	}
	t.did = t.failed    ? JUDGE_DID_FAIL
		: t.held    ? JUDGE_DID_PASS
		: t.skipped ? JUDGE_DID_SKIP
		: t.error   ? JUDGE_DID_ERROR
		: t.unknown ? JUDGE_DID_UNKNOWN
			    : JUDGE_DID_ABSENT;
	return t;
}

static enum judge_differs what_of(enum judge_did a, enum judge_did b)
{
	if (a == b)
		return JUDGE_SAME;
	if (b == JUDGE_DID_FAIL)
		return JUDGE_FAILS;
	if (b == JUDGE_DID_ABSENT)
		return JUDGE_GONE;
	if (a == JUDGE_DID_ABSENT)
		return JUDGE_CAME;
	if (b == JUDGE_DID_ERROR)
		return JUDGE_ERRORS;
	if (b == JUDGE_DID_SKIP)
		return JUDGE_SKIPPED;
	return a == JUDGE_DID_FAIL ? JUDGE_PASSES : JUDGE_RUNS_AGAIN;
}

static bool ran(const struct stat_spans *in, const struct judge_axis *a,
		const struct judge_side *x)
{
	return stat_spans_count(*in, judge_place(a, x->from), judge_place(a, x->to)) > 0;
}

static void compare_series(struct judge_diff *d, const struct judge_series *s,
			   const struct judge_side side[JUDGE_SIDES], bool both)
{
	struct judge_difference x = { .s = s };

	if (!s->leaf && !s->own.bad.n && !s->whole)
		return;
	for (int i = 0; i < JUDGE_SIDES; i++)
		x.t[i] = tally_of(s, &side[i]);
	x.what = what_of(x.t[JUDGE_SIDE_A].did, x.t[JUDGE_SIDE_B].did);
	/* Of a program that ran on one side only the program is told, and what fails. */
	if (!both && !s->whole && x.what != JUDGE_FAILS)
		return;
	if (x.what == JUDGE_SAME) {
		if (s->leaf)
			d->same[x.t[JUDGE_SIDE_B].did]++;
		return;
	}
	ARRAY_GROW(d->v, d->n, d->cap);
	d->v[d->n++] = x;
}

void judge_diff_axis(struct judge_diff *d, const struct judge_axis *a,
		     const struct judge_side side[JUDGE_SIDES])
{
	struct stat_span all = { 0, a->n };
	struct stat_spans whole = { &all, 1 };
	bool in[JUDGE_SIDES];

	for (int i = 0; i < JUDGE_SIDES; i++)
		in[i] = ran(&whole, a, &side[i]);
	if (in[JUDGE_SIDE_A] != in[JUDGE_SIDE_B]) {
		ARRAY_GROW(d->apart, d->n_apart, d->cap_apart);
		d->apart[d->n_apart++] = a;
	}
	if (!in[JUDGE_SIDE_A] || !in[JUDGE_SIDE_B])
		return;
	for (size_t i = 0; i < a->n_lanes; i++) {
		const struct judge_lane *l = &a->lanes[i];
		bool both = ran(&l->in, a, &side[JUDGE_SIDE_A]) &&
			    ran(&l->in, a, &side[JUDGE_SIDE_B]);

		for (size_t k = 0; k < l->n; k++)
			compare_series(d, &l->series[k], side, both);
	}
}

void judge_diff_done(struct judge_diff *d)
{
	free(d->v);
	free(d->apart);
}
