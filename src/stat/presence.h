/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Presence: what ran, what is new, what is gone. A test that doesn't run any
 * more never fails again, so this is told beside the failures.
 *
 * A test is expected where its unit ran: for a subtest its program, for a
 * program its suite. If it was there in a of the b runs of its unit, from its
 * first one on, the chance to be absent in the next m, nothing having changed,
 * is B(a + 1/2, b - a + 1/2 + m) / B(a + 1/2, b - a + 1/2): beta-binomial, with
 * Jeffreys' prior (see dist.h). Below 1 in 1,000 its absence means something;
 * a test that always was there reaches that in one run after 500, in two after
 * 26, in three after 11.
 */
#include "stat/changepoint.h"
#include "stat/series.h"

enum stat_presence_kind {
	STAT_PRESENT,     /* in its unit's last run */
	STAT_NEW,         /* present, and its unit had run without it before it came */
	STAT_DID_NOT_RUN, /* its unit ran, and it should have been there */
	STAT_VANISHED,    /* so for STAT_GONE runs of its unit and more */
	STAT_SOMETIMES,   /* absent, as it often is: nothing is known */
	STAT_UNIT_ABSENT, /* its unit did not run: ask about that one */
	STAT_NEVER,       /* it never was there at all */
	STAT_PRESENCE_N,
};

#define STAT_GONE 10

extern const char *const STAT_PRESENCE_NAMES[STAT_PRESENCE_N]; /* "did not run" */

struct stat_presence {
	enum stat_presence_kind kind;
	uint32_t first, last; /* runs it was there in */
	uint32_t before;      /* runs of its unit before .first: 0: as old as that */
	uint32_t seen, of;    /* .first to .last: in so many of so many */
	uint32_t missed;      /* runs of its unit behind .last */
	uint32_t missed_from; /* the first of them; without one: UINT32_MAX */
	double chance;        /* to be absent so often */
};

/*
 * @now: runs 0 .. now - 1 are looked at; the question is about the last one,
 * now - 1. @new_since: a test counts as new if its first run isn't before this.
 * @unit must hold @self; runs of @self outside of it make it be there as well.
 */
struct stat_presence stat_presence(struct stat_spans unit, struct stat_spans self, uint32_t now,
				   uint32_t new_since);

/* Growing skips: whether a test is skipped more often than it was. @skips: the
 * runs it was skipped in. Returns 1 and the last change, when that one is a
 * rise, else 0. Its rates are of skips. */
int stat_skips_grow(struct stat_finder *f, struct stat_spans in, struct stat_runs skips,
		    struct stat_change *ret);
