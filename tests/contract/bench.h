/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Bench: a machine under test and what it has said, with calls that turn its
 * loop until something happens.
 */
#include "base/mem.h"
#include "kernel/kernel.h"
#include "machine/machine.h"
#include "tap.h"

/* Longer than a machine on a crowded host may take to be ready. */
#define BENCH_WAIT_MS 300000

/* A machine and what it has said since the last command began. */
struct bench {
	struct tap *tap;
	struct loop *loop;
	struct loop_watch *timer;
	struct machine *m;
	struct buf out, errs, console;
	uint64_t n_out;      /* bytes of stdout, also those past the buffer */
	uint64_t sum;        /* of those bytes */
	int64_t last_ms;
	bool ready, timed_out, order;
	bool cold;           /* boots are */
	unsigned beats;      /* since the command began, and the last of them */
	struct machine_beat beat;
	struct buf file;     /* what was fetched */
	int fetches, fetch_status;
	char fetch_why[256];
	int exits, deaths;
	struct machine_exit exit;
	char exit_why[256], memory[256];
	enum machine_death how;
	char why[512];
	char *work, *cache;
	struct kernel kernel;
};

void bench_init(struct bench *b, struct tap *t, const struct kernel *kernel);
void bench_done(struct bench *b); /* removes its directories */

/* Boots with the bench's kernel and directories; true once it is ready. */
bool bench_boot(struct bench *b, const char *kind, const struct machine_config *with);
/* The machine that is kept in @dir; true once it is ready. */
bool bench_enter(struct bench *b, const char *dir);
void bench_stop(struct bench *b);
void bench_end(struct bench *b);
/* Turns the loop until something is told, or @ms have passed. */
void bench_turn(struct bench *b, int64_t ms);
void bench_wait_exit(struct bench *b);
/* Starts a command; its output, exits and times begin anew. */
int bench_start(struct bench *b, const struct machine_command *cmd);
void bench_run(struct bench *b, const struct machine_command *cmd);
void bench_shell(struct bench *b, const char *script);
/* As a shell tells it; -1 when it did not end exactly once. */
int bench_code(const struct bench *b);

/* What a kind boots, where it has a kernel of its own: $TAPROOM_TEST_KERNEL or
 * $TAPROOM_TEST_UML, else the first of Debian's in the cache. */
bool bench_kernel(const char *kind, struct kernel *k, const char *cache);

/* The n-th of Debian's that is in the cache; false: there are no more. */
bool bench_kernel_of_debian(size_t n, struct kernel *k);
/* Has it --uml-time? */
bool bench_time_travels(const struct kernel *k);

static inline const char *bench_text(struct buf *b)
{
	return buf_str(b).p;
}
