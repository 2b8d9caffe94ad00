/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Scan: looks through a quiet console at memory's speed. Most of a console says
 * nothing of trouble; this finds the bytes that may, without cutting lines.
 *
 * It knows words, at least one in each headline and each line before one
 * (tap/splat.c's, held together by tests/unit/test-console.c), few of them in
 * other lines.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_WORD_MAX 32 /* bytes of a word */

/* A byte of the first word in @p..@end, or @end. *newlines grows by the newlines
 * before it. */
const char *scan_find(const char *p, const char *end, uint64_t *newlines);
/* The same on any machine, slower: scan_find() without AVX2. */
const char *scan_find_anywhere(const char *p, const char *end, uint64_t *newlines);

/* What bytes may be in lines: what is known not to be there is not looked for. */
struct scan_has {
	bool junk;    /* NUL, escape: lex_clean() */
	bool bracket; /* '[': printk's prefix in the middle of a line */
};

/* What of it is in @n bytes at @p: one pass for all of it. */
struct scan_has scan_look(const char *p, size_t n);
