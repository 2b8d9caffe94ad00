/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: one command in a fresh machine, as if it ran here: its standard input,
 * output, errors, signals and exit code are ours.
 */
#include "cmd/cmd.h"
#include "cmd/session.h"

struct exec_options {
	struct cmd_common common;
	struct machine_options machine;
	struct session_options session;
};

static const struct opt OPTS[] = {
	OPT_GROUP("Command", SESSION_OPTION_ROWS, struct exec_options, session),
	OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, struct exec_options, machine),
	OPT_GROUP("Common", CMD_COMMON, struct exec_options, common),
	OPT_END,
};

const struct opt_command cmd_exec_help = {
	.usage = "taproom exec [options] -- CMD [ARG...]",
	.summary = "Runs one command in a fresh machine.",
	.text = "Standard input, output and errors are the command's own, kept apart, and so are "
		"signals and the exit status. The machine sees the host's files; what it writes "
		"stays in it, except through --share DIR:rw.\n"
		"Exit status: the command's; 124 it took longer than --timeout, 125 taproom "
		"itself failed, 126 the command can't be executed, 127 it was not found, 137 the "
		"machine died.",
	.opts = OPTS,
	.examples = "  taproom exec --kernel debian -- uname -r\n"
		    "  taproom exec -- tar c /sys/module | tar t\n"
		    "  taproom exec -vv -- sh -c 'echo hello > /dev/kmsg'\n"
		    "  taproom exec --append mitigations=off -- dmesg\n",
};

int cmd_exec_run(struct cmd *c, int argc, char **argv)
{
	struct exec_options opt = { .machine.timeout_ms = SESSION_TIMEOUT_DEFAULT_MS };
	struct session_order order = { .cmd = c, .common = &opt.common, .machine = &opt.machine,
				       .options = &opt.session };
	struct err err = {};
	int n, code = cmd_options(c, &cmd_exec_help, true, argc, argv, &opt, &opt.common, &n);

	if (code >= 0)
		return code > EXIT_PASSED ? SESSION_HARNESS : code;
	if (n == 0) {
		err_set(&err, EINVAL, "no command; write it after --: taproom exec -- uname -r");
		return cmd_fail(c, SESSION_HARNESS, &err);
	}
	argv[1 + n] = NULL;
	order.argv = (const char *const *)argv + 1;
	return session_run(&order);
}
