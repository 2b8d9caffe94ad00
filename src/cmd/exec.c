/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: one command in a fresh machine, as if it ran here: its standard input,
 * output, errors and exit code are ours.
 */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "cmd/machine-options.h"
#include "cmd/run-plan.h"
#include "run/run.h"

enum {
	EXEC_TIMEOUT = 124,
	EXEC_HARNESS = 125,
	EXEC_NOT_EXECUTABLE = 126,
	EXEC_NOT_FOUND = 127,
	EXEC_DIED = 137,
};

#define TIMEOUT_DEFAULT_MS 7200000
#define INPUT_CHUNK        65536

struct exec_options {
	struct cmd_common common;
	struct machine_options machine;
	struct opt_list env;
};

#define AT(field) .offset = offsetof(struct exec_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_LIST, .name = "env", .arg = "NAME=VALUE", AT(env),
	  .help = "set a variable of the command's environment, which is not ours" },
	OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, struct exec_options, machine),
	OPT_GROUP("Common", CMD_COMMON, struct exec_options, common),
	OPT_END,
};

const struct opt_command cmd_exec_help = {
	.usage = "taproom exec [options] -- CMD [ARG...]",
	.summary = "Runs one command in a fresh machine.",
	.text = "Standard input, output and errors are the command's own, kept apart, and so is "
		"the exit status. The machine sees the host's files; what it writes stays in it, "
		"except through --share DIR:rw.\n"
		"Exit status: the command's; 124 it took longer than --timeout, 125 taproom "
		"itself failed, 126 the command can't be executed, 127 it was not found, 137 the "
		"machine died.",
	.opts = OPTS,
	.examples = "  taproom exec --kernel debian -- uname -r\n"
		    "  taproom exec -vv -- sh -c 'echo hello > /dev/kmsg'\n"
		    "  taproom exec --append mitigations=off -- dmesg\n",
};

struct exec {
	struct cmd *cmd;
	struct exec_options opt;
	const char *const *argv;
	struct log log;
	char *cache_dir;
	char cwd[4096];
	struct plan *plan;
	struct kernel kernel;
	struct run_work work;
	struct loop *loop;
	struct loop_watch *timeout, *signals[3];
	struct machine *m;
	/* Standard input: watched, or read in turns where it is always ready. */
	struct loop_watch *input;
	bool input_is_file, input_waits;
	char chunk[INPUT_CHUNK];
	size_t n_chunk;
	bool started, exited;
	int code;
};

static void finish(struct exec *e, int code)
{
	e->code = code;
	e->input = loop_unwatch(e->input);
	loop_stop(e->loop);
}

static int fail(struct exec *e, int code, const struct err *err)
{
	return cmd_fail(e->cmd, code, err);
}

/* ---- standard input ---- */

/* Returns false when the rest has to wait. */
static bool input_send(struct exec *e, bool end)
{
	struct err err = {};
	int r = 0;

	if (e->n_chunk || end)
		r = machine_input(e->m, str_n(e->chunk, e->n_chunk), &err);
	if (r == 0)
		e->n_chunk = 0;
	return r == 0;
}

static void input_pause(struct exec *e, bool pause);

static void input_read(struct exec *e)
{
	ssize_t n = read(STDIN_FILENO, e->chunk, sizeof(e->chunk));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	e->n_chunk = n > 0 ? (size_t)n : 0;
	if (n <= 0) {
		input_send(e, true);
		e->input = loop_unwatch(e->input);
	} else if (!input_send(e, false)) {
		input_pause(e, true);
	} else if (e->input_is_file) {
		loop_timer_set(e->input, 0);
	}
}

static void on_input(void *ctx, int fd, unsigned ready)
{
	input_read(ctx);
}

static void on_turn(void *ctx)
{
	input_read(ctx);
}

/* A paused input keeps its chunk; input_room() sends it. */
static void input_pause(struct exec *e, bool pause)
{
	e->input_waits = pause;
	if (pause)
		e->input = loop_unwatch(e->input);
	else if (!e->input_is_file)
		e->input = loop_io(e->loop, STDIN_FILENO, LOOP_READ, on_input, e);
	else {
		e->input = loop_timer(e->loop, on_turn, e);
		loop_timer_set(e->input, 0);
	}
}

static void input_begin(struct exec *e)
{
	struct stat st;

	/* Files and devices like /dev/null can't be waited for (epoll_ctl(2)). */
	e->input_is_file = fstat(STDIN_FILENO, &st) < 0 ||
			   !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
			     isatty(STDIN_FILENO));
	input_pause(e, false);
}

static void on_input_room(void *ctx, struct machine *m)
{
	struct exec *e = ctx;

	if (e->input_waits && input_send(e, false))
		input_pause(e, false);
}

/* ---- what the machine tells ---- */

/* Our directory is the command's too, where the guest shows the host's files. */
static const char *guest_dir(const char *cwd)
{
	static const char *const own[] = { "/run", "/proc", "/sys", "/dev" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t n = strlen(own[i]);

		if (strncmp(cwd, own[i], n) == 0 && (cwd[n] == '/' || cwd[n] == '\0'))
			return "/";
	}
	return cwd[0] ? cwd : "/";
}

static void on_ready(void *ctx, struct machine *m)
{
	struct exec *e = ctx;
	struct machine_facts f;
	struct machine_command cmd = { .argv = e->argv, .env = e->opt.env.v,
				       .dir = guest_dir(e->cwd) };
	struct err err = {};
	char text[UNIT_TEXT_MAX];

	machine_facts(m, &f);
	log_debug(&e->log, "%s %s, kernel %s, ready after %s", f.kind, f.accel, f.release,
		  duration_text(f.boot_ms, text));
	if (machine_start(m, &cmd, &err) < 0) {
		finish(e, fail(e, EXEC_HARNESS, &err));
		return;
	}
	e->started = true;
	input_begin(e);
}

static void on_console(void *ctx, struct machine *m, struct str bytes)
{
	struct exec *e = ctx;

	if (e->opt.common.verbose > 1)
		file_write_all(STDERR_FILENO, bytes.p, bytes.n);
}

/* All of it, also where somebody made our output non-blocking. */
static int write_out(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (n >= 0)
			s = str_from(s, (size_t)n);
		else if (errno == EAGAIN)
			poll(&p, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static void on_output(void *ctx, struct machine *m, unsigned stream, int64_t time_ms,
		      struct str bytes)
{
	struct exec *e = ctx;
	struct err err = {};
	int r = write_out(stream == 1 ? STDOUT_FILENO : STDERR_FILENO, bytes);

	/* Nobody reads it any more: as if the command had been told. */
	if (r == -EPIPE) {
		finish(e, 128 + SIGPIPE);
	} else if (r < 0) {
		err_sys(&err, -r, "write the command's output");
		finish(e, fail(e, EXEC_HARNESS, &err));
	}
}

static int code_of(struct exec *e, const struct machine_exit *exit)
{
	struct err err = {};

	if (exit->status >= 0)
		return proc_exit_code(exit->status);
	err_set(&err, -exit->status, "%s", exit->why ? exit->why : strerror(-exit->status));
	return fail(e, exit->status == -ENOENT ? EXEC_NOT_FOUND : EXEC_NOT_EXECUTABLE, &err);
}

static void on_exited(void *ctx, struct machine *m, const struct machine_exit *exit)
{
	struct exec *e = ctx;

	e->exited = true;
	e->code = code_of(e, exit);
	e->input = loop_unwatch(e->input);
	machine_stop(m);
}

static void on_died(void *ctx, struct machine *m, enum machine_death how, const char *why)
{
	struct exec *e = ctx;
	struct err err = {};
	bool harness = !e->started || how == MACHINE_PROTOCOL;

	if (!e->exited) {
		err_set(&err, EIO, "%s%s: %s", harness ? "" : "the machine died: ",
			MACHINE_ENDS[how].word, why);
		e->code = fail(e, harness ? EXEC_HARNESS : EXEC_DIED, &err);
	}
	finish(e, e->code);
}

static const struct machine_events EVENTS = {
	.ready = on_ready,
	.console = on_console,
	.output = on_output,
	.exited = on_exited,
	.input_room = on_input_room,
	.died = on_died,
};

static void on_timeout(void *ctx)
{
	struct exec *e = ctx;
	struct err err = {};
	char text[UNIT_TEXT_MAX];

	err_set(&err, ETIMEDOUT, "%s after %s; it was stopped (--timeout)",
		e->started ? "the command still ran" : "the machine was not ready",
		duration_text(e->opt.machine.timeout_ms, text));
	finish(e, fail(e, EXEC_TIMEOUT, &err));
}

#define ON_SIGNAL(name, number)                        \
	static void name(void *ctx)                    \
	{                                              \
		finish(ctx, 128 + number);             \
	}
ON_SIGNAL(on_interrupt, SIGINT)
ON_SIGNAL(on_terminate, SIGTERM)
ON_SIGNAL(on_hangup, SIGHUP)

/* ---- the way there ---- */

static void watch(struct exec *e)
{
	e->signals[0] = loop_signal(e->loop, SIGINT, on_interrupt, e);
	e->signals[1] = loop_signal(e->loop, SIGTERM, on_terminate, e);
	e->signals[2] = loop_signal(e->loop, SIGHUP, on_hangup, e);
	e->timeout = loop_timer(e->loop, on_timeout, e);
	loop_timer_set(e->timeout, e->opt.machine.timeout_ms);
}

static int boot(struct exec *e, struct err *err)
{
	struct machine_config config;
	const char *kind;
	bool own_kernel;
	int r = machine_options_kind(&e->opt.machine, &kind, err);

	if (r < 0)
		return r;
	own_kernel = strcmp(kind, "host") != 0;
	if (own_kernel && !e->opt.machine.kernel)
		r = plan_load(NULL, e->cwd, &e->plan, err);
	if (own_kernel && r == 0)
		r = kernel_find(run_plan_kernel(&e->opt.machine, e->plan), e->cache_dir, &e->log,
				&e->kernel, err);
	if (r < 0)
		return r;
	/* From here on there is something to leave behind. */
	watch(e);
	r = machine_options_config(&e->opt.machine, own_kernel ? &e->kernel : NULL, e->cache_dir,
				   &config, err);
	if (r == 0)
		r = run_work_open(e->cache_dir, &e->work, err);
	if (r < 0)
		return r;
	config.work_dir = e->work.path;
	kind = machine_options_settle(kind, &e->kernel);
	return machine_boot(kind, &config, e->loop, &e->log, &EVENTS, e, &e->m, err);
}

static void exec_done(struct exec *e)
{
	machine_free(e->m);
	loop_unwatch(e->input);
	loop_unwatch(e->timeout);
	for (size_t i = 0; i < ARRAY_SIZE(e->signals); i++)
		loop_unwatch(e->signals[i]);
	loop_free(e->loop);
	run_work_close(&e->work);
	kernel_done(&e->kernel);
	plan_free(e->plan);
	machine_options_done(&e->opt.machine);
	opt_list_done(&e->opt.env);
	free(e->cache_dir);
}

int cmd_exec_run(struct cmd *c, int argc, char **argv)
{
	struct exec *e = xcalloc(1, sizeof(*e));
	struct err err = {};
	int n, code;

	*e = (struct exec){ .cmd = c, .work.lock = -1 };
	e->opt.machine.timeout_ms = TIMEOUT_DEFAULT_MS;
	code = cmd_options(c, &cmd_exec_help, true, argc, argv, &e->opt, &e->opt.common, &n);
	if (code > EXIT_PASSED)
		code = EXEC_HARNESS;
	if (code < 0 && n == 0) {
		err_set(&err, EINVAL, "no command; write it behind --: taproom exec -- uname -r");
		code = fail(e, EXEC_HARNESS, &err);
	}
	if (code < 0) {
		opt_list_add(&e->opt.env, NULL);
		argv[1 + n] = NULL;
		e->argv = (const char *const *)argv + 1;
		if (!getcwd(e->cwd, sizeof(e->cwd)))
			e->cwd[0] = '\0';
		/* Standard error is the command's, unless somebody sits there. */
		e->log = c->log;
		if (!c->terminal && e->log.level == LOG_INFO)
			e->log.level = LOG_WARN;
		e->cache_dir = cmd_cache_dir();
		e->loop = loop_new();
		if (boot(e, &err) < 0) {
			code = fail(e, EXEC_HARNESS, &err);
		} else {
			loop_run(e->loop);
			code = e->code;
		}
	}
	exec_done(e);
	free(e);
	return code;
}
