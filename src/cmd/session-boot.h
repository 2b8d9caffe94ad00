/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Boot line: what somebody at a terminal sees while a machine boots and nothing is
 * said: "booting, 3 s", on standard error, from the first second on, gone before
 * anything else is printed. Not with -q, nor with -v, which says more.
 */
#include "base/log.h"
#include "base/loop.h"

struct boot_line {
	const struct log *log;   /* the one that it stands below */
	struct loop_watch *timer;
	int64_t begin_ms;
	bool drawn;
};

/* @terminal: standard error is one. What is said to @ret_log is said to @log, above it. */
void boot_line_begin(struct boot_line *b, struct loop *loop, bool terminal, const struct log *log,
		     struct log *ret_log);
void boot_line_end(struct boot_line *b); /* more than once is fine */
