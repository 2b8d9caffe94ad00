/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A run as store_run_find() takes it, or FIRST..LAST, all that began between. */
#include "judge/judge.h"

struct run_range {
	const char *spec;
	int64_t first, last;   /* ids */
	uint32_t from, to;     /* indexes of the scan's runs: from <= i < to */
};

/* Its ends, by .spec. 0, or what store_run_find() says. */
int run_range_find(struct store *s, struct run_range *x, struct err *err);
/* Where they are among the runs that were read. -EINVAL: not there, or no range. */
int run_range_place(struct run_range *x, const struct judge_run *runs, uint32_t n,
		    struct err *err);
