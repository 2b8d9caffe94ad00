/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One program on one branch, mode and machine: from executions to series. */
#include "store/scan.h"

#include <stdlib.h>

/* ---- series of the programs that are told ---- */

static uint32_t local_of(struct scan *c, int64_t id)
{
	uintptr_t nth = (uintptr_t)map_get(&c->locals_of, (uint64_t)id);

	if (!nth) {
		ARRAY_GROW(c->locals, c->n_locals, c->cap_locals);
		c->locals[c->n_locals] = (struct local){ .id = id };
		nth = ++c->n_locals;
		map_put(&c->locals_of, (uint64_t)id, (void *)nth);
	}
	return (uint32_t)nth - 1;
}

int64_t scan_told_as(const struct map *into, const struct shape *s, size_t at)
{
	int64_t own = s->names[at]->series_id, id = scan_map_id(into, own);

	for (size_t i = 0; id != own && i < s->n; i++)
		if (i != at && (s->names[i]->series_id == id ||
				(i < at && scan_map_id(into, s->names[i]->series_id) == id)))
			return own;
	return id;
}

static const uint32_t *locals_of(struct scan *c, const struct shape *s)
{
	uint32_t *v = map_get(&c->shapes, (uint64_t)(uintptr_t)s >> 4);

	if (v)
		return v;
	v = arena_alloc(&c->arena, s->n * sizeof(*v));
	for (size_t i = 0; i < s->n; i++)
		v[i] = local_of(c, scan_told_as(&c->into, s, i));
	map_put(&c->shapes, (uint64_t)(uintptr_t)s >> 4, v);
	return v;
}

/* ---- several executions in one place ---- */

static void merge_one(struct scan *c, const struct tracked *x)
{
	const uint32_t *locals = locals_of(c, x->outcome->shape);
	size_t next = 0;

	if (c->cap_merged < c->n_locals) {
		size_t cap = c->n_locals * 2;

		c->merged = xrealloc(c->merged, cap, 1);
		memset(c->merged + c->cap_merged, STORE_CELL_ABSENT, cap - c->cap_merged);
		c->cap_merged = cap;
	}
	for (size_t i = 0; i < x->outcome->shape->n; i++) {
		uint8_t now = STATUS_PASS, *cell = &c->merged[locals[i]];

		if (next < x->outcome->n && x->outcome->exceptions[next].at == i)
			now = x->outcome->exceptions[next++].status;
		*cell = store_cell_merge(*cell, now, x->attempt);
	}
}

/* The shape of all of them: one that has all, or a new one. */
static const struct shape *merge_shapes(struct scan *c, const struct tracked *v, size_t n)
{
	const struct shape *s = v[0].outcome->shape;
	struct name **names = NULL;
	struct shape *ret;
	size_t total = 0, k = 0;
	bool same = true;

	for (size_t i = 0; i < n; i++) {
		same &= v[i].outcome->shape == s;
		total += v[i].outcome->shape->n;
	}
	if (same)
		return s;
	ret = arena_alloc(&c->arena, sizeof(*ret));
	names = arena_alloc(&c->arena, total * sizeof(*names));
	/* Backwards: the newest name stands for a test; each once. */
	for (size_t i = n; i-- > 0;) {
		const struct shape *from = v[i].outcome->shape;
		const uint32_t *locals = locals_of(c, from);

		for (size_t j = 0; j < from->n; j++) {
			if (c->merged[locals[j]] & 0x40)
				continue;
			c->merged[locals[j]] |= 0x40;
			names[k++] = from->names[j];
		}
	}
	*ret = (struct shape){ .program = s->program, .names = names, .n = k };
	for (size_t i = 0; i < k; i++)
		c->merged[locals_of(c, ret)[i]] &= (uint8_t)~0x40;
	return ret;
}

static struct cell merge(struct scan *c, const struct tracked *v, size_t n)
{
	struct code_exception *exceptions;
	const uint32_t *locals;
	struct cell cell = {};

	for (size_t i = 0; i < n; i++)
		merge_one(c, &v[i]);
	cell.shape = merge_shapes(c, v, n);
	locals = locals_of(c, cell.shape);
	for (size_t i = 0; i < cell.shape->n; i++)
		cell.n += c->merged[locals[i]] != STATUS_PASS;
	exceptions = arena_alloc(&c->arena, cell.n * sizeof(*exceptions));
	cell.n = 0;
	for (size_t i = 0; i < cell.shape->n; i++) {
		uint8_t *status = &c->merged[locals[i]];

		if (*status != STATUS_PASS && *status != STORE_CELL_ABSENT)
			exceptions[cell.n++] = (struct code_exception){ (uint32_t)i, *status };
		*status = STORE_CELL_ABSENT;
	}
	cell.exceptions = exceptions;
	return cell;
}

/* ---- lanes ---- */

void lane_add(struct scan *c, const struct tracked *v, size_t n, int32_t ms)
{
	const struct outcome *o = v[0].outcome;
	struct lane *l = &c->lane;

	if (c->f->times) {
		ARRAY_GROW(l->times, l->n, l->cap_times);
		l->times[l->n] = ms;
	}
	ARRAY_GROW(l->runs, l->n, l->cap_runs);
	ARRAY_GROW(l->cells, l->n, l->cap);
	l->runs[l->n] = v[0].run;
	l->cells[l->n++] = n > 1 ? merge(c, v, n) :
				   (struct cell){ o->shape, o->exceptions, o->n };
}

/* The stretches of the lane in which a shape doesn't change. */
static size_t same_shape(const struct lane *l, size_t from)
{
	size_t to = from + 1;

	while (to < l->n && l->cells[to].shape == l->cells[from].shape)
		to++;
	return to;
}

static void stretch_add(struct local *l, uint32_t from, uint32_t n)
{
	struct store_stretch *last = l->n_stretches ? &l->stretches[l->n_stretches - 1] : NULL;

	if (last && last->from + last->n == from)
		last->n += n;
	else
		l->stretches[l->n_stretches++] = (struct store_stretch){ from, n };
}

/* Counted first, so that all lie in two arrays. */
static void count_lane(struct scan *c)
{
	struct lane *l = &c->lane;
	size_t n_stretches = 0, n_exceptions = 0;

	for (size_t i = 0, to; i < l->n; i = to) {
		const struct shape *s = l->cells[i].shape;
		const uint32_t *locals = locals_of(c, s);

		to = same_shape(l, i);
		for (size_t k = 0; k < s->n; k++)
			c->locals[locals[k]].n_stretches++;
		n_stretches += s->n;
		for (size_t at = i; at < to; at++) {
			for (size_t k = 0; k < l->cells[at].n; k++)
				c->locals[locals[l->cells[at].exceptions[k].at]].n_exceptions++;
			n_exceptions += l->cells[at].n;
		}
	}
	if (n_stretches > l->cap_stretches) {
		l->cap_stretches = n_stretches * 2;
		free(l->stretches);
		l->stretches = xmalloc(l->cap_stretches * sizeof(*l->stretches));
	}
	if (n_exceptions > l->cap_exceptions) {
		l->cap_exceptions = n_exceptions * 2;
		free(l->exceptions);
		l->exceptions = xmalloc(l->cap_exceptions * sizeof(*l->exceptions));
	}
	n_stretches = n_exceptions = 0;
	for (size_t i = 0; i < c->n_locals; i++) {
		struct local *x = &c->locals[i];

		x->stretches = l->stretches + n_stretches;
		x->exceptions = l->exceptions + n_exceptions;
		n_stretches += x->n_stretches;
		n_exceptions += x->n_exceptions;
		x->n_stretches = x->n_exceptions = 0;
	}
}

/* Where each series was, and what it said. */
static void fill_lane(struct scan *c)
{
	const struct lane *l = &c->lane;

	for (size_t i = 0, to; i < l->n; i = to) {
		const struct shape *s = l->cells[i].shape;
		const uint32_t *locals = locals_of(c, s);

		to = same_shape(l, i);
		for (size_t k = 0; k < s->n; k++) {
			stretch_add(&c->locals[locals[k]], (uint32_t)i, (uint32_t)(to - i));
			c->locals[locals[k]].name = s->names[k];
		}
		for (size_t at = i; at < to; at++) {
			for (size_t k = 0; k < l->cells[at].n; k++) {
				const struct code_exception *e = &l->cells[at].exceptions[k];
				struct local *x = &c->locals[locals[e->at]];

				x->exceptions[x->n_exceptions++] =
					(struct store_exception){ (uint32_t)at, e->status };
			}
		}
	}
}

static int tell(struct scan *c, const struct local *x, store_scanned_fn fn, void *ctx)
{
	struct store_scanned s = {
		.id = x->id,
		.lane = &c->lane.told,
		.path = x->name->path,
		.key = x->name->key,
		.whole = x->name->depth == 0,
		.leaf = x->name->leaf,
		.nth = x->name->nth,
		.present = x->stretches,
		.n_present = x->n_stretches,
		.exceptions = x->exceptions,
		.n_exceptions = x->n_exceptions,
	};

	for (size_t i = 0; i < x->n_stretches; i++)
		s.n += x->stretches[i].n;
	for (size_t i = 0; i < x->n_exceptions; i++)
		s.counts[x->exceptions[i].status]++;
	s.counts[STATUS_PASS] = s.n - x->n_exceptions;
	return fn(ctx, &s);
}

int lane_tell(struct scan *c, store_scanned_fn fn, void *ctx)
{
	struct lane *l = &c->lane;
	int r = 0;

	l->told.runs = l->runs;
	l->told.times = c->f->times ? l->times : NULL;
	l->told.n = (uint32_t)l->n;
	count_lane(c);
	fill_lane(c);
	for (size_t i = 0; r == 0 && i < c->n_locals; i++) {
		struct local *x = &c->locals[i];

		if (x->n_stretches &&
		    (!c->f->series_id || x->id == scan_map_id(&c->into, c->f->series_id)))
			r = tell(c, x, fn, ctx);
		x->n_stretches = x->n_exceptions = 0;
	}
	l->n = 0;
	return r;
}
