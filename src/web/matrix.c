/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/matrix.h"

#include <stdlib.h>

#include "judge/flakes.h"

#define DAY_MS INT64_C(86400000)

/* ---- columns ---- */

/* The last place at which any program of the suite ran; a->n: none. */
static uint32_t last_place(const struct judge_axis *a, struct str suite)
{
	for (size_t i = 0; i < a->n_lanes; i++) {
		const struct stat_spans *in = &a->lanes[i].suite_in;

		if (in->n && str_eq(a->lanes[i].suite, suite))
			return in->v[in->n - 1].to - 1;
	}
	return a->n;
}

static int by_run(const void *a, const void *b)
{
	const struct matrix_column *x = a, *y = b;

	if (x->run != y->run)
		return x->run > y->run ? -1 : 1;
	return (x->axis > y->axis) - (x->axis < y->axis);
}

/* "5.10" behind "5.4": digits as the numbers that they are. */
static int natural(struct str a, struct str b)
{
	size_t i = 0, k = 0;

	while (i < a.n && k < b.n) {
		uint64_t x = 0, y = 0;
		size_t from = i;

		for (; i < a.n && a.p[i] >= '0' && a.p[i] <= '9'; i++)
			x = x * 10 + (uint64_t)(a.p[i] - '0');
		for (; i > from && k < b.n && b.p[k] >= '0' && b.p[k] <= '9'; k++)
			y = y * 10 + (uint64_t)(b.p[k] - '0');
		if (x != y)
			return x < y ? -1 : 1;
		if (i == from) {
			if (a.p[i] != b.p[k])
				return (unsigned char)a.p[i] < (unsigned char)b.p[k] ? -1 : 1;
			i++;
			k++;
		}
	}
	return a.n - i ? 1 : b.n - k ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct matrix_column *x = a, *y = b;
	int c = natural(x->axis->branch, y->axis->branch);

	if (c == 0)
		c = judge_str_order(x->axis->mode, y->axis->mode);
	return c ? c : by_run(a, b);
}

static bool is_asked(const struct web_history *h, const struct web_query *q,
		     const struct judge_axis *a, uint32_t run)
{
	int64_t newest = h->runs[h->n_runs - 1].begin_ms;

	return (!q->machine.n || str_eq(a->machine, q->machine)) &&
	       (!q->days || h->runs[run].begin_ms >= newest - q->days * DAY_MS);
}

/* The one of the same branch and mode among those before it. */
static const struct matrix_column *same(const struct matrix_column *v, size_t n,
					const struct judge_axis *a)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].axis->branch, a->branch) && str_eq(v[i].axis->mode, a->mode))
			return &v[i];
	return NULL;
}

/* Of several machines the one that ran last, and the others where they are wanted. */
static void find_columns(struct matrix *m, const struct web_history *h,
			 const struct web_query *q, bool others)
{
	_free_ struct matrix_column *v = xcalloc(h->n_axes + 1, sizeof(*v));
	size_t n = 0, shown;
	unsigned more = 0;

	for (size_t i = 0; i < h->n_axes; i++) {
		const struct judge_axis *a = &h->axes[i];
		uint32_t place = last_place(a, m->suite);

		if (place < a->n && is_asked(h, q, a, a->run[place]))
			v[n++] = (struct matrix_column){ a, place, a->run[place], false };
	}
	qsort(v, n, sizeof(*v), by_run);
	for (size_t i = 0; i < n; i++) {
		if (same(v, i, v[i].axis))
			continue;
		if (m->n_columns == MATRIX_COLUMNS)
			m->more_columns++;
		else
			m->columns[m->n_columns++] = v[i];
	}
	shown = m->n_columns;
	for (size_t i = 0; i < n && others; i++) {
		const struct matrix_column *first = same(m->columns, shown, v[i].axis);

		if (!first || first->axis == v[i].axis || more == MATRIX_OTHERS)
			continue;
		more++;
		m->columns[m->n_columns] = v[i];
		m->columns[m->n_columns++].other = true;
	}
	qsort(m->columns, m->n_columns, sizeof(*v), by_name);
}

/* ---- rows ---- */

static int by_program(const void *a, const void *b)
{
	const struct judge_series *x = (*(const struct web_test *const *)a)->parts[0];
	const struct judge_series *y = (*(const struct web_test *const *)b)->parts[0];
	int c = judge_str_order(x->lane->program, y->lane->program);

	if (c)
		return c;
	if (x->whole != y->whole)
		return x->whole ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static size_t find_tests(const struct matrix *m, const struct web_history *h,
			 const struct web_test **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < h->tests.n; i++)
		if (str_eq(h->tests.v[i].parts[0]->lane->suite, m->suite))
			ret[n++] = &h->tests.v[i];
	qsort(ret, n, sizeof(*ret), by_program);
	return n;
}

/* @column: of each axis, -1: none. */
static void fill(const struct matrix *m, const struct web_history *h, const int *column,
		 const struct web_test *t, struct matrix_cell *cells)
{
	for (unsigned i = 0; i < m->n_columns; i++)
		cells[i] = (struct matrix_cell){ .said = MATRIX_NEVER };
	for (size_t i = 0; i < t->n_parts; i++) {
		const struct judge_series *s = t->parts[i];
		int c = column[s->lane->axis - h->axes];

		if (c >= 0)
			cells[c].said = judge_cell_or_unknown(s, m->columns[c].place);
	}
}

static bool is_bad(uint8_t said)
{
	return said < STATUS_N && (STATUS_INFO[said].bad || said == STATUS_FLAKY);
}

/* Something failed, or it was skipped here and ran there. */
static bool is_told(const struct matrix *m, const struct matrix_cell *cells, bool others)
{
	uint8_t first = MATRIX_NEVER;

	for (unsigned i = 0; i < m->n_columns; i++) {
		uint8_t said = m->columns[i].other && !others ? MATRIX_NEVER : cells[i].said;

		if (is_bad(said))
			return true;
		if (said >= STATUS_N)
			continue;
		if (first < STATUS_N && said != first)
			return true;
		first = said;
	}
	return false;
}

static bool ever_ran(const struct matrix *m, const struct matrix_cell *cells, bool others)
{
	for (unsigned i = 0; i < m->n_columns; i++)
		if (cells[i].said != MATRIX_NEVER && (others || !m->columns[i].other))
			return true;
	return false;
}

static void count(const struct matrix *m, const struct matrix_cell *cells,
		  struct matrix_cell *program)
{
	for (unsigned i = 0; i < m->n_columns; i++) {
		uint8_t said = cells[i].said;

		if (said >= STATUS_N)
			continue;
		program[i].bad += is_bad(said);
		program[i].skipped += said == STATUS_SKIP;
		program[i].held += !is_bad(said) && said != STATUS_SKIP;
	}
}

static struct matrix_row *add(struct matrix *m, const struct web_test *t, size_t *cap)
{
	struct matrix_row *row;
	size_t bytes = m->n_columns * sizeof(struct matrix_cell);

	ARRAY_GROW(m->rows, m->n_rows, *cap);
	row = &m->rows[m->n_rows++];
	*row = (struct matrix_row){ .s = t->parts[t->n_parts - 1], .test = t,
				    .cells = arena_alloc(&m->arena, bytes + 1),
				    .program = t->parts[0]->whole };
	return row;
}

static void find_rows(struct matrix *m, const struct web_history *h, const int *column)
{
	_free_ const struct web_test **v = xcalloc(h->tests.n + 1, sizeof(*v));
	struct matrix_cell cells[MATRIX_COLUMNS + MATRIX_OTHERS], *program = NULL;
	size_t n = find_tests(m, h, v), cap = 0, tests[2] = {};

	for (size_t i = 0; i < n; i++) {
		struct matrix_row *row;
		bool other;

		fill(m, h, column, v[i], cells);
		if (v[i]->parts[0]->whole) {
			program = NULL;
			if (!ever_ran(m, cells, true))
				continue;
			row = add(m, v[i], &cap);
			row->other = !ever_ran(m, cells, false);
			program = row->cells;
			memcpy(program, cells, m->n_columns * sizeof(*cells));
			continue;
		}
		/* A test of a program that is not told, or of which two names have one hash. */
		if (!program)
			continue;
		count(m, cells, program);
		if (!is_told(m, cells, true))
			continue;
		other = !is_told(m, cells, false);
		if (tests[other] == MATRIX_ROWS) {
			m->more_rows += !other;
			continue;
		}
		tests[other]++;
		row = add(m, v[i], &cap);
		row->other = other;
		memcpy(row->cells, cells, m->n_columns * sizeof(*cells));
	}
}

void matrix_init(struct matrix *m, const struct web_history *h, struct str suite,
		 const struct web_query *q, bool others)
{
	_free_ int *column = xcalloc(h->n_axes + 1, sizeof(*column));

	*m = (struct matrix){ .suite = suite };
	find_columns(m, h, q, others);
	for (size_t i = 0; i < h->n_axes; i++)
		column[i] = -1;
	for (unsigned i = 0; i < m->n_columns; i++)
		column[m->columns[i].axis - h->axes] = (int)i;
	find_rows(m, h, column);
}

void matrix_done(struct matrix *m)
{
	free(m->rows);
	arena_done(&m->arena);
}

/* ---- suites ---- */

struct counted {
	struct str suite;
	size_t n;
};

static int by_count(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? 1 : -1) : judge_str_order(x->suite, y->suite);
}

unsigned matrix_suites(const struct web_history *h, struct str *ret, unsigned n)
{
	_free_ struct counted *v = NULL;
	size_t found = 0, cap = 0;

	for (size_t i = 0; i < h->n_axes; i++) {
		for (size_t l = 0; l < h->axes[i].n_lanes; l++) {
			struct str suite = h->axes[i].lanes[l].suite;
			size_t k = 0;

			while (k < found && !str_eq(v[k].suite, suite))
				k++;
			if (k == found) {
				ARRAY_GROW(v, found, cap);
				v[found++] = (struct counted){ .suite = suite };
			}
			v[k].n++;
		}
	}
	if (found)
		qsort(v, found, sizeof(*v), by_count);
	for (size_t i = 0; i < found && i < n; i++)
		ret[i] = v[i].suite;
	return found < n ? (unsigned)found : n;
}
