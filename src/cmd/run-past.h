/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Past: what a run that was interrupted has recorded, for `run --resume`: its words,
 * and which of its tests need not run again.
 */
#include "cmd/run-plan.h"
#include "store/store.h"

struct run_past {
	int64_t id;
	char *uid, *commit, *title, *branch, *command;
	char *dir;              /* where it was called from; NULL: here */
	char **words;           /* of its call, "taproom" first */
	char **argv;            /* the same, for who reads them as options, in any order */
	int n_words;
	struct past_program *v; /* the last attempt of each */
	size_t n, cap;
	size_t done;            /* tests that are not run again */
};

/* @spec as store_run_find() takes it; NULL: the newest that was interrupted. -ENOENT. */
int run_past_load(struct store *s, const char *spec, struct run_past *ret, struct err *err);
/* Takes what is done out of the plan. One that failed and has retries left, and one that
 * was stopped while it ran, comes as its next attempt. */
void run_past_apply(struct run_past *past, struct run_plan *p, unsigned retries);
/* Tells what is recorded, without the run's begin and end. */
void run_past_tell(const struct run_past *past, struct store *s, const struct event_sink *sink);
void run_past_done(struct run_past *past);
