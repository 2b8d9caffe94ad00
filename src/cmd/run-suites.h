/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which tests a job has: its suites, listed by what the kernel and its source tell, and
 * the choice among them by the words of the command line, the job or the plan.
 */
#include "cmd/run-plan.h"

/* Fills @part's tests. -EINVAL: a word means no test, or one that can't run here. Lists
 * only the suites that the words may mean; tests are built from the source on the way. */
int run_suites_list(struct run_plan *p, struct run_part *part, const struct plan_job *job,
		    const struct run_wish *w, struct err *err);
/* Is a suite wanted whose tests are built from a kernel's source? */
bool run_suites_need_source(const struct run_plan *p, const struct plan_job *job,
			    const struct run_wish *w);
/* Does the command line name tests, rather than leave some out? */
bool run_suites_named(const struct run_wish *w);
