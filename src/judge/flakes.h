/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Flakes: tests that failed, how often, at what cost, and how they behave: what
 * the command and the pages list. A flake is a test in one mode, on all axes of
 * that mode together: branches and machines are pooled by adding.
 *
 * A program's failures are told where none of its tests explains them. One whose
 * failures all are explained is .explained, and has the rate it had.
 */
#include "base/mem.h"
#include "judge/judge.h"
#include "stat/cost.h"
#include "stat/outage.h"
#include "stat/rate.h"

/* None of the test's axes has that run. */
#define JUDGE_CELL_NO_RUN  0xfd

/* A test on one axis. */
struct judge_part {
	const struct judge_series *s;
	uint32_t from;               /* places of the axis that are looked at: to its end */
	struct stat_cost cost;       /* in them */
	const struct stat_outages *outages;
};

struct judge_flake {
	const struct judge_part *parts;
	size_t n_parts;
	const struct judge_series *s; /* of the newest failure; else of any part */
	bool explained;
	struct stat_rate rate;       /* what failed in an outage: once for all of it */
	uint64_t counts[STATUS_N];   /* of the window; passes may be none: judge_lane.at_least */
	uint32_t outages;            /* that it failed in */
	struct stat_cost cost;
	uint32_t last;               /* run of the newest failure; UINT32_MAX: none */
	uint32_t flips;              /* held, then failed, or the other way: on each axis */
	/* On the axis of .s, at its end: > 0 so often it failed in a row, < 0 so often
	 * it held. */
	int32_t streak;
	int64_t cost_ms;             /* failures times the program's usual duration; -1: unknown */
};

struct judge_flakes_filter {
	struct str branch, mode, machine; /* empty: any; equal to the axis's */
	struct str suite;                 /* costs are of all suites together */
	int64_t since_ms;                 /* runs begun since; 0: all */
	uint32_t newest;                  /* of those the newest so many; 0: all */
	bool steady;                      /* also tests that never failed */
	/* Of each axis, as judge_outages() finds them; NULL: they are looked for. */
	const struct stat_outages *outages;
};

struct judge_flakes {
	const struct judge_run *runs;
	uint32_t n_runs, first;      /* the runs looked at: first <= run < n_runs */
	const struct judge_axis *axes;
	size_t n_axes;
	bool *asked;                 /* of each axis */
	const struct stat_outages *outages;
	size_t n_outages;            /* in the window, of the axes that were asked for */
	uint64_t tests;              /* leaves there were in it, in each mode */
	struct judge_flake *v;
	size_t n, cap;
	/* inside */
	struct stat_outages *own_outages;
	struct judge_part *parts;
	size_t n_parts;
};

/* Borrows @j. In no order to rely on: judge_flakes_sort(). */
void judge_flakes(const struct judge *j, const struct judge_flakes_filter *f,
		  struct judge_flakes *ret);
void judge_flakes_done(struct judge_flakes *f);

enum judge_sort {
	JUDGE_SORT_RATE,   /* fails most often */
	JUDGE_SORT_FLIPS,
	JUDGE_SORT_COST,   /* makes most runs red */
	JUDGE_SORT_RECENT, /* failed last */
	JUDGE_SORT_STREAK, /* fails the longest; of those that hold, the shortest */
	JUDGE_SORT_NAME,
	JUDGE_SORT_N,
};
extern const char *const JUDGE_SORTS[JUDGE_SORT_N + 1]; /* "rate", ...; NULL ends it */
void judge_flakes_sort(struct judge_flakes *f, enum judge_sort by);
int judge_str_order(struct str a, struct str b); /* of bytes, as memcmp() says */

/* What it said in a run, on several machines the worst: enum status, or
 * STORE_CELL_ABSENT, or one of the two above. */
uint8_t judge_flake_cell(const struct judge_flake *x, uint32_t run);
/* The first place of @run on the axis, or where it would be. */
uint32_t judge_place(const struct judge_axis *a, uint32_t run);
