/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Grid: tests by runs, the table of a flakes page. grid.c has the runs, its
 * columns and their heads; rows.c the tests, its rows, with what is told of each.
 */
#include "web/history.h"
#include "web/pages.h"

#define GRID_COLUMNS 100  /* runs on a page */
#define GRID_ROWS    150  /* tests on a page */
#define GRID_FILE    600  /* tests in a file: a script sorts and seeks among no others */
#define GRID_RUNS    1000 /* runs that rates are of, where no period is asked for */
#define GRID_EMPTY   16   /* columns: room for words */
#define TREND_N      20   /* bars of a trend */

struct grid {
	struct web_html *h;
	const struct web_history *history;
	const struct web_query *q;
	struct judge_flakes flakes;
	uint32_t columns[GRID_COLUMNS]; /* runs, newest first */
	const struct stat_outage *outages[GRID_COLUMNS]; /* that they are in, or NULL */
	unsigned n_columns;
	bool older;                     /* there are more columns */
	const struct judge_flake **rows;/* those that the query is about, sorted */
	size_t n_rows;
	/* In the window, whatever else is asked: tests that failed, and programs that
	 * failed without any of theirs. */
	uint64_t failed, programs;
	bool modes, at_least;           /* rows of several modes; rates that are bounds */
	uint32_t trend[TREND_N + 1];    /* runs at which its bars begin, and the end */
};

/* Judges; nothing is written. 0, or -ENOENT: no such run to begin before. */
int grid_init(struct grid *g, struct web_html *h, struct err *err);
void grid_done(struct grid *g);
/* The table: the rows of the page that is asked for. */
void grid_write(struct grid *g);
void grid_rows(struct grid *g); /* rows.c */
size_t grid_end(const struct grid *g); /* the row behind the last of the page */
/* A rule excuses its failures, or what it told of each of them did. */
bool grid_is_known(const struct grid *g, const struct judge_flake *x);
/* The run of a column to its page, or as text where it has none. */
void grid_run_link(struct grid *g, uint32_t run);
/* "regression: from 0.1 % to 5 %", for an attribute or as text. */
void grid_change(struct web_html *h, const struct judge_event *e);
