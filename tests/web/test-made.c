/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of stores that are made for what is asked: of few runs, or of much that fails. */
#include "base/file.h"
#include "base/mem.h"
#include "seed.h"
#include "tap.h"
#include "web/history.h"
#include "web/web.h"

/* Of one program; @failed: so many tests of it failed. */
static void one_run(struct store *store, const char *id, struct str mode, int64_t ms,
		    unsigned failed)
{
	struct event_run run = { .id = str_of(id), .branch = STR("export"), .time_ms = ms };
	struct event_job job = { .mode = mode, .machine = STR("qemu"), .time_ms = ms };
	struct event_program p = { .suite = STR("mptcp"), .name = STR("diag.sh"), .attempt = 1,
				   .status = STATUS_PASS, .time_ms = ms };
	struct event events[] = {
		{ .type = EVENT_RUN_BEGIN, .run = &run },
		{ .type = EVENT_JOB_BEGIN, .job = 1, .job_info = &job },
		{ .type = EVENT_PROGRAM_BEGIN, .job = 1, .program = 1, .prog = &p },
		{ .type = EVENT_RESULT, .job = 1, .program = 1 },
		{ .type = EVENT_PROGRAM_END, .job = 1, .program = 1, .prog = &p },
		{ .type = EVENT_JOB_END, .job = 1, .job_info = &job },
		{ .type = EVENT_RUN_END, .run = &run },
	};
	struct store_record *record;
	struct event_sink sink;

	if (store_record_new(store, &record, &(struct err){}) < 0)
		return;
	sink = store_record_sink(record);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		for (unsigned k = 1; events[i].type == EVENT_RESULT && k <= failed; k++) {
			_free_ char *name = xasprintf("test %c%c%c", 'a' + k / 676,
						      'a' + k / 26 % 26, 'a' + k % 26);
			struct str path = str_of(name);
			struct event_result r = { .path = &path, .depth = 1, .key = path,
						  .leaf = true, .number = k, .ordinal = 1,
						  .status = STATUS_FAIL, .exit_code = -1,
						  .duration_ms = -1 };

			events[i].result = &r;
			event_emit(&sink, &events[i]);
		}
		if (events[i].type != EVENT_RESULT)
			event_emit(&sink, &events[i]);
	}
	store_record_free(record);
}

static void is_badge(struct tap *t, const struct web_site *site, struct str mode,
		     const char *want)
{
	const struct web_args args = { .q = { .branch = STR("export"), .mode = mode } };
	_cleanup_(buf_done) struct buf b = {};
	struct err err = {};
	struct out o;

	out_to_buf(&o, &b);
	WEB_PAGES[WEB_BADGE].render(site, &args, &o, &err);
	out_flush(&o);
	ok(t, str_find(buf_str(&b), str_of(want)) > 0, "a badge says %s", want);
}

/* A branch goes on, one of its modes does not: that one is folded. */
static void test_ran_no_more(struct tap *t, const char *dir)
{
	_free_ char *path = path_join(dir, "modes.db");
	_cleanup_(buf_done) struct buf b = {};
	const struct web_args none = {};
	struct web_site *site = NULL;
	struct store *store = NULL;
	struct err err = {};
	ptrdiff_t fold;
	struct out o;

	is_int(t, store_open(path, STORE_WRITE, &store, &err), 0, "a store");
	one_run(store, "a", STR("btf"), INT64_C(1700000000000), 0);
	one_run(store, "b", STR("normal"), INT64_C(1758520800000), 0);
	is_int(t, web_site_new(store, "0", 0, &site, &err), 0, "of two modes");
	out_to_buf(&o, &b);
	is_int(t, WEB_PAGES[WEB_INDEX].render(site, &none, &o, &err), 0, "an index");
	out_flush(&o);
	fold = str_find(buf_str(&b), STR("1 more branch and mode did not run for a month"));
	ok(t, fold > str_find(buf_str(&b), STR(">normal</span>")), "one is in sight");
	ok(t, fold > 0 && fold < str_find(buf_str(&b), STR(">btf</span>")),
	   "the other did not run for a month");
	is_badge(t, site, STR("btf"), "export btf: old");
	is_badge(t, site, STR("normal"), "export normal: passed");
	web_site_free(site);
	store_close(store);
}

static unsigned count(const struct buf *b, struct str what)
{
	unsigned n = 0;
	ptrdiff_t at;

	for (struct str rest = buf_str(b); (at = str_find(rest, what)) >= 0; n++)
		rest = str_from(rest, (size_t)at + what.n);
	return n;
}

/* What a file does not have, no script can find or sort. */
static void test_rows(struct tap *t, const char *dir)
{
	static const struct {
		unsigned failed, rows;
		bool live;
		const char *has, *hasnt;
	} rows[] = {
		{ 400, 150, true, "Tests 1 to 150 of 400", "are sought and sorted" },
		{ 400, 400, false, "<tbody>", "Tests 1 to" },
		{ 700, 600, false, "Tests 1 to 600 of 700; only these are sought and sorted",
		  "Tests below" },
	};
	const struct web_args none = {};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *name = xasprintf("rows-%zu.db", i), *path = path_join(dir, name);
		_cleanup_(buf_done) struct buf b = {};
		struct web_site *site = NULL;
		struct store *store = NULL;
		struct err err = {};
		struct out o;

		is_int(t, store_open(path, STORE_WRITE, &store, &err), 0, "a store");
		one_run(store, "a", STR("normal"), INT64_C(1758520800000), rows[i].failed);
		is_int(t, web_site_new(store, "0", 0, &site, &err), 0, "of much that fails");
		site->live = rows[i].live;
		out_to_buf(&o, &b);
		is_int(t, WEB_PAGES[WEB_FLAKES].render(site, &none, &o, &err), 0, "a flakes page");
		out_flush(&o);
		is_int(t, (int)count(&b, STR("<tr data-v=")), (int)rows[i].rows, "has its rows");
		ok(t, str_find(buf_str(&b), str_of(rows[i].has)) > 0, "with '%s'", rows[i].has);
		ok(t, str_find(buf_str(&b), str_of(rows[i].hasnt)) < 0, "without '%s'",
		   rows[i].hasnt);
		web_site_free(site);
		store_close(store);
	}
}

struct older {
	struct web_args last;
	int n;
};

static int one_more(void *ctx, const struct web_args *args)
{
	struct older *o = ctx;

	o->n++;
	o->last.q = args->q;
	return 0;
}

/* As files so many pages of columns are made as runs have pages, but some; the last says
 * whether that is all. */
static void test_older(struct tap *t, const char *dir)
{
	static const char more[] = "Older runs are not in these files";
	static const struct {
		unsigned window, pages;
		bool all;
	} rows[] = { { 100, 4, false }, { 501, 5, true } };
	_free_ char *path = path_join(dir, "older.db");
	struct store *store = NULL;
	struct err err = {};

	is_int(t, store_open(path, STORE_WRITE, &store, &err), 0, "a store");
	for (unsigned i = 0; i < 510; i++) {
		_free_ char *id = xasprintf("run-%u", i);

		one_run(store, id, STR("normal"), INT64_C(1758520800000) + i * INT64_C(60000),
			i % 50 == 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct older older = {};
		_cleanup_(buf_done) struct buf b = {};
		struct web_site *site = NULL;
		struct out o;

		is_int(t, web_site_new(store, "0", rows[i].window, &site, &err), 0, "a site");
		WEB_PAGES[WEB_FLAKES_OLDER].each(site, one_more, &older, &err);
		is_int(t, older.n, (int)rows[i].pages, "so many pages of older ones");
		out_to_buf(&o, &b);
		is_int(t, WEB_PAGES[WEB_FLAKES_OLDER].render(site, &older.last, &o, &err), 0,
		       "the last of them");
		out_flush(&o);
		is_int(t, str_find(buf_str(&b), STR("title=\"run 1,")) > 0, rows[i].all,
		       "it has the first run, or not");
		is_int(t, str_find(buf_str(&b), str_of(more)) < 0, rows[i].all, "and says so");
		web_site_free(site);
	}
	store_close(store);
}

/* A server has pages of all runs, so what it says and where it links to does not end at
 * the newest that it lists: here one. */
static void test_beyond(struct tap *t, const char *dir)
{
	_free_ char *path = path_join(dir, "beyond.db");
	struct web_site *site = NULL;
	struct store *store = NULL;
	struct err err = {};

	is_int(t, store_open(path, STORE_WRITE, &store, &err), 0, "a store");
	is_int(t, seed_store(store, dir, 15, false, &err), 0, "with a past");
	is_int(t, web_site_new(store, "0", 1, &site, &err), 0, "of which one run is listed");
	site->live = true;
	const struct web_args run = { .run = 13 };
	const struct web_args export = { .q = { .branch = STR("export"), .mode = STR("debug") } };
	const struct web_args test = { .test = web_tests_find(&site->history->tests,
		web_test_hash(STR("mptcp"), STR("mptcp_join.sh"),
			      STR("mptcp_join: fastclose test"), 1)) };
	const struct web_args splat = { .splat = &site->splats[0] };
	const struct {
		enum web_page_id page;
		const struct web_args *args;
		const char *has;
	} rows[] = {
		{ WEB_RUN, &run, "Compared with <a href=\"../run/" },
		{ WEB_TEST, &test, "log</a>" },
		{ WEB_TEST, &test, "expected 3" },
		{ WEB_SPLAT, &splat, "line 3</a>" },
		{ WEB_FLAKES, &(struct web_args){}, "href=\"run/13.html#normal" },
		{ WEB_MATRIX, &(struct web_args){}, "href=\"run/14.html#" },
		{ WEB_BADGE, &export, "export debug: critical" },
		{ WEB_METRICS, &(struct web_args){},
		  "taproom_run_passed{branch=\"export\",mode=\"debug\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct out o;

		out_to_buf(&o, &b);
		is_int(t, WEB_PAGES[rows[i].page].render(site, rows[i].args, &o, &err), 0,
		       WEB_PAGES[rows[i].page].path);
		out_flush(&o);
		ok(t, str_find(buf_str(&b), str_of(rows[i].has)) > 0, "- has %s", rows[i].has);
	}
	web_site_free(site);
	store_close(store);
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	struct tap t = {};
	struct err err = {};

	TAP_HEADER();
	if (!ok(&t, dir_temp("/tmp", "taproom-made-", &dir, &err) == 0, "set up"))
		return tap_done(&t);
	test_ran_no_more(&t, dir);
	test_rows(&t, dir);
	test_older(&t, dir);
	test_beyond(&t, dir);
	return tap_done(&t);
}
