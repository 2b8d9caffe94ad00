/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Bisect: which commit made a test fail that may fail only sometimes. Pure: it says
 * which commit to run next, is told how each run went, and asks who knows the history
 * for the next commit to try. Told the same things again it stands where it stood.
 *
 * One failure makes a commit bad; how many passes in a row make it good follows from
 * how often the test fails on BAD. The only way to a wrong answer is a commit that has
 * the fault and passes so often. But then a parent of the answer has the fault too: so at
 * the end the culprit's parents are run again, as often as the stated error asks, and if
 * one fails the search goes on before it. Those runs are new ones, so that a wrong answer
 * gets through with at most that error, whatever led to it.
 *
 * That leaves it to the cost how sure each step is: all together may take a wrong turn
 * with at most STAT_BISECT_TURN, in equal shares of at most STAT_BISECT_STEP; what a
 * longer search needs more gets half of what is left. A search thus ends with a wrong
 * answer with at most half of the stated error (Boole's inequality over its steps). The
 * other half is for the rate: where it was measured, the passes are those of the rate
 * that the true one surely exceeds (stat_surely_more()), since one that was taken for too
 * high would mislead every step and the end alike.
 *
 * A test that fails on good commits too, for another reason, breaks what this rests on:
 * then GOOD fails, or the culprit does not fail again, and that is the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STAT_BISECT_PASSES_MAX 1000000
#define STAT_BISECT_TURN       0.5
#define STAT_BISECT_STEP       0.1

enum stat_bisect_verdict {
	STAT_BISECT_OPEN,
	STAT_BISECT_GOOD,
	STAT_BISECT_BAD,
	STAT_BISECT_SKIPPED,
};

struct stat_bisect_commit {
	char *name;
	enum stat_bisect_verdict verdict;
	uint64_t failures, runs;        /* all */
	uint64_t now_passes;            /* in a row, of the check that goes on */
	char *why;                      /* it can't be tested; NULL: it can */
};

enum stat_bisect_phase {
	STAT_BISECT_AT_BAD,     /* does it fail there, and how often? */
	STAT_BISECT_AT_GOOD,
	STAT_BISECT_SEARCH,
	STAT_BISECT_CULPRIT,    /* does it fail once more? */
	STAT_BISECT_PARENTS,
	STAT_BISECT_FOUND,      /* from here on it is over: .at is the culprit */
	STAT_BISECT_NOT_BAD,    /* .at passed so often that it is not */
	STAT_BISECT_NOT_GOOD,
	STAT_BISECT_UNSURE,     /* the culprit did not fail again */
	STAT_BISECT_UNTESTED,   /* GOOD or BAD can't be tested */
};

struct stat_bisect;

struct stat_bisect_config {
	const char *good, *bad;         /* copied */
	double error;                   /* > 0, < 1 */
	unsigned steps;                 /* that the history asks for, at most */
	double rate;                    /* of failures on BAD; 0: it is measured, */
	uint64_t k, n;                  /* on top of so many runs that failed so often */
	double least;                   /* a test that fails less often is not looked for */
	/* Of the commits between BAD and those that are good, the one to try, or NULL where
	 * only such are left as were skipped. Caller frees. 0 or -errno. */
	int (*choose)(void *ctx, const struct stat_bisect *b, char **ret, struct err *err);
	/* Its parents, NULL-ended; the same. */
	int (*parents)(void *ctx, const char *commit, char ***ret, struct err *err);
	void *ctx;
};

struct stat_bisect {
	struct stat_bisect_config config;
	enum stat_bisect_phase phase;
	struct stat_bisect_commit *v;   /* all that were tried, in that order; 0: BAD, 1: GOOD */
	size_t n, cap;
	size_t at;                      /* which runs next, or the answer */
	bool ended;                     /* the check of it has */
	size_t bad;                     /* the earliest that is bad */
	double rate;                    /* at least; 0 until BAD was looked at */
	uint64_t seen_k, seen_n;        /* failures and runs that it is of; 0: it was told */
	double share;                   /* of each step: its chance of a wrong turn */
	double spent;                   /* by those that were begun */
	uint64_t wanted;                /* passes that end the check that goes on */
	size_t *parents, n_parents, parent;
	unsigned step;                  /* of the search, from 1 */
};

struct stat_bisect *stat_bisect_new(const struct stat_bisect_config *c);
struct stat_bisect *stat_bisect_free(struct stat_bisect *b);
/* Is there one more to run? 1: b->v[b->at]; 0: it is over, b->phase says how. */
int stat_bisect_next(struct stat_bisect *b, struct err *err);
/*
 * Would more runs of BAD, which failed @k > 0 times of @n, save more than they cost?
 * Each tightens the rate, and with it the passes that good commits must have: GOOD, half
 * of the steps, a parent. Looks some failures ahead.
 */
bool stat_bisect_measures(const struct stat_bisect *b, uint64_t k, uint64_t n);
/* Passes that show a commit good at the end, and on the way; of b->rate. */
uint64_t stat_bisect_passes(const struct stat_bisect *b);
uint64_t stat_bisect_step_passes(const struct stat_bisect *b);
/* How the run of b->v[b->at] went; each behind a next() that said 1. */
void stat_bisect_ran(struct stat_bisect *b, bool failed);
void stat_bisect_skip(struct stat_bisect *b, const char *why);
