/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders in which flakes are told. */
#include <stdlib.h>

#include "judge/flakes.h"

int judge_str_order(struct str a, struct str b)
{
	int c = memcmp(a.p ? a.p : "", b.p ? b.p : "", a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

const char *const JUDGE_SORTS[JUDGE_SORT_N + 1] = {
	[JUDGE_SORT_RATE] = "rate", [JUDGE_SORT_FLIPS] = "flips", [JUDGE_SORT_COST] = "cost",
	[JUDGE_SORT_RECENT] = "recent", [JUDGE_SORT_STREAK] = "streak", [JUDGE_SORT_NAME] = "name",
};

static int by_name(const void *a, const void *b)
{
	const struct judge_flake *x = a, *y = b;
	int c = judge_str_order(x->s->lane->suite, y->s->lane->suite);

	c = c ? c : judge_str_order(x->s->lane->program, y->s->lane->program);
	c = c ? c : judge_str_order(x->s->path, y->s->path);
	c = c ? c : judge_str_order(x->s->lane->axis->mode, y->s->lane->axis->mode);
	return c ? c : (x->s->id > y->s->id) - (x->s->id < y->s->id);
}

static int by_rate(const void *a, const void *b)
{
	const struct judge_flake *x = a, *y = b;
	int c = stat_rate_order(&x->rate, &y->rate);

	return c ? c : by_name(a, b);
}

static int by_flips(const void *a, const void *b)
{
	const struct judge_flake *x = a, *y = b;
	int c = (x->flips < y->flips) - (x->flips > y->flips);

	return c ? c : by_rate(a, b);
}

static int by_cost(const void *a, const void *b)
{
	const struct judge_flake *x = a, *y = b;
	int c = stat_cost_order(&x->cost, &y->cost);

	return c ? c : by_rate(a, b);
}

static int by_recent(const void *a, const void *b)
{
	const struct judge_flake *x = a, *y = b;
	/* UINT32_MAX, none, becomes 0. */
	uint32_t i = x->last + 1, k = y->last + 1;
	int c = (i < k) - (i > k);

	return c ? c : by_rate(a, b);
}

static int by_streak(const void *a, const void *b)
{
	const struct judge_flake *x = a, *y = b;
	int c = (x->streak < y->streak) - (x->streak > y->streak);

	return c ? c : by_rate(a, b);
}

static int (*const ORDERS[JUDGE_SORT_N])(const void *, const void *) = {
	[JUDGE_SORT_RATE] = by_rate,     [JUDGE_SORT_FLIPS] = by_flips,
	[JUDGE_SORT_COST] = by_cost,     [JUDGE_SORT_RECENT] = by_recent,
	[JUDGE_SORT_STREAK] = by_streak, [JUDGE_SORT_NAME] = by_name,
};

void judge_flakes_sort(struct judge_flakes *f, enum judge_sort by)
{
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), ORDERS[by]);
}
