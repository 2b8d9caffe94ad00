/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Qmp: QEMU's monitor, spoken on the loop (QEMU: docs/interop/qmp-spec, "QEMU
 * Machine Protocol Specification"). One JSON object per line; commands are
 * numbered, answers come in any order, events at any time. The socket is
 * inherited by QEMU ("-chardev socket,id=x,fd=N", "-mon chardev=x,mode=control"):
 * it has no name.
 *
 * QEMU runs a guest that may have taken it over, so nothing of it is trusted: a
 * line over QMP_LINE_MAX, one nested deeper than QMP_DEPTH_MAX, an answer to
 * nothing that was asked, end the conversation through broken(). Nobody is kept
 * waiting: every command that was taken gets its answer, an error at the latest
 * when the conversation ends.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

#define QMP_LINE_MAX    (256u << 10)
#define QMP_DEPTH_MAX   32
#define QMP_COMMAND_MAX 4096 /* bytes of one command */
#define QMP_PENDING_MAX 16   /* commands without an answer */
#define QMP_NAME_MAX    64

struct cJSON;

/*
 * @ret is what the command returned, NULL when it failed; then @why is a
 * sentence, made printable. Both live as long as the call. Called from the
 * loop, or from qmp_close(); it may give further commands, not close.
 */
typedef void (*qmp_answer_fn)(void *ctx, const struct cJSON *ret, const char *why);

struct qmp_events {
	/* @data: an object, or NULL. May be NULL. */
	void (*event)(void *ctx, const char *name, const struct cJSON *data);
	/* The end of it, told once; what was asked has been answered. The other
	 * side's end is one. May close; may be NULL. */
	void (*broken)(void *ctx, const char *why);
};

struct qmp_pending {
	uint32_t id;      /* 0: free */
	qmp_answer_fn fn; /* NULL: nobody waits for it */
	void *ctx;
};

struct qmp {
	int fd; /* -1: none */
	struct loop_watch *readable;
	const struct qmp_events *events;
	void *ctx;
	struct buf in;
	struct qmp_pending pending[QMP_PENDING_MAX];
	uint32_t last_id;
	bool greeted;
};

/* Takes @fd, a connected stream socket, and greets. Commands may be given at
 * once. @events and @ctx must outlive it. */
void qmp_open(struct qmp *q, int fd, struct loop *loop, const struct qmp_events *events,
	      void *ctx);
/* Reads what has come, now: of a QEMU that has ended. Also of a zeroed one. */
void qmp_drain(struct qmp *q);
/* What waits for an answer is told that there is none. Also of a zeroed one. */
void qmp_close(struct qmp *q);

/*
 * Gives a command. @arguments: a JSON object as text, or NULL. @fd: a
 * descriptor for QEMU's "getfd", which stays the caller's too; -1: none.
 * 0, or -ENOTCONN, -E2BIG, -EBUSY (too many without an answer), -ENOBUFS (QEMU
 * does not read): then @fn is not called.
 */
int qmp_command(struct qmp *q, const char *name, const char *arguments, int fd,
		qmp_answer_fn fn, void *ctx, struct err *err);
