/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Store: history for years. The only room with SQL. A run is shapes plus
 * exceptions: for each program execution, which shape it had (the ordered
 * list of series it produced, stored once, found by its hash) and only the
 * results that differ from a plain pass. Passes are exact and cost nothing.
 *
 * Written through a sink of events; read through queries that call back row by
 * row, and through store_replay(), which says a stored run as the events it
 * was made of. Strings in rows are borrowed until the callback returns.
 * A callback that returns non-zero ends the query with that value.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/out.h"
#include "base/str.h"
#include "tap/event.h"

struct store;

enum store_mode {
	STORE_READ,  /* must exist */
	STORE_WRITE, /* made, or migrated, when needed */
};

/*
 * @url: a path, or "sqlite:PATH". NULL: store_default_path(). Errors say what
 * is wrong with the file and what to do; nothing is written to a file that is
 * not ours. -ENOENT none yet, -EBUSY locked, -EBADMSG damaged, -EMEDIUMTYPE
 * somebody else's, -ENOTSUP from a newer taproom, -EISDIR, -EACCES, -ENOSPC.
 */
int store_open(const char *url, enum store_mode mode, struct store **ret, struct err *err);
struct store *store_close(struct store *s);
char *store_default_path(void);

/*
 * Recording. Every program is durable when its PROGRAM_END returns (one
 * transaction, synced); a kill -9 loses the running ones only. Logs named by
 * log_path and console_path are compressed into the artefact directory beside
 * the store. What can't be written now (locked, no space) is tried again with
 * the next program; store_record_error() tells what is not, or never will be.
 * A run's id is a file name: 1 to 128 of A-Z a-z 0-9 - _ . and no '.' first.
 */
struct store_record;
int store_record_new(struct store *s, struct store_record **ret, struct err *err);
struct event_sink store_record_sink(struct store_record *r);
/* What `taproom show` and store_run_get() call it; 0 before RUN_BEGIN. */
int64_t store_record_run(const struct store_record *r);
int store_record_error(const struct store_record *r, struct err *err); /* 0: none */
struct store_record *store_record_free(struct store_record *r);

/* ---- questions ---- */

enum store_run_state {
	STORE_RUN_RUNNING,
	STORE_RUN_DONE,
	STORE_RUN_STOPPED, /* by the user */
	STORE_RUN_LOST,    /* its process ended without a word */
};

struct store_run {
	int64_t id;        /* 1, 2, 3 ... in this store: what people type */
	struct str uid;    /* event_run.id: unique for ever */
	struct str title, branch, commit, command;
	struct str modes, machines, kernel; /* of its jobs, comma-separated */
	int64_t begin_ms, end_ms;           /* end 0: unknown */
	enum store_run_state state;
	int exit_code;
	struct str conclusion;
	uint64_t counts[STATUS_N];          /* leaf results */
	uint64_t splats;
};

struct store_runs_filter {
	const char *branch, *mode; /* NULL: any; equal */
	int64_t before_id;         /* 0: from the newest; else older than this */
	unsigned limit;            /* 0: 20 */
};

typedef int (*store_run_fn)(void *ctx, const struct store_run *run);

/* Newest first. */
int store_runs(struct store *s, const struct store_runs_filter *f, store_run_fn fn, void *ctx,
	       struct err *err);
/* "17", "latest", "latest-1" (the one before), or a uid or its unique prefix.
 * -ENOENT says what there is. */
int store_run_find(struct store *s, const char *spec, int64_t *ret_id, struct err *err);
int store_run_get(struct store *s, int64_t id, store_run_fn fn, void *ctx, struct err *err);

/* The run as events: JSON, JUnit, text and pages read this. Every result is
 * there, passes included, with line ranges and durations. Jobs come one after
 * another, and in them programs, even where they overlapped in time; a run that
 * has no end (yet) has no RUN_END. log_path and console_path are the artefacts'
 * (compressed). */
int store_replay(struct store *s, int64_t run_id, struct event_sink sink, struct err *err);

/* One log, decompressed; lines from..to (1-based, to 0: end). @program counts
 * in the run as events do; 0: the console of @job. -ENOENT: none was kept. */
int store_log(struct store *s, int64_t run_id, unsigned program, unsigned job, uint64_t from,
	      uint64_t to, struct out *out, struct err *err);

/*
 * The flakes page: every series that ever differed from a pass in the window,
 * with its state in each run of the window (newest first). A test that changes
 * its number is one row under its newest name. A failure that a retry in the
 * same run took back is STATUS_FLAKY.
 */
struct store_series {
	int64_t id;
	struct str suite, program, path; /* path "" : the program itself */
	bool leaf;                       /* has no results of its own below it */
	struct str mode;
	/* Runs with it, whatever they say; bad ones, harness errors too; flaky ones.
	 * Not for rates: those are made of the cells, see stat/rate.h. */
	uint64_t n, bad, flaky;
	int64_t last_bad_run;            /* 0: none */
};
#define STORE_CELL_ABSENT 0xff           /* not in that run: grey, never green */
struct store_grid_filter {
	const char *branch, *mode, *suite;
	unsigned runs;                   /* window, newest; 0: 100; at most 10000 */
	int64_t since_ms;                /* only runs begun since; 0: any */
	bool all;                        /* also series that always passed */
};
/* @runs: ids of the columns, newest first. Called once, before the rows. */
typedef int (*store_grid_head_fn)(void *ctx, const int64_t *runs, unsigned n);
/* @cells[n]: enum status, or STORE_CELL_ABSENT. */
typedef int (*store_grid_row_fn)(void *ctx, const struct store_series *series,
				 const uint8_t *cells, unsigned n);
int store_grid(struct store *s, const struct store_grid_filter *f, store_grid_head_fn head,
	       store_grid_row_fn row, void *ctx, struct err *err);

/* Median duration of a program's last runs in ms; -1: never seen. */
int store_expect_ms(struct store *s, const char *suite, const char *program, const char *mode,
		    int64_t *ret, struct err *err);
