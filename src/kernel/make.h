/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Make: runs the kernel's make with its output in a log, tells how far it is, and
 * ends it with all that it started when we are told to end. Inside kernel/ only.
 */
#include "kernel/build.h"

struct make {
	const char *dir;          /* where: the source */
	const char *const *words; /* behind "make": variables and targets; NULL-ended */
	const char *log_path;     /* appended to */
	const char *allconfig;    /* KCONFIG_ALLCONFIG; NULL: none */
	const char *mark;         /* touched twice a second while make runs */
	const char *what;         /* of struct kernel_progress */
	uint64_t steps_all;       /* of the last one from nothing; 0: unknown */
	int64_t took_ms;          /* of it */
	const struct kernel_order *order;
};

/*
 * Nothing of the caller's environment that changes a build reaches it. @ret_steps:
 * how many it said. -EINTR: a signal ended it. -EIO: it failed; the sentence has
 * the first error.
 */
int make_run(const struct make *m, uint64_t *ret_steps, struct err *err);

/*
 * file_lock(), which says what is waited for: "waiting for process N, which
 * <what>". Returns 0 with the descriptor.
 */
int make_lock(const char *path, const char *what, const struct log *log, int *ret,
	      struct err *err);
