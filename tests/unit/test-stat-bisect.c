/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bisect, on histories that are numbers: the commit is found, the promised error is
 * kept over many runs of chance, what can't be tested is gone around, and wrong turns
 * are taken back.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stat/bisect.h"
#include "tap.h"

/* Commits 0 to .n - 1 in a row; from .culprit on the test fails with .rate. */
struct world {
	unsigned n, culprit;
	double rate;
	double before;          /* and before it with this */
	unsigned broken_from, broken_to; /* these can't be tested */
	uint64_t random;
	unsigned runs;
};

static double chance(struct world *w)
{
	/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
	uint64_t z = w->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static unsigned number(const char *name)
{
	return (unsigned)atoi(name);
}

static bool was_skipped(const struct stat_bisect *b, unsigned i)
{
	for (size_t k = 0; k < b->n; k++)
		if (number(b->v[k].name) == i)
			return b->v[k].verdict == STAT_BISECT_SKIPPED;
	return false;
}

/* In the middle, else the nearest that was not skipped. */
static int choose(void *ctx, const struct stat_bisect *b, char **ret, struct err *err)
{
	unsigned bad = number(b->v[b->bad].name), good = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].verdict == STAT_BISECT_GOOD && number(b->v[i].name) > good)
			good = number(b->v[i].name);
	for (unsigned d = 0; d < bad - good; d++) {
		unsigned middle = (good + bad) / 2;

		for (int sign = -1; sign <= 1; sign += 2) {
			unsigned i = middle + (unsigned)(sign * (int)d);

			if (i > good && i < bad && !was_skipped(b, i)) {
				*ret = xasprintf("%u", i);
				return 0;
			}
		}
	}
	return 0;
}

static int parents(void *ctx, const char *commit, char ***ret, struct err *err)
{
	*ret = xcalloc(2, sizeof(**ret));
	(*ret)[0] = xasprintf("%u", number(commit) - 1);
	return 0;
}

static struct stat_bisect *search(struct world *w, double rate)
{
	_free_ char *bad = xasprintf("%u", w->n - 1);
	struct stat_bisect_config c = {
		.good = "0", .bad = bad, .error = 0.05, .rate = rate, .least = 0.1,
		.steps = (unsigned)ceil(log2(w->n)), .choose = choose, .parents = parents,
	};
	struct stat_bisect *b = stat_bisect_new(&c);
	struct err err = {};

	w->runs = 0;
	while (stat_bisect_next(b, &err) > 0) {
		unsigned at = number(b->v[b->at].name);

		if (at >= w->broken_from && at < w->broken_to) {
			stat_bisect_skip(b, "broken");
			continue;
		}
		w->runs++;
		stat_bisect_ran(b, chance(w) < (at >= w->culprit ? w->rate : w->before));
	}
	return b;
}

static unsigned answer(const struct stat_bisect *b)
{
	return number(b->v[b->at].name);
}

/* A test that always fails. */
static void test_sure(struct tap *t)
{
	for (unsigned culprit = 1; culprit < 100; culprit += 7) {
		struct world w = { .n = 100, .culprit = culprit, .rate = 1 };
		struct stat_bisect *b = search(&w, 0);

		ok(t, b->phase == STAT_BISECT_FOUND && answer(b) == culprit,
		   "always, from %u: phase %d, commit %u, %u runs", culprit, b->phase, answer(b),
		   w.runs);
		stat_bisect_free(b);
	}
}

/* How often wrong, of many; NULL: the rate is measured. */
static void test_promise(struct tap *t)
{
	static const struct {
		double rate;
		bool told;
	} ROWS[] = { { 0.2, true }, { 0.2, false }, { 0.5, false }, { 0.8, true } };
	enum { TIMES = 1500 };

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct world w = { .n = 64, .rate = ROWS[i].rate, .random = 1 + i };
		unsigned wrong = 0, none = 0, found = 0;
		uint64_t runs = 0;

		for (unsigned k = 0; k < TIMES; k++) {
			struct stat_bisect *b;

			w.culprit = 1 + k % 63;
			b = search(&w, ROWS[i].told ? w.rate : 0);
			found += b->phase == STAT_BISECT_FOUND;
			wrong += b->phase == STAT_BISECT_FOUND && answer(b) != w.culprit;
			none += b->phase != STAT_BISECT_FOUND;
			runs += w.runs;
			stat_bisect_free(b);
		}
		/* The promise, and three standard deviations of the count. */
		ok(t, wrong <= 0.05 * TIMES + 3 * sqrt(0.05 * 0.95 * TIMES),
		   "rate %g%s: %u of %u wrong, %u without an answer, %ju runs each", ROWS[i].rate,
		   ROWS[i].told ? "" : ", measured", wrong, found, none, (uintmax_t)(runs / TIMES));
		/* BAD or the culprit may pass too often: 10 times more rarely each; a rate
		 * that is not known may be taken for none. */
		ok(t, none <= 0.02 * TIMES + 3 * sqrt(0.02 * 0.98 * TIMES), "and answers: %u",
		   found);
	}
}

static void test_skipped(struct tap *t)
{
	struct world w = { .n = 100, .culprit = 30, .rate = 1, .broken_from = 40,
			   .broken_to = 60 };
	struct stat_bisect *b = search(&w, 1);
	unsigned skipped = 0;

	ok(t, b->phase == STAT_BISECT_FOUND && answer(b) == 30, "around what is broken: %u",
	   answer(b));
	stat_bisect_free(b);

	w.culprit = 50;
	b = search(&w, 1);
	for (size_t i = 0; i < b->n; i++)
		skipped += b->v[i].verdict == STAT_BISECT_SKIPPED;
	ok(t, b->phase == STAT_BISECT_FOUND && answer(b) == 60 && skipped == 20,
	   "inside of it: the first behind it, and %u before it that can't be tested", skipped);
	stat_bisect_free(b);
}

static const struct {
	struct world w;
	enum stat_bisect_phase phase;
	const char *what;
} ENDS[] = {
	{ { .n = 50, .culprit = 60, .rate = 1 }, STAT_BISECT_NOT_BAD, "passes on BAD" },
	{ { .n = 50, .culprit = 0, .rate = 1 }, STAT_BISECT_NOT_GOOD, "fails on GOOD" },
	{ { .n = 50, .culprit = 7, .rate = 1, .broken_from = 49, .broken_to = 50 },
	  STAT_BISECT_UNTESTED, "BAD is broken" },
	{ { .n = 50, .culprit = 7, .rate = 1, .broken_to = 1 }, STAT_BISECT_UNTESTED,
	  "GOOD is broken" },
};

static void test_ends(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ENDS); i++) {
		struct world w = ENDS[i].w;
		struct stat_bisect *b = search(&w, 0);

		ok(t, b->phase == ENDS[i].phase, "%s: phase %d, %u runs", ENDS[i].what, b->phase,
		   w.runs);
		stat_bisect_free(b);
	}
}

/* Runs as the rows say: passes '.', failures 'F', a commit that is broken '!'. */
static struct stat_bisect *play(const char *runs, double rate, char *ret_order, size_t size)
{
	struct stat_bisect_config c = {
		.good = "0", .bad = "8", .error = 0.05, .rate = rate, .least = 0.1, .steps = 3,
		.choose = choose, .parents = parents,
	};
	struct stat_bisect *b = stat_bisect_new(&c);

	*ret_order = '\0';
	for (; stat_bisect_next(b, NULL) > 0 && *runs; runs++) {
		size_t n = strlen(ret_order);

		snprintf(ret_order + n, size - n, "%s%c", b->v[b->at].name, *runs);
		if (*runs == '!')
			stat_bisect_skip(b, "broken");
		else
			stat_bisect_ran(b, *runs == 'F');
	}
	return b;
}

static void test_turns(struct tap *t)
{
	/* 90 %: a pass in 10 by chance, which is a step's; a parent passes twice, the
	 * culprit at most 3 times. */
	static const struct {
		const char *runs, *order;
		enum stat_bisect_phase phase;
		const char *answer;
	} ROWS[] = {
		{ "F.F.FF..", "8F0.4F2.3F3F2.2.", STAT_BISECT_FOUND, "3" },
		/* 4 passed by chance, which the end finds out; more steps than planned ask
		 * for more passes. */
		{ "F..FFFFF..F..", "8F0.4.6F5F5F4F2F1.1.2F1.1.", STAT_BISECT_FOUND, "2" },
		{ "F.FFF...", "8F0.4F2F1F1.1.1.", STAT_BISECT_UNSURE, "1" },
		{ "F.FFFFF", "8F0.4F2F1F1F0F", STAT_BISECT_NOT_GOOD, "0" },
		{ "F.F!FF..", "8F0.4F2!1F1F0.0.", STAT_BISECT_FOUND, "1" },
		/* Its parent can't be tested. */
		{ "F.F!.FF", "8F0.4F2!1.3F3F", STAT_BISECT_FOUND, "3" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		char order[256];
		struct stat_bisect *b = play(ROWS[i].runs, 0.9, order, sizeof(order));

		is_str(t, order, ROWS[i].order, ROWS[i].runs);
		ok(t, b->phase == ROWS[i].phase, "%s: phase %d", ROWS[i].runs, b->phase);
		is_str(t, b->v[b->at].name, ROWS[i].answer, "the answer");
		stat_bisect_free(b);
	}
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_sure(&t);
	test_promise(&t);
	test_skipped(&t);
	test_ends(&t);
	test_turns(&t);
	return tap_done(&t);
}
