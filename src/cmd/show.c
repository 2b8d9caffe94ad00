/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/mem.h"
#include "cmd/history.h"

struct show_options {
	struct cmd_common common;
};

static const struct opt OPTS[] = {
	OPT_GROUP("Common", CMD_COMMON, struct show_options, common),
	OPT_END,
};

const struct opt_command cmd_show_help = {
	.usage = "taproom show RUN [options]",
	.summary = "Shows one run: what did not pass, counts, conclusion; all of it with -v.",
	.text = HISTORY_RUN_HELP,
	.opts = OPTS,
	.examples = "  taproom show latest\n"
		    "  taproom show 17 -v\n",
};

int cmd_show_run(struct cmd *c, int argc, char **argv)
{
	struct show_options o = {};
	int n, code = cmd_options(c, &cmd_show_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	code = history_one_operand(c, "show", n, argv);
	if (code >= 0)
		return code;
	return history_report(c, &o.common, argv[1], o.common.json ? "json" : "text", c->out);
}
