/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader, construct by construct: each row is daily life in a kernel log. */
#include "base/mem.h"
#include "report/report.h"
#include "tap-dump.h"
#include "tap.h"

struct row {
	const char *name;
	struct str in;
	const char *want;
	enum tap_end end;
	bool unsaid; /* TAP has no words for it: it can't be emitted */
};

static const struct row ROWS[] = {
	/* flat */
	{ "nothing", STR(""), "" },
	{ "only newlines", STR("\n\n\n"), "" },
	{ "plan first", STR("TAP version 13\n1..2\nok 1 - a\nnot ok 2 - b\n"),
	  "pass a\nfail b\n" },
	{ "plan last", STR("ok 1 a\nok 2 b\n1..2\n"), "pass a\npass b\n" },
	{ "no plan", STR("TAP version 13\nok 1 a\n"), "pass a\n" },
	{ "no newline at the end", STR("1..1\nok 1 a"), "pass a\n" },
	{ "KTAP header", STR("KTAP version 1\n1..1\nok 1 a\n"), "pass a\n" },
	{ "no number", STR("1..2\nok a\nnot ok - b\n"), "pass a\nfail b\n" },
	{ "no description", STR("1..3\nok\nok 2\nnot ok 3 -\n"), "pass 1\npass 2\nfail 3\n" },
	{ "a word that begins with ok", STR("okay then\nnot okay\nokidoki 3\n"), "" },
	{ "dash without blank is a name", STR("ok 1 -6 -t tcp\n"), "pass -6 -t tcp\n" },
	{ "blanks inside a name stay", STR("ok 19 - x:    (nobackup) # time=30ms\n"),
	  "! numbering\npass x:    (nobackup) 30ms\n" },
	{ "junk between",
	  STR("hello\n1..1\nworld 1..2\n=== x ===\nok 1 a\nbye\n"), "pass a\n" },
	{ "a plan with words behind it is none", STR("1..2 sheep\nok 1 a\n"), "pass a\n" },
	{ "a header with words behind it", STR("TAP version 13 rocks\nTAP version x\nok 1 a\n"),
	  "pass a\n" },
	{ "huge number is a name", STR("ok 99999999999999999999 x\n"),
	  "pass 99999999999999999999 x\n" },

	/* plans */
	{ "too few", STR("1..3\nok 1 a\nok 3 c\n"),
	  "pass a\n! numbering\npass c\n! plan-mismatch\nmissing 2 implied\n= plan-broken\n" },
	{ "too few, unnumbered", STR("1..2\nok a\n"),
	  "pass a\n! plan-mismatch\nmissing 2 implied\n= plan-broken\n" },
	{ "too many", STR("1..1\nok 1 a\nok 2 b\n"),
	  "pass a\npass b\n! plan-mismatch\n= plan-broken\n" },
	{ "trailing plan, too few", STR("ok 1 a\n1..2\n"),
	  "pass a\n! plan-mismatch\nmissing 2 implied\n= plan-broken\n" },
	{ "none came", STR("TAP version 13\n1..2\n"),
	  "! plan-mismatch\nmissing 1 implied\nmissing 2 implied\n= plan-broken\n" },
	{ "skip all", STR("TAP version 13\n1..0 # SKIP no MPTCP in this kernel\n"),
	  "= skip-all\n" },
	{ "skip all, but results", STR("1..0\nok 1 a\n"),
	  "pass a\n! plan-mismatch\n= plan-broken\n" },
	{ "the same plan twice", STR("1..1\nok 1 a\n1..1\n"), "pass a\n! bad-syntax\n" },
	{ "another plan too early", STR("1..2\nok 1 a\n1..3\nok 2 b\n"),
	  "pass a\n! bad-syntax\npass b\n" },
	{ "another program, without a header", STR("1..1\nok 1 a\n1..2\nok 1 b\nok 2 c\n"),
	  "pass a\npass b\npass c\n" },

	/* numbers and names */
	{ "out of order", STR("1..3\nok 2 b\nok 1 a\nok 3 c\n"),
	  "! numbering\npass b\n! numbering\npass a\n! numbering\npass c\n" },
	{ "a number twice", STR("1..2\nok 1 a\nnot ok 1 b\n"),
	  "pass a\n! numbering\nfail b\n" },
	{ "a name twice", STR("1..2\nok 1 x\nnot ok 2 x\n"),
	  "pass x\n! duplicate-name\nfail x #2\n" },
	{ "and thrice, with one that looks like it",
	  STR("1..4\nok 1 x\nok 2 x #2\nok 3 x\nok 4 x\n"),
	  "pass x\npass x #2\n! duplicate-name\npass x #3\n! duplicate-name\npass x #4\n" },

	/* directives */
	{ "skip", STR("ok 1 a # SKIP no netns\nnot ok 2 b # SKIP\nok 3 c # skip: why\n"
		      "ok 4 d # Skipped no\nok 5 e #SKIP x\n"),
	  "skip a {no netns}\nskip b\nskip c {why}\nskip d {no}\nskip e {x}\n" },
	{ "todo",
	  STR("not ok 1 a # TODO later\nok 2 b # todo\n"), "xfail a {later}\nxpass b\n" },
	{ "xfail and xpass", STR("not ok 1 a # XFAIL\nok 2 b # XFAIL why\nok 3 c # XPASS\n"),
	  "xfail a\nxfail b {why}\nxpass c\n" },
	{ "timeout", STR("not ok 1 selftests: x: y.sh # TIMEOUT 45 seconds\n"),
	  "timeout selftests: x: y.sh {45 seconds}\n" },
	{ "error", STR("not ok 1 a # ERROR no device\n"), "error a {no device}\n" },
	{ "on ok, error and timeout are words",
	  STR("ok 1 a # error path\nok 2 b # timeout x\n"),
	  "pass a {error path}\npass b {timeout x}\n" },
	{ "flaky", STR("ok 1 a # IGNORE Flaky time=12532ms\nnot ok 2 b # IGNORE Flaky\n"),
	  "flaky a {Flaky} 12532ms\nflaky b {Flaky}\n" },
	{ "kselftest.h names behind the directive",
	  STR("ok 1 # SKIP no root\nok 2 # XFAIL known\nnot ok 3 # error bad fd\n"),
	  "skip no root\nxfail known\nerror bad fd\n" },
	{ "fields", STR("ok 1 a # time=12ms\nok 2 b # time=3\nnot ok 3 c # exit=1\n"
			"not ok 4 d # TIMEOUT 5 s exit=124 time=1.5s\n"),
	  "pass a 12ms\npass b 3ms\nfail c exit=1\ntimeout d {5 s} 1500ms exit=124\n" },
	{ "skip with a field", STR("ok 7 - chk # SKIP time=541ms\n"),
	  "! numbering\nskip chk 541ms\n" },
	{ "a comment is a reason", STR("not ok 1 a # because\nok 2 # only this\n"),
	  "fail a {because}\npass 2 {only this}\n" },
	{ "no directive", STR("ok 1 page.html#skip\nok 2 issue #42 works\nok 3 C# todo\n"),
	  "pass page.html#skip\npass issue #42 works\npass C# todo\n" },
	{ "the directive wins over a comment", STR("ok 1 issue #42 # SKIP no\n"),
	  "skip issue #42 {no}\n" },
	{ "not a directive word", STR("ok 1 a # TODOS\nok 2 b # xfailed\n"),
	  "pass a {TODOS}\npass b {xfailed}\n" },
	{ "escapes under 14",
	  STR("TAP version 14\n1..2\nok 1 - a \\# SKIP\nok 2 - b \\\\ # SKIP x\n"),
	  "pass a # SKIP\nskip b \\ {x}\n" },
	{ "no escapes under 13",
	  STR("TAP version 13\n1..1\nok 1 - a\\\\b\n"), "pass a\\\\b\n" },

	/* bytes */
	{ "CR", STR("1..1\r\nok 1 a # SKIP x\r\r\n"), "skip a {x}\n" },
	{ "NUL", STR("\0\0" "1..1\nok \0001 a\0b\n"), "pass ab\n" },
	{ "ANSI", STR("\x1b[32mok 1 a\x1b[0m\n\x1b[1;31mnot ok\x1b[m 2 b\x1b[K\n"),
	  "pass a\nfail b\n" },
	{ "invalid UTF-8 stays", STR("ok 1 \xff\xfe\n"), "pass \xff\xfe\n", .unsaid = true },
	{ "byte order mark", STR("\xef\xbb\xbfTAP version 13\n1..1\nok 1 a\n"), "pass a\n" },

	/* printk */
	{ "printk in front", STR("[    0.170000] TAP version 13\n[    0.17] x\n"
				 "<6>[    1.000001] 1..2\n[    1.000002][  T123] ok 1 a\n"
				 "[   12.345678][    C0] not ok 2 b\n"),
	  "pass a\nfail b\n" },
	{ "printk between", STR("1..2\nok 1 a\n[    0.684290] kunit_try_catch (44) used\n"
				"[    0.684291] # foo\nok 2 b\n"),
	  "pass a\npass b\n" },
	{ "printk into a line", STR("1..1\nok 1 a[   12.345678] eth0: up\n"), "pass a\n" },
	{ "brackets in a name", STR("ok 1 a [1/2] x\n"), "pass a [1/2] x\n" },

	/* kselftest */
	{ "kselftest",
	  STR("TAP version 13\n1..1\n# timeout set to 1800\n# selftests: net/mptcp: pm.sh\n"
	      "# 01 defaults addr list                    [ OK ]\n# \n# TAP version 13\n"
	      "# 1..2\n# ok 1 - pm: a # time=10ms\n# ok 2 - pm: b # time=2ms\n"
	      "ok 1 selftests: net/mptcp: pm.sh\n"),
	  "pass selftests: net/mptcp: pm.sh > pm: a 10ms\n"
	  "pass selftests: net/mptcp: pm.sh > pm: b 2ms\n"
	  "pass selftests: net/mptcp: pm.sh +\n" },
	{ "kselftest, subtest failed",
	  STR("TAP version 13\n1..1\n# selftests: x: y\n# TAP version 13\n# 1..1\n"
	      "# not ok 1 a\nnot ok 1 selftests: x: y # exit=1\n"),
	  "fail selftests: x: y > a\nfail selftests: x: y + exit=1\n" },
	{ "kselftest, parent disagrees",
	  STR("1..2\n# selftests: x: y\n# 1..1\n# not ok 1 a\nok 1 selftests: x: y\n"
	      "# selftests: x: z\n# 1..1\n# ok 1 a\nnot ok 2 selftests: x: z # exit=1\n"),
	  "fail selftests: x: y > a\n! status-mismatch\nfail selftests: x: y +\n"
	  "pass selftests: x: z > a\n! status-mismatch\nfail selftests: x: z + exit=1\n" },
	{ "kselftest, no nested TAP",
	  STR("1..1\n# selftests: x: y\n# hello\nok 1 selftests: x: y\n"),
	  "pass selftests: x: y\n" },
	{ "kselftest, skipped inside",
	  STR("1..1\n# selftests: x: y\n# 1..0 # SKIP no root\nok 1 selftests: x: y\n"),
	  "skip selftests: x: y {no root}\n" },
	{ "kselftest, no name ahead", STR("1..1\n# TAP version 13\n# 1..1\n# ok 1 a\nok 1 x\n"),
	  "pass x > a\npass x +\n" },
	{ "kselftest, two deep",
	  STR("1..1\n# selftests: x: y\n# 1..1\n# # 1..2\n# # ok 1 a\n# # ok 2 b\n# ok 1 c\n"
	      "ok 1 selftests: x: y\n"),
	  "pass selftests: x: y > c > a\npass selftests: x: y > c > b\n"
	  "pass selftests: x: y > c +\npass selftests: x: y +\n" },
	{ "kselftest, plan of the nested is short",
	  STR("1..1\n# selftests: x: y\n# 1..2\n# ok 1 a\nok 1 selftests: x: y\n"),
	  "pass selftests: x: y > a\n! plan-mismatch\nmissing selftests: x: y > 2 implied\n"
	  "! status-mismatch\nmissing selftests: x: y +\n= plan-broken\n" },
	{ "kselftest, killed inside",
	  STR("TAP version 13\n1..2\n# selftests: x: y\n# 01 a    [ OK ]\n# 02 b"),
	  "! incomplete\npass selftests: x: y > y: a\n"
	  "error selftests: x: y > y: b {the log ends inside it}\n"
	  "! truncated\nerror selftests: x: y + {the log ends inside it} implied\n"
	  "! plan-mismatch\nmissing 2 implied\n= truncated\n= plan-broken\n" },
	{ "kselftest, panic inside",
	  STR("TAP version 13\n1..1\n# selftests: x: y\n"
	      "[    1.500000] Kernel panic - not syncing: BUG!\n"
	      "[    1.500000] Call Trace:\n"),
	  "! truncated\ncrash selftests: x: y {the machine died during it} implied\n"
	  "= truncated\n" },
	{ "kselftest, reboot inside the nested",
	  STR("1..1\n# selftests: x: y\n# 1..2\n# ok 1 a\n"
	      "[    9.000000] reboot: Restarting system\n"),
	  "pass selftests: x: y > a\n! truncated\n! plan-mismatch\n"
	  "missing selftests: x: y > 2 implied\n"
	  "crash selftests: x: y + {the machine died during it} implied\n"
	  "= truncated\n= plan-broken\n" },
	{ "reboot after the end", STR("1..1\nok 1 a\n[    9.000000] reboot: Power down\n"),
	  "pass a\n" },
	{ "kselftest, a comment is no result",
	  STR("1..1\n# selftests: x: y\n# ok let us see\n# not ok, but go on\n"
	      "ok 1 selftests: x: y\n"),
	  "pass selftests: x: y\n" },
	{ "kselftest, parent's line came first",
	  STR("TAP version 13\n1..1\n# selftests: x: y\nok 1 selftests: x: y\n  [ OK ]\n"
	      "# TAP version 13\n# 1..1\n# ok 1 - a\n"),
	  "pass selftests: x: y\n! bad-syntax\npass selftests: x: y > a\n", .unsaid = true },
	{ "kselftest, two programs in one",
	  STR("1..1\n# selftests: x: y\n# TAP version 13\n# 1..1\n# ok 1 a\n# TAP version 13\n"
	      "# 1..1\n# ok 1 b\nok 1 selftests: x: y\n"),
	  "pass selftests: x: y > a\npass selftests: x: y > b\npass selftests: x: y +\n" },
	{ "kselftest, exit_fail_msg",
	  STR("1..2\n# selftests: x: y\n# 1..2\n# ok 1 a\n# Bail out! no memory\n"
	      "not ok 1 selftests: x: y # exit=1\nok 2 z\n"),
	  "pass selftests: x: y > a\n! bail-out\n! plan-mismatch\n"
	  "missing selftests: x: y > 2 implied\nfail selftests: x: y + exit=1\n"
	  "pass z\n= bailed-out\n= plan-broken\n" },

	/* KUnit and KTAP nesting */
	{ "KUnit",
	  STR("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    # module: m\n"
	      "    1..2\n    # a: initializing\n    ok 1 a\n    ok 2 b # SKIP no\n"
	      "# s: pass:1 fail:0 skip:1 total:2\n# Totals: pass:1 fail:0 skip:1 total:2\n"
	      "ok 1 s\n"),
	  "pass s > a\nskip s > b {no}\npass s +\n" },
	{ "KUnit on a console",
	  STR("[    0.170000] KTAP version 1\n[    0.170000] 1..2\n"
	      "[    0.170000]     KTAP version 1\n"
	      "[    0.170000]     # Subtest: s\n[    0.170000]     1..1\n"
	      "[    0.170000] action_order_2\n"
	      "[    0.170000]     ok 1 a\n[    0.170000] ok 1 s\n"
	      "[    0.170000]     KTAP version 1\n"
	      "[    0.170000]     # Subtest: t\n[    0.170000]     1..0\n"
	      "[    0.170000] ok 2 t # SKIP \n"),
	  "pass s > a\npass s +\nskip t\n" },
	{ "KUnit parameters, three deep",
	  STR("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..2\n"
	      "        KTAP version 1\n        # Subtest: p\n    # p: initializing\n"
	      "        ok 1 v 3 # SKIP no\n        ok 2 v 2\n    # p: pass:1\n    ok 1 p\n"
	      "    ok 2 q\n"
	      "ok 1 s\n"),
	  "skip s > p > v 3 {no}\npass s > p > v 2\npass s > p +\npass s > q\npass s +\n" },
	{ "KUnit, old, without a header inside",
	  STR("TAP version 14\n1..1\n    # Subtest: s\n    1..1\n    ok 1 - a\nok 1 - s\n"),
	  "pass s > a\npass s +\n" },
	{ "KUnit debugfs, old", STR("    # Subtest: s\n    1..1\n    ok 1 - a\nok 2 - s\n"),
	  "pass s > a\n! numbering\npass s +\n" },
	{ "KUnit, a suite's line is lost",
	  STR("KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: s\n    1..1\n"
	      "    ok 1 a\n"
	      "    KTAP version 1\n    # Subtest: t\n    1..1\n    ok 1 b\nok 2 t\n"),
	  "pass s > a\nmissing s + {no result line} implied\npass t > b\npass t +\n" },
	{ "KUnit, panic in a suite",
	  STR("KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: s\n    1..2\n"
	      "    ok 1 a\n"
	      "Kernel panic - not syncing: x\n"),
	  "pass s > a\n! truncated\n! plan-mismatch\nmissing s > 2 implied\n"
	  "crash s + {the machine died during it} implied\n! plan-mismatch\nmissing 2 implied\n"
	  "= truncated\n= plan-broken\n" },
	{ "KTAP by 2, names come last",
	  STR("KTAP version 1\n1..2\n  KTAP version 1\n  1..2\n    KTAP version 1\n    1..1\n"
	      "    # x: init\n    ok 1 t1\n  ok 1 e1\n  ok 2 e2\nok 1 main\n"
	      "  KTAP version 1\n  1..1\n  not ok 1 t1\nnot ok 2 other\n"),
	  "pass main > e1 > t1\npass main > e1 +\npass main > e2\npass main +\n"
	  "fail other > t1\nfail other +\n" },
	{ "TAP 14 subtest, name before",
	  STR("TAP version 14\n1..2\n# Subtest: foo\n    1..2\n    ok 1 - a\n    ok 2 - b\n"
	      "ok 1 - foo # time=3ms\nok 2 - bar\n"),
	  "pass foo > a\npass foo > b\npass foo + 3ms\npass bar\n" },
	{ "TAP 14 subtest, plan last",
	  STR("TAP version 14\n# Subtest: foo\n    ok 1 - a\n    1..1\nok 1 - foo\n1..1\n"),
	  "pass foo > a\npass foo +\n" },
	{ "subtest without name or plan", STR("    ok 1 a\n    not ok 2 b\nnot ok 1 x\n1..1\n"),
	  "pass x > a\nfail x > b\nfail x +\n" },
	{ "another name on the parent's line",
	  STR("1..1\n# Subtest: s\n    1..1\n    ok 1 a\nok 1 - S is fine\n"),
	  "pass s > a\n! bad-syntax\npass s +\n" },
	{ "the parent's line was lost",
	  STR("1..2\n# Subtest: s\n    1..1\n    ok 1 a\nok 2 - t\n"),
	  "pass s > a\nmissing s + {no result line} implied\npass t\n" },
	{ "all of it indented", STR("    TAP version 13\n    1..2\n    ok 1 a\n    ok 2 b\n"),
	  "pass a\npass b\n" },
	{ "all of it commented", STR("# TAP version 13\n# 1..2\n# ok 1 a\n# not ok 2 b\n"),
	  "pass a\nfail b\n" },
	{ "ended before the parent's line", STR("KTAP version 1\n1..1\n  1..2\n  ok 1 a\n"),
	  "pass 1 > a\n! truncated\n! plan-mismatch\nmissing 1 > 2 implied\n"
	  "error 1 + {the log ends inside it} implied\n= truncated\n= plan-broken\n" },
	{ "a parent twice",
	  STR("1..2\n# Subtest: s\n    ok 1 a\nok 1 s\n# Subtest: s\n    ok 1 a\nok 2 s\n"),
	  "pass s > a\npass s +\n! duplicate-name\npass s #2 > a\npass s #2 +\n" },
	{ "an indented sentence", STR("1..1\n    ok so far\nok 1 a\n"), "pass a\n" },

	/* documents */
	{ "several documents",
	  STR("TAP version 13\n1..1\nok 1 a\nCI-END\nTAP version 13\n1..1\nok 1 b\n"),
	  "pass a\npass b\n" },
	{ "the first one is short",
	  STR("TAP version 13\n1..2\nok 1 a\nTAP version 13\n1..1\nok 1 b\n"),
	  "pass a\n! plan-mismatch\nmissing 2 implied\npass b\n= plan-broken\n" },
	{ "the first one was cut inside",
	  STR("TAP version 13\n1..1\n# selftests: x: y\nTAP version 13\n1..1\nok 1 b\n"),
	  "! truncated\nerror selftests: x: y {the log ends inside it} implied\npass b\n"
	  "= truncated\n" },

	/* YAML, pragma, bail out */
	{ "YAML",
	  STR("1..2\nnot ok 1 a\n  ---\n  got: 1\n  ok 7 inside\n1..9x\n  ...\nok 2 b\n"),
	  "fail a\npass b\n" },
	{ "YAML in a comment",
	  STR("1..1\n# 1..2\n# not ok 1 a\n#   ---\n#   ok 5 no\n#   ...\n# ok 2 b\n"
	      "not ok 1 x\n"),
	  "fail x > a\npass x > b\nfail x +\n" },
	{ "YAML not directly after", STR("1..2\nok 1 a\nhello\n  ---\nok 2 b\n"),
	  "pass a\npass b\n" },
	{ "YAML not deeper", STR("1..2\nok 1 a\n---\nok 2 b\n"), "pass a\npass b\n" },
	{ "YAML never ends", STR("1..2\nok 1 a\n  ---\n  x: y\nok 2 b\n"),
	  "pass a\n! bad-syntax\npass b\n" },
	{ "pragma", STR("pragma +strict\n1..1\nok 1 a\n"), "pass a\n" },
	{ "bail out", STR("1..3\nok 1 a\nBail out! no memory\n"),
	  "pass a\n! bail-out\n! plan-mismatch\nmissing 2 implied\nmissing 3 implied\n"
	  "= bailed-out\n= plan-broken\n" },
	{ "bail out at once", STR("bail out!\n"), "! bail-out\n= bailed-out\n" },

	/* ends that the runner knows */
	{ "cut, plan unmet", STR("1..3\nok 1 a\nok 2"),
	  "pass a\n! truncated\n! plan-mismatch\nmissing 2 implied\nmissing 3 implied\n"
	  "= truncated\n= plan-broken\n", TAP_END_CUT },
	{ "cut, but all was there", STR("1..1\nok 1 a\nbye"), "pass a\n", TAP_END_CUT },
	{ "cut, no plan", STR("ok 1 a\n"), "pass a\n! truncated\n= truncated\n", TAP_END_CUT },
	{ "cut, no TAP", STR("hello\n"), "", TAP_END_CUT },
	{ "crash inside", STR("# selftests: x: y\n# 1..1\n"),
	  "! truncated\n! plan-mismatch\nmissing selftests: x: y > 1 implied\n"
	  "crash selftests: x: y + {the machine died during it} implied\n= truncated\n"
	  "= plan-broken\n",
	  TAP_END_CRASH },

	/* signs */
	{ "degraded, told once",
	  STR("1..1\n# Error: Specified qdisc kind is unknown.\n"
	      "# Error: Specified qdisc kind is unknown.\n"
	      "ok 1 a\n"),
	  "! degraded\npass a\n" },
};

static void check(struct tap *t, const struct row *row)
{
	struct dump d = {};

	dump_parse(&d, row->in, 0, row->end);
	is_str(t, d.text.p ? d.text.p : "", row->want, row->name);
	buf_done(&d.text);
}

/* Every place to split, and byte by byte: the same events, lines included. */
static void check_splits(struct tap *t, const struct row *row)
{
	struct dump whole = { .lines = true, .keys = true };
	bool same = true;

	dump_parse(&whole, row->in, 0, row->end);
	for (size_t chunk = 1; chunk < row->in.n && same; chunk++) {
		struct dump d = { .lines = true, .keys = true };

		dump_parse(&d, row->in, chunk, row->end);
		same = str_eq(buf_str(&d.text), buf_str(&whole.text));
		buf_done(&d.text);
	}
	ok(t, same, "every split of: %s", row->name);
	buf_done(&whole.text);
}

struct emit {
	const struct report_format *format;
	struct report *report;
};

static void on_emit(void *ctx, const struct event *ev)
{
	struct emit *e = ctx;

	e->format->event(e->report, ev);
}

static void emit_tap(struct buf *ret, struct str in, enum tap_end end)
{
	struct tap_summary sum = {};
	struct report_options opt = { .parsed = &sum };
	struct tap_options none = {};
	struct emit e = { report_format_find("tap", NULL) };
	struct tap_parser *p = tap_parser_new(&none, (struct event_sink){ on_emit, &e });
	struct out out;

	out_to_buf(&out, ret);
	e.report = e.format->begin(&out, &opt);
	tap_parse(p, in.p, in.n);
	tap_parse_end(p, end, &sum);
	e.format->end(e.report);
	out_flush(&out);
	tap_parser_free(p);
}

/* What is written as TAP reads as the same tree. */
static void check_emitted(struct tap *t, const struct row *row)
{
	struct dump want = { .tree = true }, got = { .tree = true };
	struct buf emitted = {};

	if (row->unsaid)
		return;
	dump_parse(&want, row->in, 0, row->end);
	emit_tap(&emitted, row->in, row->end);
	dump_parse(&got, buf_str(&emitted), 0, TAP_END_CLEAN);
	/* The summary's words may differ: a clean log has no loose ends. */
	for (struct dump *d = &want; d; d = d == &want ? &got : NULL) {
		ptrdiff_t flags = str_find(buf_str(&d->text), STR("= "));

		if (flags >= 0)
			d->text.p[d->text.n = (size_t)flags] = '\0';
	}
	if (!ok(t, str_eq(buf_str(&got.text), buf_str(&want.text)), "emitted: %s", row->name))
		printf("# %s\n---\n%s---\n%s", emitted.p, want.text.p ? want.text.p : "",
		       got.text.p ? got.text.p : "");
	buf_done(&want.text);
	buf_done(&got.text);
	buf_done(&emitted);
}

struct key_row {
	const char *name, *want;
};

static const struct key_row KEYS[] = {
	{ "plain name", "plain name" },
	{ "12 ports: x", "ports: x" },
	{ "001 no JOIN", "no JOIN" },
	{ "1 2 3 x", "x" },
	{ "12", "12" },
	{ "listen match for dport 10000", "listen match for dport <port>" },
	{ "ns1 MPTCP -> ns2 (10.0.1.2:10006      ) MPTCP",
	  "ns1 MPTCP -> ns2 (<ip4>:<port>) MPTCP" },
	{ "ns1 MPTCP -> ns2 (10.0.1.2:10006) MPTCP", "ns1 MPTCP -> ns2 (<ip4>:<port>) MPTCP" },
	{ "ns1 MPTCP -> ns2 (dead:beef:1::2:10007) MPTCP", "ns1 MPTCP -> ns2 (<ip6>) MPTCP" },
	{ "CREATE_SUBFLOW6 dead:beef:2::1 (ns1)", "CREATE_SUBFLOW6 <ip6> (ns1)" },
	{ "netns ns3-sZbu4J stat", "netns ns3-<id> stat" },
	{ "ns1-0-abcdef up", "ns1-0-<id> up" },
	{ "ns1-server up", "ns1-server up" },
	{ "token 0x7fff0123", "token <hex>" },
	{ "at a7088c61f x", "at <hex> x" },
	{ "/run/tmp.I5gv2Ik2dN", "/run/tmp.<id>" },
	{ "chk 2->0 msk in use", "chk 2->0 msk in use" },
	{ "simult IPv4 and IPv6, fullmesh 2x2", "simult IPv4 and IPv6, fullmesh 2x2" },
	{ "v1_connect.pkt (ipv4-mapped-v6)", "v1_connect.pkt (ipv4-mapped-v6)" },
	{ "kernel 6.12.95.1 at 12:34:56", "kernel <ip4> at 12:34:56" },
	{ "pm:           (nobackup)", "pm: (nobackup)" },
	{ "TCP_INQ: -6 -t tcp", "TCP_INQ: -6 -t tcp" },
};

static bool idempotent(struct str name)
{
	struct buf once = {}, twice = {};
	bool same;

	tap_key_append(&once, name);
	tap_key_append(&twice, buf_str(&once));
	same = str_eq(buf_str(&once), buf_str(&twice));
	if (!same)
		printf("# '%.*s' -> '%s' -> '%s'\n", STR_FMT(name), once.p, twice.p);
	buf_done(&once);
	buf_done(&twice);
	return same;
}

static void test_keys(struct tap *t)
{
	static const char ALPHABET[] = "0123489abcf.::-xns ()tmpor<>";
	uint32_t seed = 1;
	bool all = true;

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
		struct buf b = {};

		tap_key_append(&b, str_of(KEYS[i].name));
		is_str(t, b.p, KEYS[i].want, KEYS[i].name);
		all &= idempotent(str_of(KEYS[i].name));
		buf_done(&b);
	}
	for (int i = 0; i < 20000; i++) {
		char text[24];

		for (size_t k = 0; k < sizeof(text); k++) {
			seed = seed * 1664525 + 1013904223;
			text[k] = ALPHABET[(seed >> 16) % (sizeof(ALPHABET) - 1)];
		}
		all &= idempotent(str_n(text, sizeof(text)));
	}
	ok(t, all, "masking twice changes nothing");
}

/* Input that is built: the limits. */
static void test_limits(struct tap *t)
{
	struct buf in = {};
	struct dump d = {};
	struct row row = { "a line of 1 MB, and one just at the limit" };

	buf_add(&in, "ok 1 ", 5);
	for (int i = 0; i < 1 << 20; i++)
		buf_add(&in, "x", 1);
	buf_printf(&in, "\nok 2 b\n%0*d\nok 3 c\n", TAP_LINE_MAX, 0);
	dump_parse(&d, buf_str(&in), 0, TAP_END_CLEAN);
	ok(t, str_starts(buf_str(&d.text), STR("! long-line\npass xxx")) &&
	      str_ends(buf_str(&d.text), STR("x\npass b\npass c\n")), "%s", row.name);
	buf_clear(&d.text);

	buf_clear(&in);
	for (int depth = 0; depth < 40; depth++)
		buf_printf(&in, "%*s1..1\n%*sok 1 x\n", depth * 2, "", depth * 2, "");
	dump_parse(&d, buf_str(&in), 0, TAP_END_CLEAN);
	ok(t, str_find(buf_str(&d.text), STR("! too-many")) >= 0, "too deep is told");
	buf_clear(&d.text);

	buf_clear(&in);
	buf_printf(&in, "1..999999999999\nok 1 a\n");
	dump_parse(&d, buf_str(&in), 0, TAP_END_CLEAN);
	ok(t, str_find(buf_str(&d.text), STR("! too-many")) >= 0 && d.text.n < 4000000,
	   "a plan that promises too much");
	buf_clear(&d.text);

	buf_clear(&in);
	for (int i = 1; i <= 100000; i++)
		buf_printf(&in, "  ok %d a name that takes its room %d\n", i, i);
	buf_printf(&in, "ok 1 x\n");
	dump_parse(&d, buf_str(&in), 0, TAP_END_CLEAN);
	ok(t, str_find(buf_str(&d.text), STR("! too-many")) >= 0 &&
	      str_ends(buf_str(&d.text), STR("pass 1 +\n")),
	   "held too long: numbers are names");
	buf_done(&d.text);
	buf_done(&in);
}

static const struct row LINES[] = {
	{ "line ranges",
	  STR("TAP version 13\n1..2\n# selftests: x: y\nhuman\n# 1..2\n# ok 1 a\nnoise\n"
	      "# ok 2 b\n"
	      "ok 1 selftests: x: y\n# selftests: x: z\nmore\nok 2 selftests: x: z\n"),
	  "pass selftests: x: y > a @1-6\npass selftests: x: y > b @7-8\n"
	  "pass selftests: x: y + @1-9\npass selftests: x: z @10-12\n" },
};

static void test_lines(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(LINES); i++) {
		struct dump d = { .lines = true };

		dump_parse(&d, LINES[i].in, 0, TAP_END_CLEAN);
		is_str(t, d.text.p, LINES[i].want, LINES[i].name);
		buf_done(&d.text);
	}
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check(&t, &ROWS[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check_splits(&t, &ROWS[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check_emitted(&t, &ROWS[i]);
	test_lines(&t);
	test_keys(&t);
	test_limits(&t);
	is_int(&t, tap_status_from_exit(4), STATUS_SKIP, "exit 4 is a skip");
	is_int(&t, tap_status_from_exit(99), STATUS_FAIL, "any other exit is a failure");
	return tap_done(&t);
}
