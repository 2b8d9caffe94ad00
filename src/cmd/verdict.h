/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Verdict: what is known of a run's failures from the runs before it, for its
 * conclusion: "2 known flaky (0.32 % [0.15-0.69], 6/1886; ...), 1 new (0/1886)".
 * A sink of the run's events; failures that a rule excuses are not its business.
 */
#include "store/store.h"
#include "tap/event.h"

struct verdict;

struct verdict *verdict_new(void);
struct verdict *verdict_free(struct verdict *v);
struct event_sink verdict_sink(struct verdict *v);
/* How many tests failed so far. */
size_t verdict_failed(const struct verdict *v);
/* Appends the words, nothing where nothing failed. What was before: the runs of
 * the same branch, mode and machine that began before this one. */
int verdict_tell(const struct verdict *v, struct store *s, int64_t run_id, struct buf *b,
		 struct err *err);
