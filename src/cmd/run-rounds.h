/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Rounds: what the runs of --repeat, --until-fail and --until-sure say together: how
 * often each test failed so far, and whether that is known well enough. A test that
 * a retry took back has failed; one that was skipped, or that the harness failed to
 * run, says nothing (stat/rate.h).
 */
#include "base/out.h"
#include "stat/rate.h"
#include "tap/event.h"

struct rounds;

struct rounds *rounds_new(void);
struct rounds *rounds_free(struct rounds *r);
struct event_sink rounds_sink(struct rounds *r);
/* The title of the run that is round @n (1...) of a call whose runs have the title @of;
 * and the round that a title tells, 0: none. */
char *rounds_title(const char *of, int n);
int rounds_title_read(const char *title);
/* Of the runs that ended so far: those in which any test failed. */
struct stat_rate rounds_rate(const struct rounds *r);
/* Do all tests surely fail more often, or less often, than @rate? With a chance to be
 * wrong about any of them of at most @error. */
bool rounds_sure(const struct rounds *r, double rate, double error);
/* A line for each test, the worst first, those that never failed in one. @rate: what it
 * is surely more or less than; 0: it is not asked. */
void rounds_print(struct rounds *r, double rate, double error, struct out *out);
