/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/dict-inside.h"

#include <inttypes.h>
#include <stdlib.h>

#include "store/inside.h"
#include "store/pack.h"

/* Shapes of a program that are tried for the next execution. */
#define SHAPES_TRIED 16

void dict_init(struct dict *d, struct db *db)
{
	*d = (struct dict){ .db = db };
}

static void free_all(struct map *m, void (*fn)(void *))
{
	for (size_t i = 0; i < m->cap; i++)
		if (map_get(m, m->v[i].key) == m->v[i].value && m->v[i].value)
			fn(m->v[i].value);
	map_done(m);
}

static void program_free(void *p)
{
	for (struct program *x = p; x; x = x->next)
		free(x->shapes);
}

static void shape_free(void *p)
{
	for (struct shape *x = p; x; x = x->next) {
		for (size_t i = 0; i < x->n_layouts; i++)
			columns_done(&x->layouts[i]->columns);
		free(x->layouts);
	}
}

void dict_done(struct dict *d)
{
	struct map *others[] = { &d->program_ids, &d->name_ids,	   &d->names,
				 &d->shape_ids,	  &d->outcome_ids, &d->outcomes,
				 &d->reasons_ids, &d->reasons,	   &d->setting_ids };

	free_all(&d->programs, program_free);
	free_all(&d->shapes, shape_free);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		map_done(others[i]);
	free(d->fresh);
	pack_done(d->zstd);
	buf_done(&d->scratch);
	arena_done(&d->arena);
}

void dict_settle(struct dict *d, bool committed)
{
	for (size_t i = 0; !committed && i < d->n_fresh; i++) {
		struct dict_fresh *f = &d->fresh[i];

		/* A layout that nobody has is not used again. */
		if (f->by_id)
			map_put(f->by_id, (uint64_t)*f->id, NULL);
		*f->id = f->by_id ? 0 : -1;
	}
	d->n_fresh = 0;
}

int dict_damaged(struct dict *d, const char *what, int64_t id, struct err *err)
{
	return err_set(err, EBADMSG, "the store is damaged: %s %" PRId64 " can't be read", what,
		       id);
}

struct str dict_keep(struct dict *d, struct str s)
{
	return str_n(arena_strndup(&d->arena, s.p ? s.p : "", s.n), s.n);
}

void dict_known(struct map *by_id, int64_t *id, int64_t value, void *thing)
{
	*id = value;
	map_put(by_id, (uint64_t)value, thing);
}

void dict_fresh_id(struct dict *d, struct map *by_id, int64_t *id, int64_t value, void *thing)
{
	dict_known(by_id, id, value, thing);
	ARRAY_GROW(d->fresh, d->n_fresh, d->cap_fresh);
	d->fresh[d->n_fresh++] = (struct dict_fresh){ id, by_id };
}

int dict_find_or_add(struct dict *d, enum sql find, enum sql add, const struct db_arg *args,
		     size_t n, int64_t *ret, struct err *err)
{
	int r = db_get_args(d->db, find, args, n, ret, err);

	if (r == 0)
		r = db_share(d->db, err);
	if (r > 0 && *ret == 0)
		r = db_get_args(d->db, find, args, n, ret, err);
	if (r == 0)
		return db_add_args(d->db, add, args, n, ret, err);
	return r < 0 ? r : 0;
}

int64_t dict_hash(struct str s)
{
	return (int64_t)str_hash(s, STR_HASH_INIT);
}

/* ---- programs ---- */

struct program *dict_program(struct dict *d, struct str suite, struct str name)
{
	uint64_t h = str_hash(name, str_hash(suite, STR_HASH_INIT));
	struct program *first = map_get(&d->programs, h), *p = first;

	while (p && !(str_eq(p->suite, suite) && str_eq(p->name, name)))
		p = p->next;
	if (p)
		return p;
	p = arena_alloc(&d->arena, sizeof(*p));
	*p = (struct program){ .suite = dict_keep(d, suite),
			       .name = dict_keep(d, name),
			       .next = first };
	map_put(&d->programs, h, p);
	return p;
}

int dict_program_save(struct dict *d, struct program *p, struct err *err)
{
	const struct db_arg args[] = { DB_T(p->suite), DB_T(p->name) };
	int64_t id = 0;
	int r;

	if (p->id)
		return 0;
	r = dict_find_or_add(d, SQL_PROGRAM_FIND, SQL_PROGRAM_ADD, args, ARRAY_SIZE(args), &id,
			     err);
	if (r == 0)
		dict_fresh_id(d, &d->program_ids, &p->id, id, p);
	return r;
}

int dict_program_get(struct dict *d, int64_t id, struct program **ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r;

	*ret = map_get(&d->program_ids, (uint64_t)id);
	if (*ret)
		return 0;
	r = db_query(d->db, SQL_PROGRAM_GET, &rows, err, DB_I(id));
	if (r == 0)
		r = db_next(&rows, err);
	if (r <= 0)
		return r < 0 ? r : dict_damaged(d, "program", id, err);
	*ret = dict_program(d, db_str(&rows, 0), db_str(&rows, 1));
	dict_known(&d->program_ids, &(*ret)->id, id, *ret);
	return 0;
}

/* ---- names ---- */

static bool same_names(const struct name *n, const struct str *names, unsigned depth)
{
	if (n->depth != depth)
		return false;
	for (unsigned i = 0; i < depth; i++)
		if (!str_eq(n->names[i], names[i]))
			return false;
	return true;
}

static uint64_t name_hash(const struct program *p, struct str key, unsigned nth,
			  const struct str *names, unsigned depth, unsigned ordinal, bool leaf)
{
	uint64_t h = (uint64_t)(uintptr_t)p ^ (uint64_t)nth << 32 ^ ordinal << 1 ^ leaf;

	h = str_hash(key, h);
	for (unsigned i = 0; i < depth; i++)
		h = str_hash(names[i], h + 1);
	return h;
}

/* Names joined by '/', and how long each is: names may have a '/' themselves. */
static void set_path(struct dict *d, struct name *n, const struct str *names, unsigned depth)
{
	_cleanup_(buf_done) struct buf path = {}, cuts = {};
	struct str *cut = arena_alloc(&d->arena, depth * sizeof(*cut));
	size_t at = 0;

	for (unsigned i = 0; i < depth; i++) {
		if (i)
			buf_add(&path, "/", 1);
		buf_add_str(&path, names[i]);
		pack_uint(&cuts, names[i].n);
	}
	n->path = dict_keep(d, buf_str(&path));
	n->cuts = dict_keep(d, buf_str(&cuts));
	for (unsigned i = 0; i < depth; i++) {
		cut[i] = str_n(n->path.p + at, names[i].n);
		at += names[i].n + 1;
	}
	n->names = cut;
	n->depth = depth;
}

struct name *dict_name(struct dict *d, struct program *p, struct str key, unsigned nth,
		       const struct str *names, unsigned depth, unsigned ordinal, bool leaf)
{
	uint64_t h = name_hash(p, key, nth, names, depth, ordinal, leaf);
	struct name *first = map_get(&d->names, h), *n = first;

	while (n && !(n->program == p && n->nth == nth && n->ordinal == ordinal &&
		      n->leaf == leaf && str_eq(n->key, key) && same_names(n, names, depth)))
		n = n->next;
	if (n)
		return n;
	n = arena_alloc(&d->arena, sizeof(*n));
	*n = (struct name){ .program = p,
			    .key = dict_keep(d, key),
			    .nth = nth,
			    .ordinal = ordinal,
			    .leaf = leaf,
			    .next = first };
	set_path(d, n, names, depth);
	map_put(&d->names, h, n);
	return n;
}

static int name_save(struct dict *d, struct name *n, struct err *err)
{
	const struct db_arg series[] = { DB_I(n->program->id), DB_I(dict_hash(n->key)),
					 DB_I(n->depth == 0), DB_I(n->nth), DB_T(n->key) };
	int64_t series_id = 0, id = 0;
	int r;

	if (n->id)
		return 0;
	r = dict_find_or_add(d, SQL_SERIES_FIND, SQL_SERIES_ADD, series, ARRAY_SIZE(series),
			     &series_id, err);
	if (r == 0) {
		const struct db_arg args[] = { DB_I(series_id),	 DB_I(dict_hash(n->path)),
					       DB_I(n->ordinal), DB_I(n->leaf),
					       DB_T(n->path),	 DB_B(n->cuts) };

		r = dict_find_or_add(d, SQL_NAME_FIND, SQL_NAME_ADD, args, ARRAY_SIZE(args), &id,
				     err);
	}
	if (r == 0) {
		n->series_id = series_id;
		dict_fresh_id(d, &d->name_ids, &n->id, id, n);
	}
	return r;
}

/* The path cut into its names again. */
static int cut_names(struct str path, struct str cuts, struct str *names, unsigned *ret)
{
	struct str rest = path;
	unsigned depth = 0;

	while (cuts.n) {
		uint64_t n;

		if (!unpack_uint(&cuts, &n) || n > rest.n || depth >= PATH_DEPTH_MAX)
			return -EBADMSG;
		names[depth++] = str_n(rest.p, n);
		if (cuts.n && (n == rest.n || rest.p[n] != '/'))
			return -EBADMSG;
		rest = str_from(rest, cuts.n ? n + 1 : n);
	}
	*ret = depth;
	return rest.n ? -EBADMSG : 0;
}

/* Columns of SQL_NAME_GET. */
enum { N_SERIES, N_PROGRAM, N_WHOLE, N_NTH, N_KEY, N_ORDINAL, N_LEAF, N_PATH, N_CUTS };

int dict_name_get(struct dict *d, int64_t id, struct name **ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	struct str names[PATH_DEPTH_MAX];
	struct program *p;
	unsigned depth;
	int r;

	*ret = map_get(&d->name_ids, (uint64_t)id);
	if (*ret)
		return 0;
	r = db_query(d->db, SQL_NAME_GET, &rows, err, DB_I(id));
	if (r == 0)
		r = db_next(&rows, err);
	if (r <= 0)
		return r < 0 ? r : dict_damaged(d, "name", id, err);
	r = dict_program_get(d, db_int(&rows, N_PROGRAM), &p, err);
	if (r < 0)
		return r;
	if (cut_names(db_str(&rows, N_PATH), db_str(&rows, N_CUTS), names, &depth) < 0 ||
	    (depth == 0) != (db_int(&rows, N_WHOLE) != 0))
		return dict_damaged(d, "name", id, err);
	*ret = dict_name(d, p, db_str(&rows, N_KEY), (unsigned)db_int(&rows, N_NTH), names, depth,
			 (unsigned)db_int(&rows, N_ORDINAL), db_int(&rows, N_LEAF));
	(*ret)->series_id = db_int(&rows, N_SERIES);
	dict_known(&d->name_ids, &(*ret)->id, id, *ret);
	return 0;
}

/* ---- shapes ---- */

struct shape *dict_shape(struct dict *d, struct program *p, struct name **names, size_t n)
{
	uint64_t h = str_hash(str_n((const char *)names, n * sizeof(*names)), STR_HASH_INIT);
	struct shape *first = map_get(&d->shapes, h), *s = first;

	while (s && !(s->n == n && memcmp(s->names, names, n * sizeof(*names)) == 0))
		s = s->next;
	if (s)
		return s;
	s = arena_alloc(&d->arena, sizeof(*s));
	*s = (struct shape){ .program = p, .n = n, .next = first };
	s->names = arena_alloc(&d->arena, n * sizeof(*names));
	memcpy(s->names, names, n * sizeof(*names));
	for (size_t i = 0; i + 1 < n; i++)
		s->leaves += names[i]->leaf;
	map_put(&d->shapes, h, s);
	return s;
}

int dict_shape_save(struct dict *d, struct shape *s, struct err *err)
{
	_cleanup_(buf_done) struct buf body = {};
	_free_ int64_t *ids = NULL;
	int64_t id = 0;
	int r;

	if (s->id)
		return 0;
	ids = xcalloc(s->n, sizeof(*ids));
	r = dict_program_save(d, s->program, err);
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		r = name_save(d, s->names[i], err);
		ids[i] = s->names[i]->id;
	}
	if (r < 0)
		return r;
	pack_ids(ids, s->n, &body);
	const struct db_arg args[] = { DB_I(dict_hash(buf_str(&body))), DB_I(s->program->id),
				       DB_B(buf_str(&body)) };
	r = dict_find_or_add(d, SQL_SHAPE_FIND, SQL_SHAPE_ADD, args, ARRAY_SIZE(args), &id, err);
	if (r == 0)
		dict_fresh_id(d, &d->shape_ids, &s->id, id, s);
	return r;
}

static int read_ids(struct dict *d, int64_t id, int64_t **ret, size_t *ret_n, int64_t *ret_program,
		    struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(d->db, SQL_SHAPE_GET, &rows, err, DB_I(id));

	if (r == 0)
		r = db_next(&rows, err);
	if (r < 0)
		return r;
	if (r == 0 || unpack_ids(db_str(&rows, 0), RESULTS_MAX + 1, ret, ret_n) < 0)
		return dict_damaged(d, "shape", id, err);
	*ret_program = db_int(&rows, 1);
	return 0;
}

int dict_shape_get(struct dict *d, int64_t id, struct shape **ret, struct err *err)
{
	_free_ struct name **names = NULL;
	_free_ int64_t *ids = NULL;
	struct program *p;
	int64_t program = 0;
	size_t n = 0;
	int r;

	*ret = map_get(&d->shape_ids, (uint64_t)id);
	if (*ret)
		return 0;
	r = read_ids(d, id, &ids, &n, &program, err);
	if (r == 0)
		r = dict_program_get(d, program, &p, err);
	if (r < 0)
		return r;
	names = xcalloc(n, sizeof(*names));
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = dict_name_get(d, ids[i], &names[i], err);
		/* Only the last is the program itself. */
		if (r == 0 && (names[i]->depth == 0) != (i + 1 == n))
			r = dict_damaged(d, "shape", id, err);
	}
	if (r < 0)
		return r;
	if (n == 0)
		return dict_damaged(d, "shape", id, err);
	*ret = dict_shape(d, p, names, n);
	dict_known(&d->shape_ids, &(*ret)->id, id, *ret);
	return 0;
}

void dict_shape_seen(struct shape *s)
{
	struct program *p = s->program;
	size_t i = 0;

	if (p->n_shapes && p->shapes[0] == s)
		return;
	while (i < p->n_shapes && p->shapes[i] != s)
		i++;
	if (i == p->n_shapes && i == SHAPES_TRIED) {
		i--;
	} else if (i == p->n_shapes) {
		ARRAY_GROW(p->shapes, p->n_shapes, p->cap_shapes);
		p->n_shapes++;
	}
	memmove(p->shapes + 1, p->shapes, i * sizeof(*p->shapes));
	p->shapes[0] = s;
}

int dict_recall(struct dict *d, struct program *p, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int64_t id, ids[SHAPES_TRIED];
	size_t n = 0;
	int r = 0;

	if (p->recalled)
		return 0;
	p->recalled = true;
	if (!p->id) {
		r = db_get(d->db, SQL_PROGRAM_FIND, &id, err, DB_T(p->suite), DB_T(p->name));
		if (r <= 0)
			return r;
		dict_known(&d->program_ids, &p->id, id, p);
	}
	r = db_query(d->db, SQL_SHAPES_RECENT, &rows, err, DB_I(p->id), DB_I(SHAPES_TRIED));
	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		ids[n++] = db_int(&rows, 0);
		r = 0;
	}
	while (r == 0 && n > 0) {
		struct shape *s;

		r = dict_shape_get(d, ids[--n], &s, err);
		if (r == 0)
			dict_shape_seen(s);
	}
	return r;
}
