/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Pages: what the server answers with, rendered once for each state of the
 * store and kept, plain and encoded. A page that comes out the same after the
 * store has changed keeps its tag, so that a browser need not fetch it again.
 *
 * Bounded: PAGES_N pages; one that is larger than PAGES_BODY_MAX is rendered
 * each time.
 */
#include "serve/encode.h"
#include "web/web.h"

#define PAGES_N        256
#define PAGES_BODY_MAX (1u << 20)
#define PAGES_FRESH_MS 1000 /* how old an answer may be */

struct pages;

struct pages_page {
	enum web_page_id id;
	struct web_args args;
	struct str body;           /* until the next question */
	enum encoding encoding;    /* of it */
	char tag[40];              /* an entity tag, quotes and all */
};

/* Borrows @store and @version. */
struct pages *pages_new(struct store *store, const char *version, unsigned window);
struct pages *pages_free(struct pages *p);

/*
 * The page at @path, encoded as @encoding where that is worth it. Returns 1;
 * 0: there is none; < 0: why it can't be made. Of the two kinds of plain logs
 * only .id and .args are set: their bytes are the store's (web.h).
 */
int pages_get(struct pages *p, struct str path, enum encoding encoding, struct pages_page *ret,
	      struct err *err);
