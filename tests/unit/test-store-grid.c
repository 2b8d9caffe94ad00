/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grid: tests by runs, each cell what happened, absent never green.
 */
#include "store-place.h"

/* What one run of the window says; a letter a run, oldest first. */
static void say_nth(struct event_sink sink, const void *arg)
{
	unsigned i = *(const unsigned *)arg;
	struct str ports[] = { i < 3 ? STR("12 ports: signal") : STR("13 ports: signal") };
	char id[16];

	snprintf(id, sizeof(id), "run-%u", i);
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_job(sink, EVENT_JOB_BEGIN, 2, "debug", NULL);
	say_begin(sink, 1, 1, "join.sh", 1);
	say_simple(sink, 1, 1, 0, STATUS_PASS);
	/* Not in the second run; skipped in the fourth. */
	if (i != 2)
		say_simple(sink, 1, 1, 1, i == 4 ? STATUS_SKIP : STATUS_PASS);
	say_result(sink, 1, 1, 2, ports, 1, STR("ports: signal"),
		   i % 2 ? STATUS_PASS : STATUS_FAIL, STR(""));
	say_end(sink, 1, 1, "join.sh", 1, i % 2 ? STATUS_PASS : STATUS_FAIL, NULL);
	/* Its retry passes in the second run, fails again in the fourth. */
	if (i % 2 == 0) {
		say_begin(sink, 1, 3, "join.sh", 2);
		say_simple(sink, 1, 3, 0, STATUS_PASS);
		say_result(sink, 1, 3, 2, ports, 1, STR("ports: signal"),
			   i == 2 ? STATUS_PASS : STATUS_FAIL, STR(""));
		say_end(sink, 1, 3, "join.sh", 2, i == 2 ? STATUS_PASS : STATUS_FAIL, NULL);
	}
	say_program(sink, 2, 2, "join.sh", 1, i == 1);
	say_begin(sink, 2, 4, "dead.sh", 1);
	say_end(sink, 2, 4, "dead.sh", 1, i == 3 ? STATUS_CRASH : STATUS_PASS, NULL);
	say_run(sink, EVENT_RUN_END, id);
}

static int on_head(void *ctx, const int64_t *runs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_printf(ctx, "%d ", (int)runs[i]);
	return buf_printf(ctx, "\n");
}

static int on_row(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	buf_printf(ctx, "%.*s/%.*s [%.*s]%s ", STR_FMT(s->program), STR_FMT(s->path),
		   STR_FMT(s->mode), s->leaf ? "" : " parent");
	for (unsigned i = 0; i < n; i++)
		buf_printf(ctx, "%s", cells[i] == STORE_CELL_ABSENT ? "." :
			   STATUS_INFO[cells[i]].mark);
	return buf_printf(ctx, " n=%d bad=%d flaky=%d last=%d\n", (int)s->n, (int)s->bad,
			  (int)s->flaky, (int)s->last_bad_run);
}

struct row {
	const char *name;
	struct store_grid_filter f;
	const char *want;
};

static const struct row ROWS[] = {
	{ "what ever differed from a pass", { .branch = "export" },
	  "4 3 2 1 \n"
	  "dead.sh/ [debug] ✓#✓✓ n=4 bad=1 flaky=0 last=3\n"
	  "join.sh/ [debug] parent ✓✓✓✗ n=4 bad=1 flaky=0 last=1\n"
	  "join.sh/ [normal] parent ✗✓~✓ n=4 bad=1 flaky=1 last=4\n"
	  "join.sh/subtest 0 [debug] ✓✓✓✗ n=4 bad=1 flaky=0 last=1\n"
	  "join.sh/subtest 1 [normal] -✓.✓ n=3 bad=0 flaky=0 last=0\n"
	  "join.sh/13 ports: signal [normal] ✗✓~✓ n=4 bad=1 flaky=1 last=4\n" },
	{ "everything in one mode", { .mode = "debug", .all = true, .runs = 2 },
	  "4 3 \n"
	  "dead.sh/ [debug] ✓# n=2 bad=1 flaky=0 last=3\n"
	  "join.sh/ [debug] parent ✓✓ n=2 bad=0 flaky=0 last=0\n"
	  "join.sh/subtest 0 [debug] ✓✓ n=2 bad=0 flaky=0 last=0\n" },
	{ "another suite", { .suite = "bpf" }, "4 3 2 1 \n" },
	{ "another branch", { .branch = "net" }, "\n" },
	{ "another time", { .since_ms = 1800000000000 }, "\n" },
};

static void test_grid(struct tap *t)
{
	struct place p;

	place_init(&p);
	for (unsigned i = 1; i <= 4; i++)
		record(&p, say_nth, &i, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		_cleanup_(buf_done) struct buf got = {};

		if (store_grid(p.s, &ROWS[i].f, on_head, on_row, &got, &p.err) < 0)
			printf("# %s\n", p.err.text);
		is_str(t, got.p, ROWS[i].want, ROWS[i].name);
	}
	place_done(&p);
}

/* What a first attempt and its retry say together. */
struct retry {
	enum status first, second, want;
};

static const struct retry RETRIES[] = {
	{ STATUS_FAIL, STATUS_PASS, STATUS_FLAKY },
	{ STATUS_TIMEOUT, STATUS_FAIL, STATUS_FAIL },
	{ STATUS_ERROR, STATUS_PASS, STATUS_PASS },
	{ STATUS_ERROR, STATUS_FAIL, STATUS_FAIL },
	{ STATUS_ERROR, STATUS_ERROR, STATUS_ERROR },
};

static void say_retries(struct event_sink sink, const void *arg)
{
	say_run(sink, EVENT_RUN_BEGIN, "retries");
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	for (unsigned attempt = 1; attempt <= 2; attempt++) {
		say_begin(sink, 1, attempt, "join.sh", attempt);
		for (unsigned i = 0; i < ARRAY_SIZE(RETRIES); i++)
			say_simple(sink, 1, attempt, i,
				   attempt == 1 ? RETRIES[i].first : RETRIES[i].second);
		say_end(sink, 1, attempt, "join.sh", attempt, STATUS_FAIL, NULL);
	}
	say_run(sink, EVENT_RUN_END, "retries");
}

static int no_head(void *ctx, const int64_t *runs, unsigned n)
{
	return 0;
}

static int on_retry(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	unsigned i;

	if (sscanf(s->path.p, "subtest %u", &i) == 1 && i < ARRAY_SIZE(RETRIES))
		((uint8_t *)ctx)[i] = cells[0];
	return 0;
}

static void test_retries(struct tap *t)
{
	struct store_grid_filter f = { .all = true };
	uint8_t got[ARRAY_SIZE(RETRIES)];
	struct place p;

	memset(got, STORE_CELL_ABSENT, sizeof(got));
	place_init(&p);
	record(&p, say_retries, NULL, NULL);
	store_grid(p.s, &f, no_head, on_retry, got, &p.err);
	for (size_t i = 0; i < ARRAY_SIZE(RETRIES); i++)
		ok(t, got[i] == RETRIES[i].want, "%s, then %s: %s",
		   STATUS_INFO[RETRIES[i].first].name, STATUS_INFO[RETRIES[i].second].name,
		   STATUS_INFO[RETRIES[i].want].name);
	place_done(&p);
}

/* In the order of an index and with a limit, or over the runs that are not
 * folded yet, a scan is short. So is sorting all of a program's series. */
static bool is_long_walk(const char *step, const char *sql)
{
	static const char *const shorts[] = { "INDEX run_begin", "INDEX run_unfolded",
					      "CONSTANT ROW" };

	for (size_t i = 0; i < ARRAY_SIZE(shorts); i++)
		if (strstr(step, shorts[i]))
			return false;
	return strstr(step, "SCAN") || (strstr(step, "TEMP B-TREE") && strstr(sql, "LIMIT"));
}

/* No question may walk through the whole history. */
static void test_plans(struct tap *t)
{
	static const enum sql questions[] = {
		SQL_RUN_GET, SQL_RUN_BY_UID, SQL_JOBS, SQL_SLICES, SQL_TIMES, SQL_PROBLEMS,
		SQL_SPLATS, SQL_SPLATS_OF, SQL_ARTEFACT, SQL_PROGRAM_FIND, SQL_SERIES_FIND,
		SQL_SERIES_LIST, SQL_NAME_FIND, SQL_NAME_GET, SQL_NAMES_OF_SERIES,
		SQL_SHAPE_FIND, SQL_SHAPE_GET, SQL_SHAPES_RECENT, SQL_OUTCOME_FIND,
		SQL_OUTCOME_GET, SQL_LAYOUTS, SQL_REASONS_FIND, SQL_SEGMENT_LAST,
		SQL_SEGMENTS_OF, SQL_SEGMENT_TIMES_OF, SQL_UNFOLDED, SQL_UNFOLDED_COUNT,
		SQL_RUNS_OF_BRANCH, SQL_RUNS, SQL_RUN_NTH, SQL_WINDOW, SQL_WINDOW_OF_BRANCH,
	};
	struct place p;
	sqlite3 *db;

	place_init(&p);
	sqlite3_open(p.path, &db);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		_free_ char *text = xasprintf("EXPLAIN QUERY PLAN %s", SQL[questions[i]]);
		sqlite3_stmt *stmt = NULL;
		bool good = sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK;

		while (good && sqlite3_step(stmt) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(stmt, 3);

			if (!is_long_walk(step, SQL[questions[i]]))
				continue;
			printf("# %s\n", step);
			good = false;
		}
		ok(t, good, "%.60s", SQL[questions[i]]);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	place_done(&p);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_grid(&t);
	test_retries(&t);
	test_plans(&t);
	return tap_done(&t);
}
