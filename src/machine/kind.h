/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Kind: what machines.c and the kinds of machines share; no door, for this
 * room only. A kind starts its processes and names its ends; watching them,
 * deadlines, the second boot and the clean-up are the same for all.
 */
#include "base/mem.h"
#include "base/proc.h"
#include "machine/agent.h"
#include "machine/examine.h"
#include "machine/machine.h"
#include "machine/qmp.h"
#include "machine/pulse.h"
#include "machine/snapshot.h"
#include "machine/verdict.h"

#define MACHINE_HELPERS_MAX 16
#define MACHINE_APPEND_MAX  256

struct machine_ops {
	int64_t boot_timeout_ms;
	bool needs_kernel;
	const char *vmm; /* the process, in a sentence */
	const char *mute; /* what a kernel lacks whose console said nothing; NULL: unknown */
	bool line;       /* the agent's port is a serial line */
	/*
	 * Starts it: fills what `struct machine_run` holds. On an error the
	 * caller ends what was filled in so far.
	 */
	int (*boot)(struct machine *m, struct err *err);
	/* Presses a key of sysrq; its answer comes by the console. NULL: it can't. */
	int (*sysrq)(struct machine *m, char key, struct err *err);
	/* Writes the guest's memory to config.dump: 0, then @done follows. NULL: it can't. */
	int (*dump)(struct machine *m, qmp_answer_fn done, void *ctx);
	/* boot() is done and everything is watched. May be NULL. */
	void (*watched)(struct machine *m);
	/* An event of its monitor, beside those that every machine heeds; only
	 * where there is one. */
	void (*monitored)(struct machine *m, const char *name, const struct cJSON *data);
	/* The agent waits to be told which machine it is. NULL: it never does. */
	void (*waiting)(struct machine *m);
	/* A boot ended before its hello, @how. True: it was not the one that
	 * counts, and the next begins. NULL: each counts, there are no ready ones. */
	bool (*again)(struct machine *m, const char *how);
	/* It is ready. May be NULL. */
	void (*booted)(struct machine *m);
	/* It is not, and @how says why. 1: there is another way, which the next
	 * boot takes; -1: there is none, m->accel_why says why; 0: it may be
	 * tried again. May be NULL. */
	int (*unbooted)(struct machine *m, const char *how);
};

/* Whose last words are kept: apart, because a helper complains of every end. */
enum machine_voice { MACHINE_VMM, MACHINE_HELPERS, MACHINE_VOICES };

/* What a boot is for (machine/ready.h). */
enum machine_stage {
	MACHINE_COLD,  /* to run in it */
	MACHINE_MAKE,  /* to be kept */
	MACHINE_READY, /* to run in it, from one that was kept */
};

/* What it takes to keep one, or to start from one. */
struct machine_keep {
	enum machine_stage stage;
	int ram, state, lock;  /* -1: none */
	struct snapshot from;
	struct buf console;    /* what is said before it is kept */
	bool virtiofs, asked, saved;
	bool disk_full;        /* when it was to be saved: it may be another time */
	unsigned to_plug;      /* devices that are not there yet */
};

/* One boot; what it holds is ended and freed before the next. */
struct machine_run {
	struct proc vmm;          /* its end is the machine's end */
	struct proc helpers[MACHINE_HELPERS_MAX]; /* whose end ends the machine too */
	unsigned n_helpers;
	int port, console, monitor; /* our ends; -1: none */
	int said[MACHINE_VOICES]; /* our ends of their standard errors */
	bool refused;             /* the VMM ended with an error of its own */
	char *scratch;            /* a directory to remove; NULL: none */
	struct machine_keep keep;
	int64_t timeout_ms;       /* to be ready; from boot(): less than usual, 0: as usual */
};

#define MACHINE_KEEP_NONE { .ram = -1, .state = -1, .lock = -1, .from = SNAPSHOT_NONE }
#define MACHINE_RUN_NONE { .port = -1, .console = -1, .monitor = -1, .said = { -1, -1 }, \
			   .keep = MACHINE_KEEP_NONE }

enum machine_state {
	MACHINE_BOOTING,
	MACHINE_UP,
	MACHINE_STOPPING,
	MACHINE_DEAD, /* died() is due, or was told */
};

struct machine {
	const struct machine_kind *kind;
	struct machine_config config; /* a copy, in the arena */
	struct arena arena;
	struct loop *loop;
	const struct log *log;
	const struct machine_events *events;
	void *ctx;

	enum machine_state state;
	unsigned boots;
	int64_t booted_ms;        /* when this boot began, CLOCK_MONOTONIC */
	struct machine_run run;
	struct agent agent;
	struct loop_watch *w_vmm, *w_helpers[MACHINE_HELPERS_MAX], *w_console, *timer;
	struct loop_watch *w_said[MACHINE_VOICES];
	struct buf tail;          /* the console's last bytes */
	struct buf words[MACHINE_VOICES];
	bool console_spoke, panicked, helper_ended;
	struct witness_console seen;
	int64_t panic_ms;         /* when it was seen; with .panicked */
	struct pulse pulse;
	struct loop_watch *w_pulse;
	struct examine examine;
	struct qmp monitor;      /* QEMU's */
	char key;                 /* of sysrq, that waits for its break */
	char shutdown[32];        /* why QEMU says that it ends; empty: it did not say */
	bool panic_device, dumping;
	int64_t mute_ms;          /* how long it gave no sign of life, at its end */
	uint64_t host_kills;      /* before this boot */
	unsigned memory_kills;    /* of the guest's kernel, before this command */

	enum machine_death how;
	char why[ERR_TEXT_MAX];

	struct machine_facts facts;
	char accel_why[256], accel_how[160];
	bool accel_trial, accel_failed; /* kvm for the first time; and not again */
	bool board_trial, board_failed; /* a microvm for the first time; and not again */
	char board_how[160];
	bool ready_failed;        /* boots are cold from now on */
	struct buf ready_key;
	char cold_why[256];
	char release[80];
	char gdb[128];
};

/* The guest program, embedded. */
struct str machine_guest(void);
/* An anonymous file with @data, at its beginning; it has no name to clean up. */
int machine_memfd(const char *name, struct str data, int *ret, struct err *err);
/* Connected sockets: *ret_ours is close-on-exec and non-blocking. */
int machine_socketpair(int *ret_ours, int *ret_theirs, struct err *err);
/* Adds the lines of guest/proto.h's configuration that every kind has. */
int machine_guest_config(const struct machine *m, struct buf *b, struct err *err);

/* Notes its processes in its work directory, for machine_sweep(). */
void machine_traces_write(const struct machine *m);
void machine_traces_remove(const struct machine *m);

extern const struct machine_ops machine_host_ops, machine_kept_ops, machine_qemu_ops,
	machine_uml_ops;
int machine_host_probe(const char *cache_dir, struct buf *why);
int machine_qemu_probe(const char *cache_dir, struct buf *why);
int machine_uml_probe(const char *cache_dir, struct buf *why);
