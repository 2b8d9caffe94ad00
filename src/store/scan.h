/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What scan.c (runs and tracks into lanes) and lane.c (a lane into series) share.
 */
#include "store/track.h"

/* What stands at one place of a lane: an outcome, or what several make. */
struct cell {
	const struct shape *shape;
	const struct code_exception *exceptions;
	size_t n;
};

/* One series of the programs that are being told. */
struct local {
	int64_t id;
	const struct name *name;  /* its newest in the lane */
	uint32_t n_stretches, n_exceptions;
	struct store_stretch *stretches;
	struct store_exception *exceptions;
};

/* Which locals the places of a shape are. */
struct shape_locals {
	uint32_t *v;
};

struct lane {
	struct store_lane told;
	uint32_t *runs;
	int32_t *times;
	struct cell *cells;
	size_t n, cap, cap_runs, cap_times;
	/* Of its series; used again for the next lane. */
	struct store_stretch *stretches;
	struct store_exception *exceptions;
	size_t cap_stretches, cap_exceptions;
};

/* An execution on its way to its lane. */
struct item {
	struct tracked x;
	int32_t ms;
};

struct items {
	struct item *v;   /* by lane: branch, then setting */
	size_t n, cap;
	size_t *ends;     /* of each lane */
	size_t n_lanes, cap_lanes;
};

struct scan {
	struct store *s;
	const struct store_scan_filter *f;
	struct tracks tracks;
	uint32_t *run_nth;        /* of tracks.runs; UINT32_MAX: not chosen */
	struct store_scan_run *runs;
	uint32_t n_runs;
	struct map into;          /* series to the one it became: its id */
	struct map roots;         /* program to the one it is told with */
	/* Of the programs that are being told. */
	struct arena arena;
	struct map locals_of;     /* series to local, + 1 */
	struct map shapes;        /* shape to shape_locals */
	struct local *locals;
	size_t n_locals, cap_locals;
	uint8_t *merged;          /* status of each local while cells are merged */
	size_t cap_merged;
	struct lane lane;
	struct items items;
	struct err *err;
};

/* Through renames, as far as they go. */
int64_t scan_map_id(const struct map *m, int64_t id);
/* The series that the place of a shape is told as. An earlier name that stands
 * beside the new one, or beside another earlier one, is no earlier name there. */
int64_t scan_told_as(const struct map *into, const struct shape *s, size_t at);

/* The next place of the lane: the @n >= 1 executions of one run. */
void lane_add(struct scan *c, const struct tracked *v, size_t n, int32_t ms);
/* Tells every series of the lane, which is empty then. */
int lane_tell(struct scan *c, store_scanned_fn fn, void *ctx);
