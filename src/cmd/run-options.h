/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What `run` may be told: its options, and the configuration's `run` for those that
 * were not given.
 */
#include "cmd/cmd.h"
#include "cmd/machine-options.h"
#include "plan/plan.h"

struct run_options {
	struct cmd_common common;
	struct machine_options machine;
	const char *out, *tree, *sure;
	int repeat, retries, split;
	int64_t test_timeout_ms, silent_ms, job_timeout_ms, keep_ms;
	bool until_fail, fail_fast, list, dry, resume, keep;
};

/* "1%", "0.01": above 0, below 1. */
int run_options_rate(const char *text, double *ret, struct err *err);
/* Options that were not given are the configuration's. */
void run_options_default(struct run_options *o, const struct plan_run *run);
