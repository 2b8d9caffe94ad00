/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Pulse: does the guest still give signs of life? Pure but for look-ups in
 * /proc: times, milliseconds of CLOCK_MONOTONIC, are handed in. No door, for
 * this room.
 *
 * A guest is only missed by who was there himself: when a look comes late we
 * were stopped, or the host was suspended, and that time does not count. Nor
 * does what a guest that could have run waited for a processor of the host.
 */
#include <stdint.h>
#include <sys/types.h>

#define PULSE_LOOK_MS 1000
/* A guest under TCG on a crowded host may be away for some seconds. */
#define PULSE_LIMIT_MS 30000
/* In simulated time (User Mode Linux, inf-cpu) the clock stands while anything computes,
 * and no other process has its turn until that waits: it is no hang yet. */
#define PULSE_ASKED_LIMIT_MS 300000
/* A limit grows by so many times itself at most. */
#define PULSE_WAIT_TIMES 3

struct pulse {
	int64_t limit_ms;
	int64_t beat_ms;  /* the last one, moved by what does not count */
	int64_t look_ms;
	int64_t cpu_ms;   /* of the VMM when it was last well; -1: unknown */
	int64_t wait_ms;  /* it had waited for a processor by then; -1: unknown */
	unsigned beats;   /* none yet: it is not missed */
};

/* @limit_ms 0: PULSE_LIMIT_MS; < 0: it is never missed. */
void pulse_begin(struct pulse *p, int64_t limit_ms, int64_t now_ms);
void pulse_beat(struct pulse *p, int64_t now_ms);
/* Every PULSE_LOOK_MS, with pulse_wait_ms() of the VMM. Returns for how long there
 * was no beat when that is too long, else 0. */
int64_t pulse_look(struct pulse *p, int64_t now_ms, int64_t wait_ms);

/* Processor time that a process has used, and its state as in proc(5), 'T' when
 * it is stopped; -1 and 0 where unknown. */
int64_t pulse_cpu_ms(pid_t pid, char *ret_state);
/* For how long a process could have run and had to wait for a processor of this
 * host: of its thread, or a process below it, that waited most. -1: unknown. */
int64_t pulse_wait_ms(pid_t pid);
/* What is left of a limit when @passed_ms have passed, in which it waited so long
 * (-1: unknown) for a processor: that does not count, up to a bound. */
int64_t pulse_left(int64_t limit_ms, int64_t wait_ms, int64_t passed_ms);
/* Processes that this host has killed for memory since it was started. */
uint64_t pulse_host_kills(void);
