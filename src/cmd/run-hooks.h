/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Hooks: the configuration's commands around the tests, as programs of a suite "hooks",
 * and the one that the host runs before anything is built.
 */
#include "cmd/run-plan.h"

/* The part's .hooks, for its setting; `run` takes the place of its tests, unless some are
 * @named. After its kernel. */
void run_hooks_make(const struct plan *plan, struct run_part *part, bool named);
/* NULL: there is none. */
const struct plan_test *run_hook(const struct run_part *part, const char *name);
/* Runs `prepare` to its end, with its output on standard error. -EINTR: a signal ended
 * it; -EIO: it failed. */
int run_hooks_prepare(const struct plan *plan, const struct run_wish *wish, struct err *err);
