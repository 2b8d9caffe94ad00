/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The progress line: what is running, for how long, what came out so far. One
 * line on standard error, redrawn in place, only on a terminal; whoever prints
 * above it clears it first. Without a terminal nothing is drawn.
 */
#include <stdbool.h>

#include "base/loop.h"
#include "run/run.h"
#include "tap/event.h"

struct progress;

/* @settings: what is to come, with how long it took before; borrowed; on so many
 * @machines at a time. @columns: of the terminal. Not drawn: no @terminal. */
struct progress *progress_new(struct loop *loop, bool terminal, bool colour, unsigned columns,
			      unsigned machines, const struct run_setting *settings,
			      unsigned n_settings);
struct progress *progress_free(struct progress *p); /* clears the line */
/* Counts; give it every event. */
struct event_sink progress_sink(struct progress *p);
/* What stands before the counts: borrowed until it is set again; NULL: nothing. */
void progress_note(struct progress *p, const char *note);
void progress_clear(struct progress *p); /* before printing above it */
void progress_draw(struct progress *p);  /* after */
