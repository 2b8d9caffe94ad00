/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Append: what all kinds do alike to add their tests to the list. Inside
 * suite/ only.
 */
#include "plan/plan.h"

/* Owns its names. */
struct suite_names {
	char **v;
	size_t n, cap;
};

#define SUITE_NAMES_MAX 4096

/* -EFBIG when there are more than any suite has. */
int suite_names_add(struct suite_names *names, struct str name, struct err *err);
void suite_names_done(struct suite_names *names);

/*
 * Appends one test per name, the default choice first, in its order. Suite,
 * name, default, environment and the suite's timeout are filled in; @fill adds
 * argv, dir and its own timeout where t->timeout_ms is still -1.
 */
int suite_append(const struct plan_suite *suite, const struct suite_names *names,
		 int (*fill)(void *ctx, struct plan_test *t, struct err *err), void *ctx,
		 struct plan_tests *tests, struct err *err);

/* NULL-ended copies on the heap, for argv and env. */
char **suite_strings(const char *const *v, size_t n);
