/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than the machine has under way after it was told to wait. */
#define QUEUE_MAX (4u << 20)
#define PIPE_SIZE (1 << 20)

/* Our own non-blocking way into the same pipe or terminal: O_NONBLOCK on the
 * descriptor we were given would be everybody's who has it. */
static int open_anew(int fd)
{
	struct stat st;
	char path[32];

	if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void outlet_open(struct outlet *o, struct loop *loop, int fd, outlet_fn fn, void *ctx)
{
	int own = open_anew(fd);
	struct stat st;

	*o = (struct outlet){ .fd = own >= 0 ? own : fd, .own = own >= 0, .loop = loop,
			      .fn = fn, .ctx = ctx };
	o->queue.max = QUEUE_MAX;
	o->socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	/* Fewer turns between us and the reader; refused, it is as it was. */
	if (own >= 0)
		fcntl(own, F_SETPIPE_SZ, PIPE_SIZE);
}

void outlet_close(struct outlet *o)
{
	loop_unwatch(o->writable);
	if (o->own)
		close(o->fd);
	buf_done(&o->queue);
	*o = (struct outlet){};
}

static bool waits(const struct outlet *o)
{
	return o->own || o->socket;
}

/* Writes what goes; returns its length, or -errno. */
static ssize_t write_some(struct outlet *o, struct str s)
{
	size_t done = 0;

	while (done < s.n) {
		ssize_t n = o->socket ? send(o->fd, s.p + done, s.n - done,
					     MSG_DONTWAIT | MSG_NOSIGNAL)
				      : write(o->fd, s.p + done, s.n - done);
		struct pollfd p = { .fd = o->fd, .events = POLLOUT };

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN && waits(o))
			break;
		else if (errno == EAGAIN)
			poll(&p, 1, -1); /* somebody made it so; there is no other way */
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)done;
}

static void on_writable(void *ctx, int fd, unsigned ready)
{
	struct outlet *o = ctx;
	ssize_t n = write_some(o, buf_str(&o->queue));

	if (n < 0)
		buf_clear(&o->queue);
	else
		buf_drop(&o->queue, (size_t)n);
	if (o->queue.n)
		return;
	o->writable = loop_unwatch(o->writable);
	o->fn(o->ctx, n < 0 ? (int)n : 0);
}

int outlet_write(struct outlet *o, struct str s)
{
	ssize_t n = o->queue.n ? 0 : write_some(o, s);
	int r;

	if (n < 0 || (size_t)n == s.n)
		return n < 0 ? (int)n : 0;
	r = buf_add_str(&o->queue, str_from(s, (size_t)n));
	if (r < 0)
		return r;
	if (!o->writable)
		o->writable = loop_io(o->loop, o->fd, LOOP_WRITE, on_writable, o);
	return 1;
}
