/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Session: one command in a fresh machine, with our standard input, output and
 * errors, signals and exit code; at a terminal with its keys and its size too.
 * What exec and shell share.
 */
#include "base/opt.h"
#include "cmd/cmd.h"
#include "cmd/machine-options.h"

/* Exit codes besides the command's own, as timeout(1) and sh have them. */
enum {
	SESSION_TIMEOUT = 124,
	SESSION_HARNESS = 125,
	SESSION_NOT_EXECUTABLE = 126,
	SESSION_NOT_FOUND = 127,
	SESSION_STOPPED = 130, /* while its kernel was built */
	SESSION_DIED = 137,
};

#define SESSION_TIMEOUT_DEFAULT_MS 7200000

struct session_options {
	struct opt_list env, limits, fetch;
	const char *user, *cwd, *enter;
};
extern const struct opt SESSION_OPTION_ROWS[];

struct session_order {
	struct cmd *cmd;
	const struct cmd_common *common;
	struct machine_options *machine;
	struct session_options *options;
	const char *const *argv; /* NULL: the user's shell */
	bool terminal;           /* standard input is one, and becomes the guest's */
};

/* Returns the exit code; what went wrong was printed. Frees the options' lists. */
int session_run(const struct session_order *order);
