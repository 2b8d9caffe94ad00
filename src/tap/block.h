/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Blocks: the stack of open TAP documents inside each other, their plans, and
 * what they still owe when they end. tap/parse.c finds out what a line is and
 * where it stands; here is what follows from it.
 *
 * A block opens at a header, a plan or a numbered result deeper than what is
 * open, and closes when something shallower comes. A parent's result line comes
 * after its children: closing by it is CLOSE_MATCHED, everything else means
 * that the line never came.
 */
#include "tap/hold.h"
#include "tap/lex.h"
#include "tap/lines.h"
#include "tap/names.h"
#include "tap/told.h"

#define BLOCK_SEEN 4096 /* numbers of a document that are remembered */

enum block_close {
	CLOSE_MATCHED, /* its parent's line is here */
	CLOSE_LOST,    /* something else came instead: `missing` */
	CLOSE_CUT,     /* the stream ended inside: `error` */
	CLOSE_CRASH,   /* the machine died inside: `crash` */
};

/* A unique name: as printed, or with " #2" behind it. */
struct block_name {
	char text[TAP_NAME_MAX + 16];
	size_t n, printed; /* length; without the ordinal */
	struct buf key;
	unsigned ordinal;
};

struct block_pending { /* "# Subtest: x": of a block that may follow */
	bool set;
	struct lex_place at;
	char text[TAP_NAME_MAX];
	size_t n;
};

struct block {
	struct lex_place at;
	struct block_name name;
	struct block_name last; /* of its last result line; n == 0: none yet */
	struct block_pending pending;
	size_t names_mark, keys_mark; /* its names and keys lie above them */
	bool named;
	bool told;              /* its results are what was told, no TAP */
	bool adopted;           /* came after its parent's line: owes none */
	uint64_t last_line;     /* of the last result on this or an upper level */
	enum status worst;      /* of all its results */
	bool any;               /* it has results */
	/* The document in it; a block may hold several, one after another. */
	bool announced;         /* a header or a plan was seen */
	bool escapes, planned, numbered;
	uint64_t plan, plan_line, count, next;
	struct str skip_reason; /* in skip_room */
	char skip_room[256];
	uint64_t seen[BLOCK_SEEN / 64];
};

struct tap_parser {
	struct tap_options opt;
	struct event_sink sink;
	struct tap_summary sum;
	struct block blocks[TAP_DEPTH_MAX + 1]; /* [0]: the root; it has no name */
	unsigned n, unnamed;
	struct names names, keys; /* of all open blocks */
	struct hold hold;
	struct told told;
	bool hears;            /* what is told may still be noted: no TAP yet */
	struct buf key;
	struct block_name own;
	struct lex_room room;
	unsigned degraded;     /* rows already told, as bits */
	bool depth_told, names_told;
	uint64_t missing_left; /* a plan may promise more than we care to say */

	/* parse.c: lines */
	struct lines lines;
	char clean[TAP_LINE_MAX];
	struct scan_has has;    /* what may be in the lines that come */
	bool after_result;     /* a YAML block may begin */
	bool yaml;
	struct lex_place yaml_of;
};

/* Index of the innermost block that holds @at. */
unsigned block_around(const struct tap_parser *p, struct lex_place at);
/* Opens one inside the innermost; returns its index, 0 when too deep. */
unsigned block_open(struct tap_parser *p, struct lex_place at);
/* Closes all above index @k: the last one as @how, deeper ones as lost. */
void block_close_above(struct tap_parser *p, unsigned k, enum block_close how);
/* A name for block @k (> 0) that has none, or has another and no results. */
void block_rename(struct tap_parser *p, unsigned k, struct str name);
/* A new document in block @k, after what the last one owed. */
void block_new_document(struct tap_parser *p, unsigned k);
/* A result line in block @k. @children: block k + 1 was closed for it. */
void block_result(struct tap_parser *p, unsigned k, const struct lex_line *l, bool children);
/* Makes results of what a script told whose TAP never came. @status: of the one that
 * was running. */
void block_use_told(struct tap_parser *p, enum status status, struct str reason);
/* Closes everything, the root's document too. @truncated: it was not over. */
void block_end_all(struct tap_parser *p, enum block_close how, bool truncated);
/* Is a test running: one with a name, or inside a document that has one? */
bool block_inside(const struct tap_parser *p);
/* Does the root's plan still wait for results? */
bool block_owes(const struct tap_parser *p);
void block_done(struct tap_parser *p);

/* block-say.c */

void block_problem(struct tap_parser *p, enum problem what, uint64_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Makes @printed unique in block @k, and its key. */
void block_name_set(struct tap_parser *p, struct block_name *name, unsigned k,
		    struct str printed);
void block_name_copy(struct block_name *to, const struct block_name *from);
/* Longest head of @s that is kept as a name, without half a character at its end. */
struct str block_name_cut(struct str s);
/* Counts a result of block @k and says it, or holds it until its path is known. */
void block_say(struct tap_parser *p, unsigned k, const struct block_name *name,
	       struct event_result *r);
/* Says what is held. */
void block_release(struct tap_parser *p);
