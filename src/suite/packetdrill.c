/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packetdrill: a directory of scripts, and the program that runs them. Each directory
 * with scripts is a test, each script over each version of IP is a result; they run side
 * by side in namespaces of their own, which end with them (packetdrill.sh).
 *
 * `dir`: the scripts, *.pkt, in it and below. `program`: packetdrill, built elsewhere.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "suite/append.h"
#include "suite/kinds.h"

#define TIMEOUT_DEFAULT_MS (1800 * INT64_C(1000))
#define SCRIPT_SECONDS     "180" /* of one, as run_all.py has it */
#define SCRIPTS_MAX        4096

static const char RUNNER[] = {
#include "suite/packetdrill.sh.inc"
	0
};

struct listing {
	const struct plan_suite *suite;
	struct suite_names scripts; /* "dss/a.pkt", sorted by directory */
	struct suite_names names;   /* of tests: "dss" */
	char *runner;
	char *unable;
};

/* A directory's name as a test's: slashes part a selector. */
static char *test_name(const struct listing *l, struct str dir)
{
	char *name = dir.n ? xstrndup(dir.p, dir.n) : xstrdup(path_base(l->suite->dir));

	for (char *c = name; *c; c++)
		if (*c == '/' || *c == ':')
			*c = '_';
	return name;
}

static struct str dir_of(const char *script)
{
	const char *slash = strrchr(script, '/');

	return str_n(script, slash ? (size_t)(slash - script) : 0);
}

static bool runs_as(const char *variant, struct str script)
{
	if (str_starts(str_of(variant), STR("ipv4")))
		return !str_ends(script, STR("v6.pkt"));
	return !str_ends(script, STR("v4.pkt"));
}

/* In the order in which the runner starts them. */
static void expect(struct plan_test *t, const char *script, size_t *n, size_t *cap)
{
	static const char *const variants[] = { "ipv4", "ipv4-mapped-v6", "ipv6" };

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		if (!runs_as(variants[i], str_of(script)))
			continue;
		ARRAY_GROW(t->expects, *n, *cap);
		t->expects[(*n)++] = xasprintf("%s (%s)", script, variants[i]);
	}
}

static int fill(void *ctx, struct plan_test *t, struct err *err)
{
	const struct listing *l = ctx;
	size_t n_argv = 0, cap_argv = 0, n = 0, cap = 0;
	_free_ char *dir = NULL;

	for (size_t i = 0; i < l->scripts.n; i++) {
		const char *script = l->scripts.v[i], *base = path_base(script);
		struct str own = dir_of(script);
		_free_ char *name = test_name(l, own);

		if (strcmp(name, t->name) != 0)
			continue;
		if (!dir) {
			dir = own.n ? xasprintf("%s/%.*s", l->suite->dir, STR_FMT(own))
				    : xstrdup(l->suite->dir);
			const char *const head[] = { "sh", l->runner, l->suite->program, dir,
						     SCRIPT_SECONDS };

			t->argv = suite_strings(head, ARRAY_SIZE(head));
			n_argv = cap_argv = ARRAY_SIZE(head);
		}
		ARRAY_GROW(t->argv, n_argv, cap_argv);
		t->argv[n_argv++] = xstrdup(base);
		expect(t, base, &n, &cap);
	}
	ARRAY_GROW(t->argv, n_argv, cap_argv);
	t->argv[n_argv] = NULL;
	ARRAY_GROW(t->expects, n, cap);
	t->expects[n] = NULL;
	t->side_by_side = true;
	t->wants_results = true;
	t->dir = xstrdup("/");
	t->unable = l->unable ? xstrdup(l->unable) : NULL;
	if (t->timeout_ms < 0)
		t->timeout_ms = TIMEOUT_DEFAULT_MS;
	return 0;
}

static int on_script(void *ctx, const char *below, struct err *err)
{
	struct listing *l = ctx;

	return suite_names_add(&l->scripts, str_of(below), err);
}

static int find_scripts(struct listing *l, struct err *err)
{
	int r = dir_files(l->suite->dir, ".pkt", on_script, l, err);

	if (r < 0)
		return err_wrap(err, r, "the scripts");
	return l->scripts.n ? 0 : err_set(err, ENOENT, "no packetdrill scripts (*.pkt) in '%s'",
					  l->suite->dir);
}

static int name_tests(struct listing *l, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < l->scripts.n && r == 0; i++) {
		_free_ char *name = test_name(l, dir_of(l->scripts.v[i]));
		bool had = false;

		for (size_t j = 0; j < l->names.n; j++)
			had |= strcmp(l->names.v[j], name) == 0;
		if (!had)
			r = suite_names_add(&l->names, str_of(name), err);
	}
	return r;
}

/* A file, since it starts itself once for each script. */
static int write_runner(struct listing *l, const char *cache_dir, struct err *err)
{
	struct str text = { RUNNER, sizeof(RUNNER) - 1 };
	_free_ char *dir = path_join(cache_dir, "selftests");
	int r = dir_make(dir, err);

	if (r < 0)
		return r;
	l->runner = xasprintf("%s/packetdrill-%08" PRIx32 ".sh", dir,
			      (uint32_t)str_hash(text, STR_HASH_INIT));
	return file_exists(l->runner) ? 0 : file_write(l->runner, text, 0755, err);
}

int packetdrill_list(const struct plan_suite *suite, const struct suite_context *ctx,
		     struct plan_tests *tests, struct err *err)
{
	struct listing l = { .suite = suite };
	int r = 0;

	if (!suite->dir || !suite->program)
		return err_set(err, EINVAL, "it needs 'dir', the scripts, and 'program', the path "
			       "of packetdrill");
	if (access(suite->program, X_OK) < 0)
		l.unable = xasprintf("there is no program '%s': build packetdrill, and name it "
				     "under 'program'", suite->program);
	r = find_scripts(&l, err);
	if (r == 0)
		r = name_tests(&l, err);
	if (r == 0)
		r = write_runner(&l, ctx->cache_dir, err);
	if (r == 0)
		r = suite_append(suite, &l.names, fill, &l, tests, err);
	suite_names_done(&l.scripts);
	suite_names_done(&l.names);
	freep(&l.runner);
	freep(&l.unable);
	return r;
}
