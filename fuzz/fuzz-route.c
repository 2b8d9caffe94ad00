/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: any bytes as an address, its path and behind '?' its query, and as the value of
 * a Range header. A path that leads to a page is that page's only one; a range is inside
 * of what there is. (What may be pushed is fuzz-events'.)
 *
 *	build-fuzz/fuzz/fuzz-route fuzz/corpus/route
 */
#include <assert.h>
#include <stdlib.h>

#include "base/file.h"
#include "seed.h"
#include "serve/live.h"
#include "serve/range.h"
#include "web/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE 1000

/* One for all: a history with names that try to be more than that. */
static const struct web_site *site(void)
{
	static struct web_site *s;
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct store *store;
	struct err err = {};

	if (s)
		return s;
	dir_temp("/tmp", "taproom-fuzz.", &dir, NULL);
	path = path_join(dir, "history.db");
	if (store_open(path, STORE_WRITE, &store, &err) < 0 ||
	    seed_store(store, dir, 3, true, &err) < 0 ||
	    web_site_new(store, "0", 0, &s, &err) < 0)
		abort();
	s->live = true;
	return s;
}

static void route(struct str path, struct str query)
{
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_(buf_done) struct buf back = {};
	struct web_args args;
	struct web_query q;
	enum web_page_id id;
	struct err err = {};
	struct out o;
	int64_t run;
	int r = web_route(site(), path, &id, &args);

	assert(r == 0 || r == 1);
	if (live_is(path, &run))
		assert(r == 0 && run >= 0);
	if (!r)
		return;
	assert(id < WEB_PAGE_N);
	out_to_buf(&o, &back);
	web_path(id, &args, &o);
	assert(out_flush(&o) == 0);
	assert(!path.n || str_eq(buf_str(&back), path));
	assert(str_find(buf_str(&back), STR("..")) < 0 || str_find(path, STR("..")) >= 0);
	r = web_query_parse(query, WEB_PAGES[id].takes, &arena, &q, &err);
	assert(r == 0 || (r == -EINVAL && err.text[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str query = str_n((const char *)data, size), path;
	uint64_t from, n;

	if (range_parse(query, SIZE, &from, &n) == RANGE_PART)
		assert(n && from < SIZE && n <= SIZE - from);
	path = str_cut(&query, '?');
	route(path, query.p ? query : STR(""));
	return 0;
}
