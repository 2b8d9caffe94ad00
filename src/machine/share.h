/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Share: host directories in a virtual machine, by virtiofs or by 9p. What the
 * kernel and the host both have decides; where nothing fits, the error names
 * what is missing on which side.
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/proc.h"
#include "base/str.h"

/* A program that serves virtiofs, as it is spoken to. */
struct share_server {
	char *path;          /* NULL: none here */
	bool rust;           /* the rewrite has options of its own */
	bool announces;      /* mounts below the directory, unless it is told not to */
};

#define SHARE_SERVER_ENV "TAPROOM_VIRTIOFSD"

/*
 * The one that the environment names, else looks where distributions put it. Returns
 * 1, 0 where there is none, or an error: what is named or there is no such server. What
 * it is, is asked once (machine/trial.h); @cache_dir may be NULL.
 */
int share_server_find(const char *cache_dir, struct share_server *ret, struct err *err);
void share_server_done(struct share_server *s);
/* The package that has it, for a sentence. */
#define SHARE_SERVER_PACKAGE "qemu-system-common (or virtiofsd)"

/*
 * Serves @dir to one VMM. *ret_fd is a connected socket for it. The socket has
 * a name in @work_dir for a moment only. @words: the server's standard error.
 */
int share_serve(const struct share_server *s, const char *dir, bool rw, const char *work_dir,
		int words, struct proc *ret, int *ret_fd, struct err *err);

/* One of them has ended, and not because its VMM did. None is reaped. */
bool share_failed(const struct proc *servers, unsigned n);
