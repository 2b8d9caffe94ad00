/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's unit tests (Documentation/dev-tools/kunit). One test per KUnit
 * suite, whether it is built in or in a module. A suite that is built in runs
 * while the kernel boots, so that each gets a boot of its own, with a filter: what
 * crashes is known by its name, and the others run all the same. Results are read
 * from debugfs; where there is none, or the machine died, they are on the console.
 *
 * `tests`: names and patterns of KUnit suites. A name is planned even if the kernel
 * does not have it. `target`: the option that brings them, for messages.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "suite/append.h"
#include "suite/kinds.h"

#define TIMEOUT_DEFAULT_MS (300 * INT64_C(1000)) /* as kunit.py has it for them all */

/* $1: suite, $2: module or nothing. Without the file the console tells. */
static const char SCRIPT[] =
	"f=/sys/kernel/debug/kunit/$1/results\n"
	"[ -z \"$2\" ] || modprobe \"$2\" || exit\n"
	"[ ! -r \"$f\" ] || exec cat \"$f\"\n";

struct listing {
	const struct plan_suite *suite;
	const struct suite_context *ctx;
	struct suite_names names;
	bool any_built_in;
};

/* The line of a suite in what the kernel has; @ret_module: empty if it is built in. */
static bool find(const char *kunit, const char *name, struct str *ret_module,
		 struct str *ret_cases)
{
	for (struct str rest = str_of(kunit); rest.n;) {
		struct str line = str_cut(&rest, '\n'), own = str_cut(&line, '\t');

		if (!str_eq(own, str_of(name)))
			continue;
		*ret_module = str_cut(&line, '\t');
		*ret_cases = line;
		return true;
	}
	return false;
}

/* The names of the results that will come. */
static char **expected(const char *suite, struct str cases)
{
	char **v = NULL;
	size_t n = 0, cap = 0;

	while (cases.n) {
		struct str one = str_cut(&cases, ' ');

		ARRAY_GROW(v, n, cap);
		v[n++] = xasprintf("%s/%.*s", suite, STR_FMT(one));
	}
	ARRAY_GROW(v, n, cap);
	v[n] = NULL;
	return v;
}

static bool is_pattern(const char *entry)
{
	return strpbrk(entry, "*?[") != NULL;
}

static char value(const struct suite_context *ctx, const char *option)
{
	return ctx->value ? ctx->value(ctx->config, option) : '?';
}

/* Why the suite can't run, and what to do; NULL: it can. */
static char *why_not(const struct listing *l, bool there)
{
	const char *option = l->suite->target;
	_free_ char *own = option ? xasprintf(" -e %s", option) : NULL;

	if (l->ctx->machine && strcmp(l->ctx->machine, "host") == 0)
		return xstrdup("KUnit tests are part of a kernel that is booted for them: use "
			       "--machine qemu or uml");
	if (value(l->ctx, "KUNIT") == 'n')
		return xasprintf("this kernel has no KUnit (CONFIG_KUNIT is not set): build one "
				 "from its tree with --config '-e KUNIT -e KUNIT_DEBUGFS%s'",
				 own ? own : "");
	if (l->ctx->kunit && !there && option && value(l->ctx, option) == 'n')
		return xasprintf("this kernel does not have it: CONFIG_%s is not set; build one "
				 "from its tree with --config '-e %s'", option, option);
	if (l->ctx->kunit && !there)
		return xstrdup("this kernel has no KUnit suite of that name");
	return NULL;
}

/* In a glob of the kernel's, on its command line: what has a meaning there matches
 * any character. */
static char *filter_of(const char *name)
{
	char *word = xasprintf("kunit.filter_glob=%s", name);

	for (char *c = strchr(word, '=') + 1; *c; c++)
		if (strchr(" .\"*[\\", *c))
			*c = '?';
	return word;
}

static int fill(void *ctx, struct plan_test *t, struct err *err)
{
	const struct listing *l = ctx;
	struct str module = STR_NONE, cases = STR_NONE;
	bool there = find(l->ctx->kunit, t->name, &module, &cases);
	_free_ char *own = xstrndup(module.p ? module.p : "", module.n);
	_free_ char *filter = filter_of(t->name);
	const char *const argv[] = { "sh", "-c", SCRIPT, "sh", t->name, own };
	const char *const append[] = { "kunit.enable=1", filter };

	t->unable = why_not(l, there);
	t->argv = suite_strings(argv, ARRAY_SIZE(argv));
	/* Modules can share a machine, if nothing else runs in its boot. */
	t->append = suite_strings(append, module.n && !l->any_built_in ? 1 : 2);
	t->at_boot = !module.n;
	t->on_console = module.n;
	t->wants_results = true;
	if (cases.n)
		t->expects = expected(t->name, cases);
	t->dir = xstrdup("/");
	if (t->timeout_ms < 0)
		t->timeout_ms = TIMEOUT_DEFAULT_MS;
	return 0;
}

static int add_names(struct listing *l, struct err *err)
{
	int r = 0;

	for (struct str rest = str_of(l->ctx->kunit); rest.n && r == 0;) {
		struct str line = str_cut(&rest, '\n'), name = str_cut(&line, '\t');

		l->any_built_in |= !str_cut(&line, '\t').n;
		r = suite_names_add(&l->names, name, err);
	}
	for (unsigned i = 0; i < l->suite->tests_count && r == 0; i++) {
		struct str module, cases;

		if (!is_pattern(l->suite->tests[i]) &&
		    !find(l->ctx->kunit, l->suite->tests[i], &module, &cases))
			r = suite_names_add(&l->names, str_of(l->suite->tests[i]), err);
	}
	return r;
}

int kunit_list(const struct plan_suite *suite, const struct suite_context *ctx,
	       struct plan_tests *tests, struct err *err)
{
	struct listing l = { .suite = suite, .ctx = ctx };
	_free_ char *why = NULL;
	int r = add_names(&l, err);

	if (r == 0 && !l.names.n) {
		why = why_not(&l, true);
		r = err_set(err, ENOENT, "%s", why ? why : ctx->kunit
			    ? "this kernel has no KUnit suites"
			    : "this image does not tell which KUnit suites it has: name them under "
			      "'tests', or give the tree that it was built in");
	}
	if (r == 0)
		r = suite_append(suite, &l.names, fill, &l, tests, err);
	suite_names_done(&l.names);
	return r;
}
