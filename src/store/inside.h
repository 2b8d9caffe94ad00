/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the files of this room share and nobody else sees.
 */
#include "store/db.h"
#include "store/store.h"

/* Results of one execution that are kept; more is PROBLEM_TOO_MANY. */
#define RESULTS_MAX (1u << 18)
/* Bytes of one execution's results, names and reasons while it runs. */
#define EXECUTION_BYTES_MAX (256u << 20)
/* Names from the program down to a result. */
#define PATH_DEPTH_MAX 64

struct store {
	struct db *db;
	char *path;
	char *dir; /* artefacts: "<path>.d" */
};

/*
 * Whether a run that says "running" is, without trust in process numbers: its
 * recorder holds a flock(2) on this file of the artefact directory. It goes
 * with its holder whatever ended that, across reboots and containers.
 */
char *store_lock_path(const struct store *s, struct str uid);
bool store_run_alive(const struct store *s, struct str uid);

/* "pass=40 skip=1" */
void store_counts_format(const uint64_t counts[static STATUS_N], struct buf *ret);
void store_counts_parse(struct str text, uint64_t ret[static STATUS_N]);
