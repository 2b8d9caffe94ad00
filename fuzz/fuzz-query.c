/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: any bytes as the query of an address. What is understood is printed and
 * parsed again: it must be the same, printed the same, harmless in an attribute
 * and never longer than what may be sent.
 *
 *	build-fuzz/fuzz/fuzz-query fuzz/corpus/query
 */
#include <assert.h>

#include "web/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const struct web_query *q, bool html, struct buf *b)
{
	struct out o;

	out_to_buf(&o, b);
	web_query_print(q, html, &o);
	assert(out_flush(&o) == 0);
}

static void check(const struct web_query *q, struct arena *arena)
{
	_cleanup_(buf_done) struct buf text = {}, again = {}, html = {};
	struct web_query back;
	struct err err = {};

	print(q, false, &text);
	print(q, true, &html);
	for (size_t i = 0; i < html.n; i++)
		assert(!strchr("\"'<> \n", html.p[i]) || !html.p[i]);
	if (text.n > WEB_QUERY_MAX) /* escapes are longer than what was sent plain */
		return;
	assert(web_query_parse(text.n ? str_from(buf_str(&text), 1) : STR(""), WEB_TAKES_ALL,
			       arena, &back, &err) == 0);
	print(&back, false, &again);
	assert(str_eq(buf_str(&text), buf_str(&again)));
	assert(back.status == q->status && back.sort == q->sort && back.before == q->before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena arena = {};
	struct web_query q;
	struct err err = {};
	int r = web_query_parse(str_n((const char *)data, size), WEB_TAKES_ALL, &arena, &q, &err);

	assert(r == 0 || (r == -EINVAL && err.text[0]));
	if (r < 0)
		return 0;
	check(&q, &arena);
	web_query_names(&q, STR("mptcp"), STR("mptcp_join.sh"), STR("001 no JOIN"));
	return 0;
}
