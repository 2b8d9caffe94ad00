/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Outlet: a command's output on its way to a descriptor of ours, whose reader
 * may take his time: what he does not take waits here, and nothing else does.
 * The descriptor stays as it is, blocking for all who share it.
 */
#include <stdbool.h>

#include "base/loop.h"
#include "base/str.h"

/* All that waited was written, or @error (-errno) ended it. */
typedef void (*outlet_fn)(void *ctx, int error);

struct outlet {
	int fd;
	bool own, socket; /* own: opened anew, non-blocking */
	struct loop *loop;
	struct loop_watch *writable;
	struct buf queue;
	outlet_fn fn;
	void *ctx;
};

void outlet_open(struct outlet *o, struct loop *loop, int fd, outlet_fn fn, void *ctx);
void outlet_close(struct outlet *o); /* also of a zeroed one */
/* Returns 0, 1 when some of it waits (then fn() follows), or -errno. */
int outlet_write(struct outlet *o, struct str s);

static inline bool outlet_waits(const struct outlet *o)
{
	return o->queue.n > 0;
}
