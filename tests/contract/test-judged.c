/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that judge, as a user calls them, over a history in which it is
 * known what happened when: argv[1] is taproom.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "call.h"

#define RUNS   120
#define OUTAGE 70
#define DAY    86400000

/* What a test does in run r, from 0. Two runs of each commit. */
struct fate {
	const char *program, *name;
	unsigned from, to;          /* is there in from <= r < to; 0: until the end */
	unsigned bad_from, bad_to;  /* fails in these */
	unsigned each;              /* and in each so many-th run; 0: no */
	unsigned skips_from;        /* 0: never */
};

static const struct fate FATES[] = {
	{ "join.sh", "steady" },
	{ "join.sh", "breaks", .bad_from = 40, .bad_to = 60 },
	{ "join.sh", "flaky", .each = 9 },
	{ "join.sh", "grows", .bad_from = 100, .bad_to = 102 },
	{ "join.sh", "goes away", .to = 50 },
	{ "join.sh", "comes later", .from = 30 },
	{ "join.sh", "add one address", .to = 80 },
	{ "join.sh", "add one address, ipv6", .from = 80 },
	{ "join.sh", "needs a tool", .skips_from = 90 },
	{ "join.sh", "now broken", .bad_from = 118, .bad_to = 120 },
	{ "sock.sh", "a" }, { "sock.sh", "b" }, { "sock.sh", "c" }, { "sock.sh", "d" },
	{ "sock.sh", "e" }, { "sock.sh", "f" }, { "sock.sh", "g" }, { "sock.sh", "h" },
};

static bool is_there(const struct fate *f, unsigned run)
{
	return run >= f->from && (!f->to || run < f->to);
}

static enum status status_of(const struct fate *f, unsigned run)
{
	if (f->skips_from && run >= f->skips_from)
		return STATUS_SKIP;
	if ((run >= f->bad_from && run < f->bad_to) || (f->each && run % f->each == 3))
		return STATUS_FAIL;
	return run == OUTAGE && strcmp(f->program, "sock.sh") == 0 ? STATUS_FAIL : STATUS_PASS;
}

static void say_fates(struct event_sink sink, unsigned n, const char *program, unsigned run)
{
	enum status worst = STATUS_SKIP;
	unsigned i = 0;

	say_begin(sink, 1, n, program, 1);
	for (size_t k = 0; k < ARRAY_SIZE(FATES); k++) {
		struct str path = str_of(FATES[k].name);
		enum status s = status_of(&FATES[k], run);

		if (strcmp(FATES[k].program, program) != 0 || !is_there(&FATES[k], run))
			continue;
		say_result(sink, 1, n, i++, &path, 1, path, s, STR(""));
		worst = status_worst(worst, s);
	}
	say_end(sink, 1, n, program, 1, worst, NULL);
}

static void say_nth(struct event_sink sink, const void *arg)
{
	unsigned run = *(const unsigned *)arg;
	_free_ char *id = xasprintf("20260101-%06u-abcd", run);
	_free_ char *commit = xasprintf("%012x%028x", run / 2 + 0xabc000, 1);
	struct event_run r = {
		.id = str_of(id), .title = STR("mptcp"), .branch = STR("export"),
		.commit = str_of(commit), .command = STR("taproom run mptcp"),
		.time_ms = 1700000000000 + (int64_t)run * DAY,
	};
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &r };

	event_emit(&sink, &ev);
	say_job(sink, EVENT_JOB_BEGIN, 1, "debug", NULL);
	say_fates(sink, 1, "join.sh", run);
	say_fates(sink, 2, "sock.sh", run);
	/* A program with nothing below it, once killed. */
	say_begin(sink, 1, 3, "alone.sh", 1);
	say_end(sink, 1, 3, "alone.sh", 1, run == 33 ? STATUS_TIMEOUT : STATUS_PASS, NULL);
	say_begin(sink, 1, 4, run < 65 ? "sockopts.sh" : "sockopt.sh", 1);
	say_end(sink, 1, 4, run < 65 ? "sockopts.sh" : "sockopt.sh", 1, STATUS_PASS, NULL);
	say_job(sink, EVENT_JOB_END, 1, "debug", NULL);
	ev.type = EVENT_RUN_END;
	event_emit(&sink, &ev);
}

/* ---- what is said to what ---- */

static const struct row EMPTY[] = {
	{ "changes", 0, "No runs to judge", NULL, NULL },
	{ "changes --json", 0, "{\"changes\":[]}\n", NULL, NULL },
	{ "history x", 2, NULL, "no store at", NULL },
	{ "diff 1 2", 2, NULL, "no store at", NULL },
	{ "changes x", 2, NULL, "takes no operand", NULL },
};

/* Run 41 is the first that broke: 20 commits of two runs, so after run 40. */
static const struct row CHANGES[] = {
	{ "changes -n 0", 0, "2023-12-24  regression    mptcp/join.sh/breaks\n"
	  "            0 % of 40 [0-6.0] -> 100 % of 20 [88-100]; export debug\n"
	  "            after 000000abc013 (run 40), up to 000000abc014 (run 41)\n", NULL,
	  "\x1b" },
	{ "changes -n 0", 0, "2024-01-13  fix           mptcp/join.sh/breaks\n", NULL, NULL },
	{ "changes -n 0", 0, "2024-01-03  vanished      mptcp/join.sh/goes away\n", NULL, NULL },
	{ "changes -n 0", 0, "2023-12-14  new           mptcp/join.sh/comes later\n", NULL, NULL },
	{ "changes -n 0", 0, "2024-02-02  renamed?      mptcp/join.sh/add one address\n"
	  "            into          mptcp/join.sh/add one address, ipv6\n", NULL, NULL },
	{ "changes -n 0", 0, "2024-01-18  renamed?      mptcp/sockopts.sh\n"
	  "            into          mptcp/sockopt.sh\n", NULL, NULL },
	{ "changes -n 0", 0, "2024-02-12  skipped more  mptcp/join.sh/needs a tool\n", NULL, NULL },
	{ "changes -n 0", 0, "2024-01-23  outage        8 failures at once", NULL, NULL },
	{ "changes -n 0", 0, "vanished", NULL, "sock.sh" },
	{ "changes -n 0", 0, "vanished", NULL, "steady" },
	{ "changes -n 0", 0, "vanished", NULL, "/flaky" },
	{ "changes", 0, "2024-03-11  regression", NULL, NULL },
	{ "changes -n 1", 0, "older; -n 0 lists all.", NULL, "vanished" },
	{ "changes --suite nope -n 0", 0, "outage", NULL, "regression" },
	{ "changes --pool -n 0", 0, "            0 % of 40 [0-6.0] -> 100 % of 20 [88-100]; "
	  "debug\n", NULL, "; export" },
	{ "changes --branch e?p*t -n 0", 0, "regression    mptcp/join.sh/breaks\n", NULL, NULL },
	{ "changes --branch nope", 0, "No run fits", NULL, "taproom run'" },
	{ "changes --since 1d", 0, "Nothing changed in 120 runs.", NULL, NULL },
	{ "changes -n 0", 0, "2 suspects: --suspects lists them.\n", NULL, "regression?" },
	{ "changes -n 0 --suspects", 0, "2024-02-22  regression?   mptcp/join.sh/grows\n", NULL,
	  "lists them" },
	{ "changes -n 0 --json", 0, "{\"what\":\"regression\",\"suspect\":false,"
	  "\"date\":\"2023-12-24T22:13:20.000Z\",\"branch\":\"export\",\"mode\":\"debug\","
	  "\"machine\":\"qemu\",", NULL, NULL },
	{ "changes -n 0 --json", 0, "\"before\":{\"rate\":0,\"low\":0,", NULL, NULL },
	{ "changes -n 0 --json", 0, "\"into\":{", NULL, NULL },
};

static const struct row HISTORY[] = {
	{ "history mptcp/join.sh/breaks", 0, "mptcp/join.sh/breaks\n"
	  "export debug: 100 passed, 20 failed\n"
	  "  2024-01-13 to 2024-03-12  0 % of 59 [0-4.2]\n"
	  "    fix, after 000000abc01d (run 60), up to 000000abc01e (run 61)\n"
	  "  2023-12-24 to 2024-01-12  100 % of 20 [88-100]\n"
	  "    regression, after 000000abc013 (run 40), up to 000000abc014 (run 41)\n"
	  "  2023-11-14 to 2023-12-23  0 % of 40 [0-6.0]\n", NULL, "\x1b" },
	{ "history breaks", 0, "mptcp/join.sh/breaks\n", NULL, "steady" },
	/* All of sock.sh failed at once, once. */
	{ "history mptcp/sock.sh/a", 0, "export debug: 119 passed, 1 failed\n"
	  "  2023-11-14 to 2024-03-12  0 % of 119 [0-2.1]\n"
	  "  1 failure in an outage is in no rate here;", NULL, "regression" },
	{ "history mptcp/sock.sh/a --json", 0, "\"in_outages\":1,", NULL, NULL },
	{ "history mptcp/sock.sh/a --json", 0, "{\"run\":71,\"status\":\"fail\",\"outage\":true}",
	  NULL, NULL },
	{ "history flaky", 0, "13 failed\n", NULL, "outage" },
	{ "history flaky --json", 0, "\"in_outages\":0,", NULL, "\"outage\":true" },
	{ "history mptcp/alone.sh", 0, "[0.091-3.9], takes 1.0 s\n", NULL, "join" },
	{ "history goes?away", 2, NULL, "no test 'goes?away'", NULL },
	{ "history */goes?away", 0, "vanished: not in the last 70 runs of its program, last in "
	  "000000abc018 (run 50)\n", NULL, NULL },
	{ "history join.sh -n 1", 0, "10 more fit; -n 0 tells all:\n", NULL, NULL },
	{ "history breaks --branch nope", 0, "in no such run", NULL, NULL },
	{ "history breaks --branch exp*", 0, "export debug: 100 passed", NULL, NULL },
	{ "history breaks --since 1d", 0, "in no such run", NULL, NULL },
	{ "history breaks --json", 0, "\"change\":\"regression\",\"behind\":{\"run\":40,", NULL,
	  NULL },
	{ "history flaky --json", 0, "\"not_passed\":[{\"run\":4,\"status\":\"fail\"}", NULL,
	  NULL },
	{ "history", 2, NULL, "which test?", NULL },
	{ "history a b", 2, NULL, "not also 'b'", NULL },
	{ "history nosuch", 2, NULL, "no test 'nosuch'", NULL },
};

static const struct row DIFF[] = {
	{ "diff 118 119", 0, "000000abc03a (run 118) -> 000000abc03b (run 119)\n"
	  "Fails now: 1\n  mptcp/join.sh/now broken\n    debug: pass -> fail\n"
	  "    Failed in 1 of 1 run; before: never in 117, so its rate is up to 2.1 %.", NULL,
	  "\x1b" },
	{ "diff 118 119", 0, "Unchanged: 16 pass, 1 skip\n", NULL, "not compared" },
	{ "diff", 0, "(run 119) -> ", NULL, "Fails now" },
	{ "diff 119", 0, "Unchanged: 1 fail, 16 pass, 1 skip\n", NULL, "Fails now" },
	{ "diff 30..39 41..60", 0, "Hardly by chance.\nFails no more: 1\n  mptcp/alone.sh\n"
	  "    debug: fail 1/10 -> pass\n", NULL, "\n  mptcp/join.sh\n" },
	{ "diff 70 71", 0, "As the one above.", NULL, NULL },
	{ "diff 70 71", 0, "All of debug together:\n    8 tests with a history failed.", NULL,
	  NULL },
	{ "diff 50 51", 0, "Gone: 1\n  mptcp/join.sh/goes away\n    debug: pass -> absent\n", NULL,
	  NULL },
	{ "diff 30 31", 0, "New: 1\n  mptcp/join.sh/comes later\n", NULL, NULL },
	{ "diff 90 91", 0, "Skipped now: 1\n  mptcp/join.sh/needs a tool\n", NULL, NULL },
	{ "diff 118 119 --exit-code", 1, "Fails now: 1", NULL, NULL },
	{ "diff 50 51 --exit-code", 1, "Gone: 1", NULL, NULL },
	{ "diff 119 120 --exit-code", 0, "Unchanged", NULL, NULL },
	{ "diff 118 119 --json", 0, 
	  "\"mine\":{\"says\":\"unusual\",\"chance\":0.004", NULL, NULL },
	{ "diff 9..3 12", 2, NULL, "'9..3' begins after its end", NULL },
	{ "diff 118 119 --branch nope", 2, NULL, "'118' is not of that branch", NULL },
	{ "diff 118 999", 2, NULL, "no run '999'", NULL },
	{ "diff 1 2 3", 2, NULL, "not also '3'", NULL },
};

static const struct row FLAKES[] = {
	{ "flakes", 0, " 10.83%  6.21-17.32       13/120  2024-03-04  mptcp/join.sh/flaky\n", NULL,
	  "mptcp/join.sh\n" },
	{ "flakes", 0, "mptcp/alone.sh\n", NULL, NULL },
	{ "flakes", 0, "1 outage in these 120 runs, each counted once;", NULL, "steady" },
	{ "flakes --sort cost -n 1", 0, "mptcp/join.sh/breaks\n", NULL, "flaky" },
	{ "flakes --sort recent -n 1", 0, "2024-03-12  mptcp/join.sh/now broken\n", NULL, "flaky" },
	{ "flakes --json", 0, "\"outages\":1,", NULL, NULL },
	{ "flakes --json", 0, "\"red\":20,\"alone\":18,\"share\":19,", NULL, NULL },
};

/* ---- names that were ---- */

static const struct row NO_ALIAS[] = {
	{ "alias", 0, "No test is an earlier name of another;", NULL, NULL },
	{ "alias --json", 0, "{\"aliases\":[]}\n", NULL, NULL },
	{ "changes -n 0", 0, "            to confirm: taproom alias mptcp/sockopts.sh "
	  "mptcp/sockopt.sh\n", NULL, NULL },
	{ "changes -n 0", 0, "            to confirm: taproom alias 'mptcp/join.sh/add one "
	  "address' 'mptcp/join.sh/add one address, ipv6'\n", NULL, NULL },
	{ "alias mptcp/join.sh mptcp/sock.sh", 2, NULL, "both ran in 120 runs, the last of them "
	  "120: they are two tests", NULL },
	{ "alias mptcp/join.sh mptcp/join.sh", 2, NULL, "can't be its own earlier name", NULL },
	{ "alias mptcp/join.sh/steady mptcp/join.sh", 2, NULL, "a program: they can't be one",
	  NULL },
	{ "alias mptcp/nosuch mptcp/join.sh", 2, NULL, "no test is called 'mptcp/nosuch'", NULL },
	{ "alias mptcp/join.sh", 2, NULL, "alias takes two tests", NULL },
	{ "alias --remove mptcp/sockopts.sh", 2, NULL, "is no earlier name of another test", NULL },
	{ "alias mptcp/sockopts.sh mptcp/sockopt.sh", 0, NULL,
	  "'mptcp/sockopts.sh' is an earlier name of 'mptcp/sockopt.sh'\n", NULL },
	{ "alias mptcp/sockopts.sh mptcp/sockopt.sh", 0, NULL, "already", NULL },
	{ "alias mptcp/sockopt.sh mptcp/sockopts.sh", 2, NULL, "'mptcp/sockopts.sh' is an earlier "
	  "name of 'mptcp/sockopt.sh' already", NULL },
	{ "alias --file names", 0, NULL, "ipv6'\n", NULL },
	{ "alias --file bad-names", 2, NULL, "bad-names:2: a line is OLD -> NEW", NULL },
};

static const struct row ALIASED[] = {
	{ "alias", 0, "mptcp/sockopts.sh -> mptcp/sockopt.sh\n", NULL, "No test" },
	{ "alias", 0, "mptcp/join.sh/add one address -> mptcp/join.sh/add one address, ipv6\n",
	  NULL, NULL },
	{ "alias --json", 0, "\"name\":\"mptcp/sockopt.sh\"}}", NULL, NULL },
	{ "changes -n 0", 0, "regression", NULL, "renamed?" },
	{ "history sockopts.sh", 0, "mptcp/sockopt.sh\nexport debug: 120 passed\n", NULL, NULL },
	{ "diff 65 66", 0, "Unchanged", NULL, "sockopt" },
	{ "alias --remove mptcp/sockopts.sh", 0, NULL, "is a test of its own", NULL },
	{ "changes -n 0", 0, "renamed?      mptcp/sockopts.sh\n", NULL, "one address, ipv6" },
};

/* ---- known issues ---- */

static const char CONFIG[] =
	"suites:\n"
	"  - {name: mptcp, kind: exec}\n"
	"known:\n"
	"  - {test: mptcp/join/flaky, reason: always was, owner: net}\n"
	"  - {test: mptcp/join.sh/breaks, reason: looked at, since: 2023-12-01}\n"
	"  - {test: mptcp/join/now broken, reason: it was, until: 2024-01-01}\n"
	"  - {test: mptcp/removed.sh, reason: forgotten}\n"
	"  - {test: mptcp/join/steady, reason: over, mode: deb*, branch: export}\n"
	"  - {test: '*/alone', pattern: too slow, reason: when slow}\n";

static const struct row KNOWN[] = {
	{ "known", 0, "live     mptcp/join/flaky\n    always was\n    owner net\n"
	  "    it excuses failures; 13 failures of 1 test\n      mptcp/join.sh/flaky\n"
	  "        export debug: 11 % of 120 [6.2-17]\n", NULL, "\x1b" },
	{ "known", 0, "    hides a change, 2023-12-24: mptcp/join.sh/breaks\n"
	  "      0 % of 40 [0-6.0] -> 100 % of 20 [88-100], up to 000000abc014 (run 41)\n", NULL,
	  NULL },
	{ "known", 0, "expired  mptcp/join/now broken\n", NULL, NULL },
	{ "known", 0, "stale    mptcp/removed.sh\n    forgotten\n    it matches no test", NULL,
	  NULL },
	{ "known", 0, "quiet    mptcp/join/steady\n    over\n    only export deb*\n"
	  "    none of its tests failed: it may be over\n", NULL, NULL },
	{ "known", 0, "    only failures with /too slow\n", NULL, NULL },
	{ "known --exit-code", 1, "stale", NULL, NULL },
	{ "known --exit-code --since 1d", 1, "stale", NULL, "live" },
	{ "known --json", 0, "{\"state\":\"live\",\"rule\":{\"test\":\"mptcp/join/flaky\","
	  "\"reason\":\"always was\",\"owner\":\"net\"},\"tests\":1,\"failing\":1,"
	  "\"failures\":13,\"matched\":[{", NULL, NULL },
	{ "known --json", 0, "\"hides\":{\"branch\":\"export\"", NULL, NULL },
	{ "known x", 2, NULL, "takes no operand", NULL },
	{ "known --config bad.yaml", 2, NULL, "bad.yaml:4:5: the rule has no reason", NULL },
	{ "flakes --config bad.yaml", 2, NULL, "bad.yaml:4:5: the rule has no reason", NULL },
	{ "known --config none.yaml", 2, NULL, "none.yaml", NULL },
	{ "flakes", 0, "mptcp/join.sh/flaky\n        known: always was (net)\n", NULL, "it was" },
	{ "flakes", 0, "        known in part: when slow\n", NULL, NULL },
	{ "flakes --json", 0, "\"known\":{\"test\":\"mptcp/join/flaky\"", NULL, NULL },
	{ "changes -n 0", 0, "            known: looked at\n", NULL, NULL },
	{ "changes", 0, "3 known issues need care: 'taproom known' lists them.\n", NULL, NULL },
	{ "changes --mode debug", 0, "regression", NULL, "need care" },
	{ "diff 3 4 --exit-code", 0, "    known: always was (net)\n", NULL, NULL },
	{ "diff 3 4 --json", 0, "\"known\":{\"test\":\"mptcp/join/flaky\"", NULL, NULL },
	{ "diff 118 119 --exit-code", 1, "Fails now: 1", NULL, "known" },
	{ "diff 33 34 --exit-code", 1, "    known in part: when slow\n", NULL, NULL },
	{ "show 4", 0, "        known: always was (net)\n", NULL, "From the runs before" },
	{ "report 4 --format junit", 0, "<skipped message=\"known: always was (net)\" "
	  "type=\"known\"/>", NULL, "<failure" },
	{ "report 4 --format tap", 0, "# TODO known: always was (net)", NULL, NULL },
	{ "show 4 --json", 0, "\"known\":1,\"verdict\":\"pass\"", NULL, NULL },
	/* Now broken: nobody knew, then it had failed once; the rule held no more. */
	{ "show 119", 0, "\nFrom the runs before: 1 new (0/117)\n", NULL, "it was" },
	{ "show 120", 0, "\nFrom the runs before: 1 known flaky (0.85 % [0.092-3.9], 1/118)\n",
	  NULL, NULL },
	/* An outage is eight tests of which none had ever failed. */
	{ "show 71", 0, "\nFrom the runs before: 8 new (0/70; 0/70; 0/70; ...)\n", NULL, NULL },
	/* It held then. */
	{ "show 1", 0, "run 1", NULL, "From the runs before" },
};

/* ---- which run is the one before ---- */

static void say_lane(struct event_sink sink, const void *arg)
{
	const unsigned run = *(const unsigned *)arg;
	const char *mode = run == 122 ? "debug" : "normal";
	_free_ char *id = xasprintf("20260101-%06u-abcd", run);
	struct event_run r = {
		.id = str_of(id), .title = STR("mptcp"), .branch = STR("export"),
		.command = STR("taproom run mptcp"),
		.time_ms = 1700000000000 + (int64_t)run * DAY,
	};
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &r };

	event_emit(&sink, &ev);
	say_job(sink, EVENT_JOB_BEGIN, 1, mode, NULL);
	say_begin(sink, 1, 1, "alone.sh", 1);
	say_end(sink, 1, 1, "alone.sh", 1, STATUS_PASS, NULL);
	say_job(sink, EVENT_JOB_END, 1, mode, NULL);
	ev.type = EVENT_RUN_END;
	event_emit(&sink, &ev);
}

static const struct row LANES[] = {
	{ "diff", 0, "export normal on qemu: run 121 -> run 123\n", NULL, "not compared" },
	{ "diff latest-1 latest", 0, "export normal on qemu: run 121 -> run 123\n", NULL, NULL },
	{ "diff latest-1 122", 0, "(run 120) -> run 122\n", NULL, "not compared" },
	{ "diff latest-2 latest-1", 0, "export debug on qemu: ", NULL, "run 123" },
	{ "diff latest latest-1", 0, "export normal on qemu: run 123 -> run 121\n", NULL, NULL },
	{ "diff --mode debug", 0, "(run 120) -> run 122\n", NULL, NULL },
	{ "diff latest-2 latest", 2, NULL, "there are not enough runs before run 123 that are like "
	  "it (export normal on qemu, the same suites)", NULL },
	{ "diff latest-1 1", 2, NULL, "there is no run before run 1 that is like it", NULL },
	{ "diff 121 latest", 0, "run 121 -> run 123\n", NULL, "export" },
	{ "diff --mode nope", 2, NULL, "no run 'latest' of that branch and mode", NULL },
};

/* What was kept of outages was of fewer runs. */
static const struct row LATER[] = {
	{ "history mptcp/sock.sh/a", 0, "  1 failure in an outage is in no rate here;", NULL,
	  NULL },
};

/* ---- outages are looked for once, and kept ---- */

static char *book_path(const struct world *w)
{
	_free_ char *dir = path_join(w->place.dir, "taproom/outages");
	DIR *d = opendir(dir);
	char *path = NULL;

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && !path)
			path = path_join(dir, e->d_name);
	if (d)
		closedir(d);
	return path;
}

/* A kept book that is damaged, at any place, is as good as none. */
static void test_book(struct tap *t, struct world *w)
{
	const char *line = "history mptcp/sock.sh/a --json";
	_cleanup_(buf_done) struct buf whole = {}, want = {}, again = {};
	_free_ char *path = book_path(w);
	bool same = true, anew = true;

	if (!ok(t, path && file_read(path, 0, &whole, NULL) == 0 && whole.n > 60,
		"outages are kept in the cache"))
		return;
	call(w, line);
	buf_add_str(&want, buf_str(&w->out));
	for (size_t at = 0; at < whole.n; at += at < 30 ? 9 : 41) {
		char kept = whole.p[at];

		whole.p[at] ^= 1;
		file_write(path, at % 2 ? str_n(whole.p, at) : buf_str(&whole), 0644, NULL);
		whole.p[at] = kept;
		call(w, line);
		same &= str_eq(buf_str(&w->out), buf_str(&want));
		buf_clear(&again);
		anew &= file_read(path, 0, &again, NULL) == 0 &&
			str_eq(buf_str(&again), buf_str(&whole));
	}
	ok(t, want.n && same, "a damaged book changes no answer");
	ok(t, anew, "and is made anew");
	file_write(path, STR(""), 0644, NULL);
	chmod(path, 0);
	call(w, line);
	ok(t, str_eq(buf_str(&w->out), buf_str(&want)), "nor one that can't be read");
}

static void put(const char *path, const char *text)
{
	struct err err = {};

	if (file_write(path, str_of(text), 0644, &err) < 0)
		printf("# %s\n", err.text);
}

int main(int argc, char **argv)
{
	_free_ char *taproom = argc > 1 ? realpath(argv[1], NULL) : NULL;
	struct world w = { .taproom = taproom ? taproom : "taproom" };
	struct tap t = {};

	TAP_HEADER();
	dir_temp("/tmp", "taproom-judged.", &w.place.dir, NULL);
	w.place.path = path_join(w.place.dir, "history.db");
	setenv("XDG_CACHE_HOME", w.place.dir, 1);
	test_rows(&t, &w, EMPTY, ARRAY_SIZE(EMPTY));
	store_open(w.place.path, STORE_WRITE, &w.place.s, &w.place.err);
	for (unsigned i = 0; i < RUNS; i++)
		record(&w.place, say_nth, &i, NULL);
	test_rows(&t, &w, CHANGES, ARRAY_SIZE(CHANGES));
	test_rows(&t, &w, HISTORY, ARRAY_SIZE(HISTORY));
	test_book(&t, &w);
	test_rows(&t, &w, DIFF, ARRAY_SIZE(DIFF));
	test_rows(&t, &w, FLAKES, ARRAY_SIZE(FLAKES));
	/* Rules and files of names are looked for here. */
	is_int(&t, chdir(w.place.dir), 0, "a directory of its own");
	put("names", "# earlier names\n\n  mptcp/join.sh/add one address -> "
		     "mptcp/join.sh/add one address, ipv6\n");
	put("bad-names", "\nmptcp/join.sh\n");
	test_rows(&t, &w, NO_ALIAS, ARRAY_SIZE(NO_ALIAS));
	test_rows(&t, &w, ALIASED, ARRAY_SIZE(ALIASED));
	put("bad.yaml", "suites:\n  - {name: mptcp, kind: exec}\nknown:\n  - test: mptcp\n");
	put("taproom.yaml", CONFIG);
	test_rows(&t, &w, KNOWN, ARRAY_SIZE(KNOWN));
	for (unsigned i = 121; i <= 123; i++)
		record(&w.place, say_lane, &i, NULL);
	test_rows(&t, &w, LANES, ARRAY_SIZE(LANES));
	test_rows(&t, &w, LATER, ARRAY_SIZE(LATER));
	is_int(&t, chdir("/"), 0, "and away");
	buf_done(&w.out);
	buf_done(&w.err);
	place_done(&w.place);
	return tap_done(&t);
}
