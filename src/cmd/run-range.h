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

/* Where both begin on one branch, what was before is of that branch too; *ret stays
 * NULL where they don't. Caller frees. */
int run_range_branch(struct store *s, const struct run_range *a, const struct run_range *b,
		     char **ret, struct err *err);

/* Which runs are like each other. */
struct run_lane {
	char *branch, *modes, *machines; /* as store_run has them */
};
void run_lane_done(struct run_lane *l);
/* "export debug on qemu: ": by what they were found to be like each other.
 * Nothing of an empty one. */
void run_lane_tell(struct out *o, const struct run_lane *l);

struct run_pair_filter {
	const char *branch, *mode; /* NULL: any; of what "latest" is */
};

/*
 * Two sides that are compared. "latest-N" beside a later run means the N-th run
 * before it that is like it: of the same branch, modes and machines, and with
 * one of its suites. Beside "latest-M" that is so N - M runs before that. What
 * else is said is taken as it is. *ret_lane is of both, where one was looked for
 * by the other; else empty. -ENOENT: no such run, or none that is like it.
 */
int run_range_pair(struct store *s, struct run_range *a, struct run_range *b,
		   const struct run_pair_filter *f, struct run_lane *ret_lane, struct err *err);
