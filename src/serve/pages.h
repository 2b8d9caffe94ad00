/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Pages: what the server answers with, rendered once for each state of the
 * store and kept, plain and encoded. A page that comes out the same after the
 * store has changed keeps its tag, so that a browser need not fetch it again.
 *
 * Kept by path and query, the query as web_query_print() says it: the same view
 * asked for in other words is the same page, and what a page does not take makes no
 * new one.
 *
 * Runs and logs are the store's of this moment. What is judged over all of the
 * history is made anew in a thread when what it was made of has changed; until that
 * is done the pages are of the judgement before, and say how old they are.
 *
 * Bounded: PAGES_N pages, PAGES_BYTES_MAX of them all; one that is larger than
 * PAGES_BODY_MAX is rendered each time.
 */
#include "base/encode.h"
#include "base/log.h"
#include "base/loop.h"
#include "web/web.h"

#define PAGES_N         256
#define PAGES_BODY_MAX  (1u << 20)
#define PAGES_BYTES_MAX (96u << 20)
#define PAGES_FRESH_MS  1000 /* how old an answer may be */

struct pages;

struct pages_config {
	struct store *store;
	const char *url;           /* of the same, for the thread; NULL: the default */
	const char *version;
	unsigned window;
	const struct web_rules *rules; /* NULL: no rules */
	struct loop *loop;
	const struct log *log;
};

struct pages_page {
	enum web_page_id id;
	struct web_args args;
	struct str body;           /* until the next question */
	enum encoding encoding;    /* of it */
	char tag[40];              /* an entity tag, quotes and all */
	int64_t age_s;             /* of the judgement; 0: it is of the store as it is */
	/* Its address is another one: from the root, with a query. Until the next
	 * question. Nothing else is set then but .id and .args. */
	struct str moved;
};

/* What a request came to. */
enum pages_found {
	PAGES_NONE,
	PAGES_GONE,  /* of a run that there was once */
	PAGES_FOUND,
};

struct pages_stats {
	uint64_t hits, renders;
	uint64_t bytes;            /* kept */
	int64_t judged_ms, took_ms;/* the last judgement: since when it holds, how long it took */
	bool behind;
};

/* Borrows what @c says. Judges: as long as that takes. */
int pages_new(const struct pages_config *c, struct pages **ret, struct err *err);
struct pages *pages_free(struct pages *p);

/*
 * The page at @path, asked with @query (without its '?'), encoded as @encoding where
 * that is worth it. enum pages_found, or < 0: -EINVAL: the query says what can't be;
 * else why it can't be made. Of the two kinds of plain logs only .id and .args are
 * set: their bytes are the store's (web.h).
 */
int pages_get(struct pages *p, struct str path, struct str query, enum encoding encoding,
	      struct pages_page *ret, struct err *err);
/* Looks whether the store has changed, at most once in PAGES_FRESH_MS. The number is
 * another one when it has. */
uint64_t pages_refresh(struct pages *p);
const struct web_site *pages_site(const struct pages *p); /* until the next refresh */
struct pages_stats pages_stats(const struct pages *p);
