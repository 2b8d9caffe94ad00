/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Plan: what to do. The configuration (taproom.yaml, or the built-in MPTCP
 * plan), and the choice of tests by selectors. Starts nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One suite of the configuration. */
struct plan_suite {
	char *name;       /* "mptcp"; first part of a selector */
	char *kind;       /* "kselftest", "exec" */
	char *target;     /* kselftest: TARGETS= directory, "net/mptcp" */
	char *dir;        /* exec: directory of programs, or working directory */
	char **tests;     /* default choice, in this order; globs; n == 0: all */
	unsigned tests_count;
	char **env;       /* "K=V" */
	unsigned env_count;
	char *timeout;    /* of one test; NULL: the suite's own */
};

struct plan {
	char *path;       /* file it came from; NULL: built in */
	char *kernel;     /* --kernel default */
	char *branch;     /* label; NULL: the kernel's */
	struct plan_suite *suites;
	unsigned suites_count;
};

/* @path NULL: looked for in @dir and its parents, then in the user's
 * configuration directory, else built in. Errors carry file, line, column. */
int plan_load(const char *path, const char *dir, struct plan **ret, struct err *err);
struct plan *plan_free(struct plan *p);

/* A test as suites list them. */
struct plan_test {
	char *suite, *name;    /* "mptcp", "pm_netlink.sh" */
	char **argv;           /* NULL-ended; run in the machine */
	char **env;            /* NULL-ended; may be NULL */
	char *dir;
	int64_t timeout_ms;
	int64_t expect_ms;     /* from history; -1: unknown */
	bool by_default;       /* in the plan's default choice */
	char *subtests;        /* glob of a "suite/test/subtest" selector; NULL: all */
};

struct plan_tests {
	struct plan_test *v;
	size_t n, cap;
};

struct plan_test *plan_tests_add(struct plan_tests *t); /* zeroed, expect_ms -1 */
void plan_tests_done(struct plan_tests *t);

/*
 * Keeps what the selectors choose, in the order of the list: `suite`,
 * `suite/test`, `suite/test/subtest`, globs, kselftest's `target:test`,
 * `!selector` excludes. A test's name matches with or without ".sh". None:
 * the default choice. A selector that matches nothing is an error that names
 * near ones.
 */
int plan_select(struct plan_tests *tests, const char *const *selectors, size_t n,
		struct err *err);
