/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A test that had another name, of another program: its page has what was told then. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "tap.h"
#include "web/history.h"
#include "web/web.h"

struct row {
	const char *program, *name, *reason;
	enum status status;
};

static const struct row RUNS[] = {
	{ "oldest.sh", "it works", "an early reason", STATUS_FAIL },
	{ "old.sh", "it worked", "an old reason", STATUS_FAIL },
	{ "new.sh", "it works well", "a new reason", STATUS_FAIL },
	{ "new.sh", "it works well", "", STATUS_PASS },
};

static int record(struct store *store, unsigned n, const struct row *row, struct err *err)
{
	_free_ char *id = xasprintf("20260101-000000-000%u", n);
	struct event_run run = { .id = str_of(id), .time_ms = 1000 * n };
	struct event_job job = { .mode = STR("normal"), .machine = STR("qemu") };
	struct event_program prog = { .suite = STR("net"), .name = str_of(row->program),
				      .attempt = 1, .status = row->status };
	struct str path = str_of(row->name);
	struct event_result result = { .path = &path, .depth = 1, .key = path, .leaf = true,
				       .status = row->status, .number = 1, .line = 1,
				       .line_from = 1, .line_to = 1, .exit_code = -1,
				       .ordinal = 1, .duration_ms = -1,
				       .reason = str_of(row->reason) };
	const struct event events[] = {
		{ .type = EVENT_RUN_BEGIN, .run = &run },
		{ .type = EVENT_JOB_BEGIN, .job = 1, .job_info = &job },
		{ .type = EVENT_PROGRAM_BEGIN, .job = 1, .program = 1, .prog = &prog },
		{ .type = EVENT_RESULT, .job = 1, .program = 1, .result = &result },
		{ .type = EVENT_PROGRAM_END, .job = 1, .program = 1, .prog = &prog },
		{ .type = EVENT_JOB_END, .job = 1, .job_info = &job },
		{ .type = EVENT_RUN_END, .run = &run },
	};
	struct store_record *r;
	struct event_sink sink;
	int error = store_record_new(store, &r, err);

	if (error < 0)
		return error;
	sink = store_record_sink(r);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		event_emit(&sink, &events[i]);
	error = store_record_error(r, err);
	store_record_free(r);
	return error;
}

struct ids {
	int64_t v[3]; /* the oldest name first */
};

static int on_test(void *ctx, const struct store_test *t)
{
	struct ids *ids = ctx;

	if (t->leaf && !t->whole)
		for (unsigned i = 0; i < 3; i++)
			if (str_eq(t->program, str_of(RUNS[i].program)))
				ids->v[i] = t->id;
	return 0;
}

static void test_page(struct tap *t, struct store *store)
{
	const struct store_tests_filter all = {};
	struct web_args args = {};
	struct web_site *site = NULL;
	_cleanup_(buf_done) struct buf b = {};
	struct ids ids = {};
	struct err err = {};
	struct out o;

	is_int(t, store_tests(store, &all, on_test, &ids, &err), 0, "tests");
	is_int(t, store_alias(store, ids.v[0], ids.v[1], &err), 0, "it had one name");
	is_int(t, store_alias(store, ids.v[1], ids.v[2], &err), 0, "then another");
	if (!ok(t, web_site_new(store, "0", 0, &site, &err) == 0, "a site"))
		return;
	args.test = web_tests_find(&site->history->tests,
				   web_test_hash(STR("net"), STR("new.sh"),
						 STR("it works well"), 1));
	out_to_buf(&o, &b);
	if (ok(t, args.test != NULL, "with its page"))
		is_int(t, WEB_PAGES[WEB_TEST].render(site, &args, &o, &err), 0, "rendered");
	out_flush(&o);
	ok(t, str_find(buf_str(&b), STR("Failed 3 times in 4 runs")) > 0, "all its past is there");
	for (unsigned i = 0; i < 3; i++)
		ok(t, str_find(buf_str(&b), str_of(RUNS[i].reason)) > 0, "and %s", RUNS[i].reason);
	web_site_free(site);
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct store *store = NULL;
	struct tap t = {};
	struct err err = {};

	TAP_HEADER();
	if (!ok(&t, dir_temp("/tmp", "taproom-names-", &dir, &err) == 0, "set up"))
		return tap_done(&t);
	path = path_join(dir, "history.db");
	if (!ok(&t, store_open(path, STORE_WRITE, &store, &err) == 0, "a store"))
		return tap_done(&t);
	for (unsigned i = 0; i < ARRAY_SIZE(RUNS); i++)
		is_int(&t, record(store, i + 1, &RUNS[i], &err), 0, "a run");
	test_page(&t, store);
	store_close(store);
	return tap_done(&t);
}
