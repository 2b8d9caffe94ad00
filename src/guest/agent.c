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

#define CAN (PROTO_CAN_BEAT | PROTO_CAN_FETCH | PROTO_CAN_USER | PROTO_CAN_LIMITS | \
	     PROTO_CAN_TERMINAL | PROTO_CAN_PING | PROTO_CAN_LONG)

struct agent {
	struct port port;
	int signals;
	uint32_t can;
	bool beats;           /* the launcher wants to hear them */
	struct command command;
	struct beat beat;
	struct fetch fetch;
	bool input_ends;      /* after what waits, standard input is closed */
	size_t input_at, n_input; /* what waits for the command to read it */
	uint32_t taken;       /* by the command, and not yet told */
	char input[PROTO_INPUT_MAX];
};

/* About the command. */
static void say(struct agent *a, unsigned type, const void *payload, size_t n)
{
	port_say(&a->port, type, a->command.number, payload, n);
}

static void hello(struct agent *a)
{
	struct proto_hello h = { .version = PROTO_VERSION,
				 .can = a->can,
				 .pid = (uint32_t)getpid(),
				 .boot_ns = (uint64_t)clock_ns(CLOCK_BOOTTIME) };
	char *at = port_payload(&a->port);
	struct utsname u;

	uname(&u);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), u.release, strlen(u.release));
	port_send(&a->port, PROTO_HELLO, 0, 0, sizeof(h) + strlen(u.release));
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- the command's input ---- */

/* @n more bytes are the command's, or of no use any more. */
static void input_taken(struct agent *a, size_t n)
{
	a->taken += (uint32_t)n;
	a->input_at += n;
	a->n_input -= n;
	if (a->n_input == 0)
		a->input_at = 0;
	if (a->taken == 0 || (a->n_input && a->taken < PROTO_INPUT_MAX / 4))
		return;
	say(a, PROTO_TAKEN, &a->taken, sizeof(a->taken));
	a->taken = 0;
}

/* Nobody reads it any more. */
static void input_closed(struct agent *a)
{
	fd_close(&a->command.in);
	say(a, PROTO_CLOSED, "", 0);
}

static void input_write(struct agent *a)
{
	struct command *c = &a->command;

	while (c->in >= 0 && a->n_input) {
		ssize_t n = write(c->in, a->input + a->input_at, a->n_input);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			input_closed(a);
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

/* ---- its output ---- */

static void output_read(struct agent *a, int *fd, unsigned stream)
{
	struct command *c = &a->command;
	size_t want = c->room < PROTO_PAYLOAD_MAX ? c->room : PROTO_PAYLOAD_MAX;
	ssize_t n = read(*fd, port_payload(&a->port), want);

	/* A terminal's master says EIO when its last user is gone. */
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		fd_close(fd);
	else if (n > 0) {
		c->room -= (uint32_t)n;
		port_send(&a->port, PROTO_OUTPUT, stream, c->number, (size_t)n);
	}
}

/* ---- what the launcher says ---- */

static void on_welcome(struct agent *a, const struct proto_header *h, const char *p)
{
	struct proto_welcome w;

	if (h->length < sizeof(w))
		die(0, "the launcher's welcome is too short");
	memcpy(&w, p, sizeof(w));
	if (w.version != PROTO_VERSION)
		die(0, "the launcher speaks version %u of the protocol, this agent %d: both "
		       "must be of one taproom", w.version, PROTO_VERSION);
	a->beats = w.can & a->can & PROTO_CAN_BEAT;
	beat_init(&a->beat);
}

static void on_start(struct agent *a, const struct proto_header *h, const char *p)
{
	struct command *c = &a->command;
	char why[512];

	if (c->pid || h->length == 0)
		die(0, "the launcher started a second command");
	*c = (struct command){ .number = h->command, .in = -1, .out = -1, .err = -1 };
	a->input_at = a->n_input = 0;
	a->taken = 0;
	a->input_ends = false;
	command_start(c, p, h->length, why, sizeof(why));
	if (c->pid)
		return;
	if (why[0])
		say(a, PROTO_NOTE, why, strlen(why));
	say(a, PROTO_EXIT, &c->exit, sizeof(c->exit));
}

static void on_input(struct agent *a, const struct proto_header *h, const char *p)
{
	if (h->length > sizeof(a->input) - a->n_input)
		die(0, "the launcher sent more input than agreed");
	if (a->input_at + a->n_input + h->length > sizeof(a->input)) {
		memmove(a->input, a->input + a->input_at, a->n_input);
		a->input_at = 0;
	}
	memcpy(a->input + a->input_at + a->n_input, p, h->length);
	a->n_input += h->length;
	a->input_ends |= h->length == 0;
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

	if (h->length != sizeof(size) || !a->command.terminal || a->command.out < 0)
		return;
	memcpy(&size, p, sizeof(size));
	terminal_resize(a->command.out, size.rows, size.columns);
}

static void on_close(struct agent *a, const struct proto_header *h, const char *p)
{
	if (!a->command.terminal)
		fd_close(h->stream == 1 ? &a->command.out : &a->command.err);
}

static void room_add(uint32_t *room, uint32_t more)
{
	*room = more > UINT32_MAX - *room ? UINT32_MAX : *room + more;
}

/* Late ones, of what has ended, are dropped. */
static void on_room(struct agent *a, const struct proto_header *h, const char *p)
{
	uint32_t more;

	if (h->length != sizeof(more))
		die(0, "the launcher's frames are broken");
	memcpy(&more, p, sizeof(more));
	if (a->command.pid && h->command == a->command.number)
		room_add(&a->command.room, more);
	else if (a->fetch.fd >= 0 && h->command == a->fetch.number)
		room_add(&a->fetch.room, more);
}

static void on_fetch(struct agent *a, const struct proto_header *h, const char *p)
{
	fetch_begin(&a->fetch, &a->port, h, p);
}

static void on_ping(struct agent *a, const struct proto_header *h, const char *p)
{
	struct proto_beat b;

	beat_now(&a->beat, &b);
	port_say(&a->port, PROTO_BEAT, 0, &b, sizeof(b));
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
	{ PROTO_WELCOME, false, on_welcome }, { PROTO_START, false, on_start },
	{ PROTO_INPUT, true, on_input },      { PROTO_SIGNAL, true, on_signal },
	{ PROTO_RESIZE, true, on_resize },    { PROTO_CLOSE, true, on_close },
	{ PROTO_ROOM, false, on_room },       { PROTO_FETCH, false, on_fetch },
	{ PROTO_POWEROFF, false, on_poweroff }, { PROTO_PING, false, on_ping },
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
	struct proto_header h;
	const char *payload;

	port_fill(&a->port);
	while (port_next(&a->port, &h, &payload))
		frame_handle(a, &h, payload);
}

/* ---- its end ---- */

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

	/* It is the launcher's reader who takes his time, with what is in the
	 * pipes; only what they do of themselves is measured. */
	if (open && c->room == 0)
		c->deadline = now + (c->killed ? REAP_NS : LINGER_NS);
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

		say(a, PROTO_NOTE, text, sizeof(text) - 1);
	}
	fd_close(&c->out);
	fd_close(&c->err);
	c->pid = 0;
	a->n_input = 0; /* EXIT settles that account */
	say(a, PROTO_EXIT, &c->exit, sizeof(c->exit));
}

/* ---- the loop ---- */

static bool fetch_ready(const struct agent *a)
{
	return a->fetch.fd >= 0 && a->fetch.room;
}

static int wait_ms(const struct agent *a)
{
	const struct command *c = &a->command;
	int64_t until = a->beats ? a->beat.due_ns : INT64_MAX, left;

	if (fetch_ready(a))
		return 0;
	if (c->pid && c->ended && c->deadline < until)
		until = c->deadline;
	if (until == INT64_MAX)
		return -1;
	left = until - clock_ns(CLOCK_MONOTONIC);
	return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

static void beat(struct agent *a)
{
	struct proto_beat b;

	if (a->beats && beat_take(&a->beat, &b))
		port_say(&a->port, PROTO_BEAT, 0, &b, sizeof(b));
}

static void turn(struct agent *a)
{
	struct command *c = &a->command;
	bool has_input = a->n_input || a->input_ends, room = c->pid && c->room;
	struct pollfd p[] = {
		{ .fd = a->port.fd, .events = POLLIN },
		{ .fd = a->signals, .events = POLLIN },
		{ .fd = room ? c->out : -1, .events = POLLIN },
		{ .fd = room ? c->err : -1, .events = POLLIN },
		/* Without input to write it only says when its reader is gone;
		 * a terminal's hangs up for other reasons. */
		{ .fd = c->pid && (has_input || !c->terminal) ? c->in : -1,
		  .events = has_input ? POLLOUT : 0 },
	};
	struct signalfd_siginfo info;
	bool children;

	if (poll(p, sizeof(p) / sizeof(p[0]), wait_ms(a)) < 0)
		return;
	beat(a);
	if (p[1].revents)
		(void)!read(a->signals, &info, sizeof(info));
	/* Standard error first: what it says is usually about what comes next. */
	if (p[3].revents)
		output_read(a, &c->err, 2);
	if (p[2].revents && c->room)
		output_read(a, &c->out, 1);
	if (p[4].revents && has_input)
		input_write(a);
	else if (p[4].revents)
		input_closed(a);
	if (fetch_ready(a))
		fetch_go_on(&a->fetch, &a->port);
	children = reap(a);
	if (c->pid && c->ended)
		command_finish(a, children);
	if (p[0].revents)
		port_read(a);
}

void agent_run(const struct config *c, int port)
{
	struct agent *a = calloc(1, sizeof(*a));
	sigset_t child;

	if (!a)
		die(ENOMEM, "start");
	a->port.fd = port;
	a->port.line = c->port != NULL;
	/* Time that runs ahead while nothing happens would bring beats without end: the
	 * launcher asks for them, by its own. */
	a->can = c->simulated ? CAN & ~PROTO_CAN_BEAT : CAN;
	a->fetch.fd = -1;
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
	for (;;)
		turn(a);
}
