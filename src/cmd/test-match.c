/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/test-match.h"

#include <stdlib.h>

#include "base/mem.h"

enum { RANK_NONE, RANK_PART, RANK_KEY, RANK_GLOB, RANK_NAME, RANK_NUMBER };

struct match {
	struct test_matches *to;
	const char *word;
};

static int rank_of(const struct match *m, const struct store_test *t, const char *name)
{
	if (strcmp(m->word, name) == 0)
		return RANK_NAME;
	if (str_glob(m->word, name))
		return RANK_GLOB;
	if (t->key.n && str_eq(t->key, str_of(m->word)))
		return RANK_KEY;
	return strstr(name, m->word) ? RANK_PART : RANK_NONE;
}

static void drop(struct test_matches *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].name);
	m->n = 0;
}

static bool is_known(const struct test_matches *m, int64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].id == id)
			return true;
	return false;
}

static char *name_of(const struct store_test *t)
{
	return xasprintf("%.*s/%.*s%s%.*s", STR_FMT(t->suite), STR_FMT(t->program),
			 t->whole ? "" : "/", STR_FMT(t->path));
}

static int take(struct test_matches *to, const struct store_test *t, int rank, char *whole)
{
	_free_ char *name = whole;
	int64_t id = t->into_id ? t->into_id : t->id;

	if (rank == RANK_NONE || rank < to->rank)
		return 0;
	if (rank > to->rank)
		drop(to);
	to->rank = rank;
	if (is_known(to, id))
		return 0;
	ARRAY_GROW(to->v, to->n, to->cap);
	to->v[to->n++] = (struct test_match){ id, TAKE(name) };
	return 0;
}

static int on_test(void *ctx, const struct store_test *t)
{
	struct match *m = ctx;
	char *name = name_of(t);

	return take(m->to, t, rank_of(m, t, name), name);
}

static int on_number(void *ctx, const struct store_test *t)
{
	struct match *m = ctx;

	return take(m->to, t, RANK_NUMBER, name_of(t));
}

static int on_into(void *ctx, const struct store_test *t)
{
	struct test_match *m = ctx;

	free(m->name);
	m->name = name_of(t);
	if (t->into_id)
		m->id = t->into_id;
	return 0;
}

/* A word that begins as a program's tests do: those alone, it is faster. */
static int look_in_program(struct store *s, struct match *m, struct err *err)
{
	const char *a = strchr(m->word, '/'), *b = a ? strchr(a + 1, '/') : NULL;
	_free_ char *suite = NULL, *program = NULL;
	struct store_tests_filter f = {};

	if (!a || strpbrk(m->word, "*?["))
		return 0;
	suite = xstrndup(m->word, (size_t)(a - m->word));
	program = b ? xstrndup(a + 1, (size_t)(b - a - 1)) : xstrdup(a + 1);
	f.suite = suite;
	f.program = program;
	return store_tests(s, &f, on_test, m, err);
}

/* A number of ours: not one of the thousands has to be read for it. */
static int look_for_number(struct store *s, struct match *m, struct err *err)
{
	struct err none = {};
	uint64_t id;
	int r;

	if (!str_to_u64(str_of(m->word), &id) || !id || id > INT64_MAX)
		return 0;
	r = store_test_get(s, (int64_t)id, on_number, m, &none);
	if (r < 0 && r != -ENOENT)
		*err = none;
	return r == -ENOENT ? 0 : r;
}

int test_match(struct store *s, const char *word, struct test_matches *ret, struct err *err)
{
	struct match m = { .to = ret, .word = word };
	struct store_tests_filter all = {};
	int r;

	*ret = (struct test_matches){};
	r = look_for_number(s, &m, err);
	if (r == 0 && !ret->rank)
		r = look_in_program(s, &m, err);
	if (r == 0 && ret->rank < RANK_GLOB)
		r = store_tests(s, &all, on_test, &m, err);
	/* Aliases may be chained; the store refuses rings. */
	for (size_t i = 0; r == 0 && i < ret->n; i++) {
		int64_t id = 0;

		for (int k = 0; r == 0 && id != ret->v[i].id && k < 64; k++) {
			id = ret->v[i].id;
			r = store_test_get(s, id, on_into, &ret->v[i], err);
		}
	}
	if (r == 0 && !ret->n)
		return err_set(err, ENOENT, "no test '%s': taproom history '*' lists all",
			       word);
	return r;
}

void test_matches_done(struct test_matches *m)
{
	drop(m);
	free(m->v);
	*m = (struct test_matches){};
}
