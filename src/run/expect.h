/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Expect: the results that a test was listed with (plan_test.expects), and which of
 * them never came: told by their names, instead of by their numbers. Private to run/.
 */
#include "plan/plan.h"
#include "tap/event.h"

struct expect;

/* NULL for a test that was listed without. */
struct expect *expect_new(const struct plan_test *test);
struct expect *expect_free(struct expect *e);
/* False: it stands for one that is told later, by its name. */
bool expect_saw(struct expect *e, const struct event_result *result);
/* How many never came. */
unsigned expect_owed(const struct expect *e);
/* Tells them to @sink: the first one as @first, since tests run in order, the rest is
 * missing. */
void expect_tell(const struct expect *e, enum status first, unsigned job, unsigned program,
		 struct event_sink sink);
