/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Suites: which tests there are. A kind knows how its programs are built on
 * the host, listed before anything runs, and started in a machine. One row
 * per kind in suites.c.
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "plan/plan.h"

struct suite_context {
	const char *cache_dir;
	const char *source;      /* kernel tree; NULL: none needed or had */
	const char *source_id;   /* changes when the tree does: names the cache */
	const char *machine;     /* "qemu", "host" */
	/* The kernel that will run: its .config, NULL: unknown, and how to read it, as
	 * kernel_config_value(): for it =y and =m differ. */
	const char *image;       /* NULL: the host's */
	const char *config;
	char (*value)(const char *config_path, const char *name);
	/* The ELF kernel inside @image, as vmlinux_open(). */
	int (*vmlinux)(const char *image, const char *cache_dir, int *ret_fd, struct err *err);
	/* Its KUnit suites, as kernel_kunit() tells them; NULL: those built in are not known. */
	const char *kunit;
	const struct log *log;
};

struct suite_kind {
	const char *name;
	bool needs_source;
	bool needs_kunit;        /* .kunit */
	/* Builds what is missing (cached), then appends its tests: the default
	 * choice first, in its order. */
	int (*list)(const struct plan_suite *suite, const struct suite_context *ctx,
		    struct plan_tests *tests, struct err *err);
};

extern const struct suite_kind SUITE_KINDS[];
extern const unsigned SUITE_KINDS_N;

const struct suite_kind *suite_kind_find(const char *name, struct err *err);
