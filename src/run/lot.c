/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/lot.h"

#include <stdlib.h>

#include "base/mem.h"

/* Of a test that nobody ever measured, where no other of the lot was. */
#define UNKNOWN_MS   60000
#define EXPECT_TIMES 3
#define UNKNOWN_PART 8

static int by_length(const void *a, const void *b)
{
	const struct plan_test *x = *(const struct plan_test *const *)a;
	const struct plan_test *y = *(const struct plan_test *const *)b;
	int64_t ex = x->expect_ms < 0 ? INT64_MAX : x->expect_ms;
	int64_t ey = y->expect_ms < 0 ? INT64_MAX : y->expect_ms;

	if (ex != ey)
		return ex > ey ? -1 : 1;
	return x < y ? -1 : x > y;
}

void lot_init(struct lot *l, struct run *run, const struct run_setting *s)
{
	const struct plan_tests *t = s->tests;

	*l = (struct lot){ .setting = s, .run = run,
			   .machines_max = s->split ? s->split : UINT32_MAX };
	l->order = xcalloc(t->n, sizeof(*l->order));
	for (size_t i = 0; i < t->n; i++)
		if (!t->v[i].unable)
			l->order[l->n_order++] = &t->v[i];
	if (l->n_order)
		qsort(l->order, l->n_order, sizeof(*l->order), by_length);
	if (s->why_not)
		l->why_dead = xstrdup(s->why_not);
}

void lot_done(struct lot *l)
{
	l->deadline = loop_unwatch(l->deadline);
	free(l->order);
	free(l->again);
	free(l->why_dead);
}

size_t lot_left(const struct lot *l)
{
	return l->n_order - l->next + l->n_again - l->next_again;
}

bool lot_has_tests(const struct lot *l)
{
	return lot_left(l) > 0 && !l->why_dead && !l->overtime;
}

const struct plan_test *lot_next(struct lot *l, bool used, unsigned *ret_attempt)
{
	const struct lot_again *a;

	if (l->next < l->n_order) {
		*ret_attempt = 1 + l->order[l->next]->attempts;
		return l->order[l->next++];
	}
	if (l->next_again == l->n_again)
		return NULL;
	a = &l->again[l->next_again];
	if (a->fresh && used)
		return NULL;
	l->next_again++;
	*ret_attempt = a->attempt;
	return a->test;
}

const struct plan_test *lot_peek(const struct lot *l)
{
	if (l->next < l->n_order)
		return l->order[l->next];
	return l->next_again < l->n_again ? l->again[l->next_again].test : NULL;
}

/* What was taken from a queue is not looked at again: there is room. */
void lot_put_back(struct lot *l, const struct plan_test *t, unsigned attempt)
{
	if (attempt == 1 + t->attempts)
		l->order[--l->next] = t;
	else
		l->again[--l->next_again] = (struct lot_again){ t, attempt, true };
}

void lot_again(struct lot *l, const struct plan_test *t, unsigned attempt, bool fresh)
{
	ARRAY_GROW(l->again, l->n_again, l->cap_again);
	l->again[l->n_again++] = (struct lot_again){ t, attempt, fresh };
}

/* What to take for a test that was never measured: the mean of the others. */
static double mean_ms(const struct lot *l)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < l->n_order; i++) {
		if (l->order[i]->expect_ms < 0)
			continue;
		sum += (double)l->order[i]->expect_ms;
		n++;
	}
	return n ? sum / (double)n : UNKNOWN_MS;
}

static double weight(const struct plan_test *t, double mean)
{
	double ms = t->expect_ms < 0 ? mean : (double)t->expect_ms;

	return ms < 1 ? 1 : ms;
}

static double left_weight(const struct lot *l, double mean)
{
	double sum = 0;

	for (size_t i = l->next; i < l->n_order; i++)
		sum += weight(l->order[i], mean);
	for (size_t i = l->next_again; i < l->n_again; i++)
		sum += weight(l->again[i].test, mean);
	return sum;
}

double lot_urgency(const struct lot *l)
{
	return left_weight(l, mean_ms(l)) / (l->machines + 1);
}

int64_t lot_share(const struct lot *l, const struct plan_test *t, int64_t left_ms)
{
	double mean = mean_ms(l), own = weight(t, mean), left = (double)left_ms;
	double machines = l->machines ? l->machines : 1, tests = (double)lot_left(l) + 1;
	double share, least;

	if (machines > tests)
		machines = tests;
	share = left * machines * own / (own + left_weight(l, mean));
	least = t->expect_ms < 0 ? left / UNKNOWN_PART : own * EXPECT_TIMES;
	if (share < least)
		share = least;
	return share > left ? left_ms : (int64_t)share;
}
