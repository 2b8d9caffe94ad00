/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Duration: where a test became slower or faster. As with failure rates a
 * stretch is cut in two where two models explain it better than one, only
 * between commits; here the logarithm of the time is normal, with a mean and a
 * variance that are not known. The likelihood of a stretch is that of the
 * normal-gamma model (K. Murphy, "Conjugate Bayesian analysis of the Gaussian
 * distribution", 2007, section 3: the marginal likelihood), with the median as
 * the mean's prior, worth a tenth of an observation, and a shape of 1.
 *
 * Robust in three ways. The prior's variance is from the median difference of
 * neighbours, which a step doesn't widen (for normal values the median of
 * |x - y| is 0.9539 sigma). A value that is 5 of these sigmas away from the
 * median of the five before it, and to the same side from that of the five
 * behind, is taken as the nearer median: a timeout, a stalled host. And what is
 * told are medians.
 *
 * A cut needs a likelihood ratio of 10,000 (more than 2,000 values: n / 0.2, as
 * for failure rates), three values on either side, medians a tenth and 50 ms
 * apart. That a host was slow for a week is a change too: look at the other
 * tests of the same runs.
 */
#include "stat/series.h"

#define STAT_TIMES_MAX 16384 /* of one series: the last of them are read */

struct stat_time {
	uint32_t run; /* of the axis; rising */
	uint32_t ms;
};

struct stat_pace {
	uint32_t last, run;            /* the last run before the change, the first after */
	uint32_t before_ms, after_ms;  /* medians of the stretches beside it */
	uint32_t n_before, n_after;
	double gain;                   /* ln of the likelihood ratio */
};

/* ret[max], in time; the first of them, if there are more. Returns how many. */
size_t stat_paces(const struct stat_axis *axis, const struct stat_time *v, size_t n,
		  struct stat_pace *ret, size_t max);
uint32_t stat_time_median(const struct stat_time *v, size_t n); /* n 0: 0 */
