/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/session.h"

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
#include "cmd/outlet.h"
#include "cmd/order.h"
#include "cmd/run-keep.h"
#include "cmd/session-boot.h"
#include "cmd/session-command.h"
#include "cmd/session-fetch.h"
#include "cmd/terminal.h"
#include "run/run.h"

#define INPUT_CHUNK 65536
/* Several times it is for us: a machine that does not answer is left. */
#define LEAVE_KEY   0x1d /* Ctrl-], as in telnet and machinectl */

/* What we hand on. Those that end a process end us where there is no command. */
static const struct {
	int number;
	bool ends;
} SIGNALS[] = {
	{ SIGINT, true },   { SIGTERM, true },	{ SIGHUP, true },    { SIGQUIT, true },
	{ SIGUSR1, false }, { SIGUSR2, false }, { SIGWINCH, false }, { SIGTSTP, false },
};

struct signal_watch {
	struct session *session;
	int number;
	bool ends;
	struct loop_watch *watch;
	struct times times;
};

struct session {
	const struct session_order *order;
	struct cmd *cmd;
	struct session_command command;
	struct log log;
	char *cache_dir;
	char cwd[4096];
	struct plan *plan;
	struct kernel kernel;
	struct run_work work;
	struct loop *loop;
	struct loop_watch *timeout;
	struct signal_watch signals[ARRAY_SIZE(SIGNALS)];
	struct machine *m;
	struct terminal terminal;
	/* Standard input: watched, or read in turns where it is always ready. */
	struct loop_watch *input;
	bool input_is_file, input_waits;
	char chunk[INPUT_CHUNK];
	size_t n_chunk;
	struct times leave;
	struct outlet out[2]; /* standard output and errors */
	bool gone[2];         /* whose reader is gone */
	struct boot_line boot_line;
	struct session_fetch fetch;
	bool started, exited, died;
	int code;
};

static void finish(struct session *s, int code)
{
	s->code = code;
	s->input = loop_unwatch(s->input);
	boot_line_end(&s->boot_line);
	terminal_restore(&s->terminal);
	loop_stop(s->loop);
}

static int fail(struct session *s, int code, const struct err *err)
{
	boot_line_end(&s->boot_line);
	terminal_restore(&s->terminal);
	return cmd_fail(s->cmd, code, err);
}

static void finish_failed(struct session *s, int code, const struct err *err)
{
	finish(s, fail(s, code, err));
}

/* ---- standard input ---- */

/* The command has closed it: whoever writes to us hears of it. */
static void input_close(struct session *s)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	s->input = loop_unwatch(s->input);
	s->input_waits = false;
	if (null >= 0 && !s->order->terminal)
		dup2(null, STDIN_FILENO);
	if (null >= 0)
		close(null);
}

/* Returns false when the rest has to wait, or nobody wants it. */
static bool input_send(struct session *s, bool end)
{
	struct err err = {};
	int r = 0;

	if (s->n_chunk || end)
		r = machine_input(s->m, str_n(s->chunk, s->n_chunk), &err);
	if (r == 0 || r == -EPIPE)
		s->n_chunk = 0;
	if (r == -EPIPE)
		input_close(s);
	return r == 0;
}

static void input_pause(struct session *s, bool pause);

/* The user's way out of a machine that does not answer. */
static bool is_leaving(struct session *s)
{
	bool leave = false;

	for (size_t i = 0; i < s->n_chunk; i++) {
		if (s->chunk[i] == LEAVE_KEY)
			leave |= times_enough(&s->leave);
		else
			s->leave.n = 0;
	}
	return leave;
}

static void input_read(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->chunk, sizeof(s->chunk));
	struct err err = {};

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	s->n_chunk = n > 0 ? (size_t)n : 0;
	if (s->order->terminal && is_leaving(s)) {
		err_set(&err, EINTR, "left by Ctrl-]");
		finish_failed(s, SESSION_DIED, &err);
	} else if (n <= 0) {
		input_send(s, true);
		s->input = loop_unwatch(s->input);
	} else if (!input_send(s, false)) {
		if (s->n_chunk)
			input_pause(s, true);
	} else if (s->input_is_file) {
		loop_timer_set(s->input, 0);
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
static void input_pause(struct session *s, bool pause)
{
	s->input_waits = pause;
	s->input = loop_unwatch(s->input);
	if (pause)
		return;
	if (!s->input_is_file) {
		s->input = loop_io(s->loop, STDIN_FILENO, LOOP_READ, on_input, s);
	} else {
		s->input = loop_timer(s->loop, on_turn, s);
		loop_timer_set(s->input, 0);
	}
}

static void input_begin(struct session *s)
{
	struct stat st;

	/* Files and devices like /dev/null can't be waited for (epoll_ctl(2)). */
	s->input_is_file = fstat(STDIN_FILENO, &st) < 0 ||
			   !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
			     isatty(STDIN_FILENO));
	input_pause(s, false);
}

static void on_input_room(void *ctx, struct machine *m)
{
	struct session *s = ctx;

	if (!s->input_waits) {
		/* It was closed, perhaps: that is told without anything to send. */
		if (s->input && machine_input_closed(m))
			input_close(s);
	} else if (input_send(s, false)) {
		input_pause(s, false);
	}
}

/* ---- standard output and errors ---- */

/* Nobody reads it any more: the command hears of it as it would here. */
static void output_failed(struct session *s, unsigned i, int error)
{
	struct err err = {};

	s->gone[i] = true;
	if (error == -EPIPE) {
		machine_close(s->m, i + 1, NULL);
		return;
	}
	err_sys(&err, -error, "write the command's output");
	finish_failed(s, SESSION_HARNESS, &err);
}

static void hold(struct session *s)
{
	machine_hold(s->m, outlet_waits(&s->out[0]) || outlet_waits(&s->out[1]));
}

static void end_when_written(struct session *s)
{
	if (s->died && !outlet_waits(&s->out[0]) && !outlet_waits(&s->out[1]))
		finish(s, s->code);
}

static void on_written(struct session *s, unsigned i, int error)
{
	if (error < 0)
		output_failed(s, i, error);
	hold(s);
	end_when_written(s);
}

static void on_out_written(void *ctx, int error)
{
	on_written(ctx, 0, error);
}

static void on_err_written(void *ctx, int error)
{
	on_written(ctx, 1, error);
}

static void on_output(void *ctx, struct machine *m, unsigned stream, int64_t time_ms,
		      struct str bytes)
{
	struct session *s = ctx;
	unsigned i = stream - 1;
	int r = s->gone[i] ? 0 : outlet_write(&s->out[i], bytes);

	if (r < 0)
		output_failed(s, i, r);
	else if (r > 0)
		hold(s);
}

static void on_console(void *ctx, struct machine *m, struct str bytes)
{
	struct session *s = ctx;

	if (s->order->common->verbose > 1)
		file_write_all(STDERR_FILENO, bytes.p, bytes.n);
}

/* ---- files that come back ---- */

static void fetch_next(struct session *s);

static void fetch_failed(struct session *s, const struct err *err)
{
	int code = fail(s, SESSION_HARNESS, err);

	if (s->code == 0)
		s->code = code;
	fetch_next(s);
}

static void fetch_next(struct session *s)
{
	struct err err = {};
	int r = session_fetch_next(&s->fetch, s->m, &err);

	if (r < 0)
		fetch_failed(s, &err);
	else if (r == 0 && s->order->common->verbose > 1)
		machine_stop(s->m);
	else if (r == 0)
		machine_end(s->m);
}

static void on_file(void *ctx, struct machine *m, struct str bytes)
{
	struct session *s = ctx;
	struct err err = {};

	if (session_fetch_bytes(&s->fetch, bytes, &err) < 0)
		finish_failed(s, SESSION_HARNESS, &err);
}

static void on_fetched(void *ctx, struct machine *m, int status, const char *why)
{
	struct session *s = ctx;
	struct err err = {};

	if (status == 0) {
		fetch_next(s);
		return;
	}
	session_fetch_drop(&s->fetch);
	err_set(&err, -status, "--fetch: %s", why);
	fetch_failed(s, &err);
}

/* ---- what the machine tells ---- */

static void on_ready(void *ctx, struct machine *m)
{
	struct session *s = ctx;
	struct machine_command *c = &s->command.command;
	struct machine_facts f;
	struct err err = {};
	char text[UNIT_TEXT_MAX];

	boot_line_end(&s->boot_line);
	machine_facts(m, &f);
	if (f.packed)
		log_info(&s->log, "%s", f.packed);
	log_debug(&s->log, "%s%s%s, kernel %s, ready after %s%s", f.kind, *f.accel ? " " : "",
		  f.accel, f.release, duration_text(f.boot_ms, text),
		  f.ready ? ", from a ready machine" : "");
	session_command_ready(&s->command, f.release);
	if (s->order->terminal)
		terminal_size(&c->rows, &c->columns);
	if (machine_start(m, c, &err) < 0) {
		finish_failed(s, SESSION_HARNESS, &err);
		return;
	}
	s->started = true;
	if (s->order->terminal)
		terminal_raw(&s->terminal);
	input_begin(s);
}

static int code_of(struct session *s, const struct machine_exit *exit)
{
	struct machine_facts f;
	struct err err = {};

	if (exit->status >= 0)
		return proc_exit_code(exit->status);
	machine_facts(s->m, &f);
	err_set(&err, -exit->status, f.packed ? "%s; %s" : "%s", exit->why, f.packed);
	return fail(s, exit->status == -ENOENT ? SESSION_NOT_FOUND : SESSION_NOT_EXECUTABLE,
		    &err);
}

static void on_exited(void *ctx, struct machine *m, const struct machine_exit *exit)
{
	struct session *s = ctx;

	s->exited = true;
	s->input = loop_unwatch(s->input);
	s->code = code_of(s, exit);
	terminal_restore(&s->terminal);
	fetch_next(s);
}

static void on_died(void *ctx, struct machine *m, enum machine_death how, const char *why)
{
	struct session *s = ctx;
	struct err err = {};
	bool harness = !s->started || how == MACHINE_PROTOCOL;

	s->died = true;
	s->input = loop_unwatch(s->input);
	if (!s->exited) {
		err_set(&err, EIO, "%s%s: %s", harness ? "" : "the machine died: ",
			MACHINE_ENDS[how].word, why);
		s->code = fail(s, harness ? SESSION_HARNESS : SESSION_DIED, &err);
	}
	terminal_restore(&s->terminal);
	end_when_written(s);
}

static const struct machine_events EVENTS = {
	.ready = on_ready,
	.console = on_console,
	.output = on_output,
	.exited = on_exited,
	.input_room = on_input_room,
	.file = on_file,
	.fetched = on_fetched,
	.died = on_died,
};

/* ---- time and signals ---- */

static void on_timeout(void *ctx)
{
	struct session *s = ctx;
	struct err err = {};
	char text[UNIT_TEXT_MAX];

	err_set(&err, ETIMEDOUT, "%s after %s; it was stopped (--timeout)",
		s->started ? "the command still ran" : "the machine was not ready",
		duration_text(s->order->machine->timeout_ms, text));
	finish_failed(s, SESSION_TIMEOUT, &err);
}

static void resize(struct session *s)
{
	unsigned rows, columns;

	terminal_size(&rows, &columns);
	if (rows && columns)
		machine_resize(s->m, rows, columns, NULL);
}

/* From outside: in a raw terminal Ctrl-Z is the guest's. We stop as anybody
 * does, and leave the terminal as it was meanwhile. */
static void suspend(struct session *s)
{
	bool raw = s->terminal.raw;

	terminal_restore(&s->terminal);
	raise(SIGSTOP);
	if (raw) {
		terminal_raw(&s->terminal);
		resize(s);
	}
}

static void on_signal(void *ctx)
{
	struct signal_watch *w = ctx;
	struct session *s = w->session;

	if (w->number == SIGTSTP) {
		suspend(s);
	} else if (w->number == SIGWINCH && s->order->terminal) {
		if (s->started)
			resize(s);
	} else if (!s->started || s->exited || (w->ends && times_enough(&w->times))) {
		if (w->ends)
			finish(s, 128 + w->number);
	} else if (s->order->terminal && w->ends) {
		/* Whoever ends a terminal ends its session. */
		s->exited = true;
		s->code = 128 + w->number;
		terminal_restore(&s->terminal);
		machine_signal(s->m, SIGHUP, NULL);
		machine_stop(s->m);
	} else {
		machine_signal(s->m, w->number, NULL);
	}
}

static void watch(struct session *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(SIGNALS); i++) {
		struct signal_watch *w = &s->signals[i];

		*w = (struct signal_watch){ .session = s, .number = SIGNALS[i].number,
					    .ends = SIGNALS[i].ends };
		/* As nohup(1) and a shell's background jobs want it. */
		if (!signal_is_ignored(w->number))
			w->watch = loop_signal(s->loop, w->number, on_signal, w);
	}
	s->timeout = loop_timer(s->loop, on_timeout, s);
	loop_timer_set(s->timeout, s->order->machine->timeout_ms);
	outlet_open(&s->out[0], s->loop, STDOUT_FILENO, on_out_written, s);
	outlet_open(&s->out[1], s->loop, STDERR_FILENO, on_err_written, s);
}

/* ---- the way there ---- */

static int enter(struct session *s, struct err *err)
{
	watch(s);
	boot_line_begin(&s->boot_line, s->loop, s->cmd->terminal, &s->cmd->log, &s->log);
	return run_keep_enter(s->order->options->enter, s->cache_dir, s->work.path, s->loop,
			      &s->log, &EVENTS, s, &s->m, err);
}

static int boot(struct session *s, struct err *err)
{
	struct machine_options *o = s->order->machine;
	const char *kind = machine_options_kind(o), *file;
	bool own_kernel = strcmp(kind, "host") != 0;
	struct machine_config config;
	struct plan_mode_all mode;
	int r = machine_options_file(o, &file, err);

	if (r == 0 && strchr(kind, ','))
		r = err_set(err, EINVAL, "--machine %s: a command runs in one machine", kind);
	if (r == 0 && !own_kernel && o->kernel && strcmp(o->kernel, "host") != 0)
		r = err_set(err, EINVAL,
			    "--machine host has the running kernel: leave --kernel out");
	if (r == 0)
		r = machine_options_fit(o, &kind, 1, err);
	if (own_kernel && r == 0 && (file || !o->kernel || order_builds(o, o->kernel)))
		r = plan_load(file, s->cwd, &s->plan, err);
	if (own_kernel && r == 0)
		r = order_kernel(o, s->plan, o->mode, kind, s->cache_dir, s->cmd, &s->log,
				 NULL, &s->kernel, &mode, err);
	if (r < 0)
		return r;
	kind = machine_options_settle(kind, &s->kernel);
	r = machine_options_fit(o, &kind, 1, err);
	if (r < 0)
		return r;
	/* From here on there is something to leave behind. */
	watch(s);
	r = machine_options_config(o, own_kernel ? &s->kernel : NULL, s->cache_dir, &config, err);
	if (r < 0)
		return r;
	config.work_dir = s->work.path;
	config.needed = s->command.needed.v;
	boot_line_begin(&s->boot_line, s->loop, s->cmd->terminal, &s->cmd->log, &s->log);
	return machine_boot(kind, &config, s->loop, &s->log, &EVENTS, s, &s->m, err);
}

static void session_done(struct session *s)
{
	terminal_restore(&s->terminal);
	machine_free(s->m);
	loop_unwatch(s->input);
	loop_unwatch(s->timeout);
	for (size_t i = 0; i < ARRAY_SIZE(s->signals); i++)
		loop_unwatch(s->signals[i].watch);
	outlet_close(&s->out[0]);
	outlet_close(&s->out[1]);
	loop_free(s->loop);
	session_fetch_done(&s->fetch);
	run_work_close(&s->work);
	kernel_done(&s->kernel);
	plan_free(s->plan);
	session_command_done(&s->command);
	free(s->cache_dir);
}

int session_run(const struct session_order *order)
{
	struct session *s = xcalloc(1, sizeof(*s));
	struct err err = {};
	int r, code;

	*s = (struct session){ .order = order, .cmd = order->cmd, .log = order->cmd->log,
			       .work.lock = -1,
			       .fetch = { .list = &order->options->fetch, .fd = -1 } };
	if (!getcwd(s->cwd, sizeof(s->cwd)))
		s->cwd[0] = '\0';
	/* Standard error is the command's, unless somebody sits there. */
	if (!order->cmd->terminal && s->log.level == LOG_INFO)
		s->log.level = LOG_WARN;
	s->cache_dir = cmd_cache_dir();
	s->loop = loop_new();
	r = session_command_make(&s->command, order, s->cwd, &err);
	s->fetch.dir = s->command.command.dir;
	if (r == 0)
		r = run_work_open(s->cache_dir, &s->work, &err);
	if (r == 0)
		r = order->options->enter ? enter(s, &err) : boot(s, &err);
	if (r < 0) {
		code = fail(s, r == -EINTR ? SESSION_STOPPED : SESSION_HARNESS, &err);
	} else {
		loop_run(s->loop);
		code = s->code;
	}
	session_done(s);
	free(s);
	opt_list_done(&order->options->env);
	opt_list_done(&order->options->limits);
	opt_list_done(&order->options->fetch);
	machine_options_done(order->machine);
	return code;
}
