/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Rate: how often a test fails, and how well that is known. Pure functions.
 *
 * The interval is Jeffreys': quantiles of Beta(k + 1/2, n - k + 1/2), with the
 * lower end 0 for k = 0 and the upper end 1 for k = n (Brown, Cai, DasGupta,
 * "Interval Estimation for a Binomial Proportion", Statistical Science 16(2),
 * 2001, section 4.1.2). It keeps its promise for rates near 0, where tests
 * live and where the textbook interval fails.
 *
 * What counts is said here once, for the command, the pages, and whoever else
 * tells a rate. n is the runs in which the test said something. Skipped,
 * absent, and a harness error say nothing of the test: they are not in n.
 * Flaky is a failure: that it is excused doesn't unmake it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap/event.h"

enum stat_say {
	STAT_NOTHING, /* skip, error, absent: not in n */
	STAT_HELD,    /* pass, xfail, xpass */
	STAT_FAILED,  /* fail, timeout, crash, missing, flaky: in n and k */
};

/* @cell: an enum status; whatever is none is absent. */
enum stat_say stat_says(uint8_t cell);

struct stat_rate {
	uint64_t k, n;
	double rate;      /* k / n; 0 when n is 0 */
	double low, high; /* 95 %; 0 and 1 when n is 0 */
};

struct stat_rate stat_rate(uint64_t k, uint64_t n); /* k <= n */
/* Whether it ever did. */
bool stat_failed(const uint8_t *cells, size_t n);
/* Of one test: a cell for each run, as stat_says() reads them. */
struct stat_rate stat_rate_of(const uint8_t *cells, size_t n);
/* For qsort(): the highest rate first; of equal ones that with the most runs. */
int stat_rate_order(const struct stat_rate *a, const struct stat_rate *b);
