/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/shape.h"

#include <inttypes.h>
#include <stdlib.h>

#include "store/pack.h"

static int damaged(const char *what, int64_t id, struct err *err)
{
	return err_set(err, EBADMSG, "the store is damaged: %s %" PRId64 " can't be read", what,
		       id);
}

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p, s.n), s.n);
}

/* The path cut into its names again. */
static int cut_names(struct series *s, struct str cuts)
{
	struct str rest = s->path;

	while (cuts.n) {
		uint64_t n;

		if (!unpack_uint(&cuts, &n) || n > rest.n || s->depth >= PATH_DEPTH_MAX)
			return -EBADMSG;
		s->names[s->depth++] = str_n(rest.p, n);
		if (cuts.n && (n == rest.n || rest.p[n] != '/'))
			return -EBADMSG;
		rest = str_from(rest, cuts.n ? n + 1 : n);
	}
	return rest.n ? -EBADMSG : 0;
}

static int read_series(struct shapes *all, struct db *db, int64_t id, struct series **ret,
		       struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	struct series *s = arena_alloc(&all->arena, sizeof(*s));
	int r = db_query(db, SQL_SERIES_GET, &rows, err, DB_I(id));

	if (r == 0)
		r = db_next(&rows, err);
	if (r <= 0)
		return r < 0 ? r : damaged("series", id, err);
	s->id = id;
	s->key = keep(&all->arena, db_str(&rows, 0));
	s->nth = (unsigned)db_int(&rows, 1);
	s->path = keep(&all->arena, db_str(&rows, 2));
	s->ordinal = (unsigned)db_int(&rows, 4);
	s->leaf = db_int(&rows, 5);
	s->program_id = db_int(&rows, 6);
	s->suite = keep(&all->arena, db_str(&rows, 7));
	s->program = keep(&all->arena, db_str(&rows, 8));
	if (cut_names(s, db_str(&rows, 3)) < 0)
		return damaged("series", id, err);
	*ret = s;
	return 0;
}

/* Where @id is among the sorted, or would be. */
static size_t place(const struct shapes *all, int64_t id)
{
	size_t low = 0, high = all->n_series;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (all->series[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int get_series(struct shapes *all, struct db *db, int64_t id, const struct series **ret,
		      struct err *err)
{
	size_t at = place(all, id);
	struct series *s;
	int r;

	if (at < all->n_series && all->series[at]->id == id) {
		*ret = all->series[at];
		return 0;
	}
	r = read_series(all, db, id, &s, err);
	if (r < 0)
		return r;
	ARRAY_GROW(all->series, all->n_series, all->cap_series);
	memmove(all->series + at + 1, all->series + at,
		(all->n_series - at) * sizeof(*all->series));
	all->series[at] = s;
	all->n_series++;
	*ret = s;
	return 0;
}

static int read_ids(struct db *db, int64_t id, int64_t **ret, size_t *ret_n, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(db, SQL_SHAPE_GET, &rows, err, DB_I(id));

	if (r == 0)
		r = db_next(&rows, err);
	if (r < 0)
		return r;
	if (r == 0 || unpack_ids(db_str(&rows, 0), RESULTS_MAX + 1, ret, ret_n) < 0)
		return damaged("shape", id, err);
	if (*ret_n == 0) {
		free(*ret);
		*ret = NULL;
		return damaged("shape", id, err);
	}
	return 0;
}

int shapes_get(struct shapes *all, struct db *db, int64_t id, const struct shape **ret,
	       struct err *err)
{
	_free_ int64_t *ids = NULL;
	struct shape *s;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i]->id == id) {
			*ret = all->v[i];
			return 0;
		}
	}
	r = read_ids(db, id, &ids, &n, err);
	if (r < 0)
		return r;
	s = arena_alloc(&all->arena, sizeof(*s));
	s->id = id;
	s->n = n;
	s->series = arena_alloc(&all->arena, n * sizeof(*s->series));
	for (size_t i = 0; i < n; i++) {
		r = get_series(all, db, ids[i], &s->series[i], err);
		if (r < 0)
			return r;
	}
	ARRAY_GROW(all->v, all->n, all->cap);
	all->v[all->n++] = s;
	*ret = s;
	return 0;
}

void shapes_done(struct shapes *all)
{
	arena_done(&all->arena);
	free(all->v);
	free(all->series);
	*all = (struct shapes){};
}
