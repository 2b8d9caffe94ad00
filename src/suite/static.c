/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static analysis: each C file of a directory of the kernel's tree is a test, with a
 * result for each of make W=1, sparse, checkpatch and coccicheck (static.sh). On the
 * host: nothing is booted. Objects are beside the other built tests (O=), in a small
 * configuration: what the directory's selftests want and what that depends on.
 *
 * `target`: the directory, "net/mptcp". `since`: only files that differ from this
 * commit, and checkpatch only looks at what differs.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "suite/append.h"
#include "suite/kinds.h"
#include "suite/kselftest-build.h"

#define TIMEOUT_DEFAULT_MS (900 * INT64_C(1000))
#define LIST_MAX           (4u << 20)

static const char SCRIPT[] = {
#include "suite/static.sh.inc"
	0
};

/* A network that works, of which MPTCP is a part: the rest comes from selftests. */
static const char CONFIG[] =
	"CONFIG_64BIT=y\nCONFIG_SMP=y\nCONFIG_PROC_FS=y\nCONFIG_SYSCTL=y\nCONFIG_CGROUPS=y\n"
	"CONFIG_BPF_SYSCALL=y\nCONFIG_NET=y\nCONFIG_INET=y\nCONFIG_IPV6=y\nCONFIG_INET_DIAG=y\n"
	"CONFIG_MPTCP=y\nCONFIG_MPTCP_IPV6=y\nCONFIG_INET_MPTCP_DIAG=y\nCONFIG_KUNIT=y\n"
	"CONFIG_MPTCP_KUNIT_TEST=y\nCONFIG_CGROUP_BPF=y\nCONFIG_SYN_COOKIES=y\n";

struct listing {
	const struct plan_suite *suite;
	const struct suite_context *ctx;
	char *objects, *unable;
};

static int configure(const struct suite_build *b, const char *temp, const char *target,
		     struct err *err)
{
	_free_ char *extra = xasprintf("%s/tools/testing/selftests/%s/config", b->source, target);
	_free_ char *path = path_join(temp, "wanted.config");
	_cleanup_(buf_done) struct buf text = {};
	int r = file_exists(extra) ? file_read(extra, 0, &text, err) : 0;

	buf_printf(&text, "\n%s", CONFIG);
	return r < 0 ? r : file_write(path, buf_str(&text), 0644, err);
}

static int build(const struct suite_build *b, const char *jobs, const char *headers,
		 const void *arg, struct err *err)
{
	const char *target = arg;
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *obj = NULL, *all = NULL, *output = NULL;
	int r = dir_temp(b->root, "tmp.", &temp, err);

	if (r == 0)
		r = configure(b, temp, target, err);
	if (r < 0)
		return r;
	obj = path_join(temp, "obj");
	output = xasprintf("O=%s", obj);
	all = xasprintf("KCONFIG_ALLCONFIG=%s/wanted.config", temp);
	const char *const config[] = { "make", output, all, "allnoconfig", NULL };
	const char *const prepare[] = { "make", jobs, output, "prepare", NULL };

	r = dir_make(obj, err);
	if (r == 0)
		r = suite_make(b, config, err);
	if (r == 0)
		r = suite_make(b, prepare, err);
	if (r == 0 && rename(obj, b->dest) < 0)
		r = err_sys(err, errno, "rename '%s' to '%s'", obj, b->dest);
	return r;
}

static int fill(void *ctx, struct plan_test *t, struct err *err)
{
	const struct listing *l = ctx;
	_free_ char *file = xasprintf("%s/%s", l->suite->target, t->name);
	const char *const argv[] = { "sh", "-c", SCRIPT, "sh", l->ctx->source,
				     l->objects ? l->objects : "", file,
				     l->suite->since ? l->suite->since : "" };

	t->argv = suite_strings(argv, ARRAY_SIZE(argv));
	t->dir = xstrdup("/");
	t->wants_results = true;
	t->unable = xstrdup(l->unable);
	if (t->timeout_ms < 0)
		t->timeout_ms = TIMEOUT_DEFAULT_MS;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_source(const char *name)
{
	struct str s = str_of(name);

	return str_ends(s, STR(".c")) && !str_ends(s, STR(".mod.c")) && s.p[0] != '.';
}

static int list_dir(const struct listing *l, struct suite_names *names, struct err *err)
{
	_free_ char *path = path_join(l->ctx->source, l->suite->target);
	struct dirent *e;
	DIR *d = opendir(path);
	int r = 0;

	if (!d)
		return err_set(err, ENOENT, "this source has no '%s' to check: give --kernel a "
			       "kernel tree", l->suite->target);
	while (r == 0 && (e = readdir(d)))
		if (is_source(e->d_name))
			r = suite_names_add(names, str_of(e->d_name), err);
	closedir(d);
	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	return r;
}

/* Only what differs from the commit, also what is not committed yet. */
static int list_changed(const struct listing *l, struct suite_names *names, struct err *err)
{
	const char *const argv[] = { "git", "diff", "--name-only", "--diff-filter=d",
				     l->suite->since, "--", l->suite->target, NULL };
	_cleanup_(buf_done) struct buf out = { .max = LIST_MAX };
	struct proc_spec spec = { .argv = argv, .dir = l->ctx->source, .in = PROC_NULL,
				  .out = PROC_NULL, .err = PROC_NULL };
	int r = proc_run(&spec, &out, NULL, 60000, err);

	if (r > 0)
		return err_set(err, EINVAL, "since '%s': git knows no such commit in '%s'",
			       l->suite->since, l->ctx->source);
	for (struct str rest = buf_str(&out); r == 0 && rest.n;) {
		struct str path = str_cut(&rest, '\n');
		_free_ char *name = NULL;

		if (!str_starts(path, str_of(l->suite->target)))
			continue;
		path = str_from(path, strlen(l->suite->target));
		if (!str_starts(path, STR("/")))
			continue;
		name = xstrndup(path.p + 1, path.n - 1);
		if (is_source(name) && !strchr(name, '/'))
			r = suite_names_add(names, str_of(name), err);
	}
	return r;
}

static int check_target(const struct plan_suite *suite, struct err *err)
{
	const char *t = suite->target;

	if (!t)
		return err_set(err, EINVAL, "it needs a target, such as 'net/mptcp'");
	if (t[0] == '/' || strstr(t, "..") || t[strcspn(t, " \t\n$:'\"\\")] ||
	    t[strlen(t) - 1] == '/')
		return err_set(err, EINVAL, "target '%s' is no directory of a kernel tree", t);
	if (suite->since && suite->since[0] == '-')
		return err_set(err, EINVAL, "since '%s' is no commit", suite->since);
	return 0;
}

int static_list(const struct plan_suite *suite, const struct suite_context *ctx,
		struct plan_tests *tests, struct err *err)
{
	_cleanup_(suite_names_done) struct suite_names names = {};
	struct listing l = { .suite = suite, .ctx = ctx };
	_free_ char *name = NULL;
	int r = check_target(suite, err);

	if (r == 0)
		r = suite->since ? list_changed(&l, &names, err) : list_dir(&l, &names, err);
	if (r < 0)
		return r;
	if (!names.n && !suite->since)
		return err_set(err, ENOENT, "'%s' has no C files", suite->target);
	if (strcmp(ctx->machine ? ctx->machine : "", "host") != 0)
		l.unable = xstrdup("files are checked without booting anything: use "
				   "--machine host");
	name = xasprintf("static-%s", suite->target);
	if (!l.unable && names.n)
		r = suite_build(name, ctx, build, suite->target, &l.objects, err);
	if (r == 0)
		r = suite_append(suite, &names, fill, &l, tests, err);
	freep(&l.objects);
	freep(&l.unable);
	return r;
}
