/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Splats: which lines begin one, and what it is called. Only tap/console.c uses
 * it. Lines come without printk's prefix.
 */
#include <stdbool.h>

#include "base/str.h"

/* One way in which the kernel complains. The first row that matches counts. */
struct splat_kind {
	const char *kind;  /* the word of `taproom parse`, taproom-parse(1) */
	struct str text;
	bool inside;       /* anywhere in the line, else at its beginning */
	struct str also;   /* must be in the line, too */
	const char *title; /* stands for the line; NULL: the line itself */
	struct str last;   /* its last line holds this; else: none known */
};

extern const bool SPLAT_FIRST[256]; /* may a headline begin with this byte? */

/* The row, or NULL. */
const struct splat_kind *splat_headline(struct str line);
/* "lkdtm_WARNING" of "... lkdtm_WARNING+0xf/0x20 ..."; empty: none. */
struct str splat_function(struct str line);
/* A function that is only there because something is being reported. */
bool splat_is_reporter(struct str function);
/* Appends the title: without addresses, process numbers, offsets.
 * @function: where it happened, if the headline does not say. */
void splat_title(struct buf *b, const struct splat_kind *kind, struct str line,
		 struct str function);
