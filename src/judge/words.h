/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Words: names and numbers of judgement, the same on a terminal, on pages and in
 * feeds.
 */
#include "base/out.h"
#include "judge/judge.h"
#include "stat/rate.h"

/* "mptcp/mptcp_join.sh/subtest", into @b; not escaped. */
void judge_name(struct buf *b, const struct judge_series *s);
/* "12", "0.32", "5.1": a share in %, two digits of what is small, without the sign. */
void judge_percent(struct out *o, double share);
/* "12.5 % of 48 [5.4-24]" */
void judge_rate(struct out *o, const struct stat_rate *r);
