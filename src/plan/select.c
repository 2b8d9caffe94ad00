/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/mem.h"
#include "plan/plan.h"

#define NEAR_MAX 3 /* suggestions in an error */

/* One selector in parts; slices of its text made into strings. */
struct selector {
	const char *text; /* without '!' */
	bool exclude;
	char *suite, *test, *subtest; /* NULL: all */
	char *collection;             /* "net/mptcp" of "net/mptcp:x"; then no suite */
};

static void selector_done(struct selector *s)
{
	free(s->suite);
	free(s->test);
	free(s->subtest);
	free(s->collection);
}

static char *dup(struct str s)
{
	return s.n ? xstrndup(s.p, s.n) : NULL;
}

static int selector_parse(const char *text, struct selector *ret, struct err *err)
{
	struct str rest, head;

	ret->exclude = text[0] == '!';
	ret->text = text + ret->exclude;
	rest = str_of(ret->text);
	if (!rest.n)
		return err_set(err, EINVAL, "empty selector '%s'; give suite, suite/test or "
			       "suite/test/subtest", text);
	if (memchr(rest.p, ':', rest.n)) {
		ret->collection = dup(str_cut(&rest, ':'));
		ret->test = dup(rest);
		return 0;
	}
	head = str_cut(&rest, '/');
	ret->suite = dup(head);
	head = str_cut(&rest, '/');
	ret->test = dup(head);
	ret->subtest = dup(rest);
	if (ret->exclude && ret->subtest)
		return err_set(err, EINVAL, "'%s': only whole tests can be excluded", text);
	return 0;
}

static bool part_matches(const char *glob, const char *name)
{
	return !glob || str_glob(glob, name);
}

/* "pm_netlink.sh" and "pm_netlink" are the same test. */
static char *without_sh(const char *name)
{
	struct str s = str_of(name);

	return xstrndup(s.p, str_ends(s, STR(".sh")) ? s.n - 3 : s.n);
}

static bool name_matches(const char *glob, const char *name)
{
	_free_ char *bare = without_sh(name);

	return part_matches(glob, name) || str_glob(glob, bare);
}

static bool matches(const struct selector *s, const struct plan_test *t)
{
	/* "net/mptcp" alone is kselftest's name for the suite. */
	if (t->collection && strcmp(s->text, t->collection) == 0)
		return s->exclude || t->by_default;
	/* A suite alone is what its plan chooses, "suite/" + "*" is all of it. */
	if (!s->exclude && !s->collection && !s->test && !t->by_default)
		return false;
	if (s->collection)
		return t->collection && str_glob(s->collection, t->collection) &&
		       name_matches(s->test, t->name);
	return part_matches(s->suite, t->suite) && name_matches(s->test, t->name);
}

/*
 * "Did you mean": the nearest of all suite/test, and of the bare names and the
 * suites where the selector has no '/'.
 */
struct near {
	const struct plan_test *test;
	bool suite; /* the whole suite of the test */
	unsigned distance;
};

static unsigned distance_to(const char *wanted, const struct plan_test *t)
{
	bool whole = strchr(wanted, '/') != NULL;
	_free_ char *bare = without_sh(t->name);
	_free_ char *path = xasprintf("%s/%s", t->suite, t->name);
	_free_ char *bare_path = xasprintf("%s/%s", t->suite, bare);
	const char *const forms[] = { whole ? path : t->name, whole ? bare_path : bare };
	unsigned best = ~0u;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		unsigned d = str_distance(str_of(wanted), str_of(forms[i]));

		if (d < best)
			best = d;
	}
	return best;
}

static bool begins_suite(const struct plan_tests *tests, size_t i)
{
	return i == 0 || strcmp(tests->v[i].suite, tests->v[i - 1].suite) != 0;
}

static void add_near(struct near *near, size_t *n, size_t limit, struct near one)
{
	size_t at = *n;

	if (one.distance > limit)
		return;
	while (at > 0 && near[at - 1].distance > one.distance)
		at--;
	if (at == NEAR_MAX)
		return;
	*n += *n < NEAR_MAX;
	memmove(near + at + 1, near + at, (*n - at - 1) * sizeof(*near));
	near[at] = one;
}

static size_t find_near(const char *wanted, const struct plan_tests *tests, struct near *near)
{
	size_t n = 0, limit = strlen(wanted) / 4 + 1;

	for (size_t i = 0; i < tests->n; i++) {
		const struct plan_test *t = &tests->v[i];

		if (begins_suite(tests, i) && !strchr(wanted, '/'))
			add_near(near, &n, limit,
				 (struct near){ t, true, str_distance(str_of(wanted),
								      str_of(t->suite)) });
		add_near(near, &n, limit, (struct near){ t, false, distance_to(wanted, t) });
	}
	return n;
}

static void list_suites(const struct plan_tests *tests, struct buf *ret)
{
	for (size_t i = 0; i < tests->n; i++)
		if (begins_suite(tests, i))
			buf_printf(ret, "%s%s", i ? ", " : "", tests->v[i].suite);
}

static int no_match(const struct selector *s, const struct plan_tests *tests, struct err *err)
{
	struct near near[NEAR_MAX];
	size_t n = find_near(s->text, tests, near);
	struct buf list = {};
	int r;

	for (size_t i = 0; i < n; i++)
		buf_printf(&list, "%s'%s%s%s'", i == 0 ? "" : i + 1 == n ? " or " : ", ",
			   near[i].test->suite, near[i].suite ? "" : "/",
			   near[i].suite ? "" : near[i].test->name);
	if (!n)
		list_suites(tests, &list);
	if (n)
		r = err_set(err, ENOENT, "no test '%s'; did you mean %s?", s->text, list.p);
	else if (tests->n)
		r = err_set(err, ENOENT, "no test matches '%s'; the suites here: %s", s->text,
			    list.p);
	else
		r = err_set(err, ENOENT, "no test matches '%s': the plan has none", s->text);
	buf_done(&list);
	return r;
}

/* What the selectors said about one test. */
struct chosen {
	bool in, whole;
	struct buf subtests;
};

static void choose(struct chosen *c, const struct selector *s)
{
	if (s->exclude) {
		c->in = false;
		return;
	}
	c->in = true;
	c->whole |= !s->subtest;
	if (s->subtest)
		buf_printf(&c->subtests, "%s%s", c->subtests.n ? "\n" : "", s->subtest);
}

static int apply(const struct selector *s, const struct plan_tests *tests, struct chosen *v,
		 struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < tests->n; i++) {
		if (matches(s, &tests->v[i])) {
			choose(&v[i], s);
			any = true;
		}
	}
	return any ? 0 : no_match(s, tests, err);
}

static void test_done(struct plan_test *t)
{
	for (char **v = t->argv; v && *v; v++)
		free(*v);
	for (char **v = t->env; v && *v; v++)
		free(*v);
	for (char **v = t->append; v && *v; v++)
		free(*v);
	for (char **v = t->expects; v && *v; v++)
		free(*v);
	free(t->suite);
	free(t->name);
	free(t->collection);
	free(t->argv);
	free(t->env);
	free(t->append);
	free(t->expects);
	free(t->unable);
	free(t->dialect);
	free(t->dir);
	free(t->doubt);
	free(t->subtests);
}

static void keep(struct plan_tests *tests, struct chosen *v)
{
	size_t n = 0;

	for (size_t i = 0; i < tests->n; i++) {
		struct plan_test *t = &tests->v[i];

		if (!v[i].in) {
			test_done(t);
			continue;
		}
		if (!v[i].whole && v[i].subtests.n) {
			free(t->subtests);
			t->subtests = buf_take(&v[i].subtests);
		}
		tests->v[n++] = *t;
	}
	tests->n = n;
}

int plan_select(struct plan_tests *tests, const char *const *selectors, size_t n,
		struct err *err)
{
	size_t n_tests = tests->n;
	_free_ struct chosen *v = xcalloc(n_tests + 1, sizeof(*v));
	bool only_excludes = true;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		only_excludes &= selectors[i][0] == '!';
	for (size_t i = 0; i < tests->n; i++)
		v[i].in = v[i].whole = only_excludes && tests->v[i].by_default;
	/* Exclusions win wherever they stand, so they come last. */
	for (unsigned pass = 0; pass < 2 && r == 0; pass++) {
		for (size_t i = 0; i < n && r == 0; i++) {
			struct selector s = {};

			if ((selectors[i][0] == '!') != (pass == 1))
				continue;
			r = selector_parse(selectors[i], &s, err);
			if (r == 0)
				r = apply(&s, tests, v, err);
			selector_done(&s);
		}
	}
	if (r == 0)
		keep(tests, v);
	for (size_t i = 0; i < n_tests; i++)
		buf_done(&v[i].subtests);
	return r;
}

bool plan_subtest_chosen(const struct plan_test *t, const char *subtest)
{
	struct str rest = str_of(t->subtests);

	if (!rest.n)
		return true;
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		_free_ char *glob = xstrndup(line.p, line.n);

		if (str_glob(glob, subtest))
			return true;
	}
	return false;
}

char *plan_entry_name(const char *entry)
{
	size_t base = strcspn(entry, " \t");
	char *name;

	while (base > 0 && entry[base - 1] != '/')
		base--;
	name = xstrdup(entry + base);
	for (char *c = name; *c; c++)
		if (*c == '/' || *c == ':')
			*c = '_';
	return name;
}

bool plan_globs_match(char *const *globs, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (name_matches(globs[i], name))
			return true;
	return false;
}

int plan_suite_rank(const struct plan_suite *s, const char *test)
{
	for (unsigned i = 0; i < s->tests_count; i++) {
		_free_ char *name = plan_entry_name(s->tests[i]);

		if (strcmp(name, test) == 0 || name_matches(s->tests[i], test))
			return (int)i;
	}
	return s->tests_count ? -1 : 0;
}

struct plan_test *plan_tests_add(struct plan_tests *t)
{
	ARRAY_GROW(t->v, t->n, t->cap);
	t->v[t->n] = (struct plan_test){ .expect_ms = -1 };
	return &t->v[t->n++];
}

void plan_tests_done(struct plan_tests *t)
{
	for (size_t i = 0; i < t->n; i++)
		test_done(&t->v[i]);
	free(t->v);
	*t = (struct plan_tests){};
}
