/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own BPF tests: tools/testing/selftests/bpf, test_progs -t <target>.
 * All of test_progs takes a quarter of an hour and the newest clang; with the files of
 * one test only it takes a minute. See bpf-build.c.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "suite/append.h"
#include "suite/bpf-build.h"
#include "suite/kinds.h"

#define TIMEOUT_DEFAULT_MS (600 * INT64_C(1000))

struct listing {
	const struct plan_suite *suite;
	const struct suite_context *ctx;
	char *dir, *unable;
};

static char *why_not(const struct suite_context *ctx)
{
	static const char *const tools[] = { "clang", "llvm-strip" };

	if (ctx->value && ctx->value(ctx->config, "DEBUG_INFO_BTF") == 'n')
		return xstrdup("this kernel has no type information (CONFIG_DEBUG_INFO_BTF is not "
			       "set): build one from its tree with --mode btf-normal");
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		_free_ char *found = proc_find(tools[i]);

		if (!found)
			return xasprintf("BPF tests are built with %s, which is not installed: "
					 "apt-get install clang llvm libelf-dev zlib1g-dev",
					 tools[i]);
	}
	return NULL;
}

/* Names of subtests that stand in the source as such. */
static char **subtests(const struct listing *l, const char *name)
{
	static const char call[] = "test__start_subtest(\"";
	_free_ char *path = xasprintf(BPF_DIR "/prog_tests/%s.c", l->ctx->source, name);
	_cleanup_(buf_done) struct buf text = {};
	char **v = NULL;
	size_t n = 0, cap = 0;
	ptrdiff_t at;

	if (file_read(path, 0, &text, NULL) < 0)
		return NULL;
	for (struct str rest = buf_str(&text); (at = str_find(rest, str_of(call))) >= 0;) {
		rest = str_from(rest, (size_t)at + strlen(call));
		struct str one = str_cut(&rest, '"');

		ARRAY_GROW(v, n, cap);
		v[n++] = xasprintf("%s/%.*s", name, STR_FMT(one));
	}
	if (!n)
		return NULL;
	ARRAY_GROW(v, n, cap);
	v[n] = NULL;
	return v;
}

static int fill(void *ctx, struct plan_test *t, struct err *err)
{
	const struct listing *l = ctx;
	const char *const argv[] = { "./test_progs", "-t", t->name };

	t->argv = suite_strings(argv, ARRAY_SIZE(argv));
	t->dir = xstrdup(l->dir ? l->dir : "/");
	t->dialect = xstrdup("test_progs");
	t->wants_results = true;
	t->unable = xstrdup(l->unable);
	if (!t->unable)
		t->expects = subtests(l, t->name);
	if (t->timeout_ms < 0)
		t->timeout_ms = TIMEOUT_DEFAULT_MS;
	return 0;
}

/* What is in it tells itself. */
static int list_names(const struct listing *l, struct suite_names *names, struct err *err)
{
	_free_ char *self = path_join(l->dir, "test_progs");
	const char *const argv[] = { self, "-l", NULL };
	_cleanup_(buf_done) struct buf out = { .max = 1u << 20 };
	struct proc_spec spec = { .argv = argv, .dir = l->dir, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };
	int r = proc_run(&spec, &out, NULL, 60000, err);

	if (r > 0)
		return err_set(err, EIO, "'%s/test_progs -l' failed (exit code %d)", l->dir, r);
	for (struct str rest = buf_str(&out); r == 0 && rest.n;) {
		struct str name = str_trim(str_cut(&rest, '\n'));

		if (name.n && !memchr(name.p, ' ', name.n) && !memchr(name.p, '/', name.n))
			r = suite_names_add(names, name, err);
	}
	if (r == 0 && !names->n)
		r = err_set(err, ENOENT, "'%s/test_progs -l' lists no tests", l->dir);
	return r;
}

int bpf_list(const struct plan_suite *suite, const struct suite_context *ctx,
	     struct plan_tests *tests, struct err *err)
{
	_cleanup_(suite_names_done) struct suite_names names = {};
	struct listing l = { .suite = suite, .ctx = ctx };
	int r = 0;

	if (!suite->target || suite->target[strcspn(suite->target, "/. \t\n$\"'\\")])
		return err_set(err, EINVAL, "it needs a target, the name of a test as of "
			       "'test_progs -t', such as 'mptcp'");
	l.unable = why_not(ctx);
	if (l.unable)
		r = suite_names_add(&names, str_of(suite->target), err);
	else
		r = bpf_build(suite->target, ctx, &l.dir, err);
	if (r == 0 && !l.unable)
		r = list_names(&l, &names, err);
	if (r == 0)
		r = suite_append(suite, &names, fill, &l, tests, err);
	freep(&l.dir);
	freep(&l.unable);
	return r;
}
