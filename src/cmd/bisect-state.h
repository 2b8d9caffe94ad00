/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * State: what a bisection has found out so far, a file in the cache that is added to
 * run by run, so that whatever ends it, the same call goes on. The history has the
 * runs; this has which commit each was of, and what could not be built at all.
 *
 *   <cache>/bisects/<of which call>        "taproom-bisect 1", "dir DIR", "call WORDS",
 *                                          then a line for each run: "pass ID RUN",
 *                                          "fail ID RUN", "skip ID WHY"; before them
 *                                          "rate K N", where the history knew one
 *   <cache>/bisects/<...>.lock             held while one goes on
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum bisect_what { BISECT_PASS, BISECT_FAIL, BISECT_SKIP };

struct bisect_entry {
	enum bisect_what what;
	char *commit;
	int64_t run;    /* in the history; 0: none */
	char *why;      /* of a skip */
};

struct bisect_state {
	char *path;
	int lock, fd;                /* -1: none */
	uint64_t rate_k, rate_n;     /* how often BAD failed before; 0: unknown */
	struct bisect_entry *v;
	size_t n, cap;
};

/* Of the call whose @key that is; made where it is new. -EBUSY: it goes on already. */
int bisect_state_open(const char *cache_dir, uint64_t key, const char *dir, const char *call,
		      struct bisect_state *ret, struct err *err);
/* The one that was last written to: where it was called, and its words. -ENOENT. */
int bisect_state_newest(const char *cache_dir, char **ret_dir, char **ret_call,
			struct err *err);
/* Durable when it returns. */
int bisect_state_add(struct bisect_state *s, enum bisect_what what, const char *commit,
		     int64_t run, const char *why, struct err *err);
int bisect_state_rate(struct bisect_state *s, uint64_t k, uint64_t n, struct err *err);
/* All that is in it counts no more. */
int bisect_state_restart(struct bisect_state *s, const char *dir, const char *call,
			 struct err *err);
void bisect_state_close(struct bisect_state *s, bool forget);
