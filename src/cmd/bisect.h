/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What one call of `bisect` holds, for its parts: bisect-run.c runs a commit,
 * bisect-tell.c says how it goes, bisect-options.c what it may be told.
 */
#include "cmd/bisect-state.h"
#include "cmd/run-session.h"
#include "kernel/commits.h"
#include "stat/bisect.h"

struct bisect_options {
	struct run_options run;
	const char *error, *rate, *least;
	bool resume, restart;
};

struct bisect {
	struct run_session s;
	struct bisect_options opt;
	const char *good_word, *bad_word;
	struct commit good, bad;        /* good: the merge base, where GOOD is no ancestor */
	bool diverged;                  /* it is */
	double error, rate, least;
	uint64_t k, n;                  /* of --rate, or of the history */
	int64_t known;                  /* runs of BAD in the history that .n is of */
	struct commits_choice first, choice; /* of all, and the last one */
	struct stat_bisect *b;
	struct bisect_state state;
	char *prepared;                 /* the commit whose plan is made; NULL: none */
	int64_t run_ms, build_ms;       /* all of this call's */
	unsigned runs, builds;
	bool done;                      /* it has its answer: its state can go */
};

/* 5%, 0.05; a rate also 1, 100% and 3/40. -EINVAL. */
int bisect_options_read(struct bisect *x, struct err *err);

/* How a run went. */
struct bisect_run {
	enum bisect_what what;
	int64_t id;
	char why[512];
};
/* Builds and boots the commit, runs what was chosen once. -EINTR: it was stopped; other
 * errors are those that no other commit could mend. */
int bisect_run(struct bisect *x, const char *commit, struct bisect_run *ret, struct err *err);
/* What the history knows of the commit that was prepared: x->k of x->n. */
int bisect_history(struct bisect *x, const char *commit, struct err *err);
void bisect_unprepare(struct bisect *x);

void bisect_tell_begin(struct bisect *x);
/* For the progress line, before a run. */
void bisect_tell_note(struct bisect *x);
/* Behind a check that ended. */
void bisect_tell_check(struct bisect *x, enum stat_bisect_phase phase, size_t at);
/* Once BAD was looked at: what that asks of the others. */
void bisect_tell_rate(struct bisect *x);
/* The answer; returns the exit code. */
int bisect_tell_end(struct bisect *x, struct err *err);
