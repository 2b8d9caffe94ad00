/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Judgement over history: what a scan of the store told, laid out as stat/ reads
 * it. Results are compared along axes: the runs of one branch, mode and machine
 * in the order of time; or, pooled, of one mode on several branches or machines.
 * Nothing is written, printed or decided here about how it is shown.
 *
 * A place on an axis is one run on one machine. Pooled machines of one run stand
 * side by side; they are of the same commit, so no change is claimed to lie
 * between them.
 *
 * All that is told lives until judge_free().
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "stat/outage.h"
#include "stat/series.h"
#include "store/store.h"

struct judge;

struct judge_filter {
	struct store_scan_filter scan;
	bool pool_branches, pool_machines;
};

struct judge_run {
	int64_t id, begin_ms;
	struct str branch, commit; /* commit may be empty: unknown */
};

struct judge_lane;

/* A test on one axis. What it said is in places of that axis. */
struct judge_series {
	int64_t id;                  /* as store_test_get() has it */
	const struct judge_lane *lane;
	struct str path, key;        /* path: its newest name there */
	bool whole, leaf;
	unsigned nth;
	struct stat_series said;
	/*
	 * The same, of .bad only what none of the tests below it explains: a program
	 * fails with its subtests, and is worth a word of its own where it failed
	 * without any of them. Of a leaf it is .said.
	 */
	struct stat_series own;
	struct stat_runs skips;      /* part of .said.mute */
	const struct store_exception *exceptions; /* .at: places */
	size_t n_exceptions;
	uint64_t counts[STATUS_N];
};

/* A program (or what an alias makes one) on an axis. */
struct judge_lane {
	const struct judge_axis *axis;
	struct str suite, program;
	struct stat_spans in;        /* places at which it ran */
	struct stat_spans suite_in;  /* places at which any program of its suite ran */
	/*
	 * Nothing in it ever passed: who recorded it told failures only, so that a
	 * test appears or is gone means nothing.
	 */
	bool failures_only;
	bool at_least; /* a rate of it is at least what is told: published.h */
	const int32_t *ms;           /* axis->n of them, -1: unknown; NULL: not asked for */
	struct judge_series *series;
	size_t n;
};

struct judge_axis {
	struct str branch, mode, machine; /* empty where they are pooled */
	uint32_t n;                  /* places */
	const uint32_t *run;         /* [n]: index into the runs */
	struct stat_axis stat;
	struct judge_lane *lanes;
	size_t n_lanes;
};

/* Reads. 0, or what store_scan() says. */
int judge_load(struct store *s, const struct judge_filter *f, struct judge **ret,
	       struct err *err);
struct judge *judge_free(struct judge *j);

const struct judge_run *judge_runs(const struct judge *j, uint32_t *ret_n);
const struct judge_axis *judge_axes(const struct judge *j, size_t *ret_n);

static inline const struct judge_run *judge_run_at(const struct judge_run *runs,
						   const struct judge_axis *a, uint32_t place)
{
	return &runs[a->run[place]];
}

/* enum status at a place, or STORE_CELL_ABSENT. O(log n). */
uint8_t judge_cell(const struct judge_series *s, uint32_t place);
/* The same, where a history that tells failures only told none: it was there, and
 * held, or did not run. */
#define JUDGE_CELL_UNKNOWN 0xfe
uint8_t judge_cell_or_unknown(const struct judge_series *s, uint32_t place);

/*
 * The outages of an axis: runs in which so much failed at once that it is one
 * event. Base rates are those between change points. Free with
 * stat_outages_done().
 */
void judge_outages(const struct judge_axis *a, struct stat_outages *ret);
