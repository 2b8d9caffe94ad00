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
 * @url: a path, "sqlite:PATH", or "postgresql://..." as libpq takes it: a server
 * that several machines record to at once (logs stay on the machine that
 * recorded them, beside store_default_path()'s file). NULL:
 * store_default_path(). Errors say what
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
/*
 * How much is written at a time, for importers and whoever has the run already:
 * PER_RUN is one transaction from RUN_BEGIN to RUN_END (nobody else can write
 * in between), so the run is there as a whole or not at all. To be said before
 * RUN_BEGIN.
 */
enum store_durable { STORE_PER_PROGRAM, STORE_PER_RUN };
void store_record_durable(struct store_record *r, enum store_durable d);
/*
 * Goes on with a run that was stopped, or whose process died: what is told from now
 * on is part of it; RUN_BEGIN then says nothing new. Jobs and programs are numbered on
 * behind those that there are, of which the highest are returned; a program that is
 * in it already comes as its next attempt. -EBUSY: it is running, -EALREADY: it came
 * to its end, -ESTALE: hundreds of runs were recorded since.
 */
int store_record_resume(struct store *s, int64_t run_id, struct store_record **ret,
			unsigned *ret_jobs, unsigned *ret_programs, struct err *err);
struct event_sink store_record_sink(struct store_record *r);
/*
 * A group of runs recorded PER_RUN is synced as one, when store_group_end()
 * returns 0; before that nobody else can write. A run of it that fails takes
 * the group with it: store_group_end() says so, and can be called all the same.
 */
int store_group_begin(struct store *s, struct err *err);
int store_group_end(struct store *s, struct err *err);
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
	/* How far it is: tests that are planned, 0: nobody said; that came to their end. */
	uint64_t tests, ended;
	/* What runs in it now, or ran when it was lost: store_running_next() reads it. */
	struct str running;
};

/* A program that has begun and not ended. */
struct store_running {
	unsigned job, program, attempt;
	int64_t begin_ms;
	struct str mode, machine, suite, name;
};

#define STORE_RUNNING_MAX 64 /* of one run are told */

/* Takes the next off the front of *words, a copy of struct store_run's .running; false: no
 * more. Its strings stand in @text until the next call. */
bool store_running_next(struct str *words, struct buf *text, struct store_running *ret);

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
 * has no end (yet) has no RUN_END. log_path, console_path and an artefact's path are
 * those of what was kept (compressed). */
int store_replay(struct store *s, int64_t run_id, struct event_sink sink, struct err *err);
/* The same with one program's executions only, whatever ran beside it. */
int store_replay_program(struct store *s, int64_t run_id, struct str suite,
			 struct str program, struct event_sink sink, struct err *err);

/* A number that is another one after anybody else has written to the store (and
 * perhaps without that): what was read before may be old. Cheap. */
int store_changed(struct store *s, int64_t *ret, struct err *err);

/* Appends what stands for all that store_scan() tells, in this and other processes:
 * where it is the same, nothing was recorded, removed or renamed. A few hundred
 * bytes; milliseconds. */
int store_mark(struct store *s, struct buf *ret, struct err *err);

/* One log, decompressed; lines from..to (1-based, to 0: end). @program counts
 * in the run as events do; 0: the console of @job. -ENOENT: none was kept. */
int store_log(struct store *s, int64_t run_id, unsigned program, unsigned job, uint64_t from,
	      uint64_t to, struct out *out, struct err *err);

/* Which files a run left, by job and program: "log" of a program, "console" and
 * EVENT_ARTEFACT's kinds of a job (program 0). Ends where @each returns an error, with it. */
int store_files(struct store *s, int64_t run_id,
		int (*each)(void *ctx, unsigned job, unsigned program, struct str kind), void *ctx,
		struct err *err);

/* The whole file of EVENT_ARTEFACT's @kind that @job left. -ENOENT: none was kept;
 * others: it is gone or broken. */
int store_artefact(struct store *s, int64_t run_id, unsigned job, const char *kind,
		   struct out *out, struct err *err);

/* How many lines it has; a last one without its newline counts. */
int store_log_lines(struct store *s, int64_t run_id, unsigned program, unsigned job,
		    uint64_t *ret, struct err *err);

/* The same log by bytes: how many, and @n of them from @from on. */
int store_log_size(struct store *s, int64_t run_id, unsigned program, unsigned job,
		   uint64_t *ret, struct err *err);
int store_log_bytes(struct store *s, int64_t run_id, unsigned program, unsigned job,
		    uint64_t from, size_t n, struct buf *ret, struct err *err);

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

/* ---- questions about all of history ----
 *
 * A series is a test for ever: the program itself, or a result by its stable
 * key; it keeps its number when its name changes (tests are renumbered). One
 * that was renamed so that its key changed is another series, until an alias
 * says that they are one: from then on scans speak of the new one alone. (Where
 * both are in one execution they are two tests there, whatever the alias says.)
 */
struct store_test {
	int64_t id;
	struct str suite, program;
	struct str key;      /* "" for the program itself */
	struct str path;     /* its newest name; "" for the program itself */
	bool whole;          /* the program itself */
	bool leaf;           /* has no results of its own below it */
	unsigned nth;        /* 1; more: one of several with that key in a run */
	int64_t into_id;     /* 0, or the series of which it is an earlier name */
};
typedef int (*store_test_fn)(void *ctx, const struct store_test *test);

struct store_tests_filter {
	const char *suite, *program; /* NULL: any; equal */
	const char *glob;            /* NULL: any; of "suite/program/path", str_glob() */
	const char *key;             /* NULL: any; equal */
};
/* By suite and program, then in the order in which they were first seen. */
int store_tests(struct store *s, const struct store_tests_filter *f, store_test_fn fn,
		void *ctx, struct err *err);
/* -ENOENT: no such series. */
int store_test_get(struct store *s, int64_t id, store_test_fn fn, void *ctx, struct err *err);
/* Every name it was printed under, newest first. */
typedef int (*store_name_fn)(void *ctx, struct str path);
int store_test_names(struct store *s, int64_t id, store_name_fn fn, void *ctx,
		     struct err *err);

/*
 * Series @old is an earlier name of @new, of the same program or another; 0
 * takes that back. Nothing that is stored changes. -ENOENT: no such series,
 * -ELOOP: @new is an earlier name of @old.
 */
int store_alias(struct store *s, int64_t old, int64_t new, struct err *err);

/*
 * Scan: what statistics are made of, for every series, as arrays. Fast, because
 * passes are not looked at one by one: a lane is the runs in which a program
 * ran, a series is the stretches of its lane in which it was there, and what was
 * no pass in them. Nothing may be written to the store in its callbacks.
 *
 * Retries in a run are one result, as store_grid() merges them; so are jobs of
 * the same mode and machine.
 */
struct store_scan_filter {
	const char *branch;          /* NULL: any; equal, or a glob that fits */
	const char *mode, *machine;  /* NULL: any; equal */
	const char *suite, *program;
	int64_t series_id;           /* 0: all; else this one, under all its names */
	int64_t since_ms, until_ms;  /* runs begun in [since, until); 0: any */
	unsigned runs;               /* 0: all, else of those the newest so many */
	bool times;                  /* with the durations of programs */
};

struct store_scan_run {
	int64_t id, begin_ms;
	struct str branch, commit;
	unsigned branch_nth;         /* equal for equal branches */
};

/* One program (or what an alias makes one) on one branch, mode and machine. */
struct store_lane {
	struct str branch, mode, machine;
	struct str suite, program;
	const uint32_t *runs;        /* which, ascending: index into the scan's runs */
	const int32_t *times;        /* ms, -1: unknown; NULL when not asked for */
	uint32_t n;
};

struct store_stretch {
	uint32_t from, n;            /* in lane->runs */
};

struct store_exception {
	uint32_t at;                 /* in lane->runs, ascending */
	uint8_t status;              /* never STATUS_PASS */
};

struct store_scanned {
	int64_t id;                  /* of the series */
	const struct store_lane *lane;
	struct str path, key;        /* path: its newest name in the lane */
	bool whole, leaf;
	unsigned nth;
	const struct store_stretch *present; /* ascending, apart; >= 1 */
	size_t n_present;
	uint64_t n;                  /* runs with it */
	const struct store_exception *exceptions;
	size_t n_exceptions;
	uint64_t counts[STATUS_N];   /* their sum is n */
};

/* @runs in the order of time (begin, then id), called once, before the series;
 * pointers live until store_scan() returns. Series come lane by lane. */
typedef int (*store_scan_runs_fn)(void *ctx, const struct store_scan_run *runs, uint32_t n);
/* Pointers live until it returns; those in .lane until the lane's last series. */
typedef int (*store_scanned_fn)(void *ctx, const struct store_scanned *series);
int store_scan(struct store *s, const struct store_scan_filter *f, store_scan_runs_fn runs,
	       store_scanned_fn series, void *ctx, struct err *err);

/* The exception at @at of @n ascending ones; NULL: none. O(log n). */
const struct store_exception *store_exception_at(const struct store_exception *v, size_t n,
						 uint32_t at);
/* Status of a run in which the series was or wasn't: STORE_CELL_ABSENT outside
 * of its stretches. O(log n). */
uint8_t store_scanned_at(const struct store_scanned *s, uint32_t at);

/*
 * Splats by their fingerprint. Callbacks as above; newest first; limit 0: 100.
 */
struct store_fingerprint {
	struct str fingerprint, kind, title; /* as it was last told */
	int64_t first_ms, first_run, last_ms, last_run; /* runs in which it was seen */
	uint64_t n;
};
typedef int (*store_fingerprint_fn)(void *ctx, const struct store_fingerprint *f);
int store_fingerprints(struct store *s, unsigned limit, store_fingerprint_fn fn, void *ctx,
		       struct err *err);

struct store_splat_at {
	int64_t run;
	unsigned job, program;   /* 0: outside of any */
	uint64_t line, lines;    /* in the console log */
	struct str suite, name;  /* of the program; empty: outside of any, or it never ended */
	struct str mode, machine;
	struct event_excuse excuse; /* .reason empty: it counts */
};
typedef int (*store_splat_fn)(void *ctx, const struct store_splat_at *at);
int store_splats(struct store *s, const char *fingerprint, unsigned limit, store_splat_fn fn,
		 void *ctx, struct err *err);

/*
 * What splats of a run said is told anew: @fn answers 1 with the text in @ret, 0 where it
 * stays, or -errno. Nobody waits for a lock meanwhile.
 */
#define STORE_SPLAT_TEXT_MAX (256u << 10)
typedef int (*store_splat_text_fn)(void *ctx, unsigned job, struct str text, struct buf *ret);
int store_splat_texts(struct store *s, int64_t run, store_splat_text_fn fn, void *ctx,
		      struct err *err);

/* The same, counted: all of them, on each branch, mode and machine. */
struct store_splat_on {
	struct str branch, mode, machine;
	uint64_t n, runs;
	int64_t first_ms, last_ms; /* when these runs began */
};
typedef int (*store_splat_on_fn)(void *ctx, const struct store_splat_on *on);
int store_splat_axes(struct store *s, const char *fingerprint, store_splat_on_fn fn, void *ctx,
		     struct err *err);

/* Median duration of a program's last runs in ms; -1: never seen. */
int store_expect_ms(struct store *s, const char *suite, const char *program, const char *mode,
		    int64_t *ret, struct err *err);

/* ---- the store as a whole ---- */

/* Reads everything once, and compares what was made for scans with the runs. 0:
 * clean, 1: problems were told, a sentence each. */
struct store_checked {
	uint64_t runs, programs, results, logs, problems;
};
typedef void (*store_problem_fn)(void *ctx, struct str sentence);
int store_check(struct store *s, store_problem_fn fn, void *ctx, struct store_checked *ret,
		struct err *err);
/* What was made for scans is made anew from the runs. */
int store_repair(struct store *s, struct err *err);

/* How much there is. Milliseconds, with many logs more. */
struct store_facts {
	struct str database;  /* "SQLite 3.40.1" */
	int format;           /* of the tables */
	uint64_t bytes;       /* of the database, without logs */
	uint64_t runs, programs, tests, outcomes; /* tests: names that results had */
	uint64_t logs, log_bytes; /* logs and consoles, as they are kept */
	int64_t oldest_log_ms;    /* when its run began; 0: none */
};
typedef int (*store_facts_fn)(void *ctx, const struct store_facts *facts);
int store_facts(struct store *s, store_facts_fn fn, void *ctx, struct err *err);

/*
 * Removes logs, and whole runs, that are older than what is kept. A run's logs
 * go with it. What tests and splats there ever were stays known.
 */
struct store_keep_rule {
	const char *branch;       /* a glob; NULL: every branch */
	int64_t logs_ms, runs_ms; /* kept so long; -1: for ever */
};
struct store_keep {
	const struct store_keep_rule *rules; /* the first whose branch fits decides */
	size_t n;
	int64_t now_ms;
	bool dry;                 /* only counts */
};
struct store_collected {
	uint64_t runs, logs, bytes; /* bytes: of logs */
};
int store_gc(struct store *s, const struct store_keep *keep, struct store_collected *ret,
	     struct err *err);
/* A copy as of now, while others read and write; without logs. @to must not be
 * there: -EEXIST. -EOPNOTSUPP: a server, which has means of its own. */
int store_backup(struct store *s, const char *to, struct err *err);
/* Where its logs are. */
const char *store_log_dir(const struct store *s);
