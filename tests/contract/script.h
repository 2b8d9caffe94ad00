/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Script: writes and questions for every kind of store. The same writes are the same
 * bytes each time, so that the answers are.
 */
#include "unit/store-place.h"

#define SCRIPT_RUNS 30

/* One run: two tests, one of them twice, odd names, a splat now and then. */
struct script {
	const char *prefix; /* of the run's id */
	const char *log;    /* a file to keep, or NULL */
	unsigned nth;       /* what is random in it */
	bool whole;         /* in one transaction */
};

int script_run(struct store *s, const struct script *x, struct err *err);
/* SCRIPT_RUNS of them, folded on the way, a splat's text changed, a test renamed. */
int script_write(struct store *s, const char *log, struct err *err);
/* Every question, several ways; adds the answers to @b. */
int script_ask(struct store *s, struct buf *b, struct err *err);
