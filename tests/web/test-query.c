/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of views: what is asked for, and how it is written. */
#include "tap.h"
#include "web/query.h"

struct row {
	const char *in, *out; /* out NULL: refused */
};

static const struct row ROWS[] = {
	{ "", "" },
	{ "branch=export&mode=debug", "?branch=export&mode=debug" },
	{ "mode=debug&branch=export", "?branch=export&mode=debug" },
	{ "branch=a%2Fb%26c+d&name=%3Cb%3E", "?branch=a%2Fb%26c%20d&name=%3Cb%3E" },
	{ "status=fail&status=crash&status=fail", "?status=fail&status=crash" },
	{ "sort=rate&flips=0&days=&known=", "" },
	{ "sort=streak&flips=3&days=30&known=yes", "?flips=3&days=30&known=yes&sort=streak" },
	{ "before=17&skip=150", "?before=17&skip=150" },
	{ "a=1&b=9223372036854775807", "?a=1&b=9223372036854775807" },
	{ "a=100..120&b=7..7", "?a=100..120&b=7" },
	{ "a=0..0", "" },
	{ "line=17&find=%5BFAIL%5D", "?find=%5BFAIL%5D&line=17" },
	{ "line=4000000001", NULL },
	{ "a=1..", NULL },
	{ "b=0..5", NULL },
	{ "b=1...5", NULL },
	{ "utm_source=x&branch=b&%zz=1&&=&flips", "?branch=b" },
	{ "name=%ff%0d%0aSet-Cookie", "?name=%FF%0D%0ASet-Cookie" },
	{ "status=failed", NULL },
	{ "sort=size", NULL },
	{ "known=perhaps", NULL },
	{ "flips=-1", NULL },
	{ "flips=1000001", NULL },
	{ "days=99999", NULL },
	{ "before=9223372036854775808", NULL },
	{ "name=%", NULL },
	{ "name=%4", NULL },
	{ "name=%g0", NULL },
	{ "name=a%00b", NULL },
};

static void print(const struct web_query *q, bool html, struct buf *b)
{
	struct out o;

	out_to_buf(&o, b);
	web_query_print(q, html, &o);
	out_flush(&o);
}

static void test_rows(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		_cleanup_(arena_done) struct arena arena = {};
		_cleanup_(buf_done) struct buf text = {};
		struct web_query q;
		struct err err = {};
		int r = web_query_parse(str_of(ROWS[i].in), WEB_TAKES_ALL, &arena, &q, &err);

		if (!ROWS[i].out) {
			ok(t, r == -EINVAL && err.text[0], "refused: %s", ROWS[i].in);
			continue;
		}
		print(&q, false, &text);
		is_str(t, text.p ? text.p : "", ROWS[i].out, ROWS[i].in);
	}
}

static void test_html(struct tap *t)
{
	const struct web_query q = { .branch = STR("\"><script>"), .mode = STR("a&b") };
	_cleanup_(buf_done) struct buf text = {};

	print(&q, true, &text);
	is_str(t, text.p, "?branch=%22%3E%3Cscript%3E&amp;mode=a%26b", "in an attribute");
}

static void test_limits(struct tap *t)
{
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_(buf_done) struct buf text = {};
	struct web_query q;
	struct err err = {};

	buf_printf(&text, "name=");
	for (int i = 0; i < WEB_VALUE_MAX; i++)
		buf_add(&text, "x", 1);
	is_int(t, web_query_parse(buf_str(&text), WEB_TAKES_ALL, &arena, &q, &err),
	       0, "a long name");
	is_int(t, (int)q.name.n, WEB_VALUE_MAX, "all of it");
	buf_add(&text, "x", 1);
	is_int(t, web_query_parse(buf_str(&text), WEB_TAKES_ALL, &arena, &q, &err),
	       -EINVAL, "one that is longer");
	buf_clear(&text);
	for (int i = 0; i <= WEB_QUERY_MAX; i++)
		buf_add(&text, "&", 1);
	is_int(t, web_query_parse(buf_str(&text), WEB_TAKES_ALL, &arena, &q, &err),
	       -EINVAL, "too much of it");
}

static const struct {
	const char *want;
	bool fits;
} NAMES[] = {
	{ "", true },          { "no join", true },        { "JOIN.sh/001", true },
	{ "mptcp/*", true },   { "*001*", true },          { "001*", false },
	{ "mptcp/mptcp_join.sh/001 no JOI?", true },       { "*[0-2]01 *", true },
	{ "simult", false },
};

static void test_names(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		const struct web_query q = { .name = str_of(NAMES[i].want) };

		is_int(t, web_query_names(&q, STR("mptcp"), STR("mptcp_join.sh"),
					  STR("001 no JOIN")), NAMES[i].fits, NAMES[i].want);
	}
}

/* A page looks at what it takes. */
static void test_takes(struct tap *t)
{
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_(buf_done) struct buf text = {};
	struct web_query q;
	struct err err = {};

	is_int(t, web_query_parse(STR("sort=size&branch=net&mode=debug"), WEB_TAKES(BRANCH), &arena,
				  &q, &err), 0, "what can't be, where nobody looks");
	print(&q, false, &text);
	is_str(t, text.p, "?branch=net", "what is taken");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_rows(&t);
	test_html(&t);
	test_limits(&t);
	test_takes(&t);
	test_names(&t);
	return tap_done(&t);
}
