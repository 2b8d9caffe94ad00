/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that excuse splats, and how long they hold. */
#include "base/mem.h"
#include "base/regex.h"
#include "plan/plan.h"
#include "tap.h"
#include "tap/excuse.h"

static const struct excuse_rule RULES[] = {
	{ "^WARNING in mptcp_known$", { STR("a known one"), STR("https://bugs.example/1"),
	  STR("net"), STR("2099-12-31") } },
	{ "sch_direct_xmit", { .reason = STR("by its trace") } },
	{ "WARNING in mptcp_known|in (twice|again)", { .reason = STR("never the first") } },
	{ "^panic.*line\\d$", { .reason = STR("a line of the text") } },
};

static const struct {
	const char *title, *text, *want; /* reason; NULL: it counts */
} ROWS[] = {
	{ "WARNING in mptcp_known", "", "a known one" },
	{ "WARNING in mptcp_known_not", "", "never the first" },
	{ "WARNING in mptcp_other", "Call Trace:\n sch_direct_xmit+0x1/0x2\n", "by its trace" },
	{ "BUG in again", "", "never the first" },
	{ "WARNING in mptcp_other", "nothing\n", NULL },
	{ "x", "first\npanic at line2\nlast", "a line of the text" },
	{ "", "", NULL },
	{ "warning in MPTCP_KNOWN", "", NULL },
};

static void on_event(void *ctx, const struct event *ev)
{
	struct buf *b = ctx;

	if (ev->type != EVENT_SPLAT)
		buf_printf(b, "other");
	else if (ev->splat->excuse)
		buf_printf(b, "%.*s", STR_FMT(ev->splat->excuse->reason));
	else
		buf_printf(b, "counts");
}

static void check(struct tap *t, struct excuses *e, const char *title, const char *text,
		  const char *want)
{
	struct event_splat s = { .title = str_of(title), .text = str_of(text) };
	struct event ev = { .type = EVENT_SPLAT, .splat = &s };
	struct buf got = {};
	struct event_sink sink = excuses_sink(e, (struct event_sink){ on_event, &got });

	event_emit(&sink, &ev);
	is_str(t, got.p, want ? want : "counts", title);
	ok(t, !s.excuse, "and the splat itself is as it was");
	buf_done(&got);
}

static void test_rules(struct tap *t)
{
	struct excuses *e = NULL;
	struct err err = {};

	is_int(t, excuses_new(RULES, ARRAY_SIZE(RULES), &e, &err), 0, "rules");
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check(t, e, ROWS[i].title, ROWS[i].text, ROWS[i].want);
	check(t, NULL, "WARNING in mptcp_known", "", NULL);
	ok(t, !excuses_gave_up(e), "none was given up");
	excuses_free(e);
}

static void test_others_pass(struct tap *t)
{
	struct event_problem p = {};
	struct event ev = { .type = EVENT_PROBLEM, .problem = &p };
	struct excuses *e = NULL;
	struct buf got = {};
	struct event_sink sink;

	excuses_new(RULES, ARRAY_SIZE(RULES), &e, NULL);
	sink = excuses_sink(e, (struct event_sink){ on_event, &got });
	event_emit(&sink, &ev);
	is_str(t, got.p, "other", "what is no splat passes");
	excuses_free(e);
	buf_done(&got);
}

/* Exponential for a backtracking matcher: the limit ends it. */
static void test_catastrophe(struct tap *t)
{
	static const struct excuse_rule bad = { "^(a+)+$", { .reason = STR("never") } };
	struct buf text = {};
	struct excuses *e = NULL;

	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "a");
	buf_printf(&text, "b");
	excuses_new(&bad, 1, &e, NULL);
	check(t, e, "title", text.p, NULL);
	is_str(t, excuses_gave_up(e), "^(a+)+$", "a pattern that takes too long is given up");
	ok(t, !excuses_gave_up(e), "and told once");
	excuses_free(e);
	buf_done(&text);
}

static void test_bad_pattern(struct tap *t)
{
	static const struct excuse_rule bad = { "a(b", { .reason = STR("x") } };
	struct excuses *e = NULL;
	struct regex *r = NULL;
	struct err err = {};
	size_t at = 0;

	is_int(t, excuses_new(&bad, 1, &e, &err), -EINVAL, "a pattern that is none");
	is_str(t, err.text, "pattern 'a(b': missing closing parenthesis", "its sentence");
	regex_new("ab[z-a]", &r, &at, NULL);
	is_int(t, (int64_t)at, 5, "where it goes wrong");
	is_int(t, regex_new("a\\Cb", &r, NULL, NULL), 0, "bytes are what it works on");
	is_int(t, regex_match(r, STR("xa\xff" "bx")), 1, "any of them");
	is_int(t, regex_match(r, STR_NONE), 0, "and none");
	regex_free(r);
}

/* 2026-03-31 12:00:00 UTC, and a day later */
#define LAST_DAY INT64_C(1774958400000)
#define DAY      INT64_C(86400000)

static void test_expiry(struct tap *t)
{
	struct plan_ignore r = { .until = (char *)"2026-03-31" }, always = {};

	ok(t, plan_ignore_holds(&r, LAST_DAY - 400 * DAY), "long before");
	ok(t, plan_ignore_holds(&r, LAST_DAY), "on its last day");
	ok(t, !plan_ignore_holds(&r, LAST_DAY + DAY), "not on the next");
	ok(t, !plan_ignore_holds(&r, LAST_DAY + 4000 * DAY), "and never after");
	ok(t, plan_ignore_holds(&always, LAST_DAY), "without a day always");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_rules(&t);
	test_others_pass(&t);
	test_catastrophe(&t);
	test_bad_pattern(&t);
	test_expiry(&t);
	return tap_done(&t);
}
