/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * "Is it mine?" of one run on one axis (stat/mine.h), from the judged history:
 * rates before it since each last changed, what failed in outages left out. The
 * same as judge/base.h finds, without looking for change points again: those that
 * later runs made sure are known here too.
 */
#include "stat/mine.h"
#include "web/history.h"

struct web_mine {
	const struct web_history *history;
	const struct judge_axis *axis;
	uint32_t place;
	struct stat_rate *rates; /* of all tests there, for "any as steady" */
	size_t n;
};

void web_mine_init(struct web_mine *m, const struct web_history *h, const struct judge_axis *a,
		   uint32_t place);
void web_mine_done(struct web_mine *m);
/* Of a test of that axis that failed in @failed of @ran. */
struct stat_mine_test web_mine_test(const struct web_mine *m, const struct judge_series *s,
				    uint32_t failed, uint32_t ran);
/* Runs before, and those in outages of at least so many failures. */
struct stat_mine_past web_mine_past(const struct web_mine *m, size_t failures);
