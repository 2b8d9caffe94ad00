/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From the words of a command line to what will be run: the configuration, its
 * jobs (modes on kinds of machines), their kernels, the tests of their suites, the
 * choice among them. A kernel that several jobs need is built once.
 */
#include "cmd/machine-options.h"
#include "cmd/order.h"
#include "plan/plan.h"
#include "run/run.h"

/* A job of the matrix. */
struct run_part {
	struct kernel *kernel;      /* of the plan's; NULL: none was needed */
	struct plan_mode_all mode;
	struct plan_tests tests;    /* chosen */
	struct plan_tests hooks;    /* "pre", "post", where there are such */
	const char *machine;        /* "qemu", "host" */
	struct machine_config config;
	bool alone;                 /* the only job */
	char *why_not;              /* its kernel can't be had; NULL: it can */
};

struct run_plan {
	struct plan *plan;
	struct run_part *parts;
	struct run_setting *settings; /* the same, for run/ */
	unsigned n_parts;
	/* Kernels of the jobs, one for each mode and architecture. */
	struct run_kernel *kernels;
	unsigned n_kernels;
};

struct run_wish {
	struct machine_options *machine;
	const char *const *selectors; /* of the command line */
	size_t n_selectors;
	const struct plan_source *source; /* NULL: the usual kernel */
	bool dry;                   /* builds no kernel: only its source, for the tests */
	bool source_wanted;         /* even where no test is built of it */
	const char *cache_dir;
	const struct cmd *cmd;
	const struct log *log;
};

/* The configuration that --config names, or that is found from here. */
int run_plan_load(const struct machine_options *o, struct plan **ret, struct err *err);
/*
 * Finds, fetches and builds what is needed. Takes @plan, whatever happens. -EINVAL:
 * the configuration, an option or a selector is wrong; -EINTR: a signal ended a
 * build. Where one kernel of several can't be built the others' jobs go on.
 */
int run_plan_make(struct plan *plan, const struct run_wish *wish, struct run_plan *ret,
		  struct err *err);
void run_plan_done(struct run_plan *p);
/* The first kernel that there is, for the record; NULL: none. */
const struct kernel *run_plan_kernel(const struct run_plan *p);
size_t run_plan_tests(const struct run_plan *p);
