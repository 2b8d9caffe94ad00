/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which tests there are, under which names, and which of them are one. */
#include "store/inside.h"

#include <inttypes.h>
#include <stdlib.h>

#define ALIAS_DEPTH 64

struct listing {
	struct store *s;
	const struct store_tests_filter *f;
	struct map into;
	struct err *err;
};

static int read_aliases(struct listing *l)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(l->s->db, SQL_ALIASES, NULL, 0, &rows, l->err);

	while (r == 0 && (r = db_next(&rows, l->err)) > 0) {
		map_put(&l->into, (uint64_t)db_int(&rows, 0),
			(void *)(intptr_t)db_int(&rows, 1));
		r = 0;
	}
	return r;
}

static bool fits(const struct store_tests_filter *f, const struct store_test *t)
{
	_free_ char *whole = NULL;

	if (f->key && !str_eq(t->key, str_of(f->key)))
		return false;
	if (!f->glob)
		return true;
	whole = xasprintf("%.*s/%.*s%s%.*s", STR_FMT(t->suite), STR_FMT(t->program),
			  t->whole ? "" : "/", STR_FMT(t->path));
	return str_glob(f->glob, whole);
}

/* A row of SERIES_COLUMNS. */
static int tell(struct listing *l, struct db_rows *row, const struct program *p,
		store_test_fn fn, void *ctx)
{
	struct store_test t = {
		.id = db_int(row, 1),
		.suite = p->suite,
		.program = p->name,
		.whole = db_int(row, 2),
		.nth = (unsigned)db_int(row, 3),
		.key = db_str(row, 4),
		.path = db_str(row, 5),
		.leaf = db_int(row, 6),
	};

	t.into_id = (int64_t)(intptr_t)map_get(&l->into, (uint64_t)t.id);
	return fits(l->f, &t) ? fn(ctx, &t) : 0;
}

static int list_program(struct listing *l, const struct program *p, store_test_fn fn, void *ctx)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(l->s->db, SQL_SERIES_LIST, &rows, l->err, DB_I(p->id));

	while (r == 0 && (r = db_next(&rows, l->err)) > 0)
		r = tell(l, &rows, p, fn, ctx);
	return r;
}

int store_tests(struct store *s, const struct store_tests_filter *f, store_test_fn fn,
		void *ctx, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	struct listing l = { .s = s, .f = f, .err = err };
	int r = read_aliases(&l);

	if (r == 0)
		r = db_query_args(s->db, SQL_PROGRAMS, NULL, 0, &rows, err);
	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		struct program *p;

		r = dict_program_get(&s->dict, db_int(&rows, 0), &p, err);
		if (r == 0 && (!f->suite || str_eq(p->suite, str_of(f->suite))) &&
		    (!f->program || str_eq(p->name, str_of(f->program))))
			r = list_program(&l, p, fn, ctx);
	}
	map_done(&l.into);
	return r;
}

int store_test_get(struct store *s, int64_t id, store_test_fn fn, void *ctx, struct err *err)
{
	static const struct store_tests_filter any = {};
	_cleanup_(db_rows_done) struct db_rows rows = {};
	struct listing l = { .s = s, .f = &any, .err = err };
	struct program *p;
	int r = db_query(s->db, SQL_SERIES_GET, &rows, err, DB_I(id));

	if (r == 0)
		r = db_next(&rows, err);
	if (r == 0)
		return err_set(err, ENOENT, "the store has no series %" PRId64, id);
	if (r > 0)
		r = dict_program_get(&s->dict, db_int(&rows, 0), &p, err);
	if (r == 0)
		r = read_aliases(&l);
	if (r == 0)
		r = tell(&l, &rows, p, fn, ctx);
	map_done(&l.into);
	return r;
}

int store_test_names(struct store *s, int64_t id, store_name_fn fn, void *ctx, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_NAMES_OF_SERIES, &rows, err, DB_I(id));

	while (r == 0 && (r = db_next(&rows, err)) > 0)
		r = fn(ctx, db_str(&rows, 0));
	return r;
}

/* ---- aliases ---- */

static int must_exist(struct store *s, int64_t id, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_SERIES_GET, &rows, err, DB_I(id));

	if (r == 0)
		r = db_next(&rows, err);
	if (r == 0)
		return err_set(err, ENOENT, "the store has no series %" PRId64, id);
	return r < 0 ? r : 0;
}

static int set_alias(struct store *s, int64_t old, int64_t new, struct err *err)
{
	struct listing l = { .s = s, .err = err };
	int64_t at = new;
	int r = must_exist(s, old, err);

	if (r == 0 && !new)
		return db_run(s->db, SQL_ALIAS_DROP, err, DB_I(old));
	if (r == 0)
		r = must_exist(s, new, err);
	if (r == 0)
		r = read_aliases(&l);
	for (int i = 0; at && at != old && i < ALIAS_DEPTH; i++)
		at = (int64_t)(intptr_t)map_get(&l.into, (uint64_t)at);
	map_done(&l.into);
	if (r < 0)
		return r;
	if (at)
		return err_set(err, ELOOP, "series %" PRId64 " is an earlier name of %" PRId64
			       " already", new, old);
	return db_run(s->db, SQL_ALIAS_PUT, err, DB_I(old), DB_I(new));
}

int store_alias(struct store *s, int64_t old, int64_t new, struct err *err)
{
	int r = store_begin(s, err);

	return r < 0 ? r : store_end(s, set_alias(s, old, new, err), err);
}
