/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Series: a test's history as judgement reads it. Nearly all results are plain
 * passes, so a history is where it said something at all (ranges of runs) and
 * the runs in which it didn't pass. What is computed from it costs as much as
 * there are exceptions, not as there are runs.
 *
 * Runs are counted along an axis: 0, 1, 2 ... in the order in which they are
 * to be compared, usually those of one branch and mode. A run is an index into
 * the axis. To pool modes or machines, lay their runs on one axis, those of the
 * same commit side by side.
 *
 * All of it is borrowed: the arrays must live as long as what reads them. They
 * rise strictly. What breaks that, or lies outside the axis, is a mistake of
 * the caller's; bad and mute runs outside of the ranges count for nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAT_RUNS_MAX (1u << 24) /* on one axis */

struct stat_span {
	uint32_t from, to; /* from <= run < to; from < to */
};

struct stat_spans {
	const struct stat_span *v;
	size_t n; /* rising; they don't touch each other */
};

struct stat_runs {
	const uint32_t *v;
	size_t n;
};

struct stat_series {
	struct stat_spans in;  /* it was there, whatever it said */
	struct stat_runs mute; /* it was there and said nothing: skipped, harness error */
	struct stat_runs bad;  /* it failed: stat_says() of rate.h */
};

/* Which runs are of the same commit: the runs beside it on the axis. */
struct stat_axis {
	size_t n;
	uint32_t *begin, *end; /* of run r's commit: begin[r] <= r < end[r] */
};

/* @commit[n]: equal for runs of one commit, which must be neighbours; else any
 * number. n <= STAT_RUNS_MAX. */
void stat_axis_init(struct stat_axis *axis, const uint32_t *commit, size_t n);
void stat_axis_done(struct stat_axis *axis);

/* Counting from left to right: ask with runs that never fall. Zero-initialise. */
struct stat_cursor {
	size_t span, mute;
	uint32_t before; /* observations in the spans that are behind */
	uint32_t muted;  /* mute runs that are behind and in a span */
};

/* How many observations there are in runs before @run: n of runs 0 .. run - 1. */
uint32_t stat_series_rank(const struct stat_series *s, struct stat_cursor *c, uint32_t run);
/* The run of the observation number @i, from 0; i < stat_series_n(). */
uint32_t stat_series_run(const struct stat_series *s, uint32_t i);
uint32_t stat_series_n(const struct stat_series *s);

/* How many of @runs are in from <= run < to. */
size_t stat_runs_count(struct stat_runs runs, uint32_t from, uint32_t to);
bool stat_runs_have(struct stat_runs runs, uint32_t run);
bool stat_spans_have(struct stat_spans spans, uint32_t run);
/* How many runs the spans hold in from <= run < to. */
uint32_t stat_spans_count(struct stat_spans spans, uint32_t from, uint32_t to);

/* A piece of a series, for what has one rate: between two change points, or all
 * of it. What the series says counts inside of it only. */
struct stat_piece {
	const struct stat_series *series;
	uint32_t from, to; /* runs: from <= run < to */
};

/*
 * The series without some runs, outages say: what it said there counts as if it
 * had said nothing. *ret lives in @room, until the next call with that room;
 * zero-initialise it.
 */
struct stat_series_room {
	uint32_t *bad, *mute;
	size_t cap_bad, cap_mute;
};
void stat_series_without(const struct stat_series *s, struct stat_runs out,
			 struct stat_series_room *room, struct stat_series *ret);
void stat_series_room_done(struct stat_series_room *room);
