/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the files of this room share and nobody else sees.
 */
#include "store/dict.h"
#include "store/store.h"

/* Results of one execution that are kept; more is PROBLEM_TOO_MANY. */
#define RESULTS_MAX (1u << 18)
/* Bytes of one execution's results, names and reasons while it runs. */
#define EXECUTION_BYTES_MAX (256u << 20)
/* Names from the program down to a result. */
#define PATH_DEPTH_MAX 64
/* Bytes of a splat's text; of a run that was here its console kept it far smaller. */
#define SPLAT_TEXT_MAX (16u << 20)

struct execution;

struct store {
	struct db *db;
	struct dict dict;
	char *path;
	char *dir; /* artefacts: "<path>.d" */
	struct execution *spare;
};

/*
 * Transactions, with what the dict learnt in them. store_end(): commit when @r
 * is 0, else (or when that fails) rollback; returns @r, or why it failed.
 */
int store_begin(struct store *s, struct err *err);
int store_end(struct store *s, int r, struct err *err);
void store_rollback(struct store *s);

/*
 * Whether a run that says "running" is, without trust in process numbers: its
 * recorder holds a flock(2) on this file of the artefact directory. It goes
 * with its holder whatever ended that, across reboots and containers. On a server
 * it is a lock of the session instead. -EBUSY: somebody else holds it.
 */
char *store_lock_path(const struct store *s, struct str uid);
int store_run_claim(struct store *s, struct str uid, int *ret_fd, struct err *err);
void store_run_release(struct store *s, struct str uid, int *fd);
bool store_run_alive(const struct store *s, struct str uid);

/* A failure that a retry took back is what flaky means. A harness error was no
 * failure: the retry's word stands. Two executions of the same program beside
 * each other are as good as the worse. @before: STORE_CELL_ABSENT for the first. */
uint8_t store_cell_merge(uint8_t before, uint8_t now, unsigned attempt);

/* Folds runs that have ended when there are @least (track.h). */
#define FOLD_RUNS 512
int store_fold(struct store *s, unsigned least, struct err *err);
/* All anew, from the slices. */
int store_refold(struct store *s, struct err *err);

/*
 * "tests=85 ended=12 pass=40 skip=1": what a run's row counts. How far it is stands
 * there where the number of tests was told, and what runs (running.c); who does not know
 * a word passes it over.
 */
struct store_counts {
	uint64_t tests, ended; /* as in struct store_run */
	uint64_t status[STATUS_N];
};
void store_counts_format(const struct store_counts *counts, struct buf *ret);
void store_counts_parse(struct str text, struct store_counts *ret);
