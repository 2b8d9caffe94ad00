/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Verdict: from what was witnessed of a machine to the name of its end. Pure:
 * life.c collects the witnesses, tests make them up. No door, for this room.
 */
#include "machine/machine.h"

/*
 * What a guest's console said of its kernel's state, line by line. Only the
 * first of each kind is kept: what follows are its consequences.
 */
#define WITNESS_LINE 240
struct witness_console {
	char line[WITNESS_LINE]; /* the one that is being read */
	size_t n;
	bool skip;               /* the rest of a line that is longer */
	char panic[WITNESS_LINE];
	char oops[WITNESS_LINE];
	char memory[WITNESS_LINE]; /* the last: whom the kernel killed for memory */
	unsigned memory_kills;
	char hint[WITNESS_LINE]; /* what a kernel that can't boot lacks */
};

void witness_console(struct witness_console *c, struct str bytes);
/* A new boot. */
void witness_console_clear(struct witness_console *c);

/*
 * What a kernel that did not boot most likely lacks, by a sentence of its console or of its
 * VMM: "CONFIG_BINFMT_ELF: ..."; NULL when no known one is in @line.
 */
const char *witness_hint(struct str line);

struct witness {
	bool booting;            /* had not become ready */
	bool asked;              /* to stop */
	const struct witness_console *console;
	struct str guest;        /* the agent's own last sentence; empty: none */
	struct str vmm;          /* the VMM's last words */
	const char *name;        /* of the VMM, "QEMU" */
	bool namespaces;         /* no kernel of its own: reboot(2) in there is a signal to us */
	int status;              /* its wait status; -1: it runs */
	struct str shutdown;     /* QEMU's reason: "guest-reset", "host-signal"; empty: unknown */
	bool panic_device;       /* QEMU told of a panic (pvpanic) */
	int64_t mute_ms;         /* no heartbeat for so long, > 0: for too long */
	char state;              /* of the VMM's process then: 'T' is stopped; 0: unknown */
	int64_t cpu_ms;          /* what it used of a processor in that time; -1: unknown */
	unsigned host_kills;     /* processes that the host killed for memory meanwhile */
};

/* Says @why in a sentence, without the word. */
enum machine_death verdict(const struct witness *w, struct buf *why);
