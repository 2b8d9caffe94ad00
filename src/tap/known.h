/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Known issues: a sink between others. A failure that a rule is about is told
 * with the rule, and does not count; everything else passes as it is. The first
 * rule that fits is told.
 *
 * Excused is what failed or took too long: never a crash, what the harness could
 * not run, or what is missing; nobody can know these beforehand, and absent is
 * not green. A parent, and a program, that failed for nothing but what is
 * excused below it, is excused as that is.
 *
 * How a test is written in a rule, and whether a rule still holds, is the
 * caller's business.
 */
#include "base/err.h"
#include "base/out.h"
#include "tap/event.h"

#define KNOWN_LOG_MAX (256u << 10) /* bytes of one failure's log that are looked at: the last */

struct known_rule {
	/* @name: "suite/program", or "suite/program/path". */
	bool (*about)(const void *ctx, struct str name);
	const void *ctx;
	const char *branch, *mode, *machine; /* globs; NULL: any */
	const char *pattern;     /* base/regex.h, in the reason or the log; NULL: any */
	struct event_excuse say; /* borrowed: must outlive the knowns */
};

/* Lines @from to @to of the log of program @program; @path is its log_path as its
 * begin told it, may be empty. 0, or there is none. */
typedef int (*known_log_fn)(void *ctx, unsigned program, struct str path, uint64_t from,
			    uint64_t to, struct out *out);

struct knowns;

/* -EINVAL: a pattern is none. @log NULL: reasons only are looked at. */
int knowns_new(const struct known_rule *rules, unsigned n, known_log_fn log, void *ctx,
	       struct knowns **ret, struct err *err);
struct knowns *knowns_free(struct knowns *k);
/* From here to @next; one stream at a time. @k NULL: @next itself. */
struct event_sink knowns_sink(struct knowns *k, struct event_sink next);
/* A pattern that was given up on a log, because it took too long; it excused
 * nothing there. NULL: none. Each is told once. */
const char *knowns_gave_up(struct knowns *k);
/* Can a failure of that kind be excused at all? */
bool known_can_excuse(enum status s);
