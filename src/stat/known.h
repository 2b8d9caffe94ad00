/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Known issues: rules that excuse a failure, and what becomes of them. A rule
 * is somebody's promise: this test fails, for this reason, I look after it,
 * until then. It is told when the promise is over, when it is about nothing any
 * more, and when what it excuses got worse behind it.
 *
 * How a rule is written is not known here: it brings a function.
 */
#include "base/str.h"
#include "stat/changepoint.h"

struct stat_known_series {
	struct str name; /* "suite/program", or "suite/program/path" */
	struct str branch, mode, machine;
	uint64_t failures; /* in the window that is judged */
	/* The last change point at which it got worse, and when that run was; NULL:
	 * none is known. */
	const struct stat_change *rise;
	int64_t rise_ms;
};

struct stat_known_rule {
	/* Is it about that series? Called for each. */
	bool (*matches)(const void *ctx, const struct stat_known_series *s);
	const void *ctx;
	int64_t since_ms;   /* when it was written; 0: not known */
	int64_t expires_ms; /* excuses before this; 0: for ever */
};

enum stat_known_state {
	STAT_KNOWN_EXCUSES,
	STAT_KNOWN_QUIET,   /* tests match, none of them failed in the window */
	STAT_KNOWN_EXPIRED,
	STAT_KNOWN_NOTHING, /* no test matches: renamed, removed, mistyped */
	STAT_KNOWN_N,
};

extern const char *const STAT_KNOWN_WORDS[STAT_KNOWN_N]; /* sentences */

struct stat_known {
	enum stat_known_state state;
	uint32_t series;    /* that match, if it is the first rule that does or not */
	uint32_t failing;   /* of them: failed in the window */
	uint64_t failures;  /* that it matches; they are excused in the first state only */
	/*
	 * It hides a change: a series it excuses got worse after the rule was
	 * written. Where it isn't known when that was: failed more often than it
	 * had; that it failed at all is what a rule is written for. The most recent
	 * of them; no such: STAT_KNOWN_NONE.
	 */
	size_t worse;
};

#define STAT_KNOWN_NONE SIZE_MAX

/*
 * Judges each rule: ret[n_rules]; and says which rule excuses each series:
 * ret_by[n_series], the first that matches and isn't expired, STAT_KNOWN_NONE
 * where none does.
 */
void stat_known_judge(const struct stat_known_rule *rules, size_t n_rules,
		      const struct stat_known_series *series, size_t n_series, int64_t now_ms,
		      struct stat_known *ret, size_t *ret_by);
