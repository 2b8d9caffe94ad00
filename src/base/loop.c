/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/loop-event.h"
#include "base/mem.h"

struct loop {
	struct event_base *base;
};

struct loop_watch {
	struct event *event;
	loop_io_fn io;
	loop_fn fn;
	void *ctx;
};

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	struct event_config *c = event_config_new();

	/* Off and on again in one round, as a server's connections are, is no call to the
	 * kernel then. A descriptor that is watched must have no duplicate. */
	assert(c);
	event_config_set_flag(c, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	l->base = event_base_new_with_config(c);
	event_config_free(c);
	assert(l->base);
	return l;
}

struct loop *loop_free(struct loop *l)
{
	if (l) {
		event_base_free(l->base);
		free(l);
	}
	return NULL;
}

struct event_base *loop_event_base(struct loop *l)
{
	return l->base;
}

void loop_run(struct loop *l)
{
	event_base_dispatch(l->base);
}

void loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

static void dispatch(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_watch *w = ctx;

	if (w->io)
		w->io(w->ctx, fd, ((what & EV_READ) ? LOOP_READ : 0) |
				  ((what & EV_WRITE) ? LOOP_WRITE : 0));
	else
		w->fn(w->ctx);
}

static struct loop_watch *watch(struct loop *l, int fd, int what, loop_io_fn io, loop_fn fn,
				void *ctx)
{
	struct loop_watch *w = xcalloc(1, sizeof(*w));

	*w = (struct loop_watch){ .io = io, .fn = fn, .ctx = ctx };
	w->event = event_new(l->base, fd, (short)what, dispatch, w);
	assert(w->event);
	return w;
}

struct loop_watch *loop_io(struct loop *l, int fd, unsigned what, loop_io_fn fn, void *ctx)
{
	struct loop_watch *w = watch(l, fd,
				     EV_PERSIST | ((what & LOOP_READ) ? EV_READ : 0) |
					     ((what & LOOP_WRITE) ? EV_WRITE : 0),
				     fn, NULL, ctx);

	event_add(w->event, NULL);
	return w;
}

struct loop_watch *loop_timer(struct loop *l, loop_fn fn, void *ctx)
{
	return watch(l, -1, EV_TIMEOUT, NULL, fn, ctx);
}

void loop_timer_set(struct loop_watch *w, int64_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (ms < 0)
		event_del(w->event);
	else
		event_add(w->event, &tv);
}

struct loop_watch *loop_signal(struct loop *l, int sig, loop_fn fn, void *ctx)
{
	struct loop_watch *w = watch(l, sig, EV_SIGNAL | EV_PERSIST, NULL, fn, ctx);

	event_add(w->event, NULL);
	return w;
}

struct loop_watch *loop_unwatch(struct loop_watch *w)
{
	if (w) {
		event_free(w->event);
		free(w);
	}
	return NULL;
}
