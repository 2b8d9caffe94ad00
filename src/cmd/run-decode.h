/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Splats of a run with the places in the source behind their frames, where the debug
 * info of the run's own kernel is at hand. It is looked for when the run is over, and
 * only if there was a splat: no machine waits meanwhile, and what was heard, judged and
 * excused stays as it was. Nothing that goes wrong here is more than a line of the log.
 */
#include "cmd/run-plan.h"
#include "store/store.h"

struct run_decode;

struct run_decode *run_decode_new(const struct run_plan *plan, const char *cache_dir,
				  const struct log *log);
struct run_decode *run_decode_free(struct run_decode *d);
/* Hears which kernel each job had, and whether there is something to do. */
struct event_sink run_decode_sink(struct run_decode *d);
/* After the run's end: the texts that its history keeps. */
void run_decode_stored(struct run_decode *d, struct store *store, int64_t run);
/* report_options.text, after the run's end. */
int run_decode_text(void *ctx, const struct event *splat, struct buf *ret);
