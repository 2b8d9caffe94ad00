/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A stream of events as compact text, for rows of expected results:
 *
 *	fail suite > case {reason} 12ms exit=1 implied
 *	! plan-mismatch
 *
 * A parent has " +" behind its path. Lines, numbers and keys only on request.
 */
#include "base/str.h"
#include "tap/parse.h"

struct dump {
	struct buf text;
	bool lines, keys;
};

static inline void dump_result(struct dump *d, const struct event_result *r)
{
	struct buf *b = &d->text;

	buf_printf(b, "%s ", STATUS_INFO[r->status].name);
	for (unsigned i = 0; i < r->depth; i++)
		buf_printf(b, "%s%.*s", i ? " > " : "", STR_FMT(r->path[i]));
	if (!r->leaf)
		buf_printf(b, " +");
	if (r->reason.n)
		buf_printf(b, " {%.*s}", STR_FMT(r->reason));
	if (r->duration_ms >= 0)
		buf_printf(b, " %dms", (int)r->duration_ms);
	if (r->exit_code >= 0)
		buf_printf(b, " exit=%d", r->exit_code);
	if (r->implied)
		buf_printf(b, " implied");
	if (d->lines)
		buf_printf(b, " @%d-%d", (int)r->line_from, (int)r->line_to);
	if (d->keys)
		buf_printf(b, " [%.*s]", STR_FMT(r->key));
	buf_printf(b, "\n");
}

static inline void dump_event(void *ctx, const struct event *ev)
{
	struct dump *d = ctx;

	if (ev->type == EVENT_RESULT)
		dump_result(d, ev->result);
	else if (ev->type == EVENT_PROBLEM && d->lines)
		buf_printf(&d->text, "! %s @%d %.*s\n", PROBLEM_NAMES[ev->problem->what],
			   (int)ev->problem->line, STR_FMT(ev->problem->message));
	else if (ev->type == EVENT_PROBLEM)
		buf_printf(&d->text, "! %s\n", PROBLEM_NAMES[ev->problem->what]);
}

static inline void dump_summary(struct dump *d, const struct tap_summary *s)
{
	static const struct {
		const char *word;
		size_t offset;
	} FLAGS[] = {
		{ "skip-all", offsetof(struct tap_summary, skip_all) },
		{ "bailed-out", offsetof(struct tap_summary, bailed_out) },
		{ "truncated", offsetof(struct tap_summary, truncated) },
		{ "plan-broken", offsetof(struct tap_summary, plan_broken) },
	};

	for (size_t i = 0; i < sizeof(FLAGS) / sizeof(FLAGS[0]); i++)
		if (*((const bool *)s + FLAGS[i].offset))
			buf_printf(&d->text, "= %s\n", FLAGS[i].word);
}

/* @chunk: bytes at a time; 0: all at once. */
static inline void dump_parse(struct dump *d, struct str in, size_t chunk, enum tap_end how)
{
	struct tap_options opt = {};
	struct tap_parser *p = tap_parser_new(&opt, (struct event_sink){ dump_event, d });
	struct tap_summary sum;

	while (chunk && in.n > chunk) {
		tap_parse(p, in.p, chunk);
		in = str_from(in, chunk);
	}
	tap_parse(p, in.p, in.n);
	tap_parse_end(p, how, &sum);
	dump_summary(d, &sum);
	tap_parser_free(p);
}
