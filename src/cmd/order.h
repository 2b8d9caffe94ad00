/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Order: from the words of a command line to a kernel: which one, found or built,
 * in which mode. What run, exec, shell and build share.
 */
#include "cmd/cmd.h"
#include "cmd/machine-options.h"
#include "plan/plan.h"

/* --kernel, else the configuration's, else "." if it is a kernel tree, else
 * "debian". @plan may be NULL. */
const char *order_spec(const struct machine_options *o, const struct plan *plan);
/* Will that be built? Then the plan has a say: its modes, its tests. */
bool order_builds(const struct machine_options *o, const char *spec);

/* Has a word when a kernel is not built yet, of which there is the source alone: less than
 * 0, and it is not built. */
struct order_before {
	int (*may_build)(void *ctx, const struct kernel *source, struct err *err);
	void *ctx;
};

/*
 * The kernel for a machine of @kind ("auto", "uml", ...). @mode: --mode's, or one
 * of several. Finds it, or builds it with progress on standard error. Fills
 * @ret_mode, which borrows from @plan; @o->memory becomes the mode's where it is
 * not said. @before may be NULL. -EINVAL: a mistake in the options; -EINTR: stopped by a signal.
 */
int order_kernel(struct machine_options *o, const struct plan *plan, const char *mode,
		 const char *kind, const char *cache_dir, const struct cmd *cmd,
		 const struct log *log, const struct order_before *before, struct kernel *ret,
		 struct plan_mode_all *ret_mode, struct err *err);
