/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/agent.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_SIZE 131072
#define OUT_MAX   (1u << 20)
/* Reads per wake-up: a guest that floods us leaves others their turn. */
#define READS_MAX 8

static void broken(struct agent *a, const char *why)
{
	a->readable = loop_unwatch(a->readable);
	a->events->broken(a->machine, why);
}

static int on_hello(struct agent *a, const struct frame *f, struct err *err)
{
	struct proto_hello h;

	memcpy(&h, f->payload.p, sizeof(h));
	if (a->ready_ns)
		return err_set(err, EPROTO, "a second hello");
	if (h.version != PROTO_VERSION)
		return err_set(err, EPROTO, "protocol version %u, not %d", h.version,
			       PROTO_VERSION);
	a->ready_ns = f->head.time_ns ? f->head.time_ns : 1;
	a->events->hello(a->machine, str_from(f->payload, sizeof(h)));
	return 0;
}

static int on_output(struct agent *a, const struct frame *f, struct err *err)
{
	int64_t ns = (int64_t)(f->head.time_ns - a->ready_ns);

	a->events->output(a->machine, f->head.stream, ns > 0 ? ns / 1000000 : 0, f->payload);
	return 0;
}

static int on_exit(struct agent *a, const struct frame *f, struct err *err)
{
	struct proto_exit e;
	struct machine_exit exit;

	memcpy(&e, f->payload.p, sizeof(e));
	exit = (struct machine_exit){
		.status = e.status,
		.why = a->note[0] ? a->note : NULL,
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
	size_t n = f->payload.n < sizeof(a->note) ? f->payload.n : sizeof(a->note) - 1;

	memcpy(a->note, f->payload.p, n);
	a->note[n] = '\0';
	return 0;
}

static int on_taken(struct agent *a, const struct frame *f, struct err *err)
{
	uint32_t n;

	memcpy(&n, f->payload.p, sizeof(n));
	if (n > a->on_way)
		return err_set(err, EPROTO, "more input taken than was given");
	a->on_way -= n;
	if (a->waiting && a->on_way <= PROTO_INPUT_MAX / 2) {
		a->waiting = false;
		a->events->input_room(a->machine);
	}
	return 0;
}

static int on_beat(struct agent *a, const struct frame *f, struct err *err)
{
	struct machine_beat beat;
	struct proto_beat b;

	memcpy(&b, f->payload.p, sizeof(b));
	beat = (struct machine_beat){
		.uptime_ms = b.uptime_ms,
		.load = { b.load[0], b.load[1], b.load[2] },
		.processes = b.processes,
		.memory_kb = b.memory_kb,
		.available_kb = b.available_kb,
		.oom_kills = b.oom_kills,
	};
	a->events->beat(a->machine, &beat);
	return 0;
}

static const struct {
	int (*fn)(struct agent *a, const struct frame *f, struct err *err);
	bool of_command;
} FRAMES[] = {
	[PROTO_HELLO] = { on_hello, false }, [PROTO_OUTPUT] = { on_output, true },
	[PROTO_EXIT] = { on_exit, true },    [PROTO_NOTE] = { on_note, true },
	[PROTO_TAKEN] = { on_taken, true },  [PROTO_BEAT] = { on_beat, false },
};

/* frame_cut() let only known types through. */
static int handle(struct agent *a, const struct frame *f, struct err *err)
{
	if (!a->ready_ns && f->head.type != PROTO_HELLO)
		return err_set(err, EPROTO, "a frame before the hello");
	if (FRAMES[f->head.type].of_command && (!a->running || f->head.command != a->command))
		return err_set(err, EPROTO, "a frame of no command that runs");
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
	return r < 0 ? r : n == READ_SIZE;
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

static void on_writable(void *ctx, int fd, unsigned ready)
{
	struct agent *a = ctx;
	ssize_t n = write(fd, a->out.p, a->out.n);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	buf_drop(&a->out, n < 0 ? a->out.n : (size_t)n);
	if (a->out.n == 0)
		a->writable = loop_unwatch(a->writable);
}

void agent_open(struct agent *a, int fd, struct loop *loop, const struct agent_events *events,
		struct machine *m)
{
	*a = (struct agent){ .fd = fd, .loop = loop, .events = events, .machine = m };
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

int agent_tell(struct agent *a, enum proto_type type, struct str payload, struct err *err)
{
	if (frame_add(&a->out, type, a->command, payload) < 0)
		return err_set(err, ENOBUFS, "the machine does not take what it is told");
	if (!a->writable)
		a->writable = loop_io(a->loop, a->fd, LOOP_WRITE, on_writable, a);
	return 0;
}

static uint16_t strings_add(struct buf *b, const char *const *v)
{
	uint16_t n = 0;

	for (; v && v[n] && n < UINT16_MAX; n++)
		buf_add(b, v[n], strlen(v[n]) + 1);
	return n;
}

int agent_start(struct agent *a, const struct machine_command *cmd, struct err *err)
{
	struct proto_start head = { .terminal = cmd->terminal, .merge = cmd->merge };
	_cleanup_(buf_done) struct buf b = {};
	const char *dir = cmd->dir ? cmd->dir : "/";
	int r;

	if (a->running)
		return err_set(err, EBUSY, "a command runs already");
	buf_add(&b, &head, sizeof(head));
	head.n_argv = strings_add(&b, cmd->argv);
	head.n_env = strings_add(&b, cmd->env);
	buf_add(&b, dir, strlen(dir) + 1);
	memcpy(b.p, &head, sizeof(head));
	if (b.n > PROTO_PAYLOAD_MAX)
		return err_set(err, E2BIG, "'%s': arguments and environment take %zu bytes, "
			       "more than %d", cmd->argv[0], b.n, PROTO_PAYLOAD_MAX);
	a->command++;
	r = agent_tell(a, PROTO_START, buf_str(&b), err);
	a->running = r == 0;
	a->on_way = 0;
	a->note[0] = '\0';
	return r;
}

int agent_input(struct agent *a, struct str bytes, struct err *err)
{
	int r;

	if (!a->running)
		return 0;
	if (bytes.n > PROTO_PAYLOAD_MAX)
		return err_set(err, EFBIG, "more than %d bytes of input at once",
			       PROTO_PAYLOAD_MAX);
	if (a->on_way + bytes.n > PROTO_INPUT_MAX) {
		a->waiting = true;
		return err_set(err, EAGAIN, "the command has not read its input yet");
	}
	r = agent_tell(a, PROTO_INPUT, bytes, err);
	if (r == 0)
		a->on_way += (uint32_t)bytes.n;
	return r;
}
