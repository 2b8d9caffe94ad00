/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Commands: the front door. One file per sub-command, one row in main.c's
 * table. The only room that reads the environment, prints and exits.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/out.h"

/* Exit codes, a promise to users. */
enum {
	EXIT_PASSED = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CRITICAL = 3,
	EXIT_HARNESS = 4,
};

/* What every command shares, made by main(). */
struct cmd {
	struct out *out;    /* standard output; flushed and checked by main() */
	struct log log;     /* to standard error */
	bool colour;        /* standard output is a terminal and NO_COLOR is unset */
	bool terminal;      /* standard error is one: progress may be drawn */
	unsigned columns;   /* of the terminal, 80 without one */
};

/* The options every command has. */
struct cmd_common {
	const char *store;
	const char *dir;    /* -C */
	bool json;
	bool quiet;
	int verbose;
};
extern const struct opt CMD_COMMON[];

struct cmd_row {
	const char *name;
	const struct opt_command *help;
	/* Returns the exit code. argv[0] is the command's name. */
	int (*run)(struct cmd *c, int argc, char **argv);
};

/* Prints "taproom NAME: sentence" to standard error; returns @code. */
int cmd_fail(struct cmd *c, int code, const struct err *err);
/* opt_parse() for a command: prints help or the mistake. Returns -1 to go on,
 * or the exit code. Applies -C, -q and -v. @common is inside @opts. */
int cmd_options(struct cmd *c, const struct opt_command *help, bool stop_at_operand, int argc,
		char **argv, void *opts, struct cmd_common *common, int *ret_n);

/* $XDG_CACHE_HOME/taproom or ~/.cache/taproom; caller frees. */
char *cmd_cache_dir(void);

#define CMD_ROW(x) extern const struct opt_command x##_help; int x##_run(struct cmd *, int, char **)
CMD_ROW(cmd_parse);
CMD_ROW(cmd_run);
CMD_ROW(cmd_exec);
CMD_ROW(cmd_shell);
CMD_ROW(cmd_build);
CMD_ROW(cmd_bisect);
CMD_ROW(cmd_runs);
CMD_ROW(cmd_show);
CMD_ROW(cmd_log);
CMD_ROW(cmd_changes);
CMD_ROW(cmd_flakes);
CMD_ROW(cmd_history);
CMD_ROW(cmd_diff);
CMD_ROW(cmd_known);
CMD_ROW(cmd_alias);
CMD_ROW(cmd_report);
CMD_ROW(cmd_push);
CMD_ROW(cmd_export);
CMD_ROW(cmd_web);
CMD_ROW(cmd_token);
CMD_ROW(cmd_store);
CMD_ROW(cmd_import);
CMD_ROW(cmd_doctor);
#undef CMD_ROW
