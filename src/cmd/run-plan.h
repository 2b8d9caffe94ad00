/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From the words of a command line to what will be run: the configuration, the
 * kernel, the tests of its suites, the choice among them.
 */
#include "cmd/machine-options.h"
#include "cmd/order.h"
#include "plan/plan.h"

struct run_plan {
	struct plan *plan;
	struct kernel kernel;       /* .image NULL: none was needed */
	struct plan_tests tests;    /* chosen */
	const char *machine;        /* "qemu", "host" */
	struct plan_mode_all mode;
};

/* Finds, fetches and builds what is needed. -EINVAL: the configuration, an option
 * or a selector is wrong; -EINTR: a signal ended a build. */
int run_plan_make(struct machine_options *opt, const char *const *selectors, size_t n,
		  const char *cache_dir, const struct cmd *cmd, const struct log *log,
		  struct run_plan *ret, struct err *err);
void run_plan_done(struct run_plan *p);
