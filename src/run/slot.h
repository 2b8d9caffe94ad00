/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Slot: one place in which machines live, one after another, and the test
 * that runs in it. Private to run/.
 */
#include "run/program.h"
#include "run/run.h"
#include "tap/console.h"
#include "tap/tally.h"

struct slot {
	struct run *run;
	struct machine *machine;   /* NULL between two boots and at the end */
	struct program *program;   /* NULL: none runs */
	const struct plan_test *test;
	unsigned attempt;          /* of it in this run */
	struct console *console;   /* finds splats */
	int console_fd;
	char *console_path, *work_dir;
	unsigned job;
	bool job_open;             /* JOB_BEGIN was said */
	bool finished;             /* takes no more tests */
	unsigned empty_boots;      /* machines in a row that ran no test */
	int64_t test_begin_ms;     /* monotonic */
	int64_t heard_ms;          /* when it last said something */
	enum machine_death ending; /* SILENT or DEADLINE while it is being ended */
	unsigned ending_stage;     /* 0: it is not */
	int64_t ending_ms;         /* when that was decided, monotonic */
	int64_t ending_heard_ms;   /* .heard_ms then */
	struct loop_watch *deadline, *silence;
};

struct run {
	struct run_config config;
	struct loop *loop;
	const struct log *log;
	struct event_fan fan;
	struct event_sink sink;    /* of the fan: tally first, then the user's */
	struct tally tally;
	const struct plan_test **order;
	size_t n_order, next, ended; /* ended: by itself or at its deadline */
	const struct plan_test **again; /* once more, because the host failed them */
	size_t n_again, next_again, cap_again;
	struct run_deaths *deaths, *own_deaths;
	struct slot *slots;
	unsigned n_slots, n_jobs, n_programs;
	struct loop_watch *timeout, *finish;
	bool stopped;              /* by the user */
	bool overtime;             /* the run's own deadline passed */
	bool failed;               /* a bad result was seen */
	char *why_dead;            /* why the last machine did not boot */
	void (*done)(void *ctx);
	void *done_ctx;
	int exit_code;
};

/* Boots a machine for the next test. */
int slot_boot(struct slot *s, struct err *err);
/* Ends what runs in it as @how, and its machine, at once: as @end. */
void slot_abort(struct slot *s, enum program_end how, enum machine_death end, const char *why);
void slot_done(struct slot *s);

/* run.c, for slots */
/* NULL: no more. Says those on the way that are not started a third time. */
const struct plan_test *run_next_test(struct run *r, unsigned *ret_attempt);
/* @t took its machine along, which ended as @how: it may come again. */
void run_test_died(struct run *r, const struct plan_test *t, unsigned attempt,
		   enum machine_death how, const char *why);
bool run_has_tests(const struct run *r);
void run_slot_finished(struct run *r);
/* A test that could not be run: said all the same, with the reason. */
void run_never_ran(struct run *r, const struct plan_test *t, enum status status,
		   const char *why);
