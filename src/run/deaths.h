/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Deaths: which tests took their machine along, in which mode and on which kind
 * of machine, and how often, over all runs of one invocation (--repeat). One that
 * did it twice is not started a third time. Private to run/, but for making it
 * (run.h).
 */
#include "run/run.h"

/* One more; @why is what the machine's end was called. */
void run_deaths_add(struct run_deaths *d, const struct run_setting *s,
		    const struct plan_test *t, const char *why);
/* How often, and how the last was called; NULL without one. */
unsigned run_deaths_of(const struct run_deaths *d, const struct run_setting *s,
		       const struct plan_test *t, const char **ret_why);
