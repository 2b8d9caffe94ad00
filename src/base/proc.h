/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Processes: the only way the project starts one. Every child gets
 * PR_SET_PDEATHSIG (it dies with us), default signal handling, its own
 * session when asked, and no descriptor but those named.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

#define PROC_KEEP_MAX 16

struct proc_spec {
	const char *const *argv;    /* NULL-ended; argv[0] is looked up in PATH */
	const char *const *env;     /* "K=V", NULL-ended, added to ours; may be NULL */
	const char *dir;            /* NULL: ours */
	int in, out, err;           /* descriptors; PROC_NULL: /dev/null, PROC_SAME */
	int keep[PROC_KEEP_MAX];    /* open in the child under the same number */
	unsigned n_keep;
	bool session;               /* setsid(): a group that can be killed whole */
	unsigned long unshare;      /* CLONE_NEW* flags; CLONE_NEWPID: child is pid 1;
				     * CLONE_NEWUSER: it is root there */
	/* With CLONE_NEWNS: every file system is read-only for it (Linux 5.12; before
	 * that only the root's). */
	bool read_only;
};

#define PROC_NULL (-1)
#define PROC_SAME (-2)

struct proc {
	pid_t pid;
	int fd;        /* pidfd: readable when the child has ended */
	bool session;
};

/* Starts it. A program that can't be executed is an error here, with its
 * name, not an exit code later. */
int proc_start(const struct proc_spec *spec, struct proc *ret, struct err *err);
/* Reaps. Returns 1 with the wait status in *ret, 0 when it still runs (only
 * without @block), or -errno. Frees the descriptor once reaped. */
int proc_wait(struct proc *p, bool block, int *ret_status, struct err *err);
/* Signals the child, with its whole session when it has one. */
void proc_kill(struct proc *p, int sig);
/* SIGKILL and reap; does nothing to a zeroed or reaped proc. */
void proc_end(struct proc *p);
/* Exit code as a shell tells it: code, or 128 + signal. */
int proc_exit_code(int status);

/*
 * Runs to the end. Output goes to the buffers that are not NULL (each bounded
 * by its .max; too much is -EFBIG and kills it). @timeout_ms 0 = none.
 * Returns the exit code >= 0, or -errno (-ETIMEDOUT).
 */
int proc_run(const struct proc_spec *spec, struct buf *out, struct buf *errout,
	     int64_t timeout_ms, struct err *err);

/*
 * Runs @fn in a forked child, for system calls that may hang or kill. What it
 * writes to its @result, @n bytes (at most 4096), becomes ours. Returns what
 * @fn returned (>= 0, or -errno), -ETIMEDOUT, or -ECHILD when it was killed.
 */
int proc_call(int (*fn)(void *result), void *result, size_t n, int64_t timeout_ms,
	      struct err *err);

/* Full path of a program in PATH (plus the sbin directories); NULL when
 * absent. Caller frees. */
char *proc_find(const char *name);
