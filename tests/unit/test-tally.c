/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tally: each row is a run as a line of words, and what it comes to. */
#include "base/mem.h"
#include "tap.h"
#include "tap/tally.h"

/*
 * Words: "name" begins a program, "name:2" its second attempt, "+x" and "-x"
 * a passed and a failed result, "~x" a flaky one, "=status" ends it, "!x" is a
 * splat, "?x" one that a rule excuses, "*x" a failed result that a rule excuses,
 * "%status" the end of a program that one does, "&x" a sign that passes prove little.
 */
struct row {
	const char *words;
	int code;
	const char *conclusion;
	unsigned results, programs;
};

static const struct row ROWS[] = {
	{ "", 4, "Critical: no test ran", 0, 0 },
	{ "a +x +y =pass", 0, "Success", 2, 1 },
	{ "a =skip", 0, "Success", 1, 1 },
	{ "a +x &d =pass", 0, "Success, 1 degraded: s/a", 1, 1 },
	{ "a &d =pass b &d -x =fail", 1, "Unstable: 1 failed test(s): s/b/x, 1 degraded: s/a", 2,
	  2 },
	{ "a &d -x =fail a:2 +x =pass", 0, "Success", 1, 1 },
	{ "a +x ~y =flaky", 0, "Success, 1 flaky", 2, 1 },
	{ "a +x -y =fail b =pass", 1, "Unstable: 1 failed test(s): s/a/y", 3, 2 },
	{ "a =fail", 1, "Unstable: 1 failed test(s): s/a", 1, 1 },
	{ "a +x =timeout", 1, "Unstable: 1 failed test(s): s/a", 2, 1 },
	{ "a +x =fail", 1, "Unstable: 1 failed test(s): s/a", 2, 1 },
	{ "a -x =fail a:2 +x =pass", 0, "Success", 1, 1 },
	{ "a -x -y =fail a:2 -x +y =fail", 1, "Unstable: 1 failed test(s): s/a/x", 2, 1 },
	{ "a =crash a:2 =pass", 0, "Success", 1, 1 },
	{ "a -x =crash b =pass", 3, "Critical: 2 crashed or failed test(s): s/a/x, s/a", 3, 2 },
	{ "a -x =crash a:2 +x =pass", 0, "Success", 1, 1 },
	{ "a =crash b -x =fail", 3, "Critical: 2 crashed or failed test(s): s/a, s/b/x", 2, 2 },
	{ "a =error", 4, "Critical: 1 test(s) that the harness failed to run: s/a", 1, 1 },
	{ "a =error b -x =fail", 1, "Unstable: 2 failed test(s): s/a, s/b/x", 2, 2 },
	{ "a +x !WARNING =pass", 3, "Critical: 1 splat(s): WARNING", 1, 1 },
	{ "a -x !W !V =fail", 3, "Critical: 2 splat(s): W, ... - 1 failed test(s): s/a/x", 1,
	  1 },
	{ "a +x =pass !W b =pass", 3, "Critical: 1 splat(s): W", 2, 2 },
	{ "a +x ?W =pass", 0, "Success, 1 splat(s) ignored", 1, 1 },
	{ "a +x ?W !V =pass", 3, "Critical: 1 splat(s): V", 1, 1 },
	{ "a +x *y %fail", 0, "Success, 1 known issue(s)", 2, 1 },
	{ "a %fail b +x ?W =pass", 0, "Success, 1 known issue(s), 1 splat(s) ignored", 2, 2 },
	{ "a -x *y =fail", 1, "Unstable: 1 failed test(s): s/a/x, 1 known issue(s)", 2, 1 },
	{ "a *x %fail a:2 +x =pass", 0, "Success", 1, 1 },
	{ "a *x %fail a:2 -x =fail", 1, "Unstable: 1 failed test(s): s/a/x", 1, 1 },
	{ "a %timeout", 0, "Success, 1 known issue(s)", 1, 1 },
	{ "a *x =timeout", 1, "Unstable: 1 failed test(s): s/a, 1 known issue(s)", 2, 1 },
	{ "a *x =crash", 3, "Critical: 1 crashed or failed test(s): s/a", 2, 1 },
	{ "a *x %fail b =error", 4,
	  "Critical: 1 test(s) that the harness failed to run: s/b", 2, 2 },
	{ "&d +x", 0, "Success", 1, 0 },
	{ "-x +y", 1, "Unstable: 1 failed test(s): x", 2, 0 },
};

static void say(struct event_sink sink, struct str w, unsigned *id)
{
	struct str path = str_from(w, 1);
	struct event_result r = { .path = &path, .depth = 1, .leaf = true };
	struct event_program p = { .suite = STR("s") };
	struct event_excuse excuse = { .reason = STR("known") };
	struct event_splat splat = { .kind = STR("warning"), .title = path };
	struct event_problem problem = { PROBLEM_DEGRADED, 0, path };
	struct event ev = { .job = 1, .program = *id };

	switch (w.p[0]) {
	case '+': r.status = STATUS_PASS; break;
	case '*': r.known = &excuse; /* fall through */
	case '-': r.status = STATUS_FAIL; break;
	case '~': r.status = STATUS_FLAKY; break;
	case '?': splat.excuse = &excuse; /* fall through */
	case '!':
		ev.type = EVENT_SPLAT;
		ev.splat = &splat;
		event_emit(&sink, &ev);
		return;
	case '&':
		ev.type = EVENT_PROBLEM;
		ev.problem = &problem;
		event_emit(&sink, &ev);
		return;
	case '%': p.known = &excuse; /* fall through */
	case '=':
		ev.type = EVENT_PROGRAM_END;
		status_from_name(path, &p.status);
		ev.prog = &p;
		event_emit(&sink, &ev);
		return;
	default:
		p.name = str_cut(&w, ':');
		p.attempt = w.p ? 2 : 1;
		ev.program = ++*id;
		ev.type = EVENT_PROGRAM_BEGIN;
		ev.prog = &p;
		event_emit(&sink, &ev);
		return;
	}
	ev.type = EVENT_RESULT;
	ev.result = &r;
	event_emit(&sink, &ev);
}

static void check(struct tap *t, const struct row *row)
{
	struct tally tally = {};
	struct buf text = {};
	unsigned id = 0;

	for (struct str rest = str_of(row->words); rest.n;)
		say(tally_sink(&tally), str_cut(&rest, ' '), &id);
	tally_conclusion(&tally, &text);
	is_int(t, tally_exit_code(&tally), row->code, row->words);
	is_str(t, text.p, row->conclusion, "its conclusion");
	is_int(t, (int64_t)tally.results, row->results, "results");
	is_int(t, (int64_t)tally.programs, row->programs, "programs");
	buf_done(&text);
	tally_done(&tally);
}

static void test_names(struct tap *t)
{
	struct tally tally = {};
	struct buf text = {};
	unsigned id = 0;

	say(tally_sink(&tally), STR("a"), &id);
	for (int i = 0; i < 25; i++)
		say(tally_sink(&tally), STR("-x"), &id);
	tally_conclusion(&tally, &text);
	ok(t, str_ends(buf_str(&text), STR("s/a/x, and 17 more")), "names are bounded");
	buf_done(&text);
	tally_done(&tally);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check(&t, &ROWS[i]);
	test_names(&t);
	return tap_done(&t);
}
