/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What scripts tell people while they run: which lines of the log belong to it, and
 * a script that runs by itself. The rest is data: tests/constructs/23-told.txt.
 */
#include "base/mem.h"
#include "tap-dump.h"
#include "tap.h"

struct row {
	const char *name, *in, *want;
	enum tap_end end;
	const char *program; /* runs by itself, without kselftest's runner */
	bool lines;
};

static const struct row ROWS[] = {
	{ "lines and reasons come from what was told",
	  "# selftests: net/mptcp: diag.sh\n"
	  "# 01 no msk on netns creation              [ OK ]\n"
	  "# connect(): Connection refused\n"
	  "# 02 many msk socket present               [FAIL] expected 200 found 0\n"
	  "# 03 ....chk last_data_sent                [SKIP] Feature probably not supported\n"
	  "# TAP version 13\n# 1..3\n"
	  "# ok 1 - diag: no msk on netns creation # time=1ms\n"
	  "# not ok 2 - diag: many msk socket present # time=2ms\n"
	  "# ok 3 - diag: ....chk last_data_sent # SKIP time=3ms\n"
	  "not ok 1 selftests: net/mptcp: diag.sh # exit=1\n",
	  "pass selftests: net/mptcp: diag.sh > diag: no msk on netns creation 1ms @2-2\n"
	  "fail selftests: net/mptcp: diag.sh > diag: many msk socket present "
	  "{expected 200 found 0} 2ms @3-4\n"
	  "skip selftests: net/mptcp: diag.sh > diag: ....chk last_data_sent "
	  "{Feature probably not supported} 3ms @5-5\n"
	  "fail selftests: net/mptcp: diag.sh + exit=1 @1-11\n",
	  .lines = true },
	{ "a test of several checks",
	  "# selftests: net/mptcp: mptcp_join.sh\n"
	  "# 001 no JOIN\n#       join Rx                [ OK ]\n"
	  "# 002 single subflow\n#       join Rx                [FAIL] got 2 expected 1\n"
	  "# Server ns stats\n#       join Tx                [FAIL] no\n"
	  "# 1..2\n# ok 1 - mptcp_join: no JOIN\n# not ok 2 - mptcp_join: single subflow\n"
	  "not ok 1 selftests: net/mptcp: mptcp_join.sh\n",
	  "pass selftests: net/mptcp: mptcp_join.sh > mptcp_join: no JOIN @2-3\n"
	  "fail selftests: net/mptcp: mptcp_join.sh > mptcp_join: single subflow "
	  "{join Rx: got 2 expected 1} @4-7\n"
	  "fail selftests: net/mptcp: mptcp_join.sh + @1-11\n",
	  .lines = true },
	{ "by itself, killed", "01 a      [ OK ]\n02 b       [FAIL] no\n03 c\n",
	  "! incomplete\npass diag: a\nfail diag: b {no}\n"
	  "error diag: c {the log ends inside it}\n! truncated\n= truncated\n",
	  .end = TAP_END_CUT, .program = "diag.sh" },
	{ "by itself, and the machine died", "01 a      [ OK ]\n02 b\n",
	  "! incomplete\npass diag: a\ncrash diag: b {the machine died during it}\n"
	  "! truncated\n= truncated\n",
	  .end = TAP_END_CRASH, .program = "diag.sh" },
	{ "by itself, to its end: it is no log of a test", "01 a      [ OK ]\n02 b\n", "",
	  .program = "diag.sh" },
	{ "durations and measures are not the name",
	  "01 ns1 MPTCP -> ns1 (10.0.1.1:10000      ) TCP       (duration    46ms) [ OK ]\n"
	  "02 balanced bwidth                556 max 7906       [ OK ]\n03 x\n",
	  "! incomplete\npass c: ns1 MPTCP -> ns1 (10.0.1.1:10000) TCP 46ms\n"
	  "pass c: balanced bwidth\nerror c: x {the log ends inside it}\n"
	  "! truncated\n= truncated\n",
	  .end = TAP_END_CUT, .program = "c.sh" },
	{ "flaky", "01 a     slow 9 ms max 8      [IGNO] (flaky)\n02 b\n",
	  "! incomplete\nflaky c: a slow 9 ms max 8 {(flaky)}\n"
	  "error c: b {the log ends inside it}\n! truncated\n= truncated\n",
	  .end = TAP_END_CUT, .program = "c.sh" },
};

static void parse_row(struct dump *d, const struct row *r, size_t chunk)
{
	struct tap_options opt = { .name = str_of(r->program) };
	struct tap_parser *p = tap_parser_new(&opt, (struct event_sink){ dump_event, d });
	struct str in = str_of(r->in);
	struct tap_summary sum;

	for (; chunk && in.n > chunk; in = str_from(in, chunk))
		tap_parse(p, in.p, chunk);
	tap_parse(p, in.p, in.n);
	tap_parse_end(p, r->end, &sum);
	dump_summary(d, &sum);
	tap_parser_free(p);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		const struct row *r = &ROWS[i];
		struct dump whole = { .lines = r->lines }, cut = { .lines = r->lines };
		bool same = true;

		parse_row(&whole, r, 0);
		is_str(&t, whole.text.p ? whole.text.p : "", r->want, r->name);
		for (size_t chunk = 1; chunk < 80; chunk++) {
			buf_clear(&cut.text);
			parse_row(&cut, r, chunk);
			same &= str_eq(buf_str(&cut.text), buf_str(&whole.text));
		}
		ok(&t, same, "in any pieces");
		buf_done(&whole.text);
		buf_done(&cut.text);
	}
	return tap_done(&t);
}
