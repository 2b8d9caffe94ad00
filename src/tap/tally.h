/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tally: a sink that counts. From it come the progress line, the conclusion
 * ("Success", "Unstable: ...", "Critical: ...") and the exit code of a run.
 * A program without results of its own counts as one result.
 */
#include "tap/event.h"

#define TALLY_NAMES_MAX 20 /* names kept for the conclusion */

struct tally {
	uint64_t counts[STATUS_N]; /* leaf results, last attempt of a program */
	uint64_t results;
	uint64_t programs, programs_bad;
	uint64_t splats;
	uint64_t problems;
	char *names[TALLY_NAMES_MAX]; /* "mptcp/pm_netlink.sh/flush addrs" */
	unsigned n_names;
	struct tally_open *open; /* programs that are running */
	unsigned n_open, cap_open;
};

struct event_sink tally_sink(struct tally *t); /* zero-initialised tally */
void tally_done(struct tally *t);

/* What INTERFACE promises: 0 all passed, 1 a test failed, 3 critical (splat,
 * crash, hang), 4 the harness failed. */
int tally_exit_code(const struct tally *t);
/* The conclusion, one line, in the words the MPTCP CI has printed for years. */
void tally_conclusion(const struct tally *t, struct buf *ret);
