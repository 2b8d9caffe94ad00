/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * History, judged once for all pages of a site: every run and test there is, the
 * outages of each axis and what changed. As old as the site is.
 */
#include "judge/changes.h"
#include "judge/flakes.h"
#include "judge/words.h"
#include "web/tests.h"

struct web_history {
	struct judge *judge;
	const struct judge_run *runs; /* in the order of time */
	uint32_t n_runs;
	uint32_t *by_id;              /* the same, by id */
	const struct judge_axis *axes;
	size_t n_axes;
	struct stat_outages *outages; /* of each axis */
	struct judge_events events;   /* the newest first */
	const struct judge_event **changes; /* rates that changed for sure, by series */
	size_t n_changes;
	struct web_tests tests;
	unsigned users;
};

int web_history_new(struct store *store, struct web_history **ret, struct err *err);
/* Ends when the last that has a reference lets it go. Not for two threads at a time. */
struct web_history *web_history_ref(struct web_history *h);
struct web_history *web_history_free(struct web_history *h);

/* Rates of @s that changed, in no order. Returns how many follow *ret. */
size_t web_history_changes(const struct web_history *h, const struct judge_series *s,
			   const struct judge_event *const **ret);
/* The axis's outage that @run is in, or NULL. */
const struct stat_outage *web_history_outage(const struct web_history *h,
					     const struct judge_axis *a, uint32_t run);
/* Where the run of that id is, n_runs: it isn't judged: it has not ended. */
uint32_t web_history_run(const struct web_history *h, int64_t id);
/* Tests there are; a program is none beside its own. */
size_t web_history_leaves(const struct web_history *h);
/* Every result of every run: what the rates are made of. */
uint64_t web_history_results(const struct web_history *h);
/* The run before @run that is like it: on one of its axes, with one of its suites.
 * n_runs: there is none, or no such run. */
uint32_t web_history_before(const struct web_history *h, uint32_t run);
