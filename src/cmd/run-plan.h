/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From the words of a command line to what will be run: the configuration, the
 * kernel, the tests of its suites, the choice among them.
 */
#include "cmd/machine-options.h"
#include "plan/plan.h"

struct run_plan {
	struct plan *plan;
	struct kernel kernel;       /* .image NULL: none was needed */
	struct plan_tests tests;    /* chosen */
	const char *machine;        /* "qemu", "host" */
};

/* @config: file of --config, or NULL. Finds, fetches and builds what is needed.
 * -EINVAL: the configuration or a selector is wrong. */
int run_plan_make(const char *config, const struct machine_options *opt,
		  const char *const *selectors, size_t n, const char *cache_dir,
		  const struct log *log, struct run_plan *ret, struct err *err);
void run_plan_done(struct run_plan *p);

/* --kernel, else the configuration's, else "." if it is a kernel tree, else
 * "debian". @plan may be NULL. */
const char *run_plan_kernel(const struct machine_options *opt, const struct plan *plan);
