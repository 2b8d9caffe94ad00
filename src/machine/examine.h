/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Examine: a guest is asked where it hangs, by the keys that its kernel heeds
 * while nothing else of it does (Documentation/admin-guide/sysrq.rst). What it
 * says comes by the console, as anything else. No door, for this room.
 */
#include <stdbool.h>
#include <stdint.h>

struct machine;
struct loop_watch;

struct examine {
	struct loop_watch *timer; /* NULL: it is not examined */
	unsigned step;
	int64_t began_ms, heard_ms; /* heard: also when it was last asked */
	bool answered;            /* to what it was last asked */
	void (*told)(void *ctx);
	void *ctx;
};

/* As machine_examine(). */
int examine_begin(struct machine *m, void (*told)(void *ctx), void *ctx);
void examine_heard(struct machine *m); /* the console spoke */
void examine_end(struct machine *m);   /* tells nobody */
