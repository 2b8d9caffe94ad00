/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tracks: the executions of one program in one setting, in the order of runs.
 * They follow from the slices and are kept because a question about one test, or
 * about all of them at once, would otherwise read every run. When FOLD_RUNS runs
 * have ended they are folded: their executions go to the ends of their tracks,
 * cut into segments, and what is asked most of runs into the timeline. The runs
 * that are not folded yet are read from their slices.
 *
 *   segment  = { uint more, int run step, int outcome step, uint attempt } x n
 *              more: so many follow with the same step of runs, outcome, attempt
 *   times    = int duration: step to the one before, x executions
 *   timeline = uint bytes, pack_bytes( uint runs, uint branches, { uint bytes, text } each,
 *              int id step each, int begin step each, uint branch each,
 *              uint 2 * bytes + hex each ), pack_bytes( commit each )
 *              hex: the commit is twice so many digits
 */
#include "store/inside.h"

struct track_entry {
	int64_t run_id, outcome_id, duration_ms;
	unsigned attempt;
};

/* What is known of a run here; in the order of time. */
struct tracked_run {
	int64_t id, begin_ms;
	struct str branch, commit;
	unsigned branch_nth; /* equal for equal branches */
};

struct tracked {
	uint32_t run;     /* in .runs */
	uint32_t attempt;
	const struct outcome *outcome;
};

struct track {
	int64_t program_id;
	const struct setting *setting;
	struct tracked *v;   /* in the order of time */
	int64_t *times;      /* ms, when asked for */
	size_t n, cap, cap_times;
};

/* One execution of a run that is not folded. */
struct tail {
	struct track_entry x;
	int64_t program_id, setting_id;
	uint32_t run; /* in .runs */
};

struct tracks {
	struct tracked_run *runs;
	size_t n_runs, cap_runs;
	struct track *v;     /* of the programs that were read */
	size_t n, cap, made; /* made: have memory that is used again */
	struct tail *tail;   /* by program */
	size_t n_tail, cap_tail;
	struct str *branches;
	size_t n_branches, cap_branches;
	struct arena arena;
	uint32_t *by_id;     /* place + 1 of the run .first_id + i; 0: none */
	int64_t first_id;
	size_t n_by_id;
	struct map scattered; /* the same, where ids lie too far apart for it */
	struct track_entry *entries;
	size_t cap_entries;
	bool times;
};

/*
 * All runs; tracks come program by program. Inside of a transaction of the
 * caller's, or a fold may come between. tracks_done() even after an error.
 */
int tracks_read(struct store *s, bool times, struct tracks *ret, struct err *err);
/* Adds those of a program to .v; tracks_clear() before takes the earlier away. */
int tracks_add(struct store *s, int64_t program_id, struct tracks *t, struct err *err);
void tracks_clear(struct tracks *t);
void tracks_done(struct tracks *t);

/* For fold.c and its tests. */
void segment_pack(const struct track_entry *v, size_t n, struct buf *ret, struct buf *times);
/* Appends to *v. @times NULL: durations are -1. */
int segment_unpack(struct str body, const struct str *times, struct track_entry **v, size_t *n,
		   size_t *cap);
void timeline_pack(const struct tracked_run *v, size_t n, struct buf *ret);
/* Texts are copied to @arena. */
int timeline_unpack(struct str packed, struct arena *arena, struct tracked_run **v, size_t *n,
		    size_t *cap);
