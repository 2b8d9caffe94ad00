/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What text.c, text-line.c and text-program.c share. */
#include "report/formats.h"
#include "tap/tally.h"

#define WIDTH 80

struct report {
	struct out *out;
	const struct report_options *opt;
	struct tally tally;
	struct event_sink count;
	struct report_programs programs;
	struct buf conclusion;
	char **jobs; /* "debug on qemu", where they are told; by number */
	size_t n_jobs, cap_jobs;
	bool any;
};

/* Columns of UTF-8, one for each character. */
unsigned text_width(struct str s);
void text_paint(struct out *o, const struct report *r, const char *ansi, struct str s);
/* Escaped for the terminal; the caller's buf_done(). */
struct buf text_escaped(struct str s);
/* Wraps words at the width, from @column on; returns the column after them. */
unsigned text_wrap(struct out *o, struct str text, unsigned indent, unsigned column);
/* @right at the right edge, on a line of its own where there is no room. */
void text_right(struct out *o, struct str right, unsigned column);
/* A line below the one it is of. */
void text_reason(struct out *o, unsigned indent, struct str text);
void text_known(struct out *o, unsigned indent, const struct event_excuse *known);
/* Behind counts: of what failed. */
void text_known_count(struct out *o, uint64_t n);
/* "  ✗ name                                            1.2 s" and its reason. */
void text_line(struct report *r, struct out *o, unsigned indent, enum status status,
	       struct str name, struct str reason, int64_t duration_ms,
	       const struct event_excuse *known);

/* Is a result of this status told? */
bool text_shown(const struct report *r, enum status s);
/* "✓ mptcp/pm_netlink.sh  22 passed                     37.0 s" */
void text_program(struct report *r, struct report_program *p, enum status status,
		  struct str name, struct str reason, int64_t duration_ms,
		  const struct event_excuse *known);
void text_program_end(struct report *r, const struct event *ev);
/* Waits below the program's line. @from: where its path begins. */
void text_result(struct report *r, struct report_program *p, const struct event_result *e,
		 unsigned from);
void text_note(struct report *r, struct report_program *p, const char *mark, struct str what,
	       struct str text, uint64_t line);
/* Of a program that has ended the line is written: this one names it. */
void text_splat(struct report *r, const struct event *ev);
/* What waited below a program's line. */
void text_flush_below(struct report *r, struct report_program *p);
