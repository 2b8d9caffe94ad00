/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/compare.h"

#include <stdlib.h>

#include "base/mem.h"
#include "judge/base.h"

const char *const JUDGE_SAYS[STAT_MINE_N] = {
	[STAT_MINE_NOTHING] = "nothing", [STAT_MINE_UNSEEN] = "unseen",
	[STAT_MINE_NEW] = "new", [STAT_MINE_USUAL] = "usual",
	[STAT_MINE_UNUSUAL] = "unusual", [STAT_MINE_UNLIKELY] = "unlikely",
};

/* The first place of the axis that is of B, and how many there are. */
static uint32_t mine_of(const struct judge_side *b, const struct judge_axis *a, uint32_t *ret_n)
{
	uint32_t first = a->n;

	*ret_n = 0;
	for (uint32_t i = 0; i < a->n; i++) {
		if (a->run[i] < b->from || a->run[i] >= b->to)
			continue;
		first = i < first ? i : first;
		++*ret_n;
	}
	return first;
}

static void judge_tests(struct judge_compared *d, const struct judge_axis *a, size_t from,
			const struct judge_side *b)
{
	_cleanup_(judge_base_done) struct judge_base base = {};
	_free_ struct stat_mine_test *tests = xcalloc(d->n - from + 1, sizeof(*tests));
	struct judge_joint j = { .axis = a };
	uint32_t first = mine_of(b, a, &j.past.mine);
	size_t n = 0;

	judge_base_init(&base, a, first);
	for (size_t i = from; i < d->n; i++) {
		struct judge_compared_test *x = &d->v[i];
		const struct stat_rate *before = judge_base_of(&base, x->d.s);

		if (x->d.what != JUDGE_FAILS)
			continue;
		x->test = (struct stat_mine_test){
			.before = before ? *before : stat_rate(0, 0),
			.failed = x->d.t[JUDGE_SIDE_B].failed,
			.ran = judge_tally_n(&x->d.t[JUDGE_SIDE_B]),
		};
		if (x->test.before.n)
			x->test.peers = stat_mine_peers(base.rates, base.n, &x->test.before);
		x->mine = stat_mine(&x->test);
		tests[n++] = x->test;
	}
	if (n < 2)
		return;
	j.past.runs = first;
	for (size_t i = 0; i < base.outages.n; i++)
		if (base.outages.v[i].failures >= n)
			j.past.outages += base.outages.v[i].last - base.outages.v[i].first + 1;
	j.j = stat_mine_joint(tests, n, &j.past);
	ARRAY_GROW(d->joints, d->n_joints, d->cap_joints);
	d->joints[d->n_joints++] = j;
}

static void compare_axis(struct judge_compared *d, const struct judge_axis *a,
			 const struct judge_side side[JUDGE_SIDES])
{
	size_t first = d->n;
	bool fails = false;

	judge_diff_axis(&d->found, a, side);
	for (size_t i = first; i < d->found.n; i++) {
		ARRAY_GROW(d->v, d->n, d->cap);
		d->v[d->n++] = (struct judge_compared_test){ .d = d->found.v[i] };
		fails |= d->found.v[i].what == JUDGE_FAILS;
	}
	if (fails)
		judge_tests(d, a, first, &side[JUDGE_SIDE_B]);
}

/* Hardly by chance first, then as they were found. */
static int by_kind(const void *a, const void *b)
{
	const struct judge_compared_test *x = a, *y = b;

	if (x->d.what != y->d.what)
		return (int)x->d.what - (int)y->d.what;
	if (x->d.what == JUDGE_FAILS && x->mine.says != y->mine.says)
		return (int)y->mine.says - (int)x->mine.says;
	if (x->d.s->lane->axis != y->d.s->lane->axis)
		return x->d.s->lane->axis < y->d.s->lane->axis ? -1 : 1;
	return x->d.s < y->d.s ? -1 : x->d.s > y->d.s;
}

void judge_compare(struct judge_compared *d, const struct judge_axis *axes, size_t n_axes,
		   const struct judge_side side[JUDGE_SIDES])
{
	for (size_t i = 0; i < n_axes; i++)
		compare_axis(d, &axes[i], side);
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), by_kind);
}

void judge_compared_done(struct judge_compared *d)
{
	free(d->v);
	free(d->joints);
	judge_diff_done(&d->found);
}
