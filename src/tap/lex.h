/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Lex: what one line of a test log is. Pure functions on one line that was cut
 * at its newline; no state, no allocation. Only tap/parse.c uses it.
 *
 * A line stands at a place: how many comment marks are before it ("# ", "# # ":
 * kselftest wraps a program's TAP in them) and how many blanks (KTAP and TAP 14
 * indent subtests by 2 or 4). printk's prefix is taken off first.
 */
#include <stdbool.h>
#include <stdint.h>

#include "tap/event.h"
#include "tap/parse.h"
#include "tap/scan.h"

#define LEX_COMMENTS_MAX 4 /* "##########" is decoration, not nesting */

enum lex_kind {
	LEX_OTHER,
	LEX_HEADER,     /* "TAP version 13", "KTAP version 1" */
	LEX_PLAN,       /* "1..4", "1..0 # SKIP reason" */
	LEX_RESULT,     /* "ok ...", "not ok ..." */
	LEX_BAIL,       /* "Bail out! reason" */
	LEX_NAME,       /* "# Subtest: x", "# selftests: x" */
	LEX_YAML_BEGIN, /* "---" */
	LEX_YAML_END,   /* "..." */
	LEX_PANIC,      /* "Kernel panic - not syncing: ..." */
	LEX_REBOOT,     /* "reboot: Power down" */
	LEX_NUMBERED,   /* "01 no msk on netns creation     [ OK ]": tap/told.h */
	LEX_DEGRADED,   /* says that something needed by a test was not there */
};

struct lex_place {
	unsigned comments, indent;
};

static inline bool lex_same(struct lex_place a, struct lex_place b)
{
	return a.comments == b.comments && a.indent == b.indent;
}

/* Is @a at or inside @b? */
static inline bool lex_within(struct lex_place a, struct lex_place b)
{
	return a.comments >= b.comments && a.indent >= b.indent;
}

struct lex_line {
	enum lex_kind kind;
	struct lex_place at; /* NAME: of the comment's own mark */
	bool printk;
	bool ok;             /* RESULT */
	bool escapes;        /* HEADER: TAP version 14 */
	int64_t number;      /* RESULT, NUMBERED; -1: none */
	bool too_large;      /* RESULT: what stands for the number is part of the name;
			      * PLAN: all counters are too small for it */
	uint64_t plan;       /* PLAN */
	unsigned row;        /* DEGRADED: of LEX_DEGRADED_ROWS */
	struct str text;     /* RESULT, NUMBERED: what follows the number; NAME; reasons;
			      * OTHER: without what is before it */
};

struct lex_degraded {
	struct str text;     /* the line begins with it */
	const char *message;
};

extern const struct lex_degraded LEX_DEGRADED_ROWS[];

/* Can a line that begins with this byte be anything but LEX_OTHER? */
extern const bool LEX_FIRST[256];

/* Drops a final CR, NULs and ANSI CSI sequences (ECMA-48, 5.4). Returns @line
 * itself when there is nothing to drop, else a copy in @room. */
struct str lex_clean(struct str line, char room[static TAP_LINE_MAX]);
/* For a line that is known to hold no NUL and no escape. */
static inline struct str lex_chomp(struct str line)
{
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}
void lex_classify(struct str line, struct lex_line *ret);

/* A result line's text taken apart. */
struct lex_result {
	struct str name;   /* may be empty */
	struct str reason;
	enum status status;
	int64_t duration_ms;
	int exit_code;
};

struct lex_room {
	char name[TAP_LINE_MAX], reason[TAP_LINE_MAX];
};

/* @escapes: "\#" and "\\" mean # and \, in names and reasons. Strings are in @text or in @room. */
void lex_result(struct str text, bool ok, bool escapes, struct scan_has has,
		struct lex_room *room, struct lex_result *ret);
/* What stands before a kernel message that was printed into the middle of a line. */
struct str lex_cut_printk(struct str text);
/* The reason in "1..0 # SKIP reason"; empty when there is none. */
struct str lex_skip_reason(struct str text);
/* Length of printk's prefix at the start of @s: "[    1.234567][  T12] ". */
size_t lex_printk(struct str s);
