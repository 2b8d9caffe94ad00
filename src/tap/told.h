/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Told: results as scripts tell them to people while they run,
 *
 *	01 no msk on netns creation                          [ OK ]
 *	02 many msk socket present                           [FAIL] expected 200 found 0
 *	003 single subflow
 *	      join Rx                                        [ OK ]
 *
 * before their TAP, which comes in one piece at the script's end
 * (tools/testing/selftests/net/mptcp/mptcp_lib.sh, mptcp_lib_print_title() and
 * mptcp_lib_pr_*()). They say where in the log a result belongs and why it
 * failed; when the script was killed they are all that there is.
 *
 * A line counts when its number is the next one, so that few other lines can be
 * mistaken. Bounded: TOLD_MAX lines, TOLD_TEXT_MAX bytes of one.
 */
#include "tap/lex.h"

#define TOLD_MAX      4096
#define TOLD_TEXT_MAX 256

struct told_line {
	uint64_t from, to;    /* lines of the log that belong to it */
	bool marked;          /* else its status is not known */
	enum status status;
	int64_t duration_ms;  /* -1: not told */
	size_t title, title_n, reason, reason_n; /* in told.text */
};

struct told {
	struct told_line *v;
	unsigned n, cap;
	struct buf text;
	struct lex_place at;  /* where its lines stand */
	uint64_t last;        /* line of the last one, or of the beginning */
	unsigned marked;      /* how many have a mark */
};

void told_done(struct told *t);
/* Forgets all. Lines are expected at @at, from @line on. */
void told_begin(struct told *t, struct lex_place at, uint64_t line);
/* A line of kind LEX_NUMBERED or LEX_OTHER; most are of no concern. */
void told_note(struct told *t, const struct lex_line *l, uint64_t line);
/* What was told of result @number with this @name; NULL: nothing. */
const struct told_line *told_find(const struct told *t, int64_t number, struct str name);
/* Is the last one still running? */
bool told_runs(const struct told *t);
struct str told_title(const struct told *t, const struct told_line *l);
struct str told_reason(const struct told *t, const struct told_line *l);
