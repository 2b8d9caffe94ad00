/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Files that come back: those of --fetch, one after another, when the command has
 * ended. The guest gives bytes; names and places are ours.
 */
#include "base/opt.h"
#include "machine/machine.h"

struct session_fetch {
	const struct opt_list *list; /* "PATH[:FILE]" */
	const char *dir;             /* what a PATH without a slash in front is below */
	size_t n;                    /* that were begun */
	int fd;                      /* of the one that comes; -1: none */
	char *file;
};

/* Asks for the next. 1: it comes, 0: none is left, or -errno. */
int session_fetch_next(struct session_fetch *f, struct machine *m, struct err *err);
/* Bytes of it. What can't be written is removed. */
int session_fetch_bytes(struct session_fetch *f, struct str bytes, struct err *err);
void session_fetch_drop(struct session_fetch *f); /* it will not be whole */
void session_fetch_done(struct session_fetch *f);
