/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Run: doing it. Queues of tests, one for each mode and kind of machine; a few
 * machines at a time that each take the next test, where most is left to do;
 * deadlines, and a new machine where one died. Everything that
 * happens is said as events to the sink that it is given; run/ knows neither
 * the store nor a report.
 *
 * One job is one boot of a machine: it has one console. A machine that dies
 * during a test makes that test `crash`; the rest goes on in the next machine.
 * How a machine ended has a name (MACHINE_ENDS): it is the job's, and stands
 * before the reason of the test that it took along: "panic: ...".
 * A test that could not be run at all, because no machine boots, is `error`:
 * nothing that was planned is ever silent.
 *
 * A test that fails may be tried again, in a machine in which nothing else ran:
 * as the next attempt in the same run. What the last attempt says counts; that an
 * earlier one failed makes it flaky in the history.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "machine/machine.h"
#include "plan/plan.h"
#include "tap/event.h"
#include "tap/excuse.h"
#include "tap/known.h"

struct run;

/*
 * What is done in each machine when its tests are over and it still lives, before it
 * goes. It belongs to no test: what it finds is told on the console, as splats, or
 * is its output, which becomes an artefact. What can't be done is a warning.
 */
struct run_after {
	const char *what;               /* "look for leaked memory" */
	const char *const *argv;        /* NULL-ended; its exit code is 0 when it did it */
	const char *kind;               /* the artefact's; NULL: none */
	int64_t limit_ms;
};
extern const struct run_after RUN_AFTER_LEAKS;    /* kmemleak's scan */
/* The kernel's counters, as kernel/coverage.h reads them. Of kind "gcov". */
extern const struct run_after RUN_AFTER_COVERAGE;
#define RUN_AFTER_MAX 4

/* What a machine is for: the tests of one mode on one kind of machine. */
struct run_setting {
	const char *machine;            /* "qemu", "host" */
	struct machine_config config;   /* .work_dir is made per job; "-<job>" is added
					 * to .dump */
	const char *mode;               /* "normal" */
	const char *identity;           /* what the kernel was built of; NULL: not by us */
	const char *kernel_config;      /* its .config, kept with the run; NULL: unknown */
	const struct run_after *after[RUN_AFTER_MAX + 1]; /* in their order; NULL-ended */
	/* In each machine, before its first test: if it fails, all tests that did not run
	 * are `error`; and behind its last. NULL: nothing. Each is told as a program. */
	const struct plan_test *pre, *post;
	const struct plan_tests *tests; /* what to run; borrowed until the end */
	const char *why_not;            /* no machine can be had: all tests are `error`,
					 * with this; NULL: they can */
	unsigned split;                 /* machines at a time; 0: as many as there are */
	unsigned cpus;                  /* what one machine takes of .cores and .memory */
	uint64_t memory;
};

/* A machine that is given away. */
struct run_kept {
	char *work_dir;                 /* the callee's */
	unsigned job;
	const char *mode;
};

struct run_config {
	const struct run_setting *settings; /* borrowed until the end */
	unsigned n_settings;            /* at least 1 */
	const char *work_dir;           /* machines' files; emptied as they go */
	const char *log_dir;            /* logs and consoles; stay */
	struct excuses *excuses;        /* of splats; borrowed; NULL: all count */
	struct knowns *knowns;          /* of failures; borrowed; NULL: all count */
	/* Where tests failed: appends to the conclusion what is known of it, after
	 * every program's end was told. NULL: nothing. */
	void (*known)(void *ctx, struct buf *conclusion);
	void *known_ctx;
	unsigned slots;                 /* machines at a time; at least 1 */
	unsigned cores;                 /* for them; 0: no limit. One always may run */
	uint64_t memory;                /* bytes, likewise */
	int64_t timeout_ms;             /* of it all; 0: none */
	int64_t job_timeout_ms;         /* of each setting, from its first machine on, shared
					 * by its tests as lot.h says; 0: none */
	int64_t test_timeout_ms;        /* of one test; 0: the test's own */
	int64_t silent_ms;              /* a test says nothing for so long: 0: it may */
	bool stop_at_fail;              /* starts no test after a bad one */
	/* An interrupted run that goes on: what it numbered, how many tests of it are
	 * done, and who tells these again, for the conclusion. NULL: a new one. */
	unsigned n_jobs, n_programs;
	size_t n_done;
	void (*past)(void *ctx, const struct event_sink *sink);
	void *past_ctx;
	/* Takes a machine whose tests are over, and for whose place no test waits: it and
	 * its work directory are the callee's, who removes them. NULL: it ends. */
	void (*keep)(void *ctx, struct machine *m, struct run_kept *what);
	void *keep_ctx;
	unsigned retries;               /* of a bad test, each in a machine of its own */
	struct run_deaths *deaths;      /* of all runs of this call; NULL: of this one */
	/* For the record. */
	const char *id, *title, *branch, *commit, *command;
};

/* Starts; everything else happens in the loop. @done is called once, last, and
 * may free the run. */
int run_start(const struct run_config *config, struct loop *loop, const struct log *log,
	      struct event_sink sink, void (*done)(void *ctx), void *ctx, struct run **ret,
	      struct err *err);
/* The user wants an end: machines are stopped, what finished is kept. */
void run_stop(struct run *r);
/* After done(): tally_exit_code()'s, or one of these. */
enum {
	RUN_EXIT_CRITICAL = 3,  /* the time of it all was over */
	RUN_EXIT_STOPPED = 130, /* by the user: 128 + SIGINT, as shells say it */
};
int run_exit_code(const struct run *r);
struct run *run_free(struct run *r);

/*
 * Which tests took their machine along. One that did it twice is not started a
 * third time: its result is `crash`, with the reason, and the rest goes on. One
 * whose machine ended by the host's doing is started once more in a new one.
 */
#define RUN_DEATHS_MAX 2
struct run_deaths *run_deaths_new(void);
struct run_deaths *run_deaths_free(struct run_deaths *d);

/* "20260131-090507-4f2a91": sorts by time, unique for ever. */
#define RUN_ID_MAX 32
void run_id_make(int64_t unix_ms, uint32_t random, char id[static RUN_ID_MAX]);

/*
 * Work directories: <cache>/work/XXXXXX, locked while their process lives.
 * Opening one removes what killed processes left behind.
 */
struct run_work {
	char *path;
	int lock;
};
int run_work_open(const char *cache_dir, struct run_work *ret, struct err *err);
void run_work_close(struct run_work *w); /* removes it */
