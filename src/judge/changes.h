/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What changed in a history, as events: where failure rates changed, what came,
 * went, stopped running or is skipped more, which of these look like renames,
 * and outages, which are one event each and in nobody's rate.
 *
 * Change points are looked for without what failed in outages, in leaves, and
 * in what else failed without any of its leaves (judge_series.own). A suspect is
 * a change point that is one under STAT_PRIOR_SUSPECT only.
 */
#include "judge/judge.h"
#include "stat/changepoint.h"

enum judge_what {
	JUDGE_REGRESSION, /* the first four in the order of enum stat_change_kind */
	JUDGE_FIX,
	JUDGE_RATE_UP,
	JUDGE_RATE_DOWN,
	JUDGE_SKIPS,       /* is skipped more often: rates are of skips */
	JUDGE_NEW,
	JUDGE_VANISHED,
	JUDGE_DID_NOT_RUN,
	JUDGE_RENAMED,     /* perhaps: a suggestion */
	JUDGE_OUTAGE,
	JUDGE_WHAT_N,
};

extern const char *const JUDGE_WHAT_NAMES[JUDGE_WHAT_N]; /* "rate up", ... */

/* All places are of .axis. What changed is in the commits behind that of .last,
 * up to that of .run; with 99 %, behind that of .low_last, up to that of .high.
 * Where nothing came before, .last is .run. */
struct judge_event {
	enum judge_what what;
	bool suspect;
	const struct judge_axis *axis;
	const struct judge_series *series; /* NULL: an outage */
	const struct judge_series *came;   /* RENAMED: into this */
	uint32_t last, run, low_last, high;
	struct stat_rate before, after;    /* the first five kinds */
	uint32_t missed;                   /* VANISHED, DID_NOT_RUN: runs of its unit */
	double chance;                     /* of these; of an outage */
	double score;                      /* RENAMED: 0 to 1 */
	uint32_t failures;                 /* OUTAGE: .last to .run are its ends */
	double expected;
	int64_t ms;                        /* when the run at .run began */
};

struct judge_events {
	struct judge_event *v; /* the newest first */
	size_t n, cap;
};

struct judge_changes_filter {
	int64_t since_ms;          /* events from then on; 0: all */
	const char *suite, *program; /* NULL: any */
};

void judge_changes(const struct judge *j, const struct judge_changes_filter *f,
		   struct judge_events *ret);
void judge_events_done(struct judge_events *e);
