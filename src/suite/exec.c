/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of any kind that print TAP or have an exit code. With `dir`: its
 * executable files. An entry of `tests` with a blank in it is a command line
 * for a shell, run in `dir`. Without `dir`, entries are programs of the PATH.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "suite/append.h"
#include "suite/kinds.h"

#define TIMEOUT_DEFAULT_MS (300 * INT64_C(1000))

static bool is_command(const char *entry)
{
	return strpbrk(entry, " \t") != NULL;
}

/* The entry of a test's name; NULL: it is a file of the directory. */
static const char *entry_of(const struct plan_suite *suite, const char *name)
{
	for (unsigned i = 0; i < suite->tests_count; i++) {
		_free_ char *own = plan_entry_name(suite->tests[i]);

		if (strcmp(own, name) == 0 && (is_command(suite->tests[i]) || !suite->dir))
			return suite->tests[i];
	}
	return NULL;
}

static int fill(void *ctx, struct plan_test *t, struct err *err)
{
	const struct plan_suite *suite = ctx;
	const char *entry = entry_of(suite, t->name);
	_free_ char *self = xasprintf("./%s", t->name);
	const char *const shell[] = { "sh", "-c", entry };
	const char *const program[] = { entry ? entry : self };

	t->argv = entry && is_command(entry) ? suite_strings(shell, ARRAY_SIZE(shell))
					     : suite_strings(program, 1);
	t->dir = xstrdup(suite->dir ? suite->dir : "/");
	if (t->timeout_ms < 0)
		t->timeout_ms = TIMEOUT_DEFAULT_MS;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int list_dir(const char *dir, struct suite_names *names, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	int r = 0;

	if (!d)
		return err_sys(err, errno, "directory of tests '%s'", dir);
	while (r == 0 && (e = readdir(d)))
		if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode) && (st.st_mode & 0111))
			r = suite_names_add(names, str_of(e->d_name), err);
	closedir(d);
	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	return r;
}

int exec_list(const struct plan_suite *suite, const struct suite_context *ctx,
	      struct plan_tests *tests, struct err *err)
{
	_cleanup_(suite_names_done) struct suite_names names = {};
	int r = suite->dir ? list_dir(suite->dir, &names, err) : 0;

	for (unsigned i = 0; i < suite->tests_count && r == 0; i++) {
		_free_ char *name = plan_entry_name(suite->tests[i]);

		if (is_command(suite->tests[i]) || !suite->dir)
			r = suite_names_add(&names, str_of(name), err);
	}
	if (r < 0)
		return r;
	if (!names.n)
		return err_set(err, ENOENT, suite->dir ? "no executable files in '%s'"
						       : "it needs 'dir' or 'tests'%s",
			       suite->dir ? suite->dir : "");
	return suite_append(suite, &names, fill, (void *)suite, tests, err);
}
