/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suite/append.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"

int suite_names_add(struct suite_names *names, struct str name, struct err *err)
{
	if (names->n == SUITE_NAMES_MAX)
		return err_set(err, EFBIG, "more than %d tests", SUITE_NAMES_MAX);
	ARRAY_GROW(names->v, names->n, names->cap);
	names->v[names->n++] = xstrndup(name.p, name.n);
	return 0;
}

void suite_names_done(struct suite_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct suite_names){};
}

char **suite_strings(const char *const *v, size_t n)
{
	char **copy = xcalloc(n + 1, sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(v[i]);
	return copy;
}

static int append_one(const struct plan_suite *suite, const char *name,
		      int (*fill)(void *ctx, struct plan_test *t, struct err *err), void *ctx,
		      struct plan_tests *tests, struct err *err)
{
	struct plan_test *t = plan_tests_add(tests);

	t->suite = xstrdup(suite->name);
	t->name = xstrdup(name);
	t->by_default = plan_suite_rank(suite, name) >= 0;
	t->timeout_ms = -1;
	if (suite->env_count)
		t->env = suite_strings((const char *const *)suite->env, suite->env_count);
	/* Checked when the plan was read. */
	if (suite->timeout)
		duration_parse(str_of(suite->timeout), &t->timeout_ms, NULL);
	return fill(ctx, t, err);
}

int suite_append(const struct plan_suite *suite, const struct suite_names *names,
		 int (*fill)(void *ctx, struct plan_test *t, struct err *err), void *ctx,
		 struct plan_tests *tests, struct err *err)
{
	int last = suite->tests_count ? (int)suite->tests_count : 1, r = 0;

	for (int rank = 0; rank <= last; rank++) {
		int wanted = rank < last ? rank : -1;

		for (size_t i = 0; i < names->n && r == 0; i++)
			if (plan_suite_rank(suite, names->v[i]) == wanted)
				r = append_one(suite, names->v[i], fill, ctx, tests, err);
	}
	return r;
}
