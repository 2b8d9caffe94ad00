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
#include "base/units.h"
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
	const struct plan_suite *suite;
	const struct suite_names *programs; /* what is there */
};

static bool is_there(const struct suite_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return true;
	return false;
}

/* "mptcp_join-" for each "f e": what is behind it, if @name is one of them; a variant
 * that is not for each: an empty one. */
static bool is_variant(const struct plan_variant *v, const char *name, struct str *ret_each)
{
	struct str rest = str_of(name);

	*ret_each = STR_NONE;
	if (!v->each)
		return strcmp(v->name, name) == 0;
	if (!str_starts(rest, str_of(v->name)))
		return false;
	*ret_each = str_from(rest, strlen(v->name));
	for (rest = str_of(v->each); rest.n;)
		if (str_eq(str_cut(&rest, ' '), *ret_each) && ret_each->n)
			return true;
	return false;
}

/* A program of the kernel's goes before a variant of another that has its name. */
static const struct plan_variant *variant_of(const struct target *target, const char *name,
					     struct str *ret_each)
{
	for (unsigned i = 0; i < target->suite->variants_count; i++) {
		const struct plan_variant *v = &target->suite->variants[i];

		if (is_variant(v, name, ret_each) &&
		    (!v->test || !is_there(target->programs, name)))
			return v;
	}
	return NULL;
}

static int add_variants(const struct target *target, struct suite_names *names, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < target->suite->variants_count && r == 0; i++) {
		const struct plan_variant *v = &target->suite->variants[i];
		struct str each = str_of(v->each);

		/* Of programs that an older kernel does not have. */
		if (!v->test || !is_there(target->programs, v->test))
			continue;
		do {
			struct str word = v->each ? str_cut(&each, ' ') : STR("");
			_free_ char *name = xasprintf("%s%.*s", v->name, STR_FMT(word));

			if ((word.n || !v->each) && !is_there(target->programs, name))
				r = suite_names_add(names, str_of(name), err);
		} while (each.n && r == 0);
	}
	return r;
}

/* Its own words behind those of the program, its environment behind the suite's. */
static void add_words(char ***list, struct str words)
{
	size_t n = 0, cap;

	while (*list && (*list)[n])
		n++;
	cap = n;
	while (words.n) {
		struct str one = str_cut(&words, ' ');

		if (!one.n)
			continue;
		ARRAY_GROW(*list, n, cap);
		(*list)[n++] = xstrndup(one.p, one.n);
	}
	ARRAY_GROW(*list, n, cap);
	(*list)[n] = NULL;
}

static void apply_variant(struct plan_test *t, const struct plan_variant *v, struct str each)
{
	_free_ char *args = xasprintf("%s%.*s", v->args ? v->args : "", STR_FMT(each));

	add_words(&t->argv, str_of(args));
	for (unsigned i = 0; i < v->env_count; i++) {
		size_t n = 0;

		while (t->env && t->env[n])
			n++;
		t->env = xrealloc(t->env, n + 2, sizeof(*t->env));
		t->env[n] = xstrdup(v->env[i]);
		t->env[n + 1] = NULL;
	}
	/* Checked when the plan was read. */
	if (v->timeout)
		duration_parse(str_of(v->timeout), &t->timeout_ms, NULL);
}

/*
 * A program is started line-buffered, so that a crash of the machine loses no
 * line. Scripts print line by line anyway, and stdbuf's preloaded library would
 * be mapped by every program that they start. Files without the x bit get the
 * interpreter that they name.
 */
static int fill_argv(struct plan_test *t, const char *program, const char *path,
		     struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_free_ char *self = xasprintf("./%s", program), *interpreter = NULL;
	_free_ char *argument = NULL;
	const char *const script[] = { self };
	char head[256] = "";
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "open '%s'", path);
	n = read(fd, head, sizeof(head) - 1);
	if (n < 2 || memcmp(head, "#!", 2) != 0) {
		const char *const buffered[] = { "stdbuf", "--output=L", self };

		t->argv = suite_strings(buffered, ARRAY_SIZE(buffered));
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
	struct str each;
	const struct plan_variant *v = variant_of(target, t->name, &each);
	const char *program = v && v->test ? v->test : t->name;
	_free_ char *path = path_join(target->dir, program);
	int r;

	t->collection = xstrdup(target->name);
	t->kselftest_codes = true;
	t->dir = xstrdup(target->dir);
	if (t->timeout_ms < 0)
		t->timeout_ms = target->timeout_ms;
	r = fill_argv(t, program, path, err);
	if (r == 0 && v)
		apply_variant(t, v, each);
	return r;
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
	_cleanup_(suite_names_done) struct suite_names programs = {}, names = {};
	_free_ char *install = NULL, *dir = NULL;
	struct target target;
	int r = check_target(suite, ctx, err);

	if (r == 0)
		r = kselftest_build(suite->target, ctx, &install, err);
	if (r == 0)
		r = read_names(install, suite->target, &programs, err);
	if (r < 0)
		return r;
	if (!programs.n)
		return err_set(err, ENOENT, "target '%s' has no tests", suite->target);
	dir = path_join(install, suite->target);
	target = (struct target){ suite->target, dir, read_timeout(dir), suite, &programs };
	for (size_t i = 0; i < programs.n && r == 0; i++)
		r = suite_names_add(&names, str_of(programs.v[i]), err);
	if (r == 0)
		r = add_variants(&target, &names, err);
	if (r < 0)
		return r;
	return suite_append(suite, &names, fill, &target, tests, err);
}
