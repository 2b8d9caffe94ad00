/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Slot: one place in which machines live, one after another, and the test
 * that runs in it. Private to run/.
 */
#include "run/lot.h"
#include "run/program.h"
#include "run/run.h"
#include "tap/console.h"
#include "tap/tally.h"

struct slot {
	struct run *run;
	struct lot *lot;           /* whose tests it takes; NULL: it has no machine */
	struct machine *machine;   /* NULL between two boots and at the end */
	struct program *program;   /* NULL: none runs */
	const struct plan_test *test;
	unsigned attempt;          /* of it in this run */
	const struct plan_test *boots_for; /* whose .append the machine has; NULL: none's */
	struct buf said;           /* of the console, for a test that is told there */
	struct console *console;   /* finds splats */
	int console_fd, console_error; /* 0, or -errno: it is not all written */
	char *console_path, *work_dir;
	unsigned job;
	bool job_open;             /* JOB_BEGIN was said */
	bool used;                 /* a test ran in this machine */
	bool had_pre, had_post;    /* the setting's commands around the tests */
	int64_t test_begin_ms;     /* monotonic */
	bool share;                /* its deadline is its share of the job's time */
	int64_t heard_ms;          /* when it last said something */
	enum machine_death ending; /* SILENT or DEADLINE while it is being ended */
	unsigned ending_stage;     /* 0: it is not */
	int64_t ending_ms;         /* when that was decided, monotonic */
	int64_t ending_heard_ms;   /* .heard_ms then */
	struct loop_watch *deadline, *silence;
	unsigned after;            /* of the setting's .after: begun so far */
	bool after_runs;           /* the last of these */
	int after_fd;              /* its output goes there; -1: nowhere */
	char *after_path;
	uint64_t after_bytes;
	struct buf after_said;     /* the last line of what it said else */
};

struct run {
	struct run_config config;
	struct loop *loop;
	const struct log *log;
	struct event_fan fan;
	struct event_sink sink;    /* of the fan: tally first, then the user's */
	struct tally tally;
	struct lot *lots;
	unsigned n_lots;
	size_t n_tests, ended;     /* ended: by itself or at its deadline */
	struct run_deaths *deaths, *own_deaths;
	struct slot *slots;
	unsigned n_slots, n_jobs, n_programs;
	struct loop_watch *timeout, *finish;
	bool stopped;              /* by the user */
	bool overtime;             /* the run's own deadline passed */
	bool late;                 /* a job's passed */
	int boot_error;            /* -errno of the last machine that could not be started */
	bool failed;               /* a test is bad, and is not tried again */
	void (*done)(void *ctx);
	void *done_ctx;
	int exit_code;
};

/* Boots a machine for the lot's next test. */
int slot_boot(struct slot *s, struct lot *l, struct err *err);
/* Ends what runs in it as @how, and its machine, at once: as @end. */
void slot_abort(struct slot *s, enum program_end how, enum machine_death end, const char *why);
void slot_done(struct slot *s);
/* Its tests are over: the machine ends, or is given away. */
void slot_home(struct slot *s);

/* slot-job.c */
/* JOB_BEGIN, unless it was said. */
void slot_job_begin(struct slot *s);
/* JOB_END. An end as asked for is none where the evidence is incomplete. */
void slot_job_tell_end(struct slot *s, enum machine_death how, const char *why);
void slot_artefact(struct slot *s, const char *kind, const char *path);

/* slot-test.c */
/* Takes the next test, or sends the machine home. */
void slot_next(struct slot *s);
enum status slot_test_end(struct slot *s, enum program_end how, int code, const char *why);
/* The machine was booted for it. Not before the loop runs: then the run has begun. */
void slot_boot_test_begin(struct slot *s);
void slot_boot_test_ready(struct slot *s);
/* Some tests are told on the console as well, or only there. */
void slot_tell_console(struct slot *s);

/* ending.c: the timers' doing, and how it is said, behind a word that scripts find. */
void ending_on_deadline(void *slot);
void ending_on_silence(void *slot);
const char *ending_text(struct slot *s, char *why, size_t size);

/* run.c, for slots */
/* NULL: no more for this machine. Says those on the way that are not started a
 * third time. */
const struct plan_test *run_next_test(struct run *r, struct slot *s, unsigned *ret_attempt);
/* Takes the next one if the kernel shall run it while it boots; else NULL. Says nothing. */
const struct plan_test *run_boot_test(struct run *r, struct lot *l, unsigned *ret_attempt);
/* How long the test that was just taken may run; 0: for ever. @ret_share: that is
 * its share of a job's time. */
int64_t run_test_limit(struct run *r, const struct slot *s, bool *ret_share);
/* Is its machine one to be kept, when its tests are over? */
bool run_keeps(const struct run *r, const struct slot *s);
/* It is over: a bad one may come again. */
void run_test_ended(struct run *r, const struct slot *s, enum status status);
/* Is it the setting's .pre or .post that runs? */
bool run_is_hook(const struct slot *s);
/* It took its machine along, which ended as @how: it may come again. */
void run_test_died(struct run *r, const struct slot *s, enum machine_death how,
		   const char *why);
/* A slot lost its machine, which died of @why; @ran: after a test. */
void run_slot_idle(struct run *r, struct lot *l, bool ran, const char *why);
/* A test that could not be run: said all the same, with the reason. */
void run_never_ran(struct run *r, struct lot *l, const struct plan_test *t, unsigned attempt,
		   enum status status, const char *why);
