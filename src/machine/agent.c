/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/agent.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "machine/door.h"
#include "machine/pulse.h"

#define READ_SIZE 131072
#define OUT_MAX   (2 * PROTO_START_MAX)
/* Reads per wake-up: a guest that floods us leaves others their turn. */
#define READS_MAX 8
#define CAN       (PROTO_CAN_BEAT | PROTO_CAN_FETCH | PROTO_CAN_PING)
/* What a terminal still shows after Ctrl-C is no more than a few screens. */
#define TERMINAL_ROOM (32u << 10)
#define ERRNO_MAX     4095
/* On their way at once: a line takes 96. */
#define PINGS_MAX     64

static void broken(struct agent *a, const char *why)
{
	a->readable = loop_unwatch(a->readable);
	a->events->broken(a->machine, why);
}

/* ---- what is told ---- */

/* How much may be sent now: on a line no more than it takes. */
static size_t sendable(const struct agent *a)
{
	size_t room = a->line ? PROTO_LINE_WINDOW - a->unread : a->out.n;

	return room < a->out.n ? room : a->out.n;
}

static void on_writable(void *ctx, int fd, unsigned ready)
{
	struct agent *a = ctx;
	ssize_t n = write(fd, a->out.p, sendable(a));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (a->line && n > 0)
		a->unread += (uint32_t)n;
	buf_drop(&a->out, n < 0 ? a->out.n : (size_t)n);
	if (sendable(a) == 0)
		a->writable = loop_unwatch(a->writable);
}

static int tell(struct agent *a, enum proto_type type, unsigned stream, unsigned command,
		struct str payload, struct err *err)
{
	if (frame_add(&a->out, type, stream, command, payload) < 0)
		return err_set(err, ENOBUFS, "the machine does not take what it is told");
	if (!a->writable && sendable(a))
		a->writable = loop_io(a->loop, a->fd, LOOP_WRITE, on_writable, a);
	return 0;
}

int agent_tell(struct agent *a, enum proto_type type, struct str payload, struct err *err)
{
	return tell(a, type, 0, a->command, payload, err);
}

int64_t agent_hang_ms(const struct agent *a)
{
	return a->can & PROTO_CAN_BEAT ? PULSE_LIMIT_MS : PULSE_ASKED_LIMIT_MS;
}

void agent_ping(struct agent *a)
{
	/* One may be lost on a line of UML's; the next makes up for it. */
	if (!(a->can & PROTO_CAN_PING) || a->can & PROTO_CAN_BEAT || a->pings >= PINGS_MAX)
		return;
	/* What it can't be told is missed as what it does not answer. */
	a->pings += tell(a, PROTO_PING, 0, 0, STR_NONE, NULL) == 0;
}

uint16_t agent_number(struct agent *a)
{
	return ++a->last;
}

int agent_pass(struct agent *a, enum proto_type type, unsigned stream, unsigned number,
	       struct str payload, struct err *err)
{
	return tell(a, type, stream, number, payload, err);
}

/* Gives back what has come: half a window at a time, so that the guest neither
 * waits nor is told of every frame. */
static int flow_give(struct agent *a, struct agent_flow *f, unsigned number, bool all,
		     struct err *err)
{
	uint32_t room = f->used;
	int r;

	if (room == 0 || (!all && room < f->window / 2))
		return 0;
	r = tell(a, PROTO_ROOM, 0, number, str_n((char *)&room, sizeof(room)), err);
	if (r == 0)
		f->used = 0;
	return r;
}

static int flow_take(struct agent_flow *f, size_t n, struct err *err)
{
	if (n > f->window - f->used)
		return err_set(err, EPROTO, "more bytes than there was room for");
	f->used += (uint32_t)n;
	return 0;
}

/* ---- what the guest says ---- */

/* Words of the guest's, for people and for a terminal. */
static void text_copy(struct str s, char *to, size_t size)
{
	size_t n = 0;

	for (; n < s.n && n < size - 1; n++)
		to[n] = s.p[n] >= ' ' && s.p[n] <= '~' ? s.p[n] : '?';
	to[n] = '\0';
}

static bool is_release(struct str s)
{
	if (s.n == 0 || s.n > 64)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '/')
			return false;
	return true;
}

static int on_hello(struct agent *a, const struct frame *f, struct err *err)
{
	struct proto_welcome w = { PROTO_VERSION, CAN };
	struct proto_hello h = {};
	struct str release;
	int r;

	if (a->ready_ns)
		return err_set(err, EPROTO, "a second hello");
	memcpy(&h.version, f->payload.p, sizeof(h.version));
	if (h.version != PROTO_VERSION)
		return err_set(err, EPROTO,
			       "it speaks version %u of the protocol, this taproom version %d: "
			       "it is the agent of %s taproom", h.version, PROTO_VERSION,
			       h.version < PROTO_VERSION ? "an older" : "a newer");
	if (f->payload.n < sizeof(h))
		return err_set(err, EPROTO, "a hello of %zu bytes", f->payload.n);
	memcpy(&h, f->payload.p, sizeof(h));
	release = str_from(f->payload, sizeof(h));
	if (!is_release(release))
		return err_set(err, EPROTO, "the kernel's release is none");
	a->ready_ns = f->head.time_ns ? f->head.time_ns : 1;
	a->can = h.can;
	r = tell(a, PROTO_WELCOME, 0, 0, str_n((char *)&w, sizeof(w)), err);
	if (r == 0)
		a->events->hello(a->machine, release);
	return r;
}

static int on_waiting(struct agent *a, const struct frame *f, struct err *err)
{
	if (a->ready_ns)
		return err_set(err, EPROTO, "it waits after its hello");
	a->events->waiting(a->machine);
	return 0;
}

static int on_output(struct agent *a, const struct frame *f, struct err *err)
{
	int64_t ms = (int64_t)(f->head.time_ns - a->ready_ns) / 1000000;
	int r = flow_take(&a->output, f->payload.n, err);

	if (r < 0)
		return r;
	/* A clock that goes back is wrong, and no reason to stop. */
	if (ms > a->last_ms)
		a->last_ms = ms;
	a->events->output(a->machine, f->head.stream, a->last_ms, f->payload);
	return a->held ? 0 : flow_give(a, &a->output, a->command, false, err);
}

static bool status_is_end(int32_t status)
{
	if (status < 0)
		return status >= -ERRNO_MAX;
	return status <= UINT16_MAX && (WIFEXITED(status) || WIFSIGNALED(status));
}

static int on_exit(struct agent *a, const struct frame *f, struct err *err)
{
	struct proto_exit e;
	struct machine_exit exit;

	memcpy(&e, f->payload.p, sizeof(e));
	if (!status_is_end(e.status))
		return err_set(err, EPROTO, "an exit status that is none: %d", e.status);
	exit = (struct machine_exit){
		.status = e.status,
		.why = a->note[0] ? a->note : e.status < 0 ? strerror(-e.status) : NULL,
		.user_ms = (int64_t)(e.user_us / 1000),
		.system_ms = (int64_t)(e.system_us / 1000),
		.max_rss_kb = e.max_rss_kb,
	};
	a->running = false;
	a->on_way = 0;
	a->waiting = false;
	a->events->exited(a->machine, &exit);
	return 0;
}

static int on_note(struct agent *a, const struct frame *f, struct err *err)
{
	text_copy(f->payload, a->note, sizeof(a->note));
	return 0;
}

static void input_room(struct agent *a)
{
	if (!a->waiting)
		return;
	a->waiting = false;
	a->events->input_room(a->machine);
}

static int on_read(struct agent *a, const struct frame *f, struct err *err)
{
	uint32_t n;

	memcpy(&n, f->payload.p, sizeof(n));
	if (n > a->unread)
		return err_set(err, EPROTO, "more read off the line than was sent");
	a->unread -= n;
	if (!a->writable && sendable(a))
		a->writable = loop_io(a->loop, a->fd, LOOP_WRITE, on_writable, a);
	return 0;
}

static int on_taken(struct agent *a, const struct frame *f, struct err *err)
{
	uint32_t n;

	memcpy(&n, f->payload.p, sizeof(n));
	if (n > a->on_way)
		return err_set(err, EPROTO, "more input taken than was given");
	a->on_way -= n;
	if (a->on_way <= PROTO_INPUT_MAX / 2)
		input_room(a);
	return 0;
}

static int on_closed(struct agent *a, const struct frame *f, struct err *err)
{
	if (a->input_closed)
		return err_set(err, EPROTO, "an input that was closed twice");
	a->input_closed = true;
	a->waiting = true; /* whoever gives it hears of it without giving more */
	input_room(a);
	return 0;
}

static int on_beat(struct agent *a, const struct frame *f, struct err *err)
{
	struct machine_beat beat;
	struct proto_beat b;

	a->pings = 0;
	memcpy(&b, f->payload.p, sizeof(b));
	beat = (struct machine_beat){
		.uptime_ms = b.uptime_ms,
		.load = { b.load[0], b.load[1], b.load[2] },
		.processes = b.processes,
		.memory_kb = b.memory_kb,
		.available_kb = b.available_kb,
		.oom_kills = b.oom_kills,
		.wall_ms = a->wall_ms,
	};
	a->events->beat(a->machine, &beat);
	return 0;
}

static int on_file(struct agent *a, const struct frame *f, struct err *err)
{
	int r = flow_take(&a->file, f->payload.n, err);

	if (r < 0)
		return r;
	if (f->payload.n > a->fetch_left)
		return err_set(err, EPROTO, "more of a file than was asked for");
	a->fetch_left -= f->payload.n;
	a->events->file(a->machine, f->payload);
	return flow_give(a, &a->file, a->fetch, false, err);
}

static int on_fetched(struct agent *a, const struct frame *f, struct err *err)
{
	char why[256];
	int32_t status;

	memcpy(&status, f->payload.p, sizeof(status));
	if (status > 0 || status < -ERRNO_MAX)
		return err_set(err, EPROTO, "a file's end that is none: %d", status);
	text_copy(str_from(f->payload, sizeof(status)), why, sizeof(why));
	a->fetching = false;
	a->events->fetched(a->machine, status, why);
	return 0;
}

/* What a frame is about, and so when it may come. */
enum about { ABOUT_MACHINE, ABOUT_COMMAND, ABOUT_FETCH };

static const struct {
	int (*fn)(struct agent *a, const struct frame *f, struct err *err);
	enum about about;
} FRAMES[] = {
	[PROTO_HELLO] = { on_hello, ABOUT_MACHINE },
	[PROTO_OUTPUT] = { on_output, ABOUT_COMMAND },
	[PROTO_EXIT] = { on_exit, ABOUT_COMMAND },
	[PROTO_NOTE] = { on_note, ABOUT_COMMAND },
	[PROTO_TAKEN] = { on_taken, ABOUT_COMMAND },
	[PROTO_BEAT] = { on_beat, ABOUT_MACHINE },
	[PROTO_CLOSED] = { on_closed, ABOUT_COMMAND },
	[PROTO_FILE] = { on_file, ABOUT_FETCH },
	[PROTO_FETCHED] = { on_fetched, ABOUT_FETCH },
	[PROTO_READ] = { on_read, ABOUT_MACHINE },
	[PROTO_WAITING] = { on_waiting, ABOUT_MACHINE },
};

/* frame_cut() let only known types through. */
static int handle(struct agent *a, const struct frame *f, struct err *err)
{
	enum about about = FRAMES[f->head.type].about;

	if (!a->ready_ns && f->head.type != PROTO_HELLO && f->head.type != PROTO_WAITING)
		return err_set(err, EPROTO, "a frame before the hello");
	if (a->door && door_heard(a->door, f))
		return 0;
	if (about == ABOUT_COMMAND && (!a->running || f->head.command != a->command))
		return err_set(err, EPROTO, "a frame of no command that runs");
	if (about == ABOUT_FETCH && (!a->fetching || f->head.command != a->fetch))
		return err_set(err, EPROTO, "a frame of no file that was asked for");
	a->wall_ms = (int64_t)(f->head.wall_ns / 1000000);
	return FRAMES[f->head.type].fn(a, f, err);
}

/* Returns 1 when more may come, 0 when there is none now, -errno at the end. */
static int read_some(struct agent *a, struct err *err)
{
	struct frame f;
	struct str rest;
	ssize_t n;
	int r;

	a->in.max = sizeof(struct proto_header) + PROTO_PAYLOAD_MAX + READ_SIZE;
	if (a->in.cap < a->in.max) {
		a->in.p = xrealloc(a->in.p, a->in.max + 1, 1);
		a->in.cap = a->in.max + 1;
	}
	n = read(a->fd, a->in.p + a->in.n, READ_SIZE);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ENODATA;
	a->in.n += (size_t)n;
	rest = buf_str(&a->in);
	while ((r = frame_cut(&rest, &f, err)) > 0) {
		r = handle(a, &f, err);
		if (r < 0)
			break;
	}
	buf_drop(&a->in, a->in.n - rest.n);
	/* What can't be told to it ends it too. */
	return r == -ENOBUFS ? -EPROTO : r < 0 ? r : n == READ_SIZE;
}

static void on_readable(void *ctx, int fd, unsigned ready)
{
	struct agent *a = ctx;
	struct err err = {};
	int r = 1;

	for (int i = 0; i < READS_MAX && r > 0; i++)
		r = read_some(a, &err);
	if (r == -EPROTO)
		broken(a, err.text);
	else if (r < 0)
		/* The other end is gone; its process' end says why. */
		a->readable = loop_unwatch(a->readable);
}

void agent_drain(struct agent *a)
{
	struct err err = {};

	if (!a->readable)
		return;
	while (read_some(a, &err) > 0)
		;
}

void agent_open(struct agent *a, int fd, bool line, struct loop *loop,
		const struct agent_events *events, struct machine *m)
{
	*a = (struct agent){ .fd = fd, .line = line, .loop = loop, .events = events, .machine = m };
	a->out.max = OUT_MAX;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	a->readable = loop_io(loop, fd, LOOP_READ, on_readable, a);
}

void agent_close(struct agent *a)
{
	a->readable = loop_unwatch(a->readable);
	a->writable = loop_unwatch(a->writable);
	if (a->events)
		close(a->fd);
	buf_done(&a->in);
	buf_done(&a->out);
	*a = (struct agent){ .fd = -1 };
}

/* ---- what is asked of it ---- */

static uint16_t strings_add(struct buf *b, const char *const *v)
{
	uint16_t n = 0;

	for (; v && v[n] && n < UINT16_MAX; n++)
		buf_add(b, v[n], strlen(v[n]) + 1);
	return n;
}

static uint16_t limits_add(struct buf *b, const struct machine_limits *l)
{
	const struct proto_limit all[] = {
		{ .of = PROTO_LIMIT_MEMORY, .value = l->memory },
		{ .of = PROTO_LIMIT_FILES, .value = l->files },
		{ .of = PROTO_LIMIT_CPU, .value = l->cpu_s },
		{ .of = PROTO_LIMIT_CORE, .value = l->core },
	};
	uint16_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].value) {
			buf_add(b, &all[i], sizeof(all[i]));
			n++;
		}
	return n;
}

static int needs(const struct agent *a, enum proto_can can, const char *what, struct err *err)
{
	if (a->can & can)
		return 0;
	return err_set(err, ENOTSUP, "the guest's agent can't %s: it is the agent of an older "
		       "taproom", what);
}

static int command_check(const struct agent *a, const struct machine_command *cmd,
			 unsigned n_limits, struct err *err)
{
	int r = 0;

	if (a->running)
		return err_set(err, EBUSY, "a command runs already");
	if (cmd->terminal)
		r = needs(a, PROTO_CAN_TERMINAL, "give a command a terminal", err);
	if (r == 0 && cmd->user)
		r = needs(a, PROTO_CAN_USER, "run a command as another user", err);
	if (r == 0 && n_limits)
		r = needs(a, PROTO_CAN_LIMITS, "limit a command", err);
	return r;
}

int agent_start(struct agent *a, const struct machine_command *cmd, struct err *err)
{
	struct proto_start head = {
		.terminal = cmd->terminal,
		.merge = cmd->merge,
		.has_user = cmd->user != NULL,
		.rows = (uint16_t)cmd->rows,
		.columns = (uint16_t)cmd->columns,
		.room = cmd->terminal ? TERMINAL_ROOM : PROTO_OUTPUT_MAX,
	};
	_cleanup_(buf_done) struct buf b = {};
	const char *dir = cmd->dir ? cmd->dir : "/";
	int r;

	buf_add(&b, &head, sizeof(head));
	if (cmd->user) {
		head.uid = cmd->user->uid;
		head.gid = cmd->user->gid;
		head.n_groups = (uint16_t)cmd->user->n_groups;
		buf_add(&b, cmd->user->groups, head.n_groups * sizeof(uint32_t));
	}
	head.n_limits = limits_add(&b, &cmd->limits);
	head.n_argv = strings_add(&b, cmd->argv);
	head.n_env = strings_add(&b, cmd->env);
	buf_add(&b, dir, strlen(dir) + 1);
	memcpy(b.p, &head, sizeof(head));
	if (b.n > PROTO_START_MAX || cmd->argv[head.n_argv])
		return err_set(err, E2BIG, "'%s': its arguments are too many: at most %u, and with "
			       "the environment at most %u bytes", cmd->argv[0], UINT16_MAX,
			       PROTO_START_MAX);
	r = command_check(a, cmd, head.n_limits, err);
	if (r == 0 && b.n > PROTO_PAYLOAD_MAX)
		r = needs(a, PROTO_CAN_LONG, "take so many arguments", err);
	if (r == 0)
		r = tell(a, PROTO_START, 0, (uint16_t)(a->last + 1), buf_str(&b), err);
	if (r < 0)
		return r;
	a->command = ++a->last;
	a->running = true;
	a->on_way = 0;
	a->waiting = a->input_closed = a->held = false;
	a->output = (struct agent_flow){ .window = head.room };
	a->note[0] = '\0';
	return 0;
}

int agent_input(struct agent *a, struct str bytes, struct err *err)
{
	int r;

	if (!a->running)
		return 0;
	if (a->input_closed)
		return err_set(err, EPIPE, "the command has closed its standard input");
	if (bytes.n > PROTO_PAYLOAD_MAX)
		return err_set(err, EFBIG, "more than %d bytes of input at once",
			       PROTO_PAYLOAD_MAX);
	a->waiting = a->on_way + bytes.n > PROTO_INPUT_MAX;
	if (a->waiting)
		return err_set(err, EAGAIN, "the command has not read its input yet");
	r = agent_tell(a, PROTO_INPUT, bytes, err);
	if (r == 0)
		a->on_way += (uint32_t)bytes.n;
	return r;
}

void agent_hold(struct agent *a, bool hold)
{
	a->held = hold;
	/* It fails only where the guest does not read, which its next frame ends. */
	if (!hold && a->running)
		flow_give(a, &a->output, a->command, true, NULL);
}

int agent_close_stream(struct agent *a, unsigned stream, struct err *err)
{
	return a->running ? tell(a, PROTO_CLOSE, stream, a->command, STR_NONE, err) : 0;
}

int agent_fetch(struct agent *a, const char *path, uint64_t max, struct err *err)
{
	struct proto_fetch order = { .max = max, .room = PROTO_INPUT_MAX };
	_cleanup_(buf_done) struct buf b = {};
	int r;

	if (a->fetching)
		return err_set(err, EBUSY, "a file is fetched already");
	if (path[0] != '/' || strlen(path) >= 4096)
		return err_set(err, EINVAL, "fetch '%s': an absolute path is needed", path);
	r = needs(a, PROTO_CAN_FETCH, "send files", err);
	if (r < 0)
		return r;
	buf_add(&b, &order, sizeof(order));
	buf_add(&b, path, strlen(path) + 1);
	r = tell(a, PROTO_FETCH, 0, (uint16_t)(a->last + 1), buf_str(&b), err);
	if (r < 0)
		return r;
	a->fetch = ++a->last;
	a->fetching = true;
	a->fetch_left = max;
	a->file = (struct agent_flow){ .window = order.room };
	return 0;
}
