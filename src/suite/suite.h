/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Suites: which tests there are. A kind knows how its programs are built on
 * the host, listed before anything runs, and started in a machine. One row
 * per kind in suites.c.
 */
#include "base/err.h"
#include "base/log.h"
#include "plan/plan.h"

struct suite_context {
	const char *cache_dir;
	const char *source;      /* kernel tree; NULL: none needed or had */
	const char *source_id;   /* what the tree is, for the cache: a version */
	const struct log *log;
};

struct suite_kind {
	const char *name;
	bool needs_source;
	/* Builds what is missing (cached), then appends its tests. */
	int (*list)(const struct plan_suite *suite, const struct suite_context *ctx,
		    struct plan_tests *tests, struct err *err);
};

extern const struct suite_kind SUITE_KINDS[];
extern const unsigned SUITE_KINDS_N;

const struct suite_kind *suite_kind_find(const char *name, struct err *err);
