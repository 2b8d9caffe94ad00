/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A store with a past, for tests of the pages and nothing else: the same
 * bytes each time. Programs and tests have the names of real ones, so that
 * widths and shapes are real too; what happened to them is made up.
 */
#include "store/store.h"

/* @runs runs, oldest first, each recorded as a run records itself. With
 * @hostile every string from outside tries to break out of its context.
 * Logs are written below @dir, which must exist. */
int seed_store(struct store *store, const char *dir, unsigned runs, bool hostile,
	       struct err *err);
