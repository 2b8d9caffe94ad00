/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Machines: where tests run. One struct of functions per kind (qemu, uml,
 * host), one table of them (machines.c). A machine runs commands one after another
 * and passes their bytes on; it never reads TAP.
 *
 * Life: machine_boot() returns at once; callbacks follow from the loop:
 * ready, then output/exited for each command, console at any time, and died
 * exactly once, last, whatever happened. machine_free() kills what is left
 * and removes every file; it may be called at any time outside a callback,
 * and in died(). The configuration is copied.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"

struct machine;

enum machine_root {
	MACHINE_ROOT_OVERLAY, /* the host's files; writes stay in the guest */
	MACHINE_ROOT_RO,
	MACHINE_ROOT_RW,      /* writes reach the host */
};

struct machine_share { /* a host directory, at the same path in the guest */
	const char *dir;
	bool rw;
};

struct machine_config {
	/* The kernel: host machines ignore it. Paths are absolute. */
	const char *image;       /* bzImage, vmlinux or linux (UML) */
	bool image_is_uml;
	const char *release;     /* uname -r */
	const char *config;      /* its .config; may be NULL: unknown */
	const char *modules_dir; /* holds <release>/modules.dep; NULL: no modules */

	unsigned cpus;           /* 0: the kind's default */
	uint64_t memory;         /* bytes; 0: default */
	const char *accel;       /* "auto", "kvm", "tcg" */
	const char *uml_time;    /* "real", "idle", "inf", "ext:[ID:]SOCKET"; NULL: real */
	enum machine_root root;
	const struct machine_share *shares;
	unsigned n_shares;
	/* What its commands take of the host's files, should the guest not see them all:
	 * files with what these need, directories with all that is in them; one that ends
	 * with a slash, itself alone. Absolute; NULL-ended or NULL. */
	const char *const *needed;
	bool net;                /* user-mode network */
	const char *const *append;    /* kernel command line; NULL-ended or NULL */
	const char *const *qemu_opts; /* VMM arguments; NULL-ended or NULL */
	bool once;               /* a boot that failed is not tried again: it was a test */
	bool cold;               /* boot, even where a ready machine could be had */
	int64_t boot_timeout_ms; /* 0: the kind's default; waiting for a processor of the
				  * host does not count, up to thrice as long */
	int64_t hang_ms;         /* without a heartbeat; 0: 30 s, 5 min in simulated time;
				  * < 0: for ever */
	/* The debugger's stub, a socket in .work_dir (facts.gdb). Such a machine may be
	 * stopped for hours: it is never missed. */
	bool gdb, gdb_waits;     /* waits: its first instruction is the debugger's */
	const char *vmlinux;     /* with symbols, for the debugger's line; NULL: unknown */
	const char *dump;        /* its memory goes into this file, should it panic; NULL: no */
	const char *enter;       /* machine_enter()'s */
	const char *work_dir;    /* for sockets and images; exists, ours */
	const char *cache_dir;   /* initramfs, probes; may be used by others too */
};

enum machine_death {
	MACHINE_STOPPED,      /* as asked: machine_stop() */
	MACHINE_BOOT_FAILED,  /* never became ready; retried before it is told */
	MACHINE_PANICKED,     /* the guest's kernel ended it */
	MACHINE_OOPSED,       /* it oopsed, and died or hung of that */
	MACHINE_HUNG,         /* no heartbeat */
	MACHINE_SILENT,       /* its user took it away: no output, but alive */
	MACHINE_GUEST_MEMORY, /* the guest's kernel died for want of memory */
	MACHINE_POWERED_OFF,  /* by the guest, unasked */
	MACHINE_KILLED,       /* the VMM, by a signal from outside */
	MACHINE_VANISHED,     /* the VMM or a helper ended by itself */
	MACHINE_HOST_MEMORY,  /* the host had none for it */
	MACHINE_HOST_DISK,
	MACHINE_DEADLINE,     /* its user took it away: the time was over */
	MACHINE_PROTOCOL,     /* the agent spoke garbage */
	MACHINE_DEATHS,
};

/* Whose doing an end is: `guest` may be the test's, `host` is the harness'. */
enum machine_blame { MACHINE_BLAME_NONE, MACHINE_BLAME_GUEST, MACHINE_BLAME_HOST };

/* One row per end: the only place that knows how each is written. */
struct machine_end {
	const char *word;     /* "panic": in reports and the history, never renamed */
	const char *what;     /* a sentence without its full stop */
	const char *todo;     /* what to do about it; NULL: nothing */
	enum machine_blame blame;
};
extern const struct machine_end MACHINE_ENDS[MACHINE_DEATHS];
/* Returns 1, or 0 for a word that is none. */
int machine_end_find(struct str word, enum machine_death *ret);
/* Of what could not be done because of @error, -errno: HOST_DISK, HOST_MEMORY, or BOOT_FAILED. */
enum machine_death machine_end_of_error(int error);

struct machine_user {
	uint32_t uid, gid;
	const uint32_t *groups;  /* the others; at most 4096 */
	unsigned n_groups;
};

/* Each 0: as it is. MACHINE_UNLIMITED: none. */
#define MACHINE_UNLIMITED UINT64_MAX
struct machine_limits {
	uint64_t memory;         /* bytes of address space, of each process */
	uint64_t files;          /* descriptors that may be open */
	uint64_t cpu_s;          /* seconds of processor time, of each process */
	uint64_t core;           /* bytes of a core file */
};

struct machine_command {
	const char *const *argv; /* NULL-ended */
	const char *const *env;  /* "K=V", NULL-ended; may be NULL */
	const char *dir;         /* NULL: / */
	bool merge;              /* stderr into stdout, order kept */
	bool terminal;           /* a pty */
	unsigned rows, columns;  /* of it; 0: not known */
	const struct machine_user *user; /* NULL: root */
	struct machine_limits limits;
};

struct machine_exit {
	int status;              /* wait status, or -errno: could not be started */
	const char *why;         /* status < 0: a sentence; lives as long as the call */
	const char *memory;      /* the guest's kernel killed a process for memory meanwhile:
				  * its own sentence; else NULL */
	int64_t user_ms, system_ms;
	uint64_t max_rss_kb;
};

/* The guest's pulse, every second (PROTO_BEAT) from ready() on. Numbers are
 * what the guest says: for words, not for sizes. */
struct machine_beat {
	uint64_t uptime_ms;
	uint32_t load[3]; /* of 1, 5, 15 minutes, in hundredths */
	uint32_t processes;
	uint64_t memory_kb, available_kb;
	uint64_t oom_kills; /* since it was ready; a host machine's are the host's */
	int64_t wall_ms;    /* its wall clock, which may be wrong */
};

struct machine_events {
	void (*ready)(void *ctx, struct machine *m);
	void (*console)(void *ctx, struct machine *m, struct str bytes);
	/* @stream 1 or 2; @time_ms since the machine was ready. */
	void (*output)(void *ctx, struct machine *m, unsigned stream, int64_t time_ms,
		       struct str bytes);
	void (*exited)(void *ctx, struct machine *m, const struct machine_exit *exit);
	/* After machine_input() said -EAGAIN: try again; there is room, or the
	 * command has closed its input. May be NULL. */
	void (*input_room)(void *ctx, struct machine *m);
	/* Of machine_fetch(); may be NULL where it is not called. @why is a
	 * sentence when @status is -errno; it lives as long as the call. */
	void (*file)(void *ctx, struct machine *m, struct str bytes);
	void (*fetched)(void *ctx, struct machine *m, int status, const char *why);
	/* May be NULL. */
	void (*beat)(void *ctx, struct machine *m, const struct machine_beat *beat);
	void (*died)(void *ctx, struct machine *m, enum machine_death how, const char *why);
};

/* Returns 0 or an error with what to do about it. */
int machine_boot(const char *kind, const struct machine_config *config, struct loop *loop,
		 const struct log *log, const struct machine_events *events, void *ctx,
		 struct machine **ret, struct err *err);
/* One command at a time: -EBUSY while one runs. */
int machine_start(struct machine *m, const struct machine_command *cmd, struct err *err);
/*
 * Bytes for the command's standard input; none: its end. All or nothing:
 * -EAGAIN when the command has not yet read what it got (at most 256 KiB are
 * on their way), then input_room() tells when to try again; -EPIPE when it has
 * closed its standard input. At most 64 KiB at a time. Input for a command that
 * has ended is dropped.
 */
int machine_input(struct machine *m, struct str bytes, struct err *err);
bool machine_input_closed(const struct machine *m); /* by the command */
int machine_signal(struct machine *m, int sig, struct err *err); /* to its group */
int machine_resize(struct machine *m, unsigned rows, unsigned columns, struct err *err);
/* Whoever takes the command's output waits, or goes on: while held, at most 1
 * MiB more comes (32 KiB of a terminal's), then the command waits as with a full
 * pipe. All else goes on, heartbeats too. */
void machine_hold(struct machine *m, bool hold);
/* Nobody reads the command's stream 1 or 2 any more: it is as a closed pipe to
 * it, and what was on its way is still told. */
int machine_close(struct machine *m, unsigned stream, struct err *err);
/*
 * Copies the guest's file @path (absolute) by file() and fetched(), also while a
 * command runs; one at a time: -EBUSY. A file of more than @max bytes is -EFBIG,
 * after at most @max bytes of it. Only regular files, as root sees them.
 */
int machine_fetch(struct machine *m, const char *path, uint64_t max, struct err *err);
/* The guest's wall clock when it said what a callback tells; 0 before that. */
int64_t machine_wall_ms(const struct machine *m);
void machine_stop(struct machine *m); /* power off; killed after a grace */
/* As machine_stop(), for who wants no more words of its console: where the guest
 * has nothing that it may still write to the host, it is killed at once. */
void machine_end(struct machine *m);
/*
 * Keeps a machine that is up and whose command has ended: gives it a way in, of
 * which @used tells when somebody comes and when he has left and all that he began
 * is over. It has another user from now on: of @events come console, beat and died.
 */
int machine_keep(struct machine *m, const struct machine_events *events,
		 void (*used)(void *ctx, bool inside), void *ctx, struct err *err);
/*
 * The way in, from another process of the same user: @dir is the work directory of
 * the machine that is kept. As machine_boot(); but stopping it, or freeing it, leaves
 * it, and it is missed when who keeps it is gone. @work_dir: our own. -EBUSY: somebody
 * is inside.
 */
int machine_enter(const char *dir, const char *work_dir, struct loop *loop,
		  const struct log *log, const struct machine_events *events, void *ctx,
		  struct machine **ret, struct err *err);
/*
 * Makes the guest's kernel tell on its console what its processors do and where
 * its tasks wait (sysrq l, w, t). @told follows from the loop when it has, or
 * after a few seconds in which it did not; not when the machine dies first.
 * Returns 0, or -ENOTSUP from a kind that can't, -EBUSY while it tells.
 */
int machine_examine(struct machine *m, void (*told)(void *ctx), void *ctx);
struct machine *machine_free(struct machine *m);

/*
 * Ends what is left of a machine whose launcher was killed: the processes that
 * are noted in @work_dir, which the caller has locked. Returns how many.
 */
unsigned machine_sweep(const char *work_dir);

/* What was used, for the record; valid while the machine is. */
struct machine_facts {
	const char *kind;   /* "qemu" */
	const char *accel;  /* "tcg"; "" for host */
	const char *why;    /* a sentence: why this accelerator */
	const char *release; /* of the kernel that runs; NULL until ready */
	unsigned cpus;
	uint64_t memory;
	int64_t boot_ms;    /* the boot that became ready; -1 until then */
	bool ready;         /* it started from one that was kept when it had booted */
	const char *cold;   /* a sentence: why it did not; "" if it did */
	const char *packed; /* a sentence: of the host's files the guest sees only what was
			     * packed for it, and why; NULL: all */
	int64_t pid;        /* of the VMM on the host */
	const char *gdb;    /* socket of the debugger's stub; NULL: none */
	const char *dump;   /* its memory, written when it panicked; NULL: it was not */
};
void machine_facts(const struct machine *m, struct machine_facts *ret);

/* Ready machines that are kept in the cache: how many, bytes of disk; at most so
 * many, of so many bytes each. */
struct machine_kept {
	unsigned n, n_max;
	uint64_t bytes, bytes_max;
};
void machine_kept(const char *cache_dir, struct machine_kept *ret);

/* For doctor: can this kind run here? Returns 1, or 0 with the reason and the
 * mending command in @why. */
struct machine_ops;
struct machine_kind {
	const char *name;
	const char *summary;
	const struct machine_ops *ops; /* machine/kind.h */
	int (*probe)(const char *cache_dir, struct buf *why);
};
extern const struct machine_kind MACHINE_KINDS[];
extern const unsigned MACHINE_KINDS_N;
