/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A history as long as one likes, said in events, that follows a real one: the
 * MPTCP upstream CI's, 2.4 years of it. The same number gives the same run.
 *
 * Taken from there: the names (store-series.tsv, program and test), filled up
 * with variants of them to 2,000 in 40 programs; the failure rates (median of a
 * test that ever failed 0.15 %, a long tail); that debug fails half as often
 * again; stretches in which a test was broken or very flaky; outages, in which
 * 15 to 20 tests of a run fail at once; tests that a stable branch always skips;
 * tests that come, go, are renumbered or renamed; failed programs that are run
 * again; logs that are now and then some lines longer.
 */
#include "base/err.h"
#include "tap/event.h"

struct history;

int history_new(const char *series, bool durations, struct history **ret, struct err *err);
struct history *history_free(struct history *h);
void history_say(struct history *h, unsigned run, struct event_sink sink);
double history_results(const struct history *h); /* of one run, about */
