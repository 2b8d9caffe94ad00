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
#include "store/shape.h"

#define WINDOW_DEFAULT 100
#define WINDOW_MAX 10000
#define CELLS_MAX (256u << 20) /* bytes */

struct line {
	const struct series *series; /* its newest name */
	struct str mode;
	uint8_t *cells;              /* one for each column */
	bool noted;                  /* differs from a pass somewhere */
};

struct execution_row {
	unsigned column, attempt;
	int64_t id;
	const struct shape *shape;
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
	struct shapes shapes;
	struct arena arena;
	int64_t *runs;
	unsigned n_runs;
	struct execution_row *executions;
	size_t n_executions, cap_executions;
	struct line_map *maps;
	size_t n_maps, cap_maps;
	struct line *lines;
	unsigned n_lines, cap_lines;
	struct err *err;
};

static void grid_done(struct grid *g)
{
	for (size_t i = 0; i < g->n_lines; i++)
		free(g->lines[i].cells);
	shapes_done(&g->shapes);
	arena_done(&g->arena);
	free(g->runs);
	free(g->executions);
	free(g->maps);
	free(g->lines);
}

/* ---- the window and what ran in it ---- */

static int read_window(struct grid *g)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	const struct store_grid_filter *f = g->f;
	unsigned limit = f->runs ? f->runs : WINDOW_DEFAULT, cap = 0;
	int r = db_query(g->s->db, f->branch ? SQL_WINDOW_OF_BRANCH : SQL_WINDOW, &rows, g->err,
			 DB_Z(f->branch), DB_Z(f->mode), DB_I(f->since_ms),
			 DB_I(limit < WINDOW_MAX ? limit : WINDOW_MAX));

	while (r == 0 && (r = db_next(&rows, g->err)) > 0) {
		ARRAY_GROW(g->runs, g->n_runs, cap);
		g->runs[g->n_runs++] = db_int(&rows, 0);
		r = 0;
	}
	return r;
}

/* Modes are a handful: kept once each, then compared by address. */
static struct str mode_keep(struct grid *g, struct str mode)
{
	for (size_t i = g->n_executions; i > 0; i--)
		if (str_eq(g->executions[i - 1].mode, mode))
			return g->executions[i - 1].mode;
	return str_n(arena_strndup(&g->arena, mode.p, mode.n), mode.n);
}

static int read_executions(struct grid *g, unsigned column)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(g->s->db, SQL_GRID_EXECUTIONS, &rows, g->err, DB_I(g->runs[column]),
			 DB_Z(g->f->suite), DB_Z(g->f->mode));

	while (r == 0 && (r = db_next(&rows, g->err)) > 0) {
		struct execution_row x = { .column = column, .id = db_int(&rows, 0),
					   .attempt = (unsigned)db_int(&rows, 2) };

		r = shapes_get(&g->shapes, g->s->db, db_int(&rows, 1), &x.shape, g->err);
		if (r < 0)
			break;
		x.mode = mode_keep(g, db_str(&rows, 3));
		ARRAY_GROW(g->executions, g->n_executions, g->cap_executions);
		g->executions[g->n_executions++] = x;
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
	const struct series *series;
	struct line_map *map;
	size_t at; /* in the shape */
};

static int by_test(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	const struct series *p = x->series, *q = y->series;
	int c;

	if (p->program_id != q->program_id)
		return p->program_id < q->program_id ? -1 : 1;
	/* The program itself before all results, whatever their key. */
	if (!p->depth != !q->depth)
		return p->depth ? 1 : -1;
	c = compare(p->key, q->key);
	if (c)
		return c;
	if (p->nth != q->nth)
		return p->nth < q->nth ? -1 : 1;
	if (x->map->mode.p != y->map->mode.p)
		return x->map->mode.p < y->map->mode.p ? -1 : 1;
	/* The newest name first: it stands for the test. */
	return (p->id < q->id) - (p->id > q->id);
}

static bool same_test(const struct seen *a, const struct seen *b)
{
	const struct series *p = a->series, *q = b->series;

	return p->program_id == q->program_id && !p->depth == !q->depth && p->nth == q->nth &&
	       str_eq(p->key, q->key) && a->map->mode.p == b->map->mode.p;
}

static void find_maps(struct grid *g)
{
	for (size_t i = 0; i < g->n_executions; i++) {
		struct execution_row *x = &g->executions[i];
		struct line_map *m = NULL;

		for (size_t j = g->n_maps; j > 0 && !m; j--)
			if (g->maps[j - 1].shape == x->shape &&
			    g->maps[j - 1].mode.p == x->mode.p)
				m = &g->maps[j - 1];
		if (!m) {
			ARRAY_GROW(g->maps, g->n_maps, g->cap_maps);
			m = &g->maps[g->n_maps++];
			*m = (struct line_map){ x->shape, x->mode, NULL };
			m->lines = arena_alloc(&g->arena, x->shape->n * sizeof(*m->lines));
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
			seen[n++] = (struct seen){ g->maps[i].shape->series[k], &g->maps[i], k };
	qsort(seen, n, sizeof(*seen), by_test);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !same_test(&seen[i], &seen[i - 1])) {
			if ((uint64_t)(g->n_lines + 1) * g->n_runs > CELLS_MAX)
				return err_set(g->err, EFBIG,
					       "too many tests for a window of %u runs: "
					       "choose a smaller one, or a suite", g->n_runs);
			ARRAY_GROW(g->lines, g->n_lines, g->cap_lines);
			g->lines[g->n_lines] = (struct line){ .series = seen[i].series,
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

/* A failure that a retry took back is what flaky means. A harness error was no
 * failure: the retry's word stands. Two executions of the same program beside
 * each other are as good as the worse. */
static uint8_t merge(uint8_t before, uint8_t now, unsigned attempt)
{
	if (before == STORE_CELL_ABSENT || (attempt > 1 && before == STATUS_ERROR))
		return now;
	if (attempt <= 1)
		return status_worst(before, now);
	return STATUS_INFO[before].bad && !STATUS_INFO[now].bad ? STATUS_FLAKY : now;
}

static int fill(struct grid *g, const struct execution_row *x, uint8_t *status)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(g->s->db, SQL_EXCEPTIONS, &rows, g->err, DB_I(x->id));

	memset(status, STATUS_PASS, x->shape->n);
	while (r == 0 && (r = db_next(&rows, g->err)) > 0) {
		uint64_t i = (uint64_t)db_int(&rows, 0);
		enum status s;

		if (i >= x->shape->n || !status_from_name(db_str(&rows, 1), &s))
			return err_set(g->err, EBADMSG,
				       "the store is damaged: an exception can't be read");
		status[i] = (uint8_t)s;
		r = 0;
	}
	for (size_t i = 0; r == 0 && i < x->shape->n; i++) {
		struct line *l = &g->lines[x->lines[i]];
		uint8_t *cell = &l->cells[x->column];

		*cell = merge(*cell, status[i], x->attempt);
		l->noted |= *cell != STATUS_PASS;
	}
	return r;
}

static int fill_all(struct grid *g)
{
	size_t most = 1;
	int r = 0;

	for (size_t i = 0; i < g->n_executions; i++)
		most = g->executions[i].shape->n > most ? g->executions[i].shape->n : most;
	_free_ uint8_t *status = xmalloc(most);
	for (size_t i = 0; r == 0 && i < g->n_executions; i++)
		r = fill(g, &g->executions[i], status);
	return r;
}

/* ---- telling ---- */

/* Suite, program, then the program itself before its results in the order in
 * which they were first seen. */
static int by_name(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	const struct series *p = x->series, *q = y->series;
	int c = compare(p->suite, q->suite);

	if (c == 0)
		c = compare(p->program, q->program);
	if (c == 0)
		c = (p->depth > 0) - (q->depth > 0);
	if (c == 0)
		c = (p->id > q->id) - (p->id < q->id);
	return c ? c : compare(x->mode, y->mode);
}

static int tell(const struct grid *g, const struct line *l, store_grid_row_fn row, void *ctx)
{
	struct store_series s = {
		.id = l->series->id,
		.suite = l->series->suite,
		.program = l->series->program,
		.path = l->series->path,
		.leaf = l->series->leaf,
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
	r = find_lines(&g);
	if (r == 0)
		r = fill_all(&g);
	if (r == 0)
		r = head(ctx, g.runs, g.n_runs);
	if (g.n_lines)
		qsort(g.lines, g.n_lines, sizeof(*g.lines), by_name);
	for (unsigned i = 0; r == 0 && i < g.n_lines; i++)
		if (f->all || g.lines[i].noted)
			r = tell(&g, &g.lines[i], row, ctx);
	return r;
}
