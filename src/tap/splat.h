/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Splats: which lines begin one, what it is called, where it ends. One row per
 * text of the kernel. Lines come without printk's prefix. Titles are syzbot's
 * (syzkaller, pkg/report/linux.go), so that a search finds its reports.
 */
#include <stdbool.h>

#include "base/str.h"

/* Where the function in the title comes from. */
enum splat_place {
	SPLAT_NOWHERE, /* the title has none */
	SPLAT_TRACE,   /* the headline's, the instruction's, or the trace's first */
	SPLAT_LOCK,    /* lockdep's ", at: f" */
	SPLAT_STALL,   /* of a loop: what the system call, or the like, was about */
	SPLAT_HUNG,    /* of a task that waits: who waits */
};

enum {
	SPLAT_INSIDE = 1,      /* .text may stand anywhere in the line */
	SPLAT_WEAK = 2,        /* a script may print the like: needs a sign of the kernel */
	SPLAT_BARE = 4,        /* needs none, not even where all its lines have stamps */
	SPLAT_ONE_LINE = 8,    /* nothing follows it, but .tail */
	SPLAT_TRACE_ENDS = 16, /* the end of its trace is its end */
	SPLAT_TRACE_NOW = 32,  /* its trace follows the headline, unannounced */
	SPLAT_LOOSE = 64,      /* where it was caught is chance: no frames in the fingerprint */
	SPLAT_FATAL = 128,     /* the kernel does not survive it */
	SPLAT_BEFORE_CUT = 256, /* "cut here" and another headline may follow it */
};

/* The first row that matches counts. */
struct splat_kind {
	const char *kind;  /* the word of `taproom parse`, taproom-parse(1) */
	struct str text;
	struct str also;   /* must be in the line, too */
	const char *title; /* %f the function, %b the words before " in ", %r the rest
			    * of the line, %d what died; NULL: the line. Masked. */
	enum splat_place place;
	unsigned flags;
	const char *skip;  /* functions with one of these in the name are not the place */
	struct str last;   /* its last line holds this; else: none known */
};

/* The row, or NULL. */
const struct splat_kind *splat_headline(struct str line);

/* Is a panic only what comes of the splat that is open? The line of the panic. */
bool splat_is_consequence(struct str line);
/* May these words go on a splat that was complete? Registers again, the panic. */
bool splat_is_tail(struct str line);
/* "eth0: renamed": another subject, when nothing else tells who speaks. */
bool splat_is_foreign(struct str line);

/* Lines that stand before headlines, and how far before. */
struct splat_prelude {
	struct str text;
	unsigned reach;
	bool sure;         /* only the kernel says so */
};
const struct splat_prelude *splat_prelude(struct str line);

/*
 * Appends the title. @line is the headline, @function the place (may be empty),
 * @access "Read", "Write" or empty (KASAN). Without addresses, process numbers,
 * offsets.
 */
void splat_title(struct buf *b, const struct splat_kind *kind, struct str line,
		 struct str function, const char *access);
