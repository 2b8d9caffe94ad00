/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Search: lines of a log in which a text is, in any case of ASCII. It looks at
 * SEARCH_BYTES at a time, whatever the log's size, and says how far it came; bytes
 * are compared as they were printed, colours of a terminal and all.
 */
#include "base/err.h"
#include "store/store.h"

#define SEARCH_BYTES (16u << 20)
#define SEARCH_HITS  50
#define SEARCH_TEXT  160 /* bytes of a line that come with it */

struct log_search {
	uint64_t from, to;    /* lines that were looked at, both included */
	uint64_t hits[SEARCH_HITS]; /* ascending; a line counts once */
	unsigned n;
	char text[SEARCH_HITS][SEARCH_TEXT + 1]; /* of each, where the text is in it */
	uint64_t before;      /* the last hit in front of .from; 0: none was found */
};

/* @program, @job: as store_log() has them; @total: lines of that log. @text is not
 * empty. 0, or what store_log() says. */
int log_search(struct store *s, int64_t run, unsigned program, unsigned job, uint64_t total,
	       struct str text, uint64_t from, struct log_search *ret, struct err *err);
/* The form, and what was found, if something is searched. @whole: all of the log is on
 * the page. */
struct web_html;
void log_form(struct web_html *h, uint64_t total, const struct log_search *found, bool whole);

/* Where @what is in @s, in any case; -1: nowhere. */
ptrdiff_t log_find(struct str s, struct str what);
