/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Program: one execution of one test, from its first byte to its verdict. Its
 * output goes to its log file and to the reader of test output; how it ended
 * and what it said give its status. Knows no machine and no clock: times are
 * handed in.
 */
#include "base/err.h"
#include "plan/plan.h"
#include "tap/event.h"

struct program;

enum program_end {
	PROGRAM_EXITED,   /* by itself: .exit_code */
	PROGRAM_TIMEOUT,  /* was killed at its deadline */
	PROGRAM_CRASHED,  /* its machine died */
	PROGRAM_FAILED,   /* the harness could not run it */
	PROGRAM_STOPPED,  /* the user stopped the run */
};

/* Opens the log, emits PROGRAM_BEGIN. */
int program_begin(const struct plan_test *test, unsigned job, unsigned number, unsigned attempt,
		  const char *log_dir, int64_t now_ms, struct event_sink sink,
		  struct program **ret, struct err *err);
void program_output(struct program *p, struct str bytes);
/* Emits what is owed and PROGRAM_END; frees. @why may be NULL; of a program that
 * exited it is why it failed, and nothing when it did not. Returns the status. */
enum status program_finish(struct program *p, enum program_end how, int exit_code,
			   const char *why, int64_t now_ms, int64_t duration_ms);
unsigned program_number(const struct program *p);
bool program_has_results(const struct program *p); /* so far */
