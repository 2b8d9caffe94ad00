/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Door: the way into a machine that is up, for another process: a socket at which
 * one at a time is spoken to as by the machine's own agent (guest/proto.h). What it
 * asks for is passed on under numbers of ours, and what the guest says of it
 * comes back as it is: whoever entered judges a hostile guest himself. The machine
 * is not his: a power-off is his leaving, and the command that he leaves
 * behind is hung up, then killed, before the next may enter.
 *
 * No door, for this room only.
 */
#include <stdbool.h>

#include "base/loop.h"
#include "machine/frame.h"

struct agent;
struct door;

/* Makes the socket "door" in @dir, which only its user may enter; @release: of the
 * guest's kernel. @used is told of who comes and, when all that he began is over, that
 * he is gone. */
int door_open(const char *dir, const char *release, struct agent *agent, struct loop *loop,
	      void (*used)(void *ctx, bool inside), void *ctx, struct door **ret,
	      struct err *err);
struct door *door_close(struct door *d);
/* What the guest said; true: it was for who is inside, and nobody else. */
bool door_heard(struct door *d, const struct frame *f);

/* From outside. -EBUSY: somebody is inside, by *@ret_lock, which is held as long as
 * it is open; -ENOENT: there is no such machine. */
int door_enter(const char *dir, int *ret_fd, int *ret_lock, struct err *err);
