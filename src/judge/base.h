/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Base rates: how often each test of an axis failed before some place of it,
 * from its last change point on, what failed in outages left out. What "is it
 * mine?" (stat/mine.h) compares with.
 */
#include "base/mem.h"
#include "judge/judge.h"
#include "stat/rate.h"

struct judge_base {
	const struct judge_series **series; /* leaves, and what failed without its leaves */
	struct stat_rate *rates;            /* of each */
	size_t n;
	struct stat_outages outages;
	struct arena arena;
};

/* Of the places before @upto. */
void judge_base_init(struct judge_base *b, const struct judge_axis *a, uint32_t upto);
void judge_base_done(struct judge_base *b);
/* NULL: it isn't among them. */
const struct stat_rate *judge_base_of(const struct judge_base *b, const struct judge_series *s);
