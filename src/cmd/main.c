/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/file.h"

#ifndef TAPROOM_VERSION
#define TAPROOM_VERSION "0"
#endif

/* In the order of --help; ends with an empty row. */
static const struct cmd_row COMMANDS[] = {
	{ "run", &cmd_run_help, cmd_run_run },
	{ "exec", &cmd_exec_help, cmd_exec_run },
	{ "shell", &cmd_shell_help, cmd_shell_run },
	{ "build", &cmd_build_help, cmd_build_run },
	{ "bisect", &cmd_bisect_help, cmd_bisect_run },
	{ "parse", &cmd_parse_help, cmd_parse_run },
	{ "runs", &cmd_runs_help, cmd_runs_run },
	{ "show", &cmd_show_help, cmd_show_run },
	{ "log", &cmd_log_help, cmd_log_run },
	{ "changes", &cmd_changes_help, cmd_changes_run },
	{ "flakes", &cmd_flakes_help, cmd_flakes_run },
	{ "history", &cmd_history_help, cmd_history_run },
	{ "diff", &cmd_diff_help, cmd_diff_run },
	{ "known", &cmd_known_help, cmd_known_run },
	{ "alias", &cmd_alias_help, cmd_alias_run },
	{ "report", &cmd_report_help, cmd_report_run },
	{ "push", &cmd_push_help, cmd_push_run },
	{ "export", &cmd_export_help, cmd_export_run },
	{ "web", &cmd_web_help, cmd_web_run },
	{ "token", &cmd_token_help, cmd_token_run },
	{ "store", &cmd_store_help, cmd_store_run },
	{ "import", &cmd_import_help, cmd_import_run },
	{ "doctor", &cmd_doctor_help, cmd_doctor_run },
	{},
};

const struct opt CMD_COMMON[] = {
	{ .type = OPT_TYPE_STR, .name = "store", .arg = "URL",
	  .help = "where history is kept: a file, or postgresql://... [default: "
		  "$TAPROOM_STORE, else ~/.local/share/taproom/history.db]",
	  .offset = offsetof(struct cmd_common, store) },
	{ .type = OPT_TYPE_STR, .letter = 'C', .name = "directory", .arg = "DIR",
	  .help = "work as if started in DIR", .offset = offsetof(struct cmd_common, dir) },
	{ .type = OPT_TYPE_FLAG, .name = "json", .help = "print JSON",
	  .offset = offsetof(struct cmd_common, json) },
	{ .type = OPT_TYPE_FLAG, .letter = 'q', .name = "quiet", .help = "say less",
	  .offset = offsetof(struct cmd_common, quiet) },
	{ .type = OPT_TYPE_COUNT, .letter = 'v', .name = "verbose", .help = "say more",
	  .offset = offsetof(struct cmd_common, verbose) },
	OPT_END,
};

static void log_line(void *ctx, enum log_level level, struct str text)
{
	fprintf(stderr, "%s%.*s\n", level == LOG_WARN ? "warning: " : "", STR_FMT(text));
}

int cmd_fail(struct cmd *c, int code, const struct err *err)
{
	out_flush(c->out);
	fprintf(stderr, "taproom: %s\n", err->text);
	return code;
}

int cmd_options(struct cmd *c, const struct opt_command *help, bool stop_at_operand, int argc,
		char **argv, void *opts, struct cmd_common *common, int *ret_n)
{
	struct err err = {};
	int r = opt_parse(help, stop_at_operand, argc, argv, opts, ret_n, &err);

	if (r > 0) {
		opt_help(c->out, help);
		return EXIT_PASSED;
	}
	if (r < 0)
		return cmd_fail(c, EXIT_USAGE, &err);
	if (common->dir && chdir(common->dir) < 0) {
		err_sys(&err, errno, "-C '%s'", common->dir);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	if (common->quiet)
		c->log.level = LOG_WARN;
	else if (common->verbose)
		c->log.level = LOG_DEBUG;
	return -1;
}

char *cmd_cache_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		return path_join(xdg, "taproom");
	return path_join(home && home[0] == '/' ? home : "/root", ".cache/taproom");
}

static void help_all(struct out *out)
{
	out_lit(out, "Usage: taproom COMMAND [options]\n\n"
		     "Continuous testing for a Linux kernel subsystem: boots kernels, runs their\n"
		     "tests, keeps every result, says what broke and what only flakes.\n\n"
		     "Commands:\n");
	for (const struct cmd_row *row = COMMANDS; row->name; row++) {
		out_printf(out, "  %-10s", row->name);
		opt_wrap(out, row->help->summary, 13, 12);
	}
	out_lit(out, "\n'taproom COMMAND --help' tells more; so does taproom(1).\n");
}

static const struct cmd_row *command_find(const char *name, struct err *err)
{
	const struct cmd_row *near = NULL;
	unsigned best = 3;

	for (const struct cmd_row *row = COMMANDS; row->name; row++) {
		unsigned d = str_distance(str_of(name), str_of(row->name));

		if (d == 0)
			return row;
		if (d < best) {
			best = d;
			near = row;
		}
	}
	err_set(err, EINVAL, near ? "no command '%s'; did you mean '%s'?"
				  : "no command '%s'; 'taproom --help' lists them",
		name, near ? near->name : "");
	return NULL;
}

static unsigned terminal_columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col)
		return w.ws_col;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

static bool is_any(const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 || (c && strcmp(word, c) == 0);
}

/* Everything behind "taproom". Returns the exit code. */
static int command(struct cmd *c, int argc, char **argv)
{
	const struct cmd_row *row;
	struct err err = {};

	if (argc < 1) {
		help_all(c->out);
		return EXIT_USAGE;
	}
	if (is_any(argv[0], "--version", "version", NULL)) {
		out_lit(c->out, "taproom " TAPROOM_VERSION "\n");
		return EXIT_PASSED;
	}
	if (is_any(argv[0], "--help", "-h", "help")) {
		if (argc < 2 || argv[1][0] == '-') {
			help_all(c->out);
			return EXIT_PASSED;
		}
		row = command_find(argv[1], &err);
		if (!row)
			return cmd_fail(c, EXIT_USAGE, &err);
		opt_help(c->out, row->help);
		return EXIT_PASSED;
	}
	if (argv[0][0] == '-') {
		err_set(&err, EINVAL, "'%s': options go after the command: "
				      "taproom COMMAND [options]", argv[0]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	row = command_find(argv[0], &err);
	return row ? row->run(c, argc, argv) : cmd_fail(c, EXIT_USAGE, &err);
}

/* Whoever closed one of the three does not want a database of ours in its place. */
static void standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
			exit(EXIT_HARNESS);
}

int main(int argc, char **argv)
{
	struct out out;
	struct cmd c = {
		.out = &out,
		.log = { .level = LOG_INFO, .line = log_line },
		.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
		.terminal = isatty(STDERR_FILENO),
		.columns = terminal_columns(),
	};
	struct err err = {};
	int code;

	standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	out_to_fd(&out, STDOUT_FILENO);
	code = command(&c, argc - 1, argv + 1);
	if (out_flush(&out) < 0 && out.error != -EPIPE && code == EXIT_PASSED) {
		err_sys(&err, -out.error, "write to standard output");
		code = cmd_fail(&c, EXIT_HARNESS, &err);
	}
	return code;
}
