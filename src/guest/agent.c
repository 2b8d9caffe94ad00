/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* After a command's end its helpers ("> >(tee log)") may finish their output,
 * on a slow machine too; then all that is left is killed, and waited for. */
#define LINGER_NS 2000000000ll
#define REAP_NS   3000000000ll

struct agent {
	int port, signals;
	struct command command;
	struct beat beat;
	size_t n_input;       /* waiting for the command to read it */
	bool input_ends;      /* and then its standard input is closed */
	size_t n_frame;       /* of a frame from the launcher, so far */
	char input[PROTO_INPUT_MAX];
	char frame[sizeof(struct proto_header) + PROTO_PAYLOAD_MAX];
	char out[sizeof(struct proto_header) + PROTO_PAYLOAD_MAX];
};

static void port_write(struct agent *a, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(a->port, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		/* The launcher is gone: so are we. */
		if (w <= 0)
			power_off();
		p += w;
		n -= (size_t)w;
	}
}

/* Sends a->out, whose payload of @n bytes is in place. */
static void frame_send(struct agent *a, unsigned type, unsigned stream, size_t n)
{
	struct proto_header h = {
		.magic = PROTO_MAGIC,
		.type = (uint8_t)type,
		.stream = (uint8_t)stream,
		.command = a->command.number,
		.length = (uint32_t)n,
		.time_ns = (uint64_t)clock_ns(CLOCK_MONOTONIC),
	};

	memcpy(a->out, &h, sizeof(h));
	port_write(a, a->out, sizeof(h) + n);
}

static void frame_send_copy(struct agent *a, unsigned type, const void *p, size_t n)
{
	memcpy(a->out + sizeof(struct proto_header), p, n);
	frame_send(a, type, 0, n);
}

static void hello(struct agent *a)
{
	struct proto_hello h = { .version = PROTO_VERSION,
				 .pid = (uint32_t)getpid(),
				 .boot_ns = (uint64_t)clock_ns(CLOCK_BOOTTIME) };
	char *at = a->out + sizeof(struct proto_header);
	struct utsname u;

	uname(&u);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), u.release, strlen(u.release));
	frame_send(a, PROTO_HELLO, 0, sizeof(h) + strlen(u.release));
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The command has taken @n bytes, or they are of no use any more. */
static void input_taken(struct agent *a, size_t n)
{
	uint32_t taken = (uint32_t)n;

	if (n == 0)
		return;
	a->n_input -= n;
	memmove(a->input, a->input + n, a->n_input);
	frame_send_copy(a, PROTO_TAKEN, &taken, sizeof(taken));
}

static void input_write(struct agent *a)
{
	struct command *c = &a->command;

	while (c->in >= 0 && a->n_input) {
		ssize_t n = write(c->in, a->input, a->n_input);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			fd_close(&c->in);
		else
			input_taken(a, (size_t)n);
	}
	if (c->in < 0)
		input_taken(a, a->n_input);
	if (!a->input_ends)
		return;
	a->input_ends = false;
	/* A terminal has no end of file; its user types one. */
	if (c->terminal && c->in >= 0)
		(void)!write(c->in, "\x04", 1);
	else
		fd_close(&c->in);
}

static void output_read(struct agent *a, int *fd, unsigned stream)
{
	ssize_t n = read(*fd, a->out + sizeof(struct proto_header), PROTO_PAYLOAD_MAX);

	/* A terminal's master says EIO when its last user is gone. */
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		fd_close(fd);
	else if (n > 0)
		frame_send(a, PROTO_OUTPUT, stream, (size_t)n);
}

static void on_start(struct agent *a, const struct proto_header *h, const char *p)
{
	struct command *c = &a->command;
	char why[512];

	if (c->pid || h->length == 0)
		die(0, "the launcher started a second command");
	*c = (struct command){ .number = h->command, .in = -1, .out = -1, .err = -1 };
	a->n_input = 0;
	a->input_ends = false;
	command_start(c, p, h->length, why, sizeof(why));
	if (c->pid)
		return;
	if (why[0])
		frame_send_copy(a, PROTO_NOTE, why, strlen(why));
	frame_send_copy(a, PROTO_EXIT, &c->exit, sizeof(c->exit));
}

static void on_input(struct agent *a, const struct proto_header *h, const char *p)
{
	if (h->length > sizeof(a->input) - a->n_input)
		die(0, "the launcher sent more input than agreed");
	memcpy(a->input + a->n_input, p, h->length);
	a->n_input += h->length;
	a->input_ends |= h->length == 0;
	if (a->n_input == 0 || a->command.in < 0)
		input_write(a);
}

static void on_signal(struct agent *a, const struct proto_header *h, const char *p)
{
	if (h->length == 1 && p[0] > 0 && p[0] < NSIG && !a->command.ended)
		kill(-a->command.pid, p[0]);
}

static void on_resize(struct agent *a, const struct proto_header *h, const char *p)
{
	struct proto_resize size;
	struct winsize w = {};

	if (h->length != sizeof(size) || !a->command.terminal)
		return;
	memcpy(&size, p, sizeof(size));
	w.ws_row = size.rows;
	w.ws_col = size.columns;
	ioctl(a->command.out, TIOCSWINSZ, &w);
}

static void on_poweroff(struct agent *a, const struct proto_header *h, const char *p)
{
	power_off();
}

static const struct {
	unsigned type;
	bool of_command; /* about the one that runs; late ones are dropped */
	void (*fn)(struct agent *a, const struct proto_header *h, const char *p);
} FRAMES[] = {
	{ PROTO_START, false, on_start },    { PROTO_INPUT, true, on_input },
	{ PROTO_SIGNAL, true, on_signal },   { PROTO_RESIZE, true, on_resize },
	{ PROTO_POWEROFF, false, on_poweroff },
};

static void frame_handle(struct agent *a, const struct proto_header *h, const char *p)
{
	bool mine = a->command.pid && h->command == a->command.number;

	for (size_t i = 0; i < sizeof(FRAMES) / sizeof(FRAMES[0]); i++)
		if (FRAMES[i].type == h->type) {
			if (mine || !FRAMES[i].of_command)
				FRAMES[i].fn(a, h, p);
			return;
		}
	die(0, "the launcher spoke of something unknown (%u)", h->type);
}

static void port_read(struct agent *a)
{
	ssize_t n = read(a->port, a->frame + a->n_frame, sizeof(a->frame) - a->n_frame);
	size_t at = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		power_off();
	a->n_frame += (size_t)n;
	while (a->n_frame - at >= sizeof(struct proto_header)) {
		struct proto_header h;

		memcpy(&h, a->frame + at, sizeof(h));
		if (h.magic != PROTO_MAGIC || h.length > PROTO_PAYLOAD_MAX)
			die(0, "the launcher's frames are broken");
		if (a->n_frame - at < sizeof(h) + h.length)
			break;
		frame_handle(a, &h, a->frame + at + sizeof(h));
		at += sizeof(h) + h.length;
	}
	a->n_frame -= at;
	memmove(a->frame, a->frame + at, a->n_frame);
}

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

/* Reaps what ended. Returns whether any child is left. */
static bool reap(struct agent *a)
{
	struct command *c = &a->command;
	struct rusage u;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &u)) > 0) {
		if (pid != c->pid || c->ended)
			continue;
		c->ended = true;
		c->deadline = clock_ns(CLOCK_MONOTONIC) + LINGER_NS;
		c->exit = (struct proto_exit){
			.status = status,
			.user_us = microseconds(&u.ru_utime),
			.system_us = microseconds(&u.ru_stime),
			.max_rss_kb = (uint64_t)u.ru_maxrss,
		};
	}
	return pid == 0;
}

/* What follows a command's end: linger, kill, reap, tell. */
static void command_finish(struct agent *a, bool children)
{
	struct command *c = &a->command;
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	bool open = c->out >= 0 || c->err >= 0;

	if (!c->killed && (!open || now >= c->deadline)) {
		c->killed = true;
		c->deadline = now + REAP_NS;
		fd_close(&c->in);
		if (children)
			kill(-1, SIGKILL);
	}
	if (!c->killed || ((open || children) && now < c->deadline))
		return;
	if (open || children) {
		static const char text[] = "processes were left that can't be killed";

		frame_send_copy(a, PROTO_NOTE, text, sizeof(text) - 1);
	}
	fd_close(&c->out);
	fd_close(&c->err);
	c->pid = 0;
	a->n_input = 0; /* EXIT settles that account */
	frame_send_copy(a, PROTO_EXIT, &c->exit, sizeof(c->exit));
}

static int wait_ms(const struct agent *a)
{
	const struct command *c = &a->command;
	int64_t until = a->beat.due_ns, left;

	if (c->pid && c->ended && c->deadline < until)
		until = c->deadline;
	left = until - clock_ns(CLOCK_MONOTONIC);
	return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

static void turn(struct agent *a)
{
	struct command *c = &a->command;
	bool has_input = a->n_input || a->input_ends;
	struct pollfd p[] = {
		{ .fd = a->port, .events = POLLIN },
		{ .fd = a->signals, .events = POLLIN },
		{ .fd = c->pid ? c->out : -1, .events = POLLIN },
		{ .fd = c->pid ? c->err : -1, .events = POLLIN },
		{ .fd = c->pid && has_input ? c->in : -1, .events = POLLOUT },
	};
	struct signalfd_siginfo info;
	struct proto_beat beat;
	bool children;

	if (poll(p, sizeof(p) / sizeof(p[0]), wait_ms(a)) < 0)
		return;
	if (beat_take(&a->beat, &beat))
		frame_send_copy(a, PROTO_BEAT, &beat, sizeof(beat));
	if (p[1].revents)
		(void)!read(a->signals, &info, sizeof(info));
	/* Standard error first: what it says is usually about what comes next. */
	if (p[3].revents)
		output_read(a, &c->err, 2);
	if (p[2].revents)
		output_read(a, &c->out, 1);
	if (p[4].revents)
		input_write(a);
	children = reap(a);
	if (c->pid && c->ended)
		command_finish(a, children);
	if (p[0].revents)
		port_read(a);
}

void agent_run(int port)
{
	struct agent *a = calloc(1, sizeof(*a));
	sigset_t child;

	if (!a)
		die(ENOMEM, "start");
	a->port = port;
	a->command = (struct command){ .in = -1, .out = -1, .err = -1 };
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	a->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	fcntl(port, F_SETFD, FD_CLOEXEC);
	if (a->signals < 0)
		die(errno, "watch for processes that end");
	hello(a);
	beat_init(&a->beat);
	for (;;)
		turn(a);
}
