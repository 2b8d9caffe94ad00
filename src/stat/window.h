/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Window: a failure rate, and of what it is one. Of one test or of many
 * together, in a range of runs, with outages as failures like any other, each
 * as one event, or not at all; and which of these.
 *
 * Rates of several modes, branches or machines are pooled by adding, which only
 * means something where they are about the same. Whether they are is told too:
 * by the likelihood ratio of a rate for each to one for all, change points'
 * model with Jeffreys' prior. From 20 on "strong", says the usual scale (Kass,
 * Raftery, "Bayes Factors", Journal of the American Statistical Association
 * 90, 1995, section 3.2).
 */
#include "stat/outage.h"
#include "stat/rate.h"

enum stat_outage_use {
	STAT_OUTAGES_COUNT, /* failures like any other */
	STAT_OUTAGES_ONCE,  /* all that is in an outage: one observation, one failure */
	STAT_OUTAGES_LEAVE, /* neither in n nor in k */
	STAT_OUTAGES_N,
};

extern const char *const STAT_OUTAGES_WORDS[STAT_OUTAGES_N]; /* "each outage counted once" */

struct stat_window {
	struct stat_rate rate;
	uint32_t from, to;        /* as asked: from <= run < to */
	uint32_t first, last;     /* runs in which it said something; n 0: both @from */
	enum stat_outage_use use;
	uint32_t outages;         /* in the window, that it failed in */
	uint64_t set_aside;       /* failures in them, which are not in k one by one */
};

/* @outages may be NULL: none. @n series together: n counts results. */
struct stat_window stat_window(const struct stat_series *const *series, size_t n, uint32_t from,
			       uint32_t to, const struct stat_outages *outages,
			       enum stat_outage_use use);

/* The same without the interval of its rate, which costs more than all else. */
struct stat_window stat_window_counts(const struct stat_series *const *series, size_t n,
				      uint32_t from, uint32_t to,
				      const struct stat_outages *outages,
				      enum stat_outage_use use);

struct stat_pool {
	struct stat_rate rate;
	double factor; /* likelihood of a rate for each, to one for all */
	bool differ;   /* factor >= 20: better told one by one */
};

struct stat_pool stat_pool(const struct stat_rate *v, size_t n);
