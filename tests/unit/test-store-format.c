/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's format: stores of every earlier version, and rows that somebody
 * tampered with.
 */
#include <zstd.h>

#include "store-place.h"
#include "store/track.h"

#define FIXTURE_MAX (8 << 20)

/* ---- earlier formats ---- */

/* Stores as earlier versions left them, and what they said of their runs. */
#define FIXTURE_RUNS 4

static void say_after(struct event_sink sink, const void *arg)
{
	say_run(sink, EVENT_RUN_BEGIN, "20270101-000000-ffff");
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_program(sink, 1, 1, "mptcp_join.sh", 5, 2);
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, "20270101-000000-ffff");
}

static void say_damaged(struct event_sink sink, const void *arg)
{
	struct str path[] = { STR("a"), STR("b") };

	say_run(sink, EVENT_RUN_BEGIN, "damaged");
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, "x.sh", 1);
	say_result(sink, 1, 1, 1, path, 2, STR("k"), STATUS_FAIL, STR("why"));
	say_end(sink, 1, 1, "x.sh", 1, STATUS_FAIL, NULL);
	say_run(sink, EVENT_RUN_END, "damaged");
}

static void test_exec(const char *path, const char *sql)
{
	sqlite3 *db;
	char *msg = NULL;

	sqlite3_open(path, &db);
	if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
		printf("# %s: %s\n", sql, msg);
	sqlite3_free(msg);
	sqlite3_close(db);
}

static int unpack_fixture(const char *fixtures, int version, const char *path)
{
	_free_ char *from = xasprintf("%s/store-v%d.db.zst", fixtures, version);
	_cleanup_(buf_done) struct buf zstd = {};
	_free_ char *raw = xmalloc(FIXTURE_MAX);
	size_t n;

	if (file_read(from, 0, &zstd, NULL) < 0)
		return -ENOENT;
	n = ZSTD_decompress(raw, FIXTURE_MAX, zstd.p, zstd.n);
	return ZSTD_isError(n) ? -EBADMSG : file_write(path, str_n(raw, n), 0644, NULL);
}

static void test_migration(struct tap *t, const char *fixtures, int version,
			   enum store_mode mode)
{
	_free_ char *said = xasprintf("%s/store-v%d.txt", fixtures, version);
	_cleanup_(buf_done) struct buf want = {}, heard = {};
	struct place p = {};
	int r;

	dir_temp("/tmp", "taproom-store.", &p.dir, NULL);
	p.path = path_join(p.dir, "history.db");
	r = unpack_fixture(fixtures, version, p.path);
	ok(t, r == 0, "there is a store of format %d", version);
	r = store_open(p.path, mode, &p.s, &p.err);
	for (int64_t id = 1; r == 0 && id <= FIXTURE_RUNS; id++)
		r = store_replay(p.s, id, hear_into(&heard), &p.err);
	if (r < 0)
		printf("# %s\n", p.err.text);
	file_read(said, 0, &want, NULL);
	ok(t, r == 0 && str_eq(buf_str(&want), buf_str(&heard)),
	   "it says what it said then, to the %s", mode == STORE_READ ? "reader" : "writer");
	is_int(t, ask(&p, "SELECT user_version FROM pragma_user_version"), DB_VERSION,
	       "and is of today's");
	ok(t, intact(&p), "and intact");
	if (mode == STORE_WRITE)
		is_int(t, record(&p, say_after, NULL, NULL), FIXTURE_RUNS + 1, "a run is added");
	place_done(&p);
}

static void test_migrations(struct tap *t, const char *fixtures)
{
	for (int v = 1; v < DB_VERSION; v++) {
		test_migration(t, fixtures, v, STORE_WRITE);
		test_migration(t, fixtures, v, STORE_READ);
	}
}

/* A blob that was tampered with is an error, not a crash. */
static void test_damaged_rows(struct tap *t)
{
	static const char *const damages[] = {
		"UPDATE shape SET series = x''",
		"UPDATE shape SET series = x'00ffffffff7f'",
		"UPDATE shape SET series = x'000109'",
		"UPDATE shape SET series = x'02'",
		"UPDATE shape SET series = x'0128b52ffd'",
		"UPDATE shape SET series = x'00020404'",
		"UPDATE name SET cuts = x'7f' WHERE id = 1",
		"UPDATE name SET cuts = x'01ff' WHERE id = 1",
		"UPDATE name SET cuts = x''",
		"UPDATE layout SET body = x'00'",
		"UPDATE layout SET body = x'000100000000000018000100'",
		"UPDATE outcome SET body = x''",
		"UPDATE outcome SET body = x'0200'",
		"UPDATE outcome SET body = x'02007a'",
		"UPDATE outcome SET body = x'02ff7f66'",
		"UPDATE outcome SET shape_id = 99",
		"DELETE FROM outcome",
		"UPDATE reasons SET body = x'00ff01'",
		"UPDATE reasons SET body = x'7f0161'",
		"DELETE FROM reasons",
		"UPDATE slice SET body = x'7f'",
		"UPDATE slice SET body = x'0101'",
		"UPDATE slice SET body = substr(body, 1, length(body) - 2)",
		"UPDATE times SET body = x''",
		"UPDATE times SET body = x'0003'",
		"DELETE FROM times",
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct counted_events n = {};
		struct place p;

		place_init(&p);
		record(&p, say_damaged, NULL, NULL);
		p.s = store_close(p.s);
		test_exec(p.path, damages[i]);
		store_open(p.path, STORE_READ, &p.s, &p.err);
		is_int(t, store_replay(p.s, 1, (struct event_sink){ count_event, &n }, &p.err),
		       -EBADMSG, damages[i]);
		place_done(&p);
	}
}

/* ---- the timeline ---- */

static const struct tracked_run RUNS[] = {
	{ 1, 1700000000000, STR("export"), STR("0123456789abcdef0123456789abcdef01234567"), 0 },
	{ 2, 1700000060000, STR("net"), STR(""), 0 },
	{ 3, 1700000000000, STR("export"), STR("abc"), 0 },
	{ INT64_MAX, INT64_MIN, STR(""), STR("v6.12-rc1-3-gabcdef"), 0 },
	{ 4, -1, STR("net"), STR("ABCDEF"), 0 },
	{ 5, INT64_MAX, STR("export"), STR("ff"), 0 },
};

static bool same_runs(const struct tracked_run *a, const struct tracked_run *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].id != b[i].id || a[i].begin_ms != b[i].begin_ms ||
		    !str_eq(a[i].branch, b[i].branch) || !str_eq(a[i].commit, b[i].commit))
			return false;
	return true;
}

static void test_timeline(struct tap *t)
{
	_cleanup_(buf_done) struct buf packed = {};
	struct arena arena = {};
	struct tracked_run *v = NULL;
	size_t n = 0, cap = 0, taken = 0;

	timeline_pack(RUNS, ARRAY_SIZE(RUNS), &packed);
	is_int(t, timeline_unpack(buf_str(&packed), &arena, &v, &n, &cap), 0,
	       "a timeline is read");
	ok(t, n == ARRAY_SIZE(RUNS) && same_runs(v, RUNS, n), "and says what it was told");
	is_int(t, timeline_unpack(buf_str(&packed), &arena, &v, &n, &cap), 0,
	       "another goes to its end");
	ok(t, n == 2 * ARRAY_SIZE(RUNS) && same_runs(v + n / 2, RUNS, n / 2), "whole");
	for (size_t cut = 0; cut < packed.n; cut++) {
		_free_ char *part = xstrndup(packed.p, cut);

		taken += timeline_unpack(str_n(part, cut), &arena, &v, &n, &cap) == 0;
	}
	is_int(t, taken, 0, "none that was cut is taken");
	for (size_t at = 0; at < packed.n * 255; at++) {
		_free_ char *bad = xstrndup(packed.p, packed.n);

		bad[at / 255] = (char)(bad[at / 255] + 1 + at % 255);
		n = 0;
		timeline_unpack(str_n(bad, packed.n), &arena, &v, &n, &cap);
	}
	ok(t, true, "one that was tampered with harms nothing");
	arena_done(&arena);
	free(v);
}

int main(int argc, char **argv)
{
	struct tap t = {};

	if (argc != 2)
		skip_all("needs the directory of the fixtures");
	TAP_HEADER();
	test_migrations(&t, argv[1]);
	test_damaged_rows(&t);
	test_timeline(&t);
	return tap_done(&t);
}
