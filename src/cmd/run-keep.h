/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Machines that stay when a run is over (run --keep), until they were left alone for
 * some time, their launcher is interrupted, or they die: who may enter them, and by
 * which words.
 *
 * A machine's ID is its work directory's name and the number of its job: "k3fQ9x-1".
 */
#include "base/log.h"
#include "base/loop.h"
#include "run/run.h"

struct run_keep;

/* @idle_ms: for how long nobody is in one before it ends. */
struct run_keep *run_keep_new(struct loop *loop, const struct log *log, int64_t idle_ms);
/* Ends them all. */
struct run_keep *run_keep_free(struct run_keep *k);
/* As run_config.keep has it. */
void run_keep_take(void *keep, struct machine *m, struct run_kept *what);
/* Tells how they are entered, then turns the loop until none is left or
 * run_keep_stop(). */
void run_keep_wait(struct run_keep *k);
void run_keep_stop(struct run_keep *k);

/* From outside, as machine_enter(): the machine @id; -ENOENT names those that are. */
int run_keep_enter(const char *id, const char *cache_dir, const char *work_dir,
		   struct loop *loop, const struct log *log, const struct machine_events *events,
		   void *ctx, struct machine **ret, struct err *err);
