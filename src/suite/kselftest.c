/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own tests: tools/testing/selftests/<target>, built as its
 * Makefiles do, started as its runner does (kselftest/runner.sh).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "suite/append.h"
#include "suite/kinds.h"
#include "suite/kselftest-build.h"

#define TIMEOUT_DEFAULT_S 45 /* kselftest_default_timeout */
#define TIMEOUT_MAX_S     (7 * 24 * 3600)

unsigned kselftest_settings_timeout(struct str settings)
{
	unsigned seconds = TIMEOUT_DEFAULT_S;
	uint64_t v;

	while (settings.n) {
		struct str value = str_trim(str_cut(&settings, '\n'));
		struct str field = str_cut(&value, '=');

		if (str_eq(field, STR("timeout")) && str_to_u64(value, &v) && v <= TIMEOUT_MAX_S)
			seconds = (unsigned)v;
	}
	return seconds;
}

/* Where the tests of a target stand and what they have in common. */
struct target {
	const char *name; /* "net/mptcp" */
	char *dir;
	int64_t timeout_ms;
};

/*
 * A program is started line-buffered, so that a crash of the machine loses no
 * line. Scripts print line by line anyway, and stdbuf's preloaded library would
 * be mapped by every program that they start. Files without the x bit get the
 * interpreter that they name.
 */
static int fill_argv(struct plan_test *t, const char *path, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_free_ char *self = xasprintf("./%s", t->name), *interpreter = NULL;
	_free_ char *argument = NULL;
	const char *const script[] = { self };
	char head[256] = "";
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "open '%s'", path);
	n = read(fd, head, sizeof(head) - 1);
	if (n < 2 || memcmp(head, "#!", 2) != 0) {
		const char *const program[] = { "stdbuf", "--output=L", self };

		t->argv = suite_strings(program, ARRAY_SIZE(program));
	} else if (access(path, X_OK) == 0) {
		t->argv = suite_strings(script, 1);
	} else {
		struct str rest = str_n(head + 2, (size_t)n - 2);
		struct str option = str_trim(str_cut(&rest, '\n')), word = str_cut(&option, ' ');

		/* As the kernel does: one word, then all the rest as one argument. */
		option = str_trim(option);
		interpreter = xstrndup(word.p, word.n);
		argument = option.n ? xstrndup(option.p, option.n) : NULL;
		const char *const run[] = { interpreter, argument ? argument : self, self };

		t->argv = suite_strings(run, argument ? 3 : 2);
	}
	return 0;
}

static int fill(void *ctx, struct plan_test *t, struct err *err)
{
	const struct target *target = ctx;
	_free_ char *path = path_join(target->dir, t->name);

	t->collection = xstrdup(target->name);
	t->kselftest_codes = true;
	t->dir = xstrdup(target->dir);
	if (t->timeout_ms < 0)
		t->timeout_ms = target->timeout_ms;
	return fill_argv(t, path, err);
}

/* kselftest-list.txt: "net/mptcp:pm_netlink.sh" per line. */
static int read_names(const char *install, const char *target, struct suite_names *names,
		      struct err *err)
{
	_free_ char *path = path_join(install, "kselftest-list.txt");
	struct buf text = {};
	struct str rest;
	int r = file_read(path, 0, &text, err);

	for (rest = buf_str(&text); r == 0 && rest.n;) {
		struct str name = str_trim(str_cut(&rest, '\n')), collection = str_cut(&name, ':');

		if (str_eq(collection, str_of(target)) && name.n && !memchr(name.p, '/', name.n))
			r = suite_names_add(names, name, err);
	}
	buf_done(&text);
	return r;
}

static int64_t read_timeout(const char *dir)
{
	_free_ char *path = path_join(dir, "settings");
	struct buf text = {};
	unsigned seconds;

	if (file_read(path, 0, &text, NULL) < 0)
		buf_clear(&text);
	seconds = kselftest_settings_timeout(buf_str(&text));
	buf_done(&text);
	return seconds * INT64_C(1000);
}

/* "net/mptcp": a path below tools/testing/selftests and nothing else. */
static int check_target(const struct plan_suite *suite, const struct suite_context *ctx,
			struct err *err)
{
	const char *t = suite->target;
	_free_ char *makefile = NULL;

	if (!t)
		return err_set(err, EINVAL, "it needs a target, such as 'net/mptcp'");
	if (t[0] == '/' || strstr(t, "..") || t[strcspn(t, " \t\n$:'\"\\")])
		return err_set(err, EINVAL, "target '%s' is no directory of "
			       "tools/testing/selftests", t);
	makefile = xasprintf("%s/tools/testing/selftests/%s/Makefile", ctx->source, t);
	if (!file_exists(makefile))
		return err_set(err, ENOENT, "this kernel has no tests '%s': no %s", t, makefile);
	return 0;
}

int kselftest_list(const struct plan_suite *suite, const struct suite_context *ctx,
		   struct plan_tests *tests, struct err *err)
{
	_cleanup_(suite_names_done) struct suite_names names = {};
	_free_ char *install = NULL, *dir = NULL;
	struct target target;
	int r = check_target(suite, ctx, err);

	if (r == 0)
		r = kselftest_build(suite->target, ctx, &install, err);
	if (r == 0)
		r = read_names(install, suite->target, &names, err);
	if (r < 0)
		return r;
	if (!names.n)
		return err_set(err, ENOENT, "target '%s' has no tests", suite->target);
	dir = path_join(install, suite->target);
	target = (struct target){ suite->target, dir, read_timeout(dir) };
	return suite_append(suite, &names, fill, &target, tests, err);
}

void kselftest_config_names(struct str fragment, struct buf *ret)
{
	while (fragment.n) {
		struct str value = str_trim(str_cut(&fragment, '\n')), name = str_cut(&value, '=');

		if (str_starts(name, STR("CONFIG_")) && value.n && !str_eq(value, STR("n")))
			buf_printf(ret, "%.*s\n", STR_FMT(str_from(name, strlen("CONFIG_"))));
	}
}

int kselftest_missing_config(const struct plan_suite *suite, const char *source,
			     const char *config_path,
			     char (*value)(const char *config_path, const char *name),
			     struct buf *ret, struct err *err)
{
	_free_ char *path = xasprintf("%s/tools/testing/selftests/%s/config", source,
				      suite->target ? suite->target : "");
	struct buf text = {}, names = {};
	int r = file_exists(path) ? file_read(path, 0, &text, err) : 0;

	if (r == 0)
		kselftest_config_names(buf_str(&text), &names);
	for (struct str rest = buf_str(&names); r >= 0 && rest.n;) {
		struct str line = str_cut(&rest, '\n');
		_free_ char *name = xstrndup(line.p, line.n);

		if (value(config_path, name) != 'n')
			continue;
		buf_printf(ret, "CONFIG_%s\n", name);
		r = 1;
	}
	buf_done(&text);
	buf_done(&names);
	return r;
}
