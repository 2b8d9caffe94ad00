/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Matrix: the tests of one suite, and what each said in the latest run of each
 * branch and mode. Nothing is read: all of it is in the judged history.
 */
#include "web/history.h"
#include "web/query.h"

#define MATRIX_COLUMNS 48  /* branches and modes: those that ran last */
#define MATRIX_OTHERS  48  /* and further machines of these */
#define MATRIX_SUITES  100 /* that have a page */
#define MATRIX_ROWS    400 /* tests of programs; programs are all there */

/* Beside enum status, STORE_CELL_ABSENT and JUDGE_CELL_UNKNOWN. */
#define MATRIX_NEVER 0xfc /* it never ran there */

struct matrix_column {
	const struct judge_axis *axis;
	uint32_t place, run; /* the latest with the suite */
	bool other;          /* another machine of the same ran later */
};

struct matrix_cell {
	uint8_t said;
	uint32_t bad, skipped, held; /* of a program: its tests */
};

struct matrix_row {
	const struct judge_series *s;        /* of any column */
	const struct web_test *test;
	struct matrix_cell *cells;           /* of each column */
	bool program;
	bool other;                          /* nothing to tell but in such columns */
};

struct matrix {
	struct str suite;
	struct matrix_column columns[MATRIX_COLUMNS + MATRIX_OTHERS]; /* by branch, then mode */
	unsigned n_columns, more_columns;
	struct matrix_row *rows;             /* a program, then those of its tests that */
	size_t n_rows, more_rows;            /* said other than a pass, not the same everywhere */
	struct arena arena;
};

/* @q: of it the machine and the days, up to the newest run. @others: of several machines
 * not only the one that ran last: a script chooses among files. */
void matrix_init(struct matrix *m, const struct web_history *h, struct str suite,
		 const struct web_query *q, bool others);
void matrix_done(struct matrix *m);
/* Suites there are, the one with most programs first; ret[n]. Returns how many. */
unsigned matrix_suites(const struct web_history *h, struct str *ret, unsigned n);
