/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages against golden files (UPDATE_GOLDEN=1 rewrites them), and the pieces
 * they are made of. The argument is the directory of the golden files.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "seed.h"
#include "tap.h"
#include "web/history.h"
#include "web/known.h"
#include "web/pages.h"

/* ---- pieces ---- */

struct path_row {
	enum web_page_id page;
	struct web_args args;
	const char *want;
};

static const struct path_row PATHS[] = {
	{ WEB_RUNS, {}, "runs.html" },
	{ WEB_INDEX, {}, "index.html" },
	{ WEB_RUN, { .run = 17 }, "run/17.html" },
	{ WEB_LOG, { .run = 17, .program = 3 }, "run/17/log-3.html" },
	{ WEB_CONSOLE_RAW, { .run = 17, .job = 2 }, "run/17/console-2.txt" },
	{ WEB_FLAKES_BRANCH_MODE, { .q.branch = STR("net-next"), .q.mode = STR("debug") },
	  "flakes/branch/net-next/debug.html" },
	{ WEB_FLAKES_BRANCH, { .q.branch = STR("a/b") }, "flakes/branch/a-b-3a8e75c1.html" },
	{ WEB_FLAKES_BRANCH, { .q.branch = STR("../x") }, "flakes/branch/-.-x-5c237dda.html" },
	{ WEB_BADGE, { .q.branch = STR("net-next"), .q.mode = STR("debug") },
	  "badge/net-next/debug.svg" },
	{ WEB_FLAKES_MODE, { .q.mode = STR("\"><b>") }, "flakes/mode/---b--c78877d3.html" },
};

static void test_paths(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(PATHS); i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct out o;

		out_to_buf(&o, &b);
		web_path(PATHS[i].page, &PATHS[i].args, &o);
		out_flush(&o);
		is_str(t, b.p, PATHS[i].want, "path");
	}
}

struct lines_row {
	const char *name, *in;
	bool plain;
	struct web_range range, keep;
	const char *want;
};

static const struct lines_row LINES[] = {
	{ "a number is a link", "a\nb", false, {}, {},
	  "<a id=\"L1\" href=\"#L1\">1</a>a\n<a id=\"L2\" href=\"#L2\">2</a>b\n" },
	{ "markup is text", "<b>&\n", true, {}, {}, "&lt;b&gt;&amp;\n" },
	{ "colours and returns go", "\033[1;31mred\033[0m\r\n", true, {}, {}, "red\n" },
	{ "a half sequence harms nothing", "x\033[3", true, {}, {}, "x\n" },
	{ "invalid bytes are marked", "\xff\n", true, {}, {}, "\xef\xbf\xbd\n" },
	{ "a range is a block", "a\nb\nc\n", false, { 2, 3, STATUS_FAIL, false }, {},
	  "<a id=\"L1\" href=\"#L1\">1</a>a\n"
	  "<span class=\"range fail\" id=\"L2\"><a href=\"#L2\">2</a>b\n"
	  "<a id=\"L3\" href=\"#L3\">3</a>c\n</span>" },
	{ "an open range is closed", "a\n", false, { 1, 9, STATUS_PASS, false }, {},
	  "<span class=\"range pass\" id=\"L1\"><a href=\"#L1\">1</a>a\n</span>" },
	{ "what is left out is counted", "a\nb\nc\nd\n", true, {}, { .from = 3, .to = 3 },
	  "<span class=\"cut\">2 lines left out</span>\nc\n"
	  "<span class=\"cut\">1 line left out</span>\n" },
};

static void test_lines(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(LINES); i++) {
		const struct lines_row *row = &LINES[i];
		_cleanup_(buf_done) struct buf b = {};
		struct out o, feed;
		struct web_lines l = { .out = &o, .plain = row->plain };

		if (row->range.to) {
			l.ranges = &row->range;
			l.n_ranges = 1;
		}
		if (row->keep.to) {
			l.keep = &row->keep;
			l.n_keep = 1;
		}
		out_to_buf(&o, &b);
		lines_out(&l, &feed);
		for (const char *p = row->in; *p; p++) { /* byte by byte */
			out_char(&feed, *p);
			out_flush(&feed);
		}
		lines_done(&l);
		out_flush(&o);
		is_str(t, b.p, row->want, row->name);
	}
}

static void test_long_line(struct tap *t)
{
	_cleanup_(buf_done) struct buf b = {};
	struct out o, feed;
	struct web_lines l = { .out = &o, .plain = true };

	out_to_buf(&o, &b);
	lines_out(&l, &feed);
	for (int i = 0; i < 1 << 20; i++)
		out_lit(&feed, "é");
	out_lit(&feed, "\nnext\n");
	out_flush(&feed);
	lines_done(&l);
	out_flush(&o);
	ok(t, b.n < 2000, "a line of 2 MB is cut");
	ok(t, str_find(buf_str(&b), STR("more bytes")) > 0, "and says so");
	ok(t, str_find(buf_str(&b), STR("\xef\xbf\xbd")) < 0, "between two characters");
	ok(t, str_find(buf_str(&b), STR("next\n")) > 0, "and the next line is there");
}

/* ---- pages ---- */

#define WINDOW 4 /* runs that the golden site shows, of 15 */

struct golden_row {
	const char *name;
	enum web_page_id page;
	struct web_args args;
	const char *test[3]; /* suite, program, key */
	const char *splat;   /* its fingerprint */
};

static const struct golden_row GOLDENS[] = {
	{ "index.html", WEB_INDEX, {} },
	{ "runs.html", WEB_RUNS, {} },
	{ "matrix.html", WEB_MATRIX, {} },
	{ "splats.html", WEB_SPLATS, {} },
	{ "splat.html", WEB_SPLAT, {}, {}, "5b1cf7a0d2e94c31" },
	{ "run-passed.html", WEB_RUN, { .run = 8 } },
	{ "run-failed.html", WEB_RUN, { .run = 13 } },
	{ "run-critical.html", WEB_RUN, { .run = 14 } },
	{ "diff.html", WEB_DIFF, { .run = 14 } },
	{ "log.html", WEB_LOG, { .run = 14, .program = 4 } },
	{ "console.html", WEB_CONSOLE, { .run = 14, .job = 1 } },
	{ "test.html", WEB_TEST, {}, { "mptcp", "mptcp_join.sh", "mptcp_join: fastclose test" } },
	{ "test-program.html", WEB_TEST, {}, { "mptcp", "diag.sh", "" } },
	{ "flakes.html", WEB_FLAKES, {} },
	{ "flakes-debug.html", WEB_FLAKES_MODE, { .q.mode = STR("debug") } },
};

/* A change of the style sheet is not one of the pages. */
static void hide_hashes(struct buf *b)
{
	static const enum web_page_id assets[] = { WEB_STYLE, WEB_SCRIPT };
	char hash[16];

	for (size_t i = 0; i < ARRAY_SIZE(assets); i++) {
		ptrdiff_t at;

		snprintf(hash, sizeof(hash), "%08x", web_asset_hash(assets[i]));
		at = str_find(buf_str(b), str_of(hash));
		if (at >= 0)
			memcpy(b->p + at, "00000000", 8);
	}
}

static void golden(struct tap *t, const char *dir, const char *name, struct buf *got)
{
	_free_ char *path = path_join(dir, name);
	_cleanup_(buf_done) struct buf want = {};
	struct err err = {};

	hide_hashes(got);
	if (getenv("UPDATE_GOLDEN")) {
		ok(t, file_write(path, buf_str(got), 0644, &err) == 0, "wrote %s", name);
		return;
	}
	if (file_read(path, 0, &want, &err) < 0) {
		ok(t, false, "%s: %s", name, err.text);
		return;
	}
	if (!ok(t, str_eq(buf_str(got), buf_str(&want)), "%s", name)) {
		struct str a = buf_str(got), b = buf_str(&want), la = {}, lb = {};

		while (str_eq(la, lb) && a.p && b.p) {
			la = str_cut(&a, '\n');
			lb = str_cut(&b, '\n');
		}
		printf("#  got: %.*s\n# want: %.*s\n", STR_FMT(la), STR_FMT(lb));
	}
}

static const struct web_test *test_named(const struct web_site *site, const char *const name[3])
{
	return web_tests_find(&site->history->tests,
			      web_test_hash(str_of(name[0]), str_of(name[1]), str_of(name[2]), 1));
}

/* There and back; what only ever passed has an address on a server alone. */
static void test_addresses(struct tap *t, struct web_site *site)
{
	static const struct {
		const char *name[3];
		bool page;
	} rows[] = {
		{ { "mptcp", "mptcp_join.sh", "mptcp_join: fastclose test" }, true },
		{ { "mptcp", "diag.sh", "diag: ....chk last_data_sent" }, true },
		{ { "mptcp", "diag.sh", "" }, false },
		{ { "mptcp", "pm_netlink.sh", "pm_netlink: dump addrs" }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct web_args args = { .test = test_named(site, rows[i].name) }, back = {};
		_cleanup_(buf_done) struct buf b = {};
		enum web_page_id id = WEB_PAGE_N;
		struct out o;

		if (!ok(t, args.test && args.test->page == rows[i].page, "which has a page %s",
			rows[i].name[2]))
			continue;
		out_to_buf(&o, &b);
		web_path(WEB_TEST, &args, &o);
		out_flush(&o);
		is_int(t, web_route(site, buf_str(&b), &id, &back), rows[i].page, "as a file");
		site->live = true;
		is_int(t, web_route(site, buf_str(&b), &id, &back), 1, "on a server");
		ok(t, back.test == args.test && id == WEB_TEST, "and back");
		b.p[b.n - 6] = b.p[b.n - 6] == '0' ? '1' : '0';
		is_int(t, web_route(site, buf_str(&b), &id, &back), 0, "none beside it");
		site->live = false;
	}
}

/* As the store counts results of one key. */
static void test_nth(struct tap *t)
{
	struct web_nth n = {};
	bool first = true;

	for (unsigned i = 0; i < 5000; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", i % 2500);
		first &= web_nth(&n, str_of(key)) == 1 + i / 2500;
	}
	ok(t, first, "the second of each of 2,500 keys is the second");
	is_int(t, web_nth(&n, STR("7")), 3, "and the third the third");
	free(n.v);
}

static void test_pages(struct tap *t, const struct web_site *site, const char *dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(GOLDENS); i++) {
		const struct golden_row *row = &GOLDENS[i];
		struct web_args args = row->args;
		_cleanup_(buf_done) struct buf b = {};
		struct err err = {};
		struct out o;
		int r;

		if (row->test[0])
			args.test = test_named(site, row->test);
		if (row->splat)
			args.splat = web_site_splat(site, str_of(row->splat));
		out_to_buf(&o, &b);
		r = WEB_PAGES[row->page].render(site, &args, &o, &err);
		if (!ok(t, r == 0 && out_flush(&o) == 0, "render %s %s", row->name, err.text))
			continue;
		golden(t, dir, row->name, &b);
	}
}

/* Of what fails in the 12th run, the run before knew one and had not the other. */
static void test_compared(struct tap *t, const struct web_site *site)
{
	const struct web_args args = { .run = 12 };
	_cleanup_(buf_done) struct buf b = {};
	struct err err = {};
	struct out o;

	out_to_buf(&o, &b);
	is_int(t, WEB_PAGES[WEB_RUN].render(site, &args, &o, &err), 0, "a run's page");
	out_flush(&o);
	ok(t, str_find(buf_str(&b), STR(" before it, 1 fails that did not, and 1 fails no more; "
					"1 fails that it did not have: ")) > 0,
	   "tells a failure of a test that was not there apart");
}

/* What the seed broke in its 12th run and left broken; what is skipped always. */
static void test_judged(struct tap *t, const struct web_site *site)
{
	const struct judge_flakes_filter all = { .steady = true, .mode = STR("debug"),
						 .outages = site->history->outages };
	struct judge_flakes f;
	bool sorted = true;
	unsigned seen = 0;

	judge_flakes(site->history->judge, &all, &f);
	judge_flakes_sort(&f, JUDGE_SORT_STREAK);
	for (size_t i = 1; i < f.n; i++)
		sorted &= f.v[i].streak <= f.v[i - 1].streak;
	ok(t, sorted && f.n && f.v[0].streak > 0, "the longest streak of failures is on top");
	for (size_t i = 0; i < f.n; i++) {
		const struct judge_flake *x = &f.v[i];

		if (str_eq(x->s->path, STR("mptcp_join: fastclose test"))) {
			is_int(t, x->flips, 1, "it flipped once");
			is_int(t, x->streak, (int)x->counts[STATUS_FAIL], "and fails since");
			is_int(t, judge_flake_cell(x, x->last), STATUS_FAIL, "as its cell says");
			is_int(t, judge_flake_cell(x, f.n_runs - 1), JUDGE_CELL_NO_RUN,
			       "in a run without that mode it has none");
			is_int(t, judge_flake_cell(x, 0), STATUS_PASS, "at first it passed");
			seen++;
		}
		if (str_eq(x->s->path, STR("diag: ....chk last_data_sent"))) {
			is_int(t, x->last, UINT32_MAX, "what is skipped never failed");
			is_int(t, x->flips, 0, "nor flipped");
			is_int(t, (int)x->rate.n, 0, "it says nothing");
			seen++;
		}
	}
	is_int(t, seen, 2, "both were there");
	judge_flakes_done(&f);
}

/* Pages as a server asks for them. */
static void test_live(struct tap *t, struct web_site *site)
{
	const struct {
		enum web_page_id page;
		struct web_args args;
		const char *has, *hasnt;
	} views[] = {
		{ WEB_FLAKES, { .q = { .status = 1u << STATUS_PASS, .sort = JUDGE_SORT_NAME } },
		  "no msk on netns creation", "No test fits" },
		{ WEB_FLAKES, { .q = { .mode = STR("debug"), .name = STR("*fastclose*") } },
		  "fastclose test", "No test fits" },
		{ WEB_FLAKES, { .q = { .mode = STR("\"><script>") } }, "No run fits", " since " },
		{ WEB_FLAKES,
		  { .q = { .flips = 2, .days = 1, .known = WEB_KNOWN_NO, .skip = 100000 } },
		  "No test fits", "No run fits" },
		/* A period holds also where a branch has few runs in it, or none. */
		{ WEB_FLAKES, { .q = { .branch = STR("net-next"), .days = 1 } },
		  " failed at least once in 2 runs since ", "title=\"run 6," },
		{ WEB_FLAKES, { .q = { .branch = STR("net-next"), .days = 1, .before = 10 } },
		  "No run fits", "title=\"run " },
		{ WEB_FLAKES, { .q = { .days = 1 } }, "title=\"run 15,", "title=\"run 6," },
		{ WEB_ABOUT, {}, "Kinds of splats", "Runs with a page" },
		{ WEB_RUNS, { .q = { .mode = STR("debug") } }, "Only those of all branches",
		  "net-next" },
		{ WEB_RUNS, {}, "<button>Compare</button>", "Only those" },
		{ WEB_DIFF_ANY, {}, "<h1>Compare runs</h1>", "Unchanged" },
		{ WEB_DIFF_ANY, { .q = { .a = { 1, 1 }, .b = { 2, 5 } } },
		  "<h1>Run 1, and runs 2 to 5</h1>", "can be compared" },
		/* One of export, the other of net-next. */
		{ WEB_DIFF_ANY, { .q = { .a = { 2, 2 }, .b = { 3, 3 } } },
		  "Nothing of them can be compared", "No test did anything else" },
	};

	site->live = true;
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct err err = {};
		struct out o;

		out_to_buf(&o, &b);
		is_int(t, WEB_PAGES[views[i].page].render(site, &views[i].args, &o, &err), 0,
		       "a view");
		out_flush(&o);
		ok(t, str_find(buf_str(&b), str_of(views[i].has)) > 0, "with '%s'", views[i].has);
		ok(t, str_find(buf_str(&b), str_of(views[i].hasnt)) < 0, "without '%s'",
		   views[i].hasnt);
		ok(t, str_find(buf_str(&b), STR("<script>")) < 0, "and no markup of others");
	}
	site->live = false;
}

/* A rule is about a test in a mode; another about a part of its failures. */
static bool find_rule(const void *ctx, const struct judge_series *s, struct web_excuse *ret)
{
	bool some = str_eq(s->path, STR("mptcp_join: signal address, ADD_ADDR timeout"));

	if (!str_eq(s->lane->axis->mode, STR("debug")) ||
	    (!some && !str_eq(s->path, STR("mptcp_join: fastclose test"))))
		return false;
	*ret = (struct web_excuse){
		{ STR("too <slow>"), STR("https://example.org/1"), STR("net"), STR("2030-01-31") },
		some };
	return true;
}

static void test_known(struct tap *t, struct web_site *site)
{
	static const struct web_rules rules = { find_rule, NULL };
	static const char *const fastclose[] = { "mptcp", "mptcp_join.sh",
						 "mptcp_join: fastclose test" };
	const struct {
		enum web_page_id page;
		struct web_args args;
		const char *has, *hasnt;
	} rows[] = {
		{ WEB_FLAKES, {}, ">known</span>", "too <slow>" },
		{ WEB_FLAKES, {}, ">known in part</span>", "No test fits" },
		{ WEB_FLAKES, { .q = { .known = WEB_KNOWN_YES, .mode = STR("debug") } },
		  "fastclose test", "ADD_ADDR timeout" },
		{ WEB_FLAKES, { .q = { .known = WEB_KNOWN_NO, .mode = STR("debug") } },
		  "ADD_ADDR timeout", "fastclose test</a>" },
		{ WEB_TEST, { .test = test_named(site, fastclose) },
		  "<b>Known:</b> too &lt;slow&gt; (net, until 2030-01-31) "
		  "<a href=\"https://example.org/1\">", "too <slow>" },
		{ WEB_RUN, { .run = 13 }, "<b>Known:</b> too &lt;slow&gt;", "too <slow>" },
	};

	site->rules = &rules;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct err err = {};
		struct out o;

		out_to_buf(&o, &b);
		is_int(t, WEB_PAGES[rows[i].page].render(site, &rows[i].args, &o, &err), 0,
		       "a page with rules");
		out_flush(&o);
		ok(t, str_find(buf_str(&b), str_of(rows[i].has)) > 0, "has %s", rows[i].has);
		ok(t, str_find(buf_str(&b), str_of(rows[i].hasnt)) < 0, "not %s", rows[i].hasnt);
	}
	site->rules = NULL;
}

static void test_no_page(struct tap *t, const struct web_site *site)
{
	const struct web_args none = { .run = 999 };
	_cleanup_(buf_done) struct buf b = {};
	struct err err = {};
	struct out o;

	out_to_buf(&o, &b);
	is_int(t, WEB_PAGES[WEB_RUN].render(site, &none, &o, &err), -ENOENT, "no such run");
	is_int(t, WEB_PAGES[WEB_DIFF].render(site, &none, &o, &err), -ENOENT, "nor before it");
}

static void test_empty(struct tap *t, const char *dir)
{
	_free_ char *path = path_join(dir, "empty.db");
	_cleanup_(buf_done) struct buf b = {};
	const struct web_args none = {};
	struct web_site *site = NULL;
	struct store *store = NULL;
	struct err err = {};
	struct out o;

	is_int(t, store_open(path, STORE_WRITE, &store, &err), 0, "an empty store");
	is_int(t, web_site_new(store, "0", 0, &site, &err), 0, "has a site");
	out_to_buf(&o, &b);
	is_int(t, WEB_PAGES[WEB_INDEX].render(site, &none, &o, &err), 0, "an index");
	is_int(t, WEB_PAGES[WEB_RUNS].render(site, &none, &o, &err), 0, "a list of runs");
	is_int(t, WEB_PAGES[WEB_FLAKES].render(site, &none, &o, &err), 0, "a flakes page");
	out_flush(&o);
	ok(t, str_find(buf_str(&b), STR("taproom run")) > 0, "that says how to begin");
	web_site_free(site);
	store_close(store);
}

int main(int argc, char **argv)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct web_site *site = NULL;
	struct store *store = NULL;
	struct tap t = {};
	struct err err = {};

	TAP_HEADER();
	test_paths(&t);
	test_lines(&t);
	test_long_line(&t);
	test_nth(&t);
	if (!ok(&t, argc == 2 && dir_temp("/tmp", "taproom-web-", &dir, &err) == 0, "set up"))
		return tap_done(&t);
	path = path_join(dir, "history.db");
	if (ok(&t, store_open(path, STORE_WRITE, &store, &err) == 0, "a store %s", err.text) &&
	    ok(&t, seed_store(store, dir, 15, false, &err) == 0, "with a past %s", err.text) &&
	    ok(&t, web_site_new(store, "1.0", WINDOW, &site, &err) == 0, "a site")) {
		test_pages(&t, site, argv[1]);
		test_addresses(&t, site);
		test_no_page(&t, site);
		test_compared(&t, site);
	test_judged(&t, site);
		test_live(&t, site);
		test_known(&t, site);
	}
	web_site_free(site);
	store_close(store);
	test_empty(&t, dir);
	return tap_done(&t);
}
