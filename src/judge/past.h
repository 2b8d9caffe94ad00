/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Past: one test on one axis through time, what failed in outages left out:
 * stretches with one failure rate, where one became another, and where its
 * program became slower or faster.
 */
#include "judge/judge.h"
#include "stat/changepoint.h"
#include "stat/duration.h"

#define JUDGE_PACES_MAX 16

struct judge_past {
	const struct judge_series *s;
	const struct judge_axis *axis;
	struct stat_series said;     /* without what it said in outages */
	size_t n_left;               /* failures in them */
	struct stat_change *changes; /* in time */
	size_t n_changes;
	struct stat_pace paces[JUDGE_PACES_MAX]; /* of a program, where times are known */
	size_t n_paces;
	uint32_t first, last;        /* places it was there in */
	struct stat_series_room room;
};

/* @said: s->said, or s->own; @outages: places of the axis that are in one. Borrows
 * all of them. @steady: it is known that its rate did not change. */
void judge_past_init(struct judge_past *p, const struct judge_series *s,
		     const struct stat_series *said, struct stat_runs outages, bool steady);
void judge_past_done(struct judge_past *p);

struct judge_segment {
	uint32_t from, to;               /* places: from <= place < to */
	struct stat_rate rate;
	const struct stat_change *begin; /* NULL: the first */
};

/* The @i-th of .n_changes + 1, in time. */
struct judge_segment judge_past_segment(const struct judge_past *p, size_t i);

/* The program's durations in from <= place < to, where it ran and they are known:
 * v[to - from]. Returns how many: none of a test inside of a program. */
size_t judge_times(const struct judge_series *s, uint32_t from, uint32_t to,
		   struct stat_time *v);
/* Their median; *ret_n 0: none is known. */
uint32_t judge_median(const struct judge_series *s, uint32_t from, uint32_t to, size_t *ret_n);
