/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The reader of test output: TAP 12 to 14, KTAP, kselftest's commented blocks,
 * KUnit, plain lines between them. Bytes in, EVENT_RESULT and EVENT_PROBLEM
 * out, in the order of the lines; a parent comes after its children.
 *
 * Streaming: any split of the input gives the same events. Memory is bounded
 * whatever comes in; limits below. No I/O, no clock.
 */
#include <stdbool.h>
#include <stdint.h>

#include "tap/event.h"

#define TAP_LINE_MAX  4096  /* bytes of a line that are looked at */
#define TAP_DEPTH_MAX 32    /* nested blocks */
#define TAP_NAME_MAX  512   /* bytes of one name */

struct tap_parser;

struct tap_options {
	unsigned job, program; /* put into every event */
	struct str name;       /* of the program, for what it told before its TAP; or none */
	bool only_count;       /* results are in the summary only, not told one by one */
};

struct tap_summary {
	uint64_t lines;
	uint64_t counts[STATUS_N]; /* leaf results */
	uint64_t results;          /* leaves and parents */
	uint64_t problems;
	enum status worst;         /* STATUS_SKIP when there was no result */
	bool any_plan;             /* a plan was seen at the top level */
	bool skip_all;             /* "1..0": everything was skipped */
	bool bailed_out;
	bool truncated;
	bool plan_broken;
};

/* How the stream ended. */
enum tap_end {
	TAP_END_CLEAN, /* the program exited, or the file is complete */
	TAP_END_CUT,   /* killed, timed out: what is open is `error` */
	TAP_END_CRASH, /* the machine died: what is open is `crash` */
};

struct tap_parser *tap_parser_new(const struct tap_options *opt, struct event_sink sink);
struct tap_parser *tap_parser_free(struct tap_parser *p);
void tap_parse(struct tap_parser *p, const char *bytes, size_t n);
/* Closes open blocks, emits what they still owe. Once, at the end. */
void tap_parse_end(struct tap_parser *p, enum tap_end how, struct tap_summary *ret);

/* Masks what changes by itself in a name: ordinals in front, ports, addresses,
 * netns suffixes. Appends to @b. */
void tap_key_append(struct buf *b, struct str name);

/* Would @comment, which stands behind the '#' of a result line, be a directive? */
bool tap_is_directive(struct str comment, bool ok);

/* Status of a program without results, by its exit code (kselftest.h). */
enum status tap_status_from_exit(int code);
