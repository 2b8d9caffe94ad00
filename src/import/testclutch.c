/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database of testclutch (testclutch/db.py, testcasedef.py): testruns, each
 * with testrunmeta (name, value) and testresults. A stranger's file: opened to be
 * read, nothing in it is trusted or written.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "import/text.h"

#define LENGTH_MAX (1 << 20) /* bytes of one value */

enum query { RUNS, META, RESULTS, QUERIES };

static const char *const SQL[] = {
	[RUNS] = "SELECT id, time, repo, origin, account, runid, uniquejobname FROM testruns "
		 "ORDER BY time, id",
	[META] = "SELECT name, value FROM testrunmeta WHERE id = ?",
	[RESULTS] = "SELECT testid, result, resulttext, runtime FROM testresults WHERE id = ? "
		    "ORDER BY rowid",
};

/* TestResult; a number that is none of them, and 0 (not known), is an error. */
static const enum status STATUS[] = {
	STATUS_ERROR, STATUS_PASS, STATUS_FAIL, STATUS_SKIP, STATUS_TIMEOUT, STATUS_FLAKY,
	STATUS_ERROR, STATUS_ERROR,
};

struct base {
	sqlite3 *db;
	sqlite3_stmt *q[QUERIES];
	const char *path;
};

static void base_close(struct base *b)
{
	for (int i = 0; i < QUERIES; i++)
		sqlite3_finalize(b->q[i]);
	sqlite3_close(b->db);
}

static int fail(struct base *b, struct err *err)
{
	return err_set(err, EBADMSG, "'%s' as a database of testclutch: %s", b->path,
		       sqlite3_errmsg(b->db));
}

static int base_open(struct base *b, const char *path, struct err *err)
{
	b->path = path;
	if (sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		return fail(b, err);
	sqlite3_limit(b->db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	sqlite3_db_config(b->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(b->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(b->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	for (int i = 0; i < QUERIES; i++)
		if (sqlite3_prepare_v2(b->db, SQL[i], -1, &b->q[i], NULL) != SQLITE_OK)
			return fail(b, err);
	return 0;
}

static struct str column(sqlite3_stmt *q, int i)
{
	const char *p = (const char *)sqlite3_column_text(q, i);

	return str_n(p, p ? (size_t)sqlite3_column_bytes(q, i) : 0);
}

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p ? s.p : "", s.n), s.n);
}

/* "https://host/owner/curl/" to "curl". */
static struct str last_part(struct str url)
{
	struct str last = STR_NONE;

	while (str_ends(url, STR("/")))
		url.n--;
	for (struct str rest = url; rest.p;)
		last = str_cut(&rest, '/');
	return last;
}

/* 1: another row. */
static int step(struct base *b, enum query q, struct err *err)
{
	int r = sqlite3_step(b->q[q]);

	return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : fail(b, err);
}

static int read_meta(struct base *b, int64_t id, struct arena *a, struct import_run_info *info,
		     struct str *ret_format, struct err *err)
{
	const struct {
		struct str name;
		struct str *to;
	} wanted[] = {
		{ STR("branch"), &info->branch }, { STR("commit"), &info->commit },
		{ STR("cijob"), &info->title },   { STR("testformat"), ret_format },
	};
	int r;

	sqlite3_reset(b->q[META]);
	sqlite3_bind_int64(b->q[META], 1, id);
	while ((r = step(b, META, err)) > 0)
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
			if (str_eq(column(b->q[META], 0), wanted[i].name))
				*wanted[i].to = keep(a, column(b->q[META], 1));
	return r;
}

static int say_results(struct base *b, int64_t id, struct import_run *run, struct err *err)
{
	sqlite3_stmt *q = b->q[RESULTS];
	int r;

	sqlite3_reset(q);
	sqlite3_bind_int64(q, 1, id);
	while ((r = step(b, RESULTS, err)) > 0) {
		int64_t status = sqlite3_column_int64(q, 1), us = sqlite3_column_int64(q, 3);
		struct import_result x = {
			.name = column(q, 0), .number = -1, .duration_ms = -1,
			.status = status >= 0 && status < (int64_t)ARRAY_SIZE(STATUS) ?
				  STATUS[status] : STATUS_ERROR,
			.reason = column(q, 2),
		};

		if (sqlite3_column_type(q, 3) != SQLITE_NULL && us >= 0)
			x.duration_ms = us / 1000;
		import_result(run, &x);
	}
	return r;
}

static int say_run(struct base *b, struct import *im, struct err *err)
{
	_cleanup_(arena_done) struct arena a = {};
	_cleanup_(buf_done) struct buf uid = {};
	sqlite3_stmt *q = b->q[RUNS];
	int64_t id = sqlite3_column_int64(q, 0), time = sqlite3_column_int64(q, 1);
	struct str parts[] = { column(q, 2), column(q, 3), column(q, 4), column(q, 5),
			       column(q, 6) };
	struct import_run_info info = { .machine = parts[1], .mode = parts[4], .title = parts[4] };
	struct str format = STR("tests"), suite;
	struct import_run run;
	int r;

	im->counts.records++;
	if (time <= 0 || time > INT64_MAX / 1000 || !parts[3].n) {
		import_damaged(im, b->path, time <= 0 ? "it has no time" : "it has no runid",
			       "run %" PRId64, id);
		return 0;
	}
	info.begin_ms = time * 1000;
	import_uid(&uid, "testclutch", parts, ARRAY_SIZE(parts));
	info.uid = buf_str(&uid);
	r = read_meta(b, id, &a, &info, &format, err);
	if (r == 0)
		r = import_run_begin(&run, im, &info, err);
	if (r <= 0)
		return r;
	suite = im->suite ? str_of(im->suite) : last_part(parts[0]);
	import_program_begin(&run, suite.n ? suite : STR("testclutch"), format, 1);
	r = say_results(b, id, &run, err);
	import_program_end(&run, STATUS_N, -1, STR_NONE);
	if (r < 0)
		import_run_cancel(&run);
	return r < 0 ? r : import_run_end(&run, STR_NONE, 0, err);
}

static int read_testclutch(struct import *im, const char *path, struct err *err)
{
	_cleanup_(base_close) struct base b = {};
	int r = base_open(&b, path, err);

	while (r >= 0 && (r = step(&b, RUNS, err)) > 0) {
		r = say_run(&b, im, err);
		if (im->progress)
			im->progress(im->ctx, "runs", im->counts.records, 0);
	}
	return r;
}

const struct import_format import_testclutch = {
	.name = "testclutch",
	.summary = "the SQLite database of testclutch",
	.read = read_testclutch,
};
