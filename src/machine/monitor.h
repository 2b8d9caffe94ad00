/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Monitor: what is said to QEMU itself, by its machine protocol (QMP: a line of
 * JSON each way, docs/interop/qmp-spec.rst). Commands wait for the greeting;
 * answers and events come from the loop. One that hangs answers nothing: whoever
 * waits has a deadline of his own. No door, for this room.
 */
#include "base/loop.h"
#include "base/str.h"

#define MONITOR_LINE_MAX    65536
#define MONITOR_WAITING_MAX 8

/* @problem: QEMU's own words when it refused, or why there is no answer; NULL: done. */
typedef void (*monitor_fn)(void *ctx, const char *problem);

struct monitor {
	int fd;                   /* -1: none, or it is closed */
	struct loop *loop;
	struct loop_watch *readable, *writable;
	struct buf in, out;
	bool greeted;
	unsigned next;            /* id of the next command */
	struct {
		unsigned id;      /* 0: free */
		monitor_fn fn;
		void *ctx;
	} waiting[MONITOR_WAITING_MAX];
	/* @reason: of SHUTDOWN, "guest-reset"; else empty. */
	void (*event)(void *ctx, struct str name, struct str reason);
	void *ctx;
};

/* Takes @fd, of which QEMU has the other end. */
void monitor_open(struct monitor *m, int fd, struct loop *loop,
		  void (*event)(void *ctx, struct str name, struct str reason), void *ctx);
/* Tells none of those who wait. */
void monitor_close(struct monitor *m);
/* Reads what has come, now: at the end of QEMU. */
void monitor_drain(struct monitor *m);
/*
 * @arguments: a JSON object, or NULL; @fn may be NULL. Returns 0, -ENOTCONN, or
 * -EBUSY when too many wait.
 */
int monitor_run(struct monitor *m, const char *command, const char *arguments, monitor_fn fn,
		void *ctx);
