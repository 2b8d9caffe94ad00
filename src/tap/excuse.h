/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Excuse: a sink between others. Splats that a rule matches, in their title or
 * their text, are told with the rule and do not count; everything else passes
 * as it is. The first rule that matches is told. Whether a rule still holds is
 * the caller's business.
 */
#include "base/err.h"
#include "tap/event.h"

struct excuse_rule {
	const char *pattern;     /* base/regex.h */
	struct event_excuse say; /* borrowed: must outlive the excuses */
};

struct excuses;

/* -EINVAL: a pattern is none. */
int excuses_new(const struct excuse_rule *rules, unsigned n, struct excuses **ret,
		struct err *err);
struct excuses *excuses_free(struct excuses *e);
/* From here to @next; one stream at a time. @e NULL: @next itself. */
struct event_sink excuses_sink(struct excuses *e, struct event_sink next);
/* A pattern that was given up on a splat, because it took too long; it excused
 * nothing there. NULL: none. Each is told once. */
const char *excuses_gave_up(struct excuses *e);
