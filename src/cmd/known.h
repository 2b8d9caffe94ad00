/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The configuration's `known` rules, for the commands: ready to stand before a
 * sink of a run's events, or to be asked about a series of the history.
 */
#include "cmd/cmd.h"
#include "judge/judge.h"
#include "plan/plan.h"
#include "tap/known.h"

struct known_options {
	const char *config; /* NULL: as `taproom run` looks for it */
};
extern const struct opt KNOWN_OPTIONS[];

/* The configuration that holds the rules. */
int known_load(const struct known_options *o, struct plan **ret, struct err *err);

/* Those that hold at @at_ms. *ret is NULL where there is none. @log, may be NULL,
 * is told of each that holds no more. @plan must outlive it. */
int known_make(const struct plan *plan, int64_t at_ms, const struct log *log,
	       known_log_fn log_fn, void *ctx, struct knowns **ret, struct err *err);
/* After a stream: warns of patterns that were given up. */
void known_warn(struct knowns *k, const struct log *log);
/* A known_log_fn for programs that run here: reads the file. */
int known_log_file(void *ctx, unsigned program, struct str path, uint64_t from, uint64_t to,
		   struct out *out);

/* Is the rule about that test on its axis? What is pooled there fits any. A rule
 * with a pattern excuses of its failures only those that fit, which no rate of
 * them knows. */
bool known_about_series(const struct plan_known *rule, const struct judge_series *s);
/* The first rule that holds at @now_ms and is about it; NULL: none. */
const struct plan_known *known_of(const struct plan *plan, const struct judge_series *s,
				  int64_t now_ms);
/* "reason (owner, until 2026-12-31) link", and that it is so of some failures only. */
void known_tell(struct buf *b, const struct plan_known *rule);
/* The same as a line behind @indent blanks, as wide as it may be; NULL: nothing. */
void known_print(struct cmd *c, unsigned indent, const struct plan_known *rule);
struct json;
void known_json(struct json *j, const char *key, const struct plan_known *rule);
/* A field "known" where there is one, for web/api.h; @ctx: what is asked. */
struct known_asked {
	const struct plan *plan;
	int64_t now_ms;
};
void known_api(const void *ctx, struct json *j, const struct judge_series *s);
/* For web/known.h; @ctx as above. */
struct web_excuse;
bool known_web(const void *ctx, const struct judge_series *s, struct web_excuse *ret);
/* Rules that are expired, match no test of that history, or hide a change in it. */
unsigned known_needing_care(const struct plan *plan, const struct judge *j, int64_t now_ms);
