/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grid: tests by runs. Reads the executions of the window, their shapes
 * (a few, shared by all) and their exceptions: as much as the window holds,
 * whatever the history holds. A row is a test through its names: series of one
 * program with the same key.
 */
#include "store/inside.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/scan.h"
#include "store/slice.h"

#define WINDOW_DEFAULT 100
#define WINDOW_MAX 10000
#define CELLS_MAX (256u << 20) /* bytes */

struct line {
	const struct name *name;     /* its newest */
	struct str mode;
	uint8_t *cells;              /* one for each column */
	bool noted;                  /* differs from a pass somewhere */
};

struct execution_row {
	unsigned column, attempt;
	const struct outcome *outcome;
	struct str mode;
	unsigned *lines; /* of its shape's series: shared, see line_map */
};

/* Where the series of a shape in a mode go: the same for all executions of it. */
struct line_map {
	const struct shape *shape;
	struct str mode;
	unsigned *lines;
};

struct grid {
	struct store *s;
	const struct store_grid_filter *f;
	struct arena arena;
	int64_t *runs, *begins;
	unsigned n_runs;
	struct execution_row *executions;
	size_t n_executions, cap_executions;
	struct line_map *maps;
	size_t n_maps, cap_maps;
	struct line *lines;
	unsigned n_lines, cap_lines;
	struct map into; /* series to the one it became: its id */
	struct err *err;
};

static void grid_done(struct grid *g)
{
	for (size_t i = 0; i < g->n_lines; i++)
		free(g->lines[i].cells);
	map_done(&g->into);
	arena_done(&g->arena);
	free(g->runs);
	free(g->begins);
	free(g->executions);
	free(g->maps);
	free(g->lines);
}

/* ---- the window and what ran in it ---- */

static int read_window(struct grid *g)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	const struct store_grid_filter *f = g->f;
	unsigned limit = f->runs ? f->runs : WINDOW_DEFAULT, cap = 0, cap_begins = 0;
	int r = db_query(g->s->db, f->branch ? SQL_WINDOW_OF_BRANCH : SQL_WINDOW, &rows, g->err,
			 DB_Z(f->branch), DB_Z(f->mode), DB_I(f->since_ms),
			 DB_I(limit < WINDOW_MAX ? limit : WINDOW_MAX));

	while (r == 0 && (r = db_next(&rows, g->err)) > 0) {
		ARRAY_GROW(g->runs, g->n_runs, cap);
		ARRAY_GROW(g->begins, g->n_runs, cap_begins);
		g->runs[g->n_runs] = db_int(&rows, 0);
		g->begins[g->n_runs++] = db_int(&rows, 1);
		r = 0;
	}
	return r;
}

static int take_execution(struct grid *g, unsigned column, const struct sliced *s)
{
	const struct store_grid_filter *f = g->f;
	struct dict *d = &g->s->dict;
	struct execution_row x = { .column = column, .attempt = s->attempt };
	struct setting *setting;
	struct program *program;
	struct outcome *o;
	int r = dict_setting_get(d, s->setting_id, &setting, g->err);

	if (r == 0)
		r = dict_program_get(d, s->program_id, &program, g->err);
	if (r < 0)
		return r;
	if ((f->mode && !str_eq(setting->mode, str_of(f->mode))) ||
	    (f->suite && !str_eq(program->suite, str_of(f->suite))))
		return 0;
	r = dict_outcome_get(d, s->outcome_id, &o, g->err);
	if (r < 0)
		return r;
	x.outcome = o;
	x.mode = setting->mode;
	/* Modes are a handful: kept once each, then compared by address. */
	for (size_t i = g->n_executions; i > 0; i--) {
		if (str_eq(g->executions[i - 1].mode, x.mode)) {
			x.mode = g->executions[i - 1].mode;
			break;
		}
	}
	ARRAY_GROW(g->executions, g->n_executions, g->cap_executions);
	g->executions[g->n_executions++] = x;
	return 0;
}

static int read_executions(struct grid *g, unsigned column)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int64_t run = g->runs[column], begin_ms = g->begins[column];
	int r = db_query(g->s->db, SQL_SLICES, &rows, g->err, DB_I(SLICE_ID(run, 0)),
			 DB_I(SLICE_ID(run + 1, 0)), DB_I(begin_ms));

	while (r == 0 && (r = db_next(&rows, g->err)) > 0) {
		struct str body = db_str(&rows, 1);
		struct sliced s;

		while ((r = slice_next(&body, begin_ms, &s)) > 0 &&
		       (r = take_execution(g, column, &s)) == 0)
			;
		if (r == -EBADMSG && g->err && !g->err->code)
			return dict_damaged(&g->s->dict, "slice of run", run, g->err);
	}
	return r;
}

/* ---- lines: series that are one test ---- */

static int compare(struct str a, struct str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

struct seen {
	const struct name *name;
	int64_t id; /* of the series that it is told as */
	struct line_map *map;
	size_t at; /* in the shape */
};

static int by_test(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	const struct name *p = x->name, *q = y->name;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->map->mode.p != y->map->mode.p)
		return x->map->mode.p < y->map->mode.p ? -1 : 1;
	/* The newest name first: it stands for the test. */
	return (p->id < q->id) - (p->id > q->id);
}

static bool same_test(const struct seen *a, const struct seen *b)
{
	return a->id == b->id && a->map->mode.p == b->map->mode.p;
}

static int read_aliases(struct grid *g)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(g->s->db, SQL_ALIASES, NULL, 0, &rows, g->err);

	while (r == 0 && (r = db_next(&rows, g->err)) > 0) {
		map_put(&g->into, (uint64_t)db_int(&rows, 0),
			(void *)(intptr_t)db_int(&rows, 1));
		r = 0;
	}
	return r;
}

static void find_maps(struct grid *g)
{
	for (size_t i = 0; i < g->n_executions; i++) {
		struct execution_row *x = &g->executions[i];
		struct line_map *m = NULL;

		for (size_t j = g->n_maps; j > 0 && !m; j--)
			if (g->maps[j - 1].shape == x->outcome->shape &&
			    g->maps[j - 1].mode.p == x->mode.p)
				m = &g->maps[j - 1];
		if (!m) {
			ARRAY_GROW(g->maps, g->n_maps, g->cap_maps);
			m = &g->maps[g->n_maps++];
			*m = (struct line_map){ x->outcome->shape, x->mode, NULL };
			m->lines = arena_alloc(&g->arena, m->shape->n * sizeof(*m->lines));
		}
		x->lines = m->lines;
	}
}

static int find_lines(struct grid *g)
{
	_free_ struct seen *seen = NULL;
	size_t total = 0, n = 0;

	for (size_t i = 0; i < g->n_maps; i++)
		total += g->maps[i].shape->n;
	seen = xcalloc(total, sizeof(*seen));
	for (size_t i = 0; i < g->n_maps; i++)
		for (size_t k = 0; k < g->maps[i].shape->n; k++)
			seen[n++] = (struct seen){ g->maps[i].shape->names[k],
						   scan_told_as(&g->into, g->maps[i].shape, k),
						   &g->maps[i], k };
	qsort(seen, n, sizeof(*seen), by_test);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !same_test(&seen[i], &seen[i - 1])) {
			if ((uint64_t)(g->n_lines + 1) * g->n_runs > CELLS_MAX)
				return err_set(g->err, EFBIG,
					       "too many tests for a window of %u runs: "
					       "choose a smaller one, or a suite", g->n_runs);
			ARRAY_GROW(g->lines, g->n_lines, g->cap_lines);
			g->lines[g->n_lines] = (struct line){ .name = seen[i].name,
							      .mode = seen[i].map->mode };
			g->lines[g->n_lines].cells = xmalloc(g->n_runs);
			memset(g->lines[g->n_lines].cells, STORE_CELL_ABSENT, g->n_runs);
			g->n_lines++;
		}
		seen[i].map->lines[seen[i].at] = g->n_lines - 1;
	}
	return 0;
}

/* ---- cells ---- */

uint8_t store_cell_merge(uint8_t before, uint8_t now, unsigned attempt)
{
	if (before == STORE_CELL_ABSENT || (attempt > 1 && before == STATUS_ERROR))
		return now;
	if (attempt <= 1)
		return status_worst(before, now);
	return STATUS_INFO[before].bad && !STATUS_INFO[now].bad ? STATUS_FLAKY : now;
}

static void fill(struct grid *g, const struct execution_row *x)
{
	const struct outcome *o = x->outcome;
	size_t next = 0;

	for (size_t i = 0; i < o->shape->n; i++) {
		struct line *l = &g->lines[x->lines[i]];
		uint8_t *cell = &l->cells[x->column], now = STATUS_PASS;

		if (next < o->n && o->exceptions[next].at == i)
			now = o->exceptions[next++].status;
		*cell = store_cell_merge(*cell, now, x->attempt);
		l->noted |= *cell != STATUS_PASS;
	}
}

/* ---- telling ---- */

/* Suite, program, then the program itself before its results in the order in
 * which they were first seen. */
static int by_name(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	const struct name *p = x->name, *q = y->name;
	int c = compare(p->program->suite, q->program->suite);

	if (c == 0)
		c = compare(p->program->name, q->program->name);
	if (c == 0)
		c = (p->depth > 0) - (q->depth > 0);
	if (c == 0)
		c = (p->id > q->id) - (p->id < q->id);
	return c ? c : compare(x->mode, y->mode);
}

static int tell(const struct grid *g, const struct line *l, store_grid_row_fn row, void *ctx)
{
	struct store_series s = {
		.id = l->name->series_id,
		.suite = l->name->program->suite,
		.program = l->name->program->name,
		.path = l->name->path,
		.leaf = l->name->leaf,
		.mode = l->mode,
	};

	for (unsigned i = 0; i < g->n_runs; i++) {
		if (l->cells[i] == STORE_CELL_ABSENT)
			continue;
		s.n++;
		s.flaky += l->cells[i] == STATUS_FLAKY;
		if (!STATUS_INFO[l->cells[i]].bad)
			continue;
		if (!s.bad++)
			s.last_bad_run = g->runs[i];
	}
	return row(ctx, &s, l->cells, g->n_runs);
}

int store_grid(struct store *s, const struct store_grid_filter *f, store_grid_head_fn head,
	       store_grid_row_fn row, void *ctx, struct err *err)
{
	_cleanup_(grid_done) struct grid g = { .s = s, .f = f, .err = err };
	int r = read_window(&g);

	for (unsigned i = 0; r == 0 && i < g.n_runs; i++)
		r = read_executions(&g, i);
	if (r < 0)
		return r;
	find_maps(&g);
	r = read_aliases(&g);
	if (r == 0)
		r = find_lines(&g);
	for (size_t i = 0; r == 0 && i < g.n_executions; i++)
		fill(&g, &g.executions[i]);
	if (r == 0)
		r = head(ctx, g.runs, g.n_runs);
	if (g.n_lines)
		qsort(g.lines, g.n_lines, sizeof(*g.lines), by_name);
	for (unsigned i = 0; r == 0 && i < g.n_lines; i++)
		if (f->all || g.lines[i].noted)
			r = tell(&g, &g.lines[i], row, ctx);
	return r;
}
