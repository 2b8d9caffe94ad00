/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/door.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/agent.h"

#define NAME      "door"
#define LOCK      "inside"
#define READ_SIZE 131072
/* What may wait for who is inside: the room that he gave, and some words. */
#define OUT_MAX   (2 * (PROTO_OUTPUT_MAX + PROTO_INPUT_MAX))
#define HUNG_UP_MS 2000

/* Of his and our numbers for the same. */
struct talk {
	uint16_t theirs, ours;
	bool runs;
};

struct door {
	struct agent *agent;
	struct loop *loop;
	char *dir, *release;
	int listener, fd; /* -1: nobody is inside */
	struct loop_watch *comes, *readable, *writable, *timer;
	struct buf in, out;
	struct talk command, fetch;
	bool beats;       /* he wants to hear them */
	void (*used)(void *ctx, bool inside);
	void *ctx;
};

/* A socket's name is short, a directory's may not be: by way of its descriptor. */
static int address(const char *dir, struct sockaddr_un *a, int *ret_dir, struct err *err)
{
	*ret_dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*ret_dir < 0)
		return err_sys(err, errno, "open '%s'", dir);
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/" NAME, *ret_dir);
	return 0;
}

int door_enter(const char *dir, int *ret_fd, int *ret_lock, struct err *err)
{
	_free_ char *path = path_join(dir, LOCK);
	_cleanup_(closep) int at = -1, fd = -1, lock = -1;
	struct sockaddr_un a;
	int r = address(dir, &a, &at, err);

	if (r == 0)
		r = file_lock(path, false, &lock, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, EBUSY, "somebody is in this machine already");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(err, errno, "enter '%s'", dir);
	*ret_fd = fd;
	*ret_lock = lock;
	fd = lock = -1;
	return 0;
}

/* ---- what he hears ---- */

static void leave(struct door *d);

static void on_writable(void *ctx, int fd, unsigned ready)
{
	struct door *d = ctx;
	ssize_t n = send(fd, d->out.p, d->out.n, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* His end is seen by who reads. */
	buf_drop(&d->out, n < 0 ? d->out.n : (size_t)n);
	if (d->out.n == 0)
		d->writable = loop_unwatch(d->writable);
}

/* Past the bound it was the guest who did not keep to the room, or he who does not read. */
static void say(struct door *d, const struct proto_header *as, unsigned number,
		struct str payload)
{
	struct proto_header h = *as;

	h.command = (uint16_t)number;
	h.length = (uint32_t)payload.n;
	if (d->fd < 0)
		return;
	if (buf_add(&d->out, &h, sizeof(h)) < 0 || buf_add_str(&d->out, payload) < 0) {
		leave(d);
		return;
	}
	if (!d->writable)
		d->writable = loop_io(d->loop, d->fd, LOOP_WRITE, on_writable, d);
}

static void hello(struct door *d)
{
	const struct agent *a = d->agent;
	struct proto_header head = { .magic = PROTO_MAGIC, .type = PROTO_HELLO,
				     .time_ns = a->ready_ns };
	/* It hears the guest's beats, whoever asked for them. */
	struct proto_hello h = { .version = PROTO_VERSION,
				 .can = (a->can & ~(uint32_t)PROTO_CAN_PING) | PROTO_CAN_BEAT };
	_cleanup_(buf_done) struct buf b = {};

	buf_add(&b, &h, sizeof(h));
	buf_add_str(&b, str_of(d->release));
	say(d, &head, 0, buf_str(&b));
}

/* ---- who comes and goes ---- */

static void on_comes(void *ctx, int fd, unsigned ready);

/* Nobody is inside, and nothing of his runs: the next may come. */
static void settle(struct door *d)
{
	if (d->fd >= 0 || d->command.runs || d->fetch.runs || d->comes)
		return;
	loop_timer_set(d->timer, -1);
	d->comes = loop_io(d->loop, d->listener, LOOP_READ, on_comes, d);
	d->used(d->ctx, false);
}

static void command_signal(struct door *d, int number)
{
	char byte = (char)number;

	if (d->command.runs)
		agent_pass(d->agent, PROTO_SIGNAL, 0, d->command.ours, str_n(&byte, 1), NULL);
}

static void on_hung_up(void *ctx)
{
	command_signal(ctx, SIGKILL);
}

/* What he did not read was bytes for nobody: their room is the guest's again. */
static void leave(struct door *d)
{
	uint32_t room = PROTO_OUTPUT_MAX;

	d->readable = loop_unwatch(d->readable);
	d->writable = loop_unwatch(d->writable);
	closep(&d->fd);
	d->fd = -1;
	d->beats = false;
	buf_done(&d->in);
	buf_done(&d->out);
	if (d->command.runs) {
		command_signal(d, SIGHUP);
		agent_pass(d->agent, PROTO_ROOM, 0, d->command.ours,
			   str_n((char *)&room, sizeof(room)), NULL);
		loop_timer_set(d->timer, HUNG_UP_MS);
	}
	if (d->fetch.runs)
		agent_pass(d->agent, PROTO_ROOM, 0, d->fetch.ours,
			   str_n((char *)&room, sizeof(room)), NULL);
	settle(d);
}

static struct talk *talk_of(struct door *d, const struct frame *f)
{
	bool fetch = f->head.type == PROTO_FILE || f->head.type == PROTO_FETCHED;
	struct talk *t = fetch ? &d->fetch : &d->command;

	return t->runs && f->head.command == t->ours ? t : NULL;
}

bool door_heard(struct door *d, const struct frame *f)
{
	bool bytes = f->head.type == PROTO_OUTPUT || f->head.type == PROTO_FILE;
	bool end = f->head.type == PROTO_EXIT || f->head.type == PROTO_FETCHED;
	uint32_t n = (uint32_t)f->payload.n;
	struct talk *t;

	if (f->head.type == PROTO_BEAT && d->beats)
		say(d, &f->head, 0, f->payload);
	if (f->head.type == PROTO_BEAT || !(t = talk_of(d, f)))
		return false;
	t->runs = !end;
	if (d->fd >= 0)
		say(d, &f->head, t->theirs, f->payload);
	else if (bytes)
		agent_pass(d->agent, PROTO_ROOM, 0, t->ours, str_n((char *)&n, sizeof(n)), NULL);
	settle(d);
	return true;
}

/* ---- what he says ---- */

static int begin(struct door *d, struct talk *t, const struct frame *f, struct err *err)
{
	int r;

	if (t->runs)
		return err_set(err, EPROTO, "a second of what runs already");
	*t = (struct talk){ .theirs = f->head.command, .ours = agent_number(d->agent) };
	r = agent_pass(d->agent, f->head.type, 0, t->ours, f->payload, err);
	t->runs = r == 0;
	return r;
}

/* Late ones are dropped, as by the agent. */
static int pass(struct door *d, const struct talk *t, const struct frame *f, struct err *err)
{
	if (!t->runs || f->head.command != t->theirs)
		return 0;
	return agent_pass(d->agent, f->head.type, f->head.stream, t->ours, f->payload, err);
}

static int heed(struct door *d, const struct frame *f, struct err *err)
{
	bool fetch = d->fetch.runs && f->head.command == d->fetch.theirs;
	struct proto_welcome w;

	switch (f->head.type) {
	case PROTO_WELCOME:
		memcpy(&w, f->payload.p, sizeof(w));
		if (w.version != PROTO_VERSION)
			return err_set(err, EPROTO, "it is of another taproom");
		d->beats = w.can & PROTO_CAN_BEAT;
		return 0;
	case PROTO_START: return begin(d, &d->command, f, err);
	case PROTO_FETCH: return begin(d, &d->fetch, f, err);
	case PROTO_ROOM: return pass(d, fetch ? &d->fetch : &d->command, f, err);
	case PROTO_INPUT:
	case PROTO_SIGNAL:
	case PROTO_RESIZE:
	case PROTO_CLOSE: return pass(d, &d->command, f, err);
	/* A power-off is his leaving; the rest is not his to say. */
	default: return err_set(err, ESHUTDOWN, "left");
	}
}

static void on_readable(void *ctx, int fd, unsigned ready)
{
	struct door *d = ctx;
	struct frame f;
	struct err err = {};
	struct str rest;
	ssize_t n;
	int r;

	if (!d->in.p) {
		d->in.max = sizeof(struct proto_header) + PROTO_START_MAX + READ_SIZE;
		d->in.p = xrealloc(d->in.p, d->in.max + 1, 1);
		d->in.cap = d->in.max + 1;
	}
	n = read(fd, d->in.p + d->in.n, READ_SIZE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		leave(d);
		return;
	}
	d->in.n += (size_t)n;
	rest = buf_str(&d->in);
	while ((r = frame_cut_told(&rest, &f, &err)) > 0) {
		r = heed(d, &f, &err);
		if (r < 0)
			break;
	}
	buf_drop(&d->in, d->in.n - rest.n);
	if (r < 0)
		leave(d);
}

static void on_comes(void *ctx, int fd, unsigned ready)
{
	struct door *d = ctx;
	struct ucred who = {};
	socklen_t n = sizeof(who);

	d->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (d->fd < 0)
		return;
	/* Its directory lets no other in; it may have been given away. */
	if (getsockopt(d->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 ||
	    (who.uid != geteuid() && who.uid != 0)) {
		closep(&d->fd);
		d->fd = -1;
		return;
	}
	d->comes = loop_unwatch(d->comes);
	d->readable = loop_io(d->loop, d->fd, LOOP_READ, on_readable, d);
	d->out.max = OUT_MAX;
	hello(d);
	d->used(d->ctx, true);
}

int door_open(const char *dir, const char *release, struct agent *agent, struct loop *loop,
	      void (*used)(void *ctx, bool inside), void *ctx, struct door **ret,
	      struct err *err)
{
	_cleanup_(closep) int at = -1, fd = -1;
	struct sockaddr_un a;
	struct door *d;
	int r = address(dir, &a, &at, err);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8) < 0)
		return err_sys(err, errno, "make the socket '%s/" NAME "'", dir);
	d = xcalloc(1, sizeof(*d));
	*d = (struct door){ .agent = agent, .loop = loop, .dir = xstrdup(dir),
			    .release = xstrdup(release), .listener = fd, .fd = -1, .used = used,
			    .ctx = ctx };
	fd = -1;
	d->timer = loop_timer(loop, on_hung_up, d);
	d->comes = loop_io(loop, d->listener, LOOP_READ, on_comes, d);
	*ret = d;
	return 0;
}

struct door *door_close(struct door *d)
{
	_free_ char *path = d ? path_join(d->dir, NAME) : NULL;
	_free_ char *lock = d ? path_join(d->dir, LOCK) : NULL;

	if (!d)
		return NULL;
	loop_unwatch(d->comes);
	loop_unwatch(d->readable);
	loop_unwatch(d->writable);
	loop_unwatch(d->timer);
	closep(&d->listener);
	closep(&d->fd);
	unlink(path);
	unlink(lock);
	buf_done(&d->in);
	buf_done(&d->out);
	free(d->dir);
	free(d->release);
	free(d);
	return NULL;
}
