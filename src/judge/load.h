/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What load.c (a scan into raw lanes) and axes.c (raw lanes onto axes) share.
 */
#include "base/mem.h"
#include "judge/judge.h"

struct raw_series {
	int64_t id;
	struct str path, key;
	bool whole, leaf;
	unsigned nth;
	const struct store_stretch *present;
	const struct store_exception *exceptions;
	size_t n_present, n_exceptions;
	uint64_t counts[STATUS_N];
	uint32_t lane;
};

struct raw_lane {
	struct str branch, mode, machine, suite, program;
	const uint32_t *runs;
	const int32_t *times;
	uint32_t n, machine_nth, axis;
	uint32_t *at;          /* [n]: places */
	uint32_t *breaks;      /* indexes whose place doesn't follow on the one before */
	uint32_t n_breaks;
	size_t first, count;   /* its series */
};

struct judge {
	struct arena arena;    /* all that lasts */
	struct judge_run *runs;
	uint32_t n_runs;
	struct judge_axis *axes;
	size_t n_axes, cap_axes;
};

struct load {
	struct judge *j;
	const struct judge_filter *f;
	struct arena arena;    /* gone when it is loaded, but for names */
	struct raw_lane *lanes;
	size_t n_lanes, cap_lanes;
	struct raw_series *series;
	size_t n_series, cap_series;
	struct str *machines;
	uint32_t n_machines;
	size_t cap_machines;
};

/* @n of @size, in the arena. */
void *load_copy(struct arena *a, const void *p, size_t n, size_t size);
/* The @nth axis of l->j: its places, lanes and series, of the raw lanes that have it. */
void load_axis(struct load *l, uint32_t nth);
