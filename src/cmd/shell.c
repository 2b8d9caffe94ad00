/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shell: a terminal in a fresh machine: its keys, size and job control are a
 * shell's there, or another command's.
 */
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/session.h"

struct shell_options {
	struct cmd_common common;
	struct machine_options machine;
	struct session_options session;
};

static const struct opt OPTS[] = {
	OPT_GROUP("Command", SESSION_OPTION_ROWS, struct shell_options, session),
	OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, struct shell_options, machine),
	OPT_GROUP("Common", CMD_COMMON, struct shell_options, common),
	OPT_END,
};

const struct opt_command cmd_shell_help = {
	.usage = "taproom shell [options] [-- CMD [ARG...]]",
	.summary = "Opens a shell in a fresh machine.",
	.text = "The terminal is the machine's: Ctrl-C, Ctrl-Z and the window's size are those of "
		"what runs there. Without CMD that is your shell, and its prompt tells the kernel. "
		"'exit' ends the machine. Ctrl-] three times within a second leaves one that does "
		"not answer.\n"
		"Exit status: the shell's or the command's; 124 it took longer than --timeout, 125 "
		"taproom itself failed, 126 the command can't be executed, 127 it was not found, "
		"137 the machine died or was left.",
	.opts = OPTS,
	.examples = "  taproom shell --kernel debian\n"
		    "  taproom shell --share .:rw -- vim notes\n",
};

int cmd_shell_run(struct cmd *c, int argc, char **argv)
{
	struct shell_options opt = { .machine.timeout_ms = SESSION_TIMEOUT_DEFAULT_MS };
	struct session_order order = { .cmd = c, .common = &opt.common, .machine = &opt.machine,
				       .options = &opt.session, .terminal = true };
	struct err err = {};
	int n, code = cmd_options(c, &cmd_shell_help, true, argc, argv, &opt, &opt.common, &n);

	if (code >= 0)
		return code > EXIT_PASSED ? SESSION_HARNESS : code;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		err_set(&err, ENOTTY, "standard input and output are no terminal; without one "
				      "'taproom exec -- CMD' runs a command");
		return cmd_fail(c, SESSION_HARNESS, &err);
	}
	argv[1 + n] = NULL;
	if (n)
		order.argv = (const char *const *)argv + 1;
	return session_run(&order);
}
