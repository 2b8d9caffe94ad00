/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that look back, as a user calls them: argv[1] is taproom.
 */
#include "call.h"

/* ---- a history of three runs; the last one is lost ---- */

static const char LOG[] = "first line\n\x1b[31mred\x1b[0m\nline 3\nline 4\nline 5\nline 6\n";

static void say_nth(struct event_sink sink, const void *arg)
{
	const char *log = arg;
	unsigned i = (unsigned)(strrchr(log, '.')[1] - '0');
	struct str evil[] = { STR("evil \x1b]0;owned\x07\xff") };
	char id[32];

	snprintf(id, sizeof(id), "20260131-09050%u-abcd", i);
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, "pm_netlink.sh", 1);
	say_simple(sink, 1, 1, 0, STATUS_PASS);
	say_simple(sink, 1, 1, 1, i == 2 ? STATUS_FAIL : STATUS_PASS);
	say_result(sink, 1, 1, 2, evil, 1, STR("evil"), STATUS_FLAKY, evil[0]);
	say_end(sink, 1, 1, "pm_netlink.sh", 1, i == 2 ? STATUS_FAIL : STATUS_PASS, log);
	say_job(sink, EVENT_JOB_END, 1, "normal", log);
	if (i != 3)
		say_run(sink, EVENT_RUN_END, id);
}

static void make_history(struct world *w)
{
	for (unsigned i = 1; i <= 3; i++) {
		_free_ char *log = xasprintf("%s/log.%u", w->place.dir, i);

		file_write(log, str_n(LOG, sizeof(LOG) - 1), 0644, NULL);
		record(&w->place, say_nth, log, NULL);
	}
}

/* ---- what is said to what ---- */

static const struct row EMPTY[] = {
	{ "runs", 0, "taproom run", NULL, NULL },
	{ "runs --json", 0, "[]", NULL, NULL },
	{ "flakes", 0, "taproom run", NULL, NULL },
	{ "flakes --json", 0, "\"flakes\":[]", NULL, NULL },
	{ "log latest", 2, NULL, "no store at", NULL },
};

static const struct row ROWS[] = {
	{ "runs", 0, "    3  2023-11-14 22:13  6.12.1-test", NULL, NULL },
	{ "runs", 0, "lost: 2 passed, 1 flaky", NULL, NULL },
	{ "runs -n 1", 0, "    3  ", NULL, "    2  " },
	{ "runs --branch net", 0, "No run fits", NULL, "BEGUN" },
	{ "runs --json", 0, "\"uid\":\"20260131-090503-abcd\"", NULL, NULL },
	{ "runs --json", 0, "\"state\":\"lost\"", NULL, NULL },
	{ "runs --json", 0,
	  "{\"path\":[\"subtest 1\"],\"key\":\"subtest 1\",\"status\":\"fail\",\"number\":2,"
	  "\"ordinal\":1,\"leaf\":true,\"duration_ms\":37,\"reason\":\"because\","
	  "\"log\":{\"from\":4,\"to\":6},\"selector\":\"mptcp/pm_netlink.sh/subtest 1\"}",
	  NULL, "\x1b" },
	{ "runs --json --brief", 0, "\"counts\":{", NULL, "subtest" },
	{ "runs extra", 2, NULL, "takes no operand", NULL },
	{ "log 2 mptcp/pm_netlink.sh/subtest?1", 0, "line 4\nline 5\nline 6\n", NULL, "line 3" },
	{ "log 2 mptcp/pm_netlink --lines 3-4", 0, "line 3\nline 4\n", NULL, "line 5" },
	{ "log 2 pm_netlink --lines 6", 0, "line 6\n", NULL, "line 5" },
	{ "log 2", 0, "\x1b[31mred", NULL, "==>" },
	{ "log latest-2 *", 0, "first line", NULL, NULL },
	{ "log 20260131-090502 --console", 0, "line 6", NULL, NULL },
	{ "log 2 mptcp/pm_netlink/subtest*", 0, "==> mptcp/pm_netlink.sh/subtest 1 <==", NULL,
	  NULL },
	{ "log 2 mptcp/pm_netlnk.sh", 2, NULL, "nearest is 'mptcp/pm_netlink.sh'", NULL },
	{ "log 2 pm_netlink --lines 5-2", 2, NULL, "is no range", NULL },
	{ "log 99", 2, NULL, "no run '99': the newest is 3", NULL },
	{ "log", 2, NULL, "which run?", NULL },
	{ "log 2 a b", 2, NULL, "one selector, not also 'b'", NULL },
	{ "log 2 a --console", 2, NULL, "'a' doesn't go with it", NULL },
	{ "log 2 --json", 2, NULL, "not JSON", NULL },
	{ "runs", 0, "KERNEL       BRANCH  MODE    CONCLUSION", NULL, NULL },
	{ "runs -n 1", 0, "6.12.1-test  export  normal  lost:", NULL, NULL },
	{ "help changes", 0, "95 %", NULL, NULL },
	{ "flakes --since 0s", 2, NULL, "leave it out", NULL },
	{ "help runs", 0, "Usage: taproom runs", NULL, NULL },
	{ "help show", 0, "Common:", NULL, "Options:" },
	{ "help rns", 2, NULL, "did you mean 'runs'?", NULL },
	{ "version", 0, "taproom ", NULL, "Usage" },
	{ "--json runs", 2, NULL, "options go after the command", NULL },
	{ "show 2", 0, "run 2 (20260131-090502-abcd), begun 2023-11-14 22:13 UTC", NULL, NULL },
	{ "show 2", 0, "subtest 1", NULL, "\x1b" },
	{ "show latest", 0, "lost", NULL, NULL },
	{ "show 2 --json", 0, "\"status\":\"fail\"", NULL, "\x1b" },
	{ "show 99", 2, NULL, "no run '99'", NULL },
	{ "show", 2, NULL, "which run?", NULL },
	{ "report 2 --format tap", 0, "not ok", NULL, "\x1b" },
	{ "report 2 --format junit", 0, "<testsuite", NULL, "\x1b" },
	{ "report 2 --format odt", 2, NULL, "no report format 'odt'", NULL },
	{ "report 2 -o /nonexistent/x", 4, NULL, "write '/nonexistent/x", NULL },
	{ "flakes", 0, "33.33%  3.87-82.33          1/3  2023-11-14  mptcp/pm_netlink.sh/subtest 1",
	  NULL, "mptcp/pm_netlink.sh\n" },
	{ "flakes", 0, "mptcp/pm_netlink.sh/evil \\x1b]0;owned", NULL, "\x1b" },
	{ "flakes --json", 0, "\"runs\":[\"pass\",\"fail\",\"pass\"]", NULL, NULL },
	{ "flakes --sort age", 2, NULL, "none of rate, flips, cost", NULL },
	{ "flakes --since 1d", 0, "No run fits", NULL, "taproom run'" },
	{ "flakes --mode nope", 0, "No run fits", NULL, NULL },
	{ "flakes --branch nope", 0, "No run fits", NULL, NULL },
	{ "flakes --since soon", 2, NULL, "2h or 14d", NULL },
};

#define LONG_KERNEL "6.12.1-export-20260131T090503-gabcdef"
#define LONG_END    "Stopped by the user, so far Unstable: 1 failed test(s): the last word"

static void say_stopped(struct event_sink sink, const void *arg)
{
	struct event_job job = { .mode = STR("normal"), .machine = STR("qemu"),
				 .kernel = STR(LONG_KERNEL), .time_ms = 1700000001000 };
	struct event_run run = { .id = STR("20260131-090504-abcd"), .title = STR("mptcp"),
				 .time_ms = 1700000000000 };
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };

	event_emit(&sink, &ev);
	ev = (struct event){ .type = EVENT_JOB_BEGIN, .job = 1, .job_info = &job };
	event_emit(&sink, &ev);
	ev.type = EVENT_JOB_END;
	event_emit(&sink, &ev);
	run.stopped = true;
	run.exit_code = 130;
	run.conclusion = STR(LONG_END);
	ev = (struct event){ .type = EVENT_RUN_END, .run = &run };
	event_emit(&sink, &ev);
}

static const struct row STOPPED[] = {
	{ "runs -n 1", 0, "  " LONG_KERNEL "  normal  " LONG_END "\n", NULL, "stopped" },
	{ "runs -n 0", 0, "    1  ", NULL, NULL },
};

static unsigned widest(struct str text)
{
	unsigned most = 0;

	while (text.n) {
		struct str line = str_cut(&text, '\n');
		unsigned columns = 0;

		for (size_t i = 0; i < line.n; i++)
			columns += ((unsigned char)line.p[i] & 0xc0) != 0x80 &&
				   line.p[i] != '\r';
		most = columns > most ? columns : most;
	}
	return most;
}

/* script(1) is a terminal without a size: 80 columns. */
static void test_width(struct tap *t, struct world *w)
{
	_free_ char *command = xasprintf("exec script -qec 'NO_COLOR=1 \"%s\" runs --store %s' "
					 "/dev/null", w->taproom, w->place.path);
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL };
	int r;

	buf_clear(&w->out);
	buf_clear(&w->err);
	r = proc_run(&spec, &w->out, &w->err, 20000, NULL);
	if (r == 127) {
		ok(t, true, "runs on a terminal # SKIP no script(1)");
		return;
	}
	is_int(t, r, 0, "runs on a terminal");
	is_int(t, widest(buf_str(&w->out)), 80, "has 80 columns");
}

/* ---- the command and the page count the same ---- */

/* What one test said in each run: oldest first. */
static const enum status SAID[] = {
	STATUS_PASS, STATUS_ERROR, STATUS_FAIL, STATUS_SKIP, STATUS_FLAKY, STATUS_ERROR,
};

static void say_said(struct event_sink sink, const void *arg)
{
	const unsigned *i = arg;
	char id[32];

	snprintf(id, sizeof(id), "20260201-09050%u-abcd", *i);
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, "rates.sh", 1);
	say_simple(sink, 1, 1, 0, SAID[*i]);
	say_simple(sink, 1, 1, 1, STATUS_ERROR);
	say_end(sink, 1, 1, "rates.sh", 1, SAID[*i], NULL);
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

/* The text from @from on, up to the next @to; empty where either is missing. */
static struct str between(struct str s, const char *from, const char *to)
{
	ptrdiff_t at = str_find(s, str_of(from)), end;

	if (at < 0)
		return STR("");
	s = str_n(s.p + at, s.n - (size_t)at);
	end = str_find(s, str_of(to));
	return end < 0 ? STR("") : str_n(s.p, (size_t)end);
}

#define SUBTEST(number) "\"program\":\"rates.sh\",\"path\":\"subtest " number "\""

static void test_page(struct tap *t, struct world *w)
{
	_free_ char *site = path_join(w->place.dir, "site");
	_free_ char *page = path_join(site, "flakes.html");
	_free_ char *line = xasprintf("export %s", site);
	_cleanup_(buf_done) struct buf html = {};
	struct str row;

	for (unsigned i = 0; i < ARRAY_SIZE(SAID); i++)
		record(&w->place, say_said, &i, NULL);

	call(w, "flakes --json");
	row = between(buf_str(&w->out), SUBTEST("0"), "]");
	ok(t, str_find(row, STR("\"failed\":2,\"flaky\":1,\"n\":3,")) >= 0,
	   "the command: two of three failed, neither skipped nor errors count");
	ok(t, str_find(row, STR("[\"error\",\"flaky\",\"skip\",\"fail\",\"error\",\"pass\","))
	      >= 0, "all are shown");
	ok(t, !between(buf_str(&w->out), SUBTEST("1"), "]").n,
	   "a test with nothing but harness errors did not fail");

	ok(t, call(w, line) == 0 && file_read(page, 0, &html, NULL) == 0,
	   "the site is written");
	row = between(buf_str(&html), ".html\">subtest 0</a>", "</tr>");
	ok(t, str_find(row, STR("] 2/3</span>")) >= 0 &&
	      str_find(row, STR("<td class=\"error\">")) >= 0,
	   "the page: the same, and errors have their own colour");
}

int main(int argc, char **argv)
{
	struct world w = { .taproom = argc > 1 ? argv[1] : "taproom" };
	struct tap t = {};

	TAP_HEADER();
	dir_temp("/tmp", "taproom-history.", &w.place.dir, NULL);
	w.place.path = path_join(w.place.dir, "history.db");
	setenv("XDG_CACHE_HOME", w.place.dir, 1);
	test_rows(&t, &w, EMPTY, ARRAY_SIZE(EMPTY));
	store_open(w.place.path, STORE_WRITE, &w.place.s, &w.place.err);
	make_history(&w);
	test_rows(&t, &w, ROWS, ARRAY_SIZE(ROWS));
	record(&w.place, say_stopped, NULL, NULL);
	test_rows(&t, &w, STOPPED, ARRAY_SIZE(STOPPED));
	test_width(&t, &w);
	test_page(&t, &w);
	buf_done(&w.out);
	buf_done(&w.err);
	place_done(&w.place);
	return tap_done(&t);
}
