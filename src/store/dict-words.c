/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outcomes, reasons, settings, layouts: what executions are told with. */
#include "store/dict-inside.h"

/* ---- outcomes ---- */

int dict_outcome(struct dict *d, struct shape *s, struct str body, struct outcome **ret)
{
	uint64_t h = str_hash(body, (uint64_t)(uintptr_t)s);
	struct outcome *first = map_get(&d->outcomes, h), *o = first, x = { .shape = s };
	int r;

	while (o && !(o->shape == s && str_eq(o->body, body)))
		o = o->next;
	if (!o) {
		r = code_outcome_read(body, s->n, &d->arena, &x.exit_code, &x.exceptions, &x.n);
		if (r < 0)
			return r;
		o = arena_alloc(&d->arena, sizeof(*o));
		*o = x;
		o->body = dict_keep(d, body);
		o->next = first;
		map_put(&d->outcomes, h, o);
	}
	*ret = o;
	return 0;
}

int dict_outcome_save(struct dict *d, struct outcome *o, struct err *err)
{
	int64_t id = 0;
	int r;

	if (o->id)
		return 0;
	r = dict_shape_save(d, (struct shape *)o->shape, err);
	if (r < 0)
		return r;
	const struct db_arg args[] = { DB_I(dict_hash(o->body)), DB_I(o->shape->id),
				       DB_B(o->body) };
	r = dict_find_or_add(d, SQL_OUTCOME_FIND, SQL_OUTCOME_ADD, args, ARRAY_SIZE(args), &id,
			     err);
	if (r == 0)
		dict_fresh_id(d, &d->outcome_ids, &o->id, id, o);
	return r;
}

/* What was read is not looked for by what it says: that is for writers. */
static int take_outcome(struct dict *d, int64_t id, int64_t shape, struct str body,
			struct outcome **ret, struct err *err)
{
	struct outcome *o;
	struct shape *s;
	int r = dict_shape_get(d, shape, &s, err);

	if (r < 0)
		return r;
	o = arena_alloc(&d->arena, sizeof(*o));
	o->shape = s;
	o->body = dict_keep(d, body);
	if (code_outcome_read(o->body, s->n, &d->arena, &o->exit_code, &o->exceptions, &o->n) < 0)
		return dict_damaged(d, "outcome", id, err);
	dict_known(&d->outcome_ids, &o->id, id, o);
	*ret = o;
	return 0;
}

int dict_outcome_get(struct dict *d, int64_t id, struct outcome **ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r;

	*ret = map_get(&d->outcome_ids, (uint64_t)id);
	if (*ret)
		return 0;
	r = db_query(d->db, SQL_OUTCOME_GET, &rows, err, DB_I(id));
	if (r == 0)
		r = db_next(&rows, err);
	if (r <= 0)
		return r < 0 ? r : dict_damaged(d, "outcome", id, err);
	return take_outcome(d, id, db_int(&rows, 0), db_str(&rows, 1), ret, err);
}

int dict_outcomes(struct dict *d, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(d->db, SQL_OUTCOMES, &rows, err, DB_I(d->last_outcome));

	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		int64_t id = db_int(&rows, 0);
		struct outcome *o;

		d->last_outcome = id;
		r = map_get(&d->outcome_ids, (uint64_t)id) ?
		    0 : take_outcome(d, id, db_int(&rows, 1), db_str(&rows, 2), &o, err);
	}
	return r;
}

/* ---- reasons ---- */

struct reasons *dict_reasons(struct dict *d, struct str body)
{
	uint64_t h = str_hash(body, STR_HASH_INIT);
	struct reasons *first = map_get(&d->reasons, h), *x = first;

	while (x && !str_eq(x->body, body))
		x = x->next;
	if (x)
		return x;
	x = arena_alloc(&d->arena, sizeof(*x));
	*x = (struct reasons){ .body = dict_keep(d, body), .next = first };
	map_put(&d->reasons, h, x);
	return x;
}

int dict_reasons_save(struct dict *d, struct reasons *x, struct err *err)
{
	const struct db_arg args[] = { DB_I(dict_hash(x->body)), DB_B(x->body) };
	int64_t id = 0;
	int r;

	if (x->id)
		return 0;
	r = dict_find_or_add(d, SQL_REASONS_FIND, SQL_REASONS_ADD, args, ARRAY_SIZE(args), &id,
			     err);
	if (r == 0)
		dict_fresh_id(d, &d->reasons_ids, &x->id, id, x);
	return r;
}

int dict_reasons_get(struct dict *d, int64_t id, struct reasons **ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r;

	*ret = map_get(&d->reasons_ids, (uint64_t)id);
	if (*ret)
		return 0;
	r = db_query(d->db, SQL_REASONS_GET, &rows, err, DB_I(id));
	if (r == 0)
		r = db_next(&rows, err);
	if (r <= 0)
		return r < 0 ? r : dict_damaged(d, "reasons", id, err);
	*ret = dict_reasons(d, db_str(&rows, 0));
	dict_known(&d->reasons_ids, &(*ret)->id, id, *ret);
	return 0;
}

/* ---- settings: a handful ---- */

struct setting *dict_setting(struct dict *d, struct str mode, struct str machine)
{
	struct setting *s = d->settings;

	while (s && !(str_eq(s->mode, mode) && str_eq(s->machine, machine)))
		s = s->next;
	if (s)
		return s;
	s = arena_alloc(&d->arena, sizeof(*s));
	*s = (struct setting){ .mode = dict_keep(d, mode),
			       .machine = dict_keep(d, machine),
			       .next = d->settings };
	d->settings = s;
	return s;
}

int dict_setting_save(struct dict *d, struct setting *s, struct err *err)
{
	const struct db_arg args[] = { DB_T(s->mode), DB_T(s->machine) };
	int64_t id = 0;
	int r;

	if (s->id)
		return 0;
	r = dict_find_or_add(d, SQL_SETTING_FIND, SQL_SETTING_ADD, args, ARRAY_SIZE(args), &id,
			     err);
	if (r == 0)
		dict_fresh_id(d, &d->setting_ids, &s->id, id, s);
	return r;
}

int dict_setting_get(struct dict *d, int64_t id, struct setting **ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r;

	*ret = map_get(&d->setting_ids, (uint64_t)id);
	if (*ret)
		return 0;
	r = db_query(d->db, SQL_SETTING_GET, &rows, err, DB_I(id));
	if (r == 0)
		r = db_next(&rows, err);
	if (r <= 0)
		return r < 0 ? r : dict_damaged(d, "setting", id, err);
	*ret = dict_setting(d, db_str(&rows, 0), db_str(&rows, 1));
	dict_known(&d->setting_ids, &(*ret)->id, id, *ret);
	return 0;
}

/* ---- layouts ---- */

static struct layout *layout_keep(struct dict *d, struct shape *s, int64_t id)
{
	struct layout *l = arena_alloc(&d->arena, sizeof(*l));

	l->id = id;
	ARRAY_GROW(s->layouts, s->n_layouts, s->cap_layouts);
	s->layouts[s->n_layouts++] = l;
	return l;
}

int dict_layouts(struct dict *d, struct shape *s, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r;

	if (s->layouts_read || !s->id)
		return 0;
	r = db_query(d->db, SQL_LAYOUTS, &rows, err, DB_I(s->id));
	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		int64_t id = db_int(&rows, 0);
		struct columns c;
		bool have = false;

		for (size_t i = 0; i < s->n_layouts; i++)
			have |= s->layouts[i]->id == id;
		r = 0;
		if (have)
			continue;
		if (layout_unpack(db_str(&rows, 1), s->n - 1, &c) < 0)
			return dict_damaged(d, "layout", id, err);
		layout_keep(d, s, id)->columns = c;
	}
	s->layouts_read = r == 0;
	return r;
}

int dict_layout_add(struct dict *d, struct shape *s, const struct columns *c, struct layout **ret,
		    struct err *err)
{
	_cleanup_(buf_done) struct buf body = {};
	struct columns copy;
	int64_t id;
	int r;

	layout_pack(c, &d->zstd, &body);
	r = db_add(d->db, SQL_LAYOUT_ADD, &id, err, DB_I(s->id), DB_B(buf_str(&body)));
	if (r < 0)
		return r;
	columns_alloc(&copy, c->n);
	copy.log_lines = c->log_lines;
	if (c->n) {
		memcpy(copy.rows, c->rows, c->n * sizeof(*c->rows));
		memcpy(copy.times, c->times, c->n * sizeof(*c->times));
	}
	*ret = layout_keep(d, s, id);
	(*ret)->columns = copy;
	ARRAY_GROW(d->fresh, d->n_fresh, d->cap_fresh);
	d->fresh[d->n_fresh++] = (struct dict_fresh){ &(*ret)->id, NULL };
	return 0;
}

int dict_layout_get(struct dict *d, struct shape *s, int64_t id, struct layout **ret,
		    struct err *err)
{
	/* Another writer may have added one since they were read. */
	for (int tries = 0; tries < 2; tries++) {
		int r;

		for (size_t i = 0; i < s->n_layouts; i++) {
			if (s->layouts[i]->id == id) {
				*ret = s->layouts[i];
				return 0;
			}
		}
		s->layouts_read = false;
		r = dict_layouts(d, s, err);
		if (r < 0)
			return r;
	}
	return dict_damaged(d, "layout", id, err);
}
