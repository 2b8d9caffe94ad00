/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tally: a sink that counts. From it come the progress line, the conclusion
 * ("Success", "Unstable: ...", "Critical: ...") and the exit code of a run.
 *
 * Counts are live, and of the last attempt: when a program begins again, what
 * it said before is taken back. A program's end is one more result where
 * status_end_counts(). One that passed although something that it needs was not
 * there is degraded: the conclusion names it.
 */
#include "tap/event.h"

#define TALLY_NAMES_MAX 8 /* names in a conclusion: more is not read, and they stand below */

struct tally_name {
	char *text;       /* "mptcp/pm_netlink.sh/flush addrs" */
	unsigned program; /* index into .all */
};

struct tally {
	uint64_t counts[STATUS_N]; /* leaf results and ends, last attempt of a program */
	uint64_t results;
	uint64_t programs, programs_bad; /* ended ones */
	uint64_t bad;              /* failed tests; .harness of them: `error` */
	uint64_t harness, crashes;
	uint64_t splats;           /* that count */
	uint64_t excused;          /* splats that a rule excuses */
	uint64_t known;            /* failed tests that a rule excuses: not in .bad */
	uint64_t problems;
	char *splat;               /* title of the first */
	struct tally_name names[TALLY_NAMES_MAX];
	unsigned n_names;
	struct tally_program *all; /* what each program said */
	unsigned n_all, cap_all;
	uint64_t *modes;           /* and machine of each job, hashed: a retry has the same */
	unsigned n_modes, cap_modes;
};

struct event_sink tally_sink(struct tally *t); /* zero-initialised tally */
void tally_done(struct tally *t);

/* The exit code of a run, a promise to users: 0 all passed, 1 a test failed, 3 critical (splat,
 * crash), 4 nothing ran, or nothing but the harness failed. */
int tally_exit_code(const struct tally *t);
/* The conclusion, one line, in the words the MPTCP CI has printed for years. */
void tally_conclusion(const struct tally *t, struct buf *ret);
