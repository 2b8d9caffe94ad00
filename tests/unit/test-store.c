/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: what goes in comes out, shared and exact, whatever the names are.
 */
#include "store-place.h"
#include "tap/tally.h"

/* ---- a run with everything in it ---- */

static void say_everything(struct event_sink sink, const void *id)
{
	struct str sub[] = { STR("net/mptcp: pm"), STR("12 ports: a/b") };

	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_splat(sink, 1, 0, "WARNING at boot");
	say_begin(sink, 1, 1, "pm_netlink.sh", 1);
	say_simple(sink, 1, 1, 0, STATUS_PASS);
	say_problem(sink, 1, 1, "between");
	say_splat(sink, 1, 1, "WARNING in mptcp_foo");
	say_splat(sink, 1, 1, "WARNING in mptcp_known (excused)");
	say_simple(sink, 1, 1, 1, STATUS_SKIP);
	say_result(sink, 1, 1, 2, sub, 2, STR("net/mptcp: pm/ports: a/b"), STATUS_FAIL, STR("x"));
	say_result(sink, 1, 1, 3, sub, 2, STR("net/mptcp: pm/ports: a/b"), STATUS_PASS, STR(""));
	say_result(sink, 1, 1, 4, sub, 1, STR("net/mptcp: pm"), STATUS_PASS, STR("but a word"));
	say_problem(sink, 1, 1, "at the end");
	say_end(sink, 1, 1, "pm_netlink.sh", 1, STATUS_FAIL, NULL);
	say_problem(sink, 1, 0, "between programs");
	say_program(sink, 1, 2, "diag.sh", 29, 0);
	say_begin(sink, 1, 3, "no-output.sh", 1);
	say_end(sink, 1, 3, "no-output.sh", 1, STATUS_TIMEOUT, NULL);
	say_splat(sink, 1, 0, "WARNING at power off");
	say_splat(sink, 1, 0, "WARNING that is known (excused)");
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_job(sink, EVENT_JOB_BEGIN, 2, "debug", NULL);
	say_job(sink, EVENT_JOB_END, 2, "debug", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

static int got_everything(void *ctx, const struct store_run *r)
{
	struct tap *t = ctx;

	ok(t, r->state == STORE_RUN_DONE && r->exit_code == 1, "state and exit code");
	ok(t, str_eq(r->modes, STR("normal,debug")) && str_eq(r->machines, STR("qemu")) &&
	   str_eq(r->kernel, STR("6.12.1-test")), "modes, machines, kernel of its jobs");
	ok(t, r->counts[STATUS_PASS] == 1 + 2 + 29 && r->counts[STATUS_SKIP] == 1 &&
	   r->counts[STATUS_FAIL] == 1 && r->counts[STATUS_TIMEOUT] == 1, "counts");
	is_int(t, (int64_t)r->splats, 3, "splats that count, with those outside of programs");
	return 7;
}

static void test_everything(struct tap *t)
{
	_cleanup_(buf_done) struct buf said = {};
	struct place p;
	int64_t id;

	place_init(&p);
	id = record(&p, say_everything, "20260131-090507-4f2a", &said);
	is_int(t, id, 1, "the first run is 1");
	replays(t, &p, id, &said, "replay says what was recorded");
	is_int(t, store_run_get(p.s, id, got_everything, t, NULL), 7, "a callback ends a query");
	is_int(t, store_run_get(p.s, 99, got_everything, t, &p.err), -ENOENT, "no such run");
	ok(t, intact(&p), "the database is intact");
	place_done(&p);
}

/* ---- shapes and exceptions ---- */

static void say_equal(struct event_sink sink, const void *arg)
{
	unsigned i = *(const unsigned *)arg;
	char id[32];

	snprintf(id, sizeof(id), "run-%04u", i);
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_program(sink, 1, 1, "connect.sh", 100, i == 3 ? 1 << 4 | 1 << 9 : 0);
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

static void test_shapes(struct tap *t)
{
	struct place p;

	place_init(&p);
	for (unsigned i = 1; i <= 2; i++)
		record(&p, say_equal, &i, NULL);
	is_int(t, ask(&p, "SELECT count(*) FROM shape"), 1, "two equal runs, one shape");
	is_int(t, ask(&p, "SELECT count(*) = 1 AND max(length(body)) = 1 FROM outcome"), 1,
	       "nor is there anything to be said of passes");
	is_int(t, ask(&p, "SELECT count(*) FROM series"), 101, "a series each, and the program");
	for (unsigned i = 3; i <= 4; i++)
		record(&p, say_equal, &i, NULL);
	is_int(t, ask(&p, "SELECT count(*) FROM shape"), 1, "failures do not make a shape");
	is_int(t, ask(&p, "SELECT hex(body) = '0204660466' || '5A66' FROM outcome"
		       " ORDER BY id DESC LIMIT 1"), 1,
	       "two results and their program are exceptions");
	is_int(t, ask(&p, "SELECT count(*) FROM outcome"), 2, "in an outcome of their own");
	place_done(&p);
}

static void test_size(struct tap *t)
{
	struct place p;
	int64_t before;
	unsigned i = 10;

	place_init(&p);
	record(&p, say_equal, &i, NULL);
	p.s = store_close(p.s);
	before = file_size(p.path);
	store_open(p.path, STORE_WRITE, &p.s, NULL);
	for (i = 11; i < 210; i++)
		record(&p, say_equal, &i, NULL);
	p.s = store_close(p.s);
	printf("# %.2f bytes per result, all in (199 runs of 100 tests)\n",
	       (double)(file_size(p.path) - before) / 19900);
	ok(t, (file_size(p.path) - before) / 19900 < 10, "a pass costs less than ten bytes");
	place_done(&p);
}

/* ---- interleaved, retried ---- */

static void say_interleaved(struct event_sink sink, const void *id)
{
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_job(sink, EVENT_JOB_BEGIN, 2, "debug", NULL);
	say_begin(sink, 1, 1, "a.sh", 1);
	say_begin(sink, 2, 2, "b.sh", 1);
	for (unsigned i = 0; i < 20; i++) {
		say_simple(sink, 1, 1, i, i == 3 ? STATUS_FAIL : STATUS_PASS);
		say_simple(sink, 2, 2, 19 - i, STATUS_PASS);
	}
	say_end(sink, 2, 2, "b.sh", 1, STATUS_PASS, NULL);
	say_end(sink, 1, 1, "a.sh", 1, STATUS_FAIL, NULL);
	say_job(sink, EVENT_JOB_END, 2, "debug", NULL);
	say_begin(sink, 1, 3, "a.sh", 2);
	for (unsigned i = 0; i < 20; i++)
		say_simple(sink, 1, 3, i, STATUS_PASS);
	say_end(sink, 1, 3, "a.sh", 2, STATUS_PASS, NULL);
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

/* As the replay tells it: job by job. */
static void say_in_order(struct event_sink sink, const void *id)
{
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_program(sink, 1, 1, "a.sh", 20, 1 << 3);
	say_begin(sink, 1, 3, "a.sh", 2);
	for (unsigned i = 0; i < 20; i++)
		say_simple(sink, 1, 3, i, STATUS_PASS);
	say_end(sink, 1, 3, "a.sh", 2, STATUS_PASS, NULL);
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_job(sink, EVENT_JOB_BEGIN, 2, "debug", NULL);
	say_begin(sink, 2, 2, "b.sh", 1);
	for (unsigned i = 0; i < 20; i++)
		say_simple(sink, 2, 2, 19 - i, STATUS_PASS);
	say_end(sink, 2, 2, "b.sh", 1, STATUS_PASS, NULL);
	say_job(sink, EVENT_JOB_END, 2, "debug", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

static int got_retry(void *ctx, const struct store_run *r)
{
	is_int(ctx, (int64_t)r->counts[STATUS_PASS], 40, "a retry's counts replace the first's");
	is_int(ctx, (int64_t)r->counts[STATUS_FAIL], 0, "and its failure");
	return 0;
}

static void test_interleaved(struct tap *t)
{
	_cleanup_(buf_done) struct buf want = {};
	struct place p;
	int64_t id;

	place_init(&p);
	id = record(&p, say_interleaved, "both", NULL);
	say_in_order(hear_into(&want), "both");
	replays(t, &p, id, &want, "two machines at once are told one after the other");
	store_run_get(p.s, id, got_retry, t, NULL);
	is_int(t, executions(&p, 0), 3, "the first attempt is kept");
	place_done(&p);
}

/* ---- splats that are told after their program's end ---- */

static void say_late(struct event_sink sink, const void *id)
{
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, "a.sh", 1);
	say_splat(sink, 1, 1, "lockdep in time");
	say_simple(sink, 1, 1, 0, STATUS_PASS);
	say_end(sink, 1, 1, "a.sh", 1, STATUS_PASS, NULL);
	say_begin(sink, 1, 2, "b.sh", 1);
	say_splat(sink, 1, 1, "RCU stall");
	say_splat(sink, 1, 1, "hung task");
	say_simple(sink, 1, 2, 0, STATUS_PASS);
	say_end(sink, 1, 2, "b.sh", 1, STATUS_PASS, NULL);
	say_splat(sink, 1, 2, "KASAN");
	say_splat(sink, 1, 7, "of a program that never was");
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

/* As the replay tells it: program by program. */
static void say_late_in_order(struct event_sink sink, const void *id)
{
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, "a.sh", 1);
	say_splat(sink, 1, 1, "lockdep in time");
	say_simple(sink, 1, 1, 0, STATUS_PASS);
	say_splat(sink, 1, 1, "RCU stall");
	say_splat(sink, 1, 1, "hung task");
	say_end(sink, 1, 1, "a.sh", 1, STATUS_PASS, NULL);
	say_begin(sink, 1, 2, "b.sh", 1);
	say_simple(sink, 1, 2, 0, STATUS_PASS);
	say_splat(sink, 1, 2, "KASAN");
	say_end(sink, 1, 2, "b.sh", 1, STATUS_PASS, NULL);
	say_splat(sink, 1, 0, "of a program that never was");
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

static void test_late(struct tap *t)
{
	_cleanup_(buf_done) struct buf want = {};
	struct place p;
	int64_t id;

	place_init(&p);
	id = record(&p, say_late, "late", NULL);
	say_late_in_order(hear_into(&want), "late");
	replays(t, &p, id, &want, "a splat after its program's end is the program's");
	is_int(t, ask(&p, "SELECT splats FROM run"), 5, "and all are counted");
	ok(t, intact(&p), "the database is intact");
	place_done(&p);
}

/* ---- what splats said, told anew ---- */

#define SPLATS 70 /* more than are read at a time */

static void say_splats(struct event_sink sink, const void *id)
{
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_splat(sink, 1, 0, "WARNING at boot");
	say_begin(sink, 1, 1, "a.sh", 1);
	for (unsigned i = 0; i < SPLATS; i++)
		say_splat(sink, 1, 1, "WARNING in mptcp_foo");
	say_end(sink, 1, 1, "a.sh", 1, STATUS_PASS, NULL);
	say_splat(sink, 1, 0, "WARNING at power off");
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

struct texts {
	unsigned asked, unlike, fail_at;
	struct buf seen; /* of a replay */
};

/* Every second one is another, and one is too much. */
static int new_text(void *ctx, unsigned job, struct str text, struct buf *ret)
{
	struct texts *x = ctx;

	x->unlike += job != 1 || !str_starts(text, STR("WARNING: CPU: 0\n"));
	if (++x->asked == x->fail_at)
		return -ECANCELED;
	buf_add_str(ret, text);
	buf_printf(ret, "said %u\n", x->asked);
	while (x->asked == 10 && ret->n <= STORE_SPLAT_TEXT_MAX)
		buf_printf(ret, "%01000d", 0);
	return x->asked % 2 == 0;
}

static void hear_texts(void *ctx, const struct event *ev)
{
	struct texts *x = ctx;
	ptrdiff_t at;

	if (ev->type != EVENT_SPLAT)
		return;
	at = str_find(ev->splat->text, STR("said "));
	if (at >= 0)
		buf_add_str(&x->seen, str_from(ev->splat->text, (size_t)at));
	x->unlike += ev->splat->n_frames != 4 || ev->splat->fingerprint.n != 16;
}

static void test_texts(struct tap *t)
{
	_cleanup_(buf_done) struct buf said = {}, want = {};
	struct texts x = {}, again = { .fail_at = 40 };
	struct place p;
	int64_t id, other;

	place_init(&p);
	id = record(&p, say_splats, "texts", NULL);
	other = record(&p, say_splats, "other", &said);
	is_int(t, store_splat_texts(p.s, id, new_text, &x, &p.err), 0, "splats say another text");
	is_int(t, x.asked, SPLATS + 2, "each one, once");
	for (unsigned i = 4; i <= SPLATS + 2; i += 2)
		if (i != 10)
			buf_printf(&want, "said %u\n", i);
	buf_printf(&want, "said 2\n"); /* of no program, as the first: asked before them */
	store_replay(p.s, id, (struct event_sink){ hear_texts, &x }, NULL);
	is_str(t, x.seen.p, want.p, "those that have one; none is too long");
	is_int(t, x.unlike, 0, "nothing else of them changes");
	replays(t, &p, other, &said, "nor other runs");
	is_int(t, store_splat_texts(p.s, id, new_text, &again, NULL), -ECANCELED,
	       "who is asked may end it");
	is_int(t, store_splat_texts(p.s, 99, new_text, &x, NULL), 0, "a run without splats");
	ok(t, intact(&p), "the database is intact");
	buf_done(&x.seen);
	place_done(&p);
}

/* ---- hostile ---- */

static void say_hostile(struct event_sink sink, const void *arg)
{
	static const char nul[] = "a\0b'; DROP TABLE run; --\xff\xfe\n\x1b[31m";
	_free_ char *huge = xmalloc(10240);
	const struct str paths[][2] = {
		{ str_n(nul, sizeof(nul) - 1), STR("") },
		{ STR(""), STR("x") },
		{ STR("a/b"), STR("c") },
		{ STR("a"), STR("b/c") },
		{ str_n(nul, 1), str_n(nul, 2) },
		{ str_n(huge, 10240), str_n(huge, 10240) },
	};

	memset(huge, '/', 10240);
	say_run(sink, EVENT_RUN_BEGIN, "hostile");
	say_job(sink, EVENT_JOB_BEGIN, 1, "nor'mal\"", NULL);
	say_begin(sink, 1, 1, "../../etc/pass\x01wd \xff", 1);
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
		for (unsigned depth = 1; depth <= 2; depth++)
			say_result(sink, 1, 1, i, paths[i], depth, paths[i][0], STATUS_FAIL,
				   paths[i][0]);
	say_end(sink, 1, 1, "../../etc/pass\x01wd \xff", 1, STATUS_FAIL, arg);
	say_job(sink, EVENT_JOB_END, 1, "nor'mal\"", NULL);
	say_run(sink, EVENT_RUN_END, "hostile");
}

static void test_hostile(struct tap *t)
{
	_cleanup_(buf_done) struct buf said = {};
	_free_ char *log = NULL;
	struct place p;

	place_init(&p);
	log = path_join(p.dir, "plain.log");
	file_write(log, STR("one\ntwo\n"), 0644, NULL);
	record(&p, say_hostile, log, &said);
	replays(t, &p, 1, &said, "hostile names come back byte by byte");
	is_int(t, ask(&p, "SELECT count(*) FROM name"), 13, "and none is taken for another");
	is_int(t, ask(&p, "SELECT path = 'hostile/1-.._.._etc_pass_wd__.log.zst' FROM artefact"),
	       1, "a log's file name is tame");
	ok(t, intact(&p), "the database is intact");
	place_done(&p);
}

static void say_bad_uid(struct event_sink sink, const void *uid)
{
	say_run(sink, EVENT_RUN_BEGIN, uid);
	say_program(sink, 1, 1, "x", 1, 0);
	say_run(sink, EVENT_RUN_END, uid);
}

static void count_programs(void *ctx, const struct event *ev)
{
	*(int *)ctx += ev->type == EVENT_PROGRAM_END;
}

static void test_uids(struct tap *t)
{
	static const char *const bad[] = { "", "../up", ".hidden", "a b", "a\x01" };
	struct place p;
	int refused = 0, programs = 0;

	place_init(&p);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		record(&p, say_bad_uid, bad[i], NULL);
		refused += p.err.code == EINVAL;
	}
	is_int(t, refused, ARRAY_SIZE(bad), "a uid that is no plain name is refused");
	record(&p, say_bad_uid, "twice", NULL);
	record(&p, say_bad_uid, "twice", NULL);
	is_int(t, p.err.code, EEXIST, "the same run twice is refused");
	is_int(t, ask(&p, "SELECT count(*) FROM run"), 1, "and leaves nothing");
	store_replay(p.s, 1, (struct event_sink){ count_programs, &programs }, &p.err);
	is_int(t, programs, 1, "a program of a job without a row is told");
	place_done(&p);
}

static void say_many(struct event_sink sink, const void *arg)
{
	say_run(sink, EVENT_RUN_BEGIN, arg);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_program(sink, 1, 1, "many", 2000, 1 << 5);
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, arg);
}

static void test_many(struct tap *t)
{
	_cleanup_(buf_done) struct buf said = {};
	struct place p;

	place_init(&p);
	record(&p, say_many, "many", &said);
	replays(t, &p, 1, &said, "2000 results of one program");
	place_done(&p);
}

/* ---- counts ---- */

static int same_counts(void *ctx, const struct store_run *r)
{
	const struct tally *want = ctx;

	return memcmp(want->counts, r->counts, sizeof(r->counts)) == 0 &&
	       want->splats == r->splats;
}

/* What was said live is what is listed later. */
static void test_counts(struct tap *t)
{
	static void (*const says[])(struct event_sink, const void *) = {
		say_everything, say_interleaved, say_late, say_many,
	};
	struct place p;

	place_init(&p);
	for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
		char uid[16];
		struct tally tally = {};
		int64_t id;

		snprintf(uid, sizeof(uid), "tally-%zu", i);
		says[i](tally_sink(&tally), NULL);
		id = record(&p, says[i], uid, NULL);
		is_int(t, store_run_get(p.s, id, same_counts, &tally, NULL), 1,
		       "the tally and the store count the same");
		tally_done(&tally);
	}
	place_done(&p);
}

static void say_storm(struct event_sink sink, const void *id)
{
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	for (unsigned i = 0; i < 500; i++)
		say_splat(sink, 1, 0, "WARNING in a loop");
	say_program(sink, 1, 1, "after.sh", 1, 0);
	say_run(sink, EVENT_RUN_END, id);
}

static void test_storm(struct tap *t)
{
	struct place p;

	place_init(&p);
	record(&p, say_storm, "storm", NULL);
	is_int(t, p.err.code, 0, "splats without end are survived");
	is_int(t, ask(&p, "SELECT count(*) FROM splat"), 200, "so many are kept");
	is_int(t, ask(&p, "SELECT what = 'too-many' FROM problem"), 1, "and that is told");
	is_int(t, executions(&p, 0), 1, "the tests are there");
	place_done(&p);
}

/* ---- which run ---- */

struct find_row {
	const char *spec;
	int want; /* id, or -errno */
};

static const struct find_row FINDS[] = {
	{ "1", 1 },           { "3", 3 },          { "latest", 3 },
	{ "latest-1", 2 },    { "latest-2", 1 },   { "latest-3", -ENOENT },
	{ "latest+1", -ENOENT }, { "run-0002", 2 }, { "run-000", -EINVAL },
	{ "run-0003x", -ENOENT }, { "", -ENOENT }, { "99", -ENOENT },
	{ "latest-", -ENOENT }, { "%", -ENOENT },
	{ "99999999999999999999999", -ENOENT },
};

static void test_find(struct tap *t)
{
	struct place p;
	int64_t id;

	place_init(&p);
	is_int(t, store_run_find(p.s, "latest", &id, &p.err), -ENOENT, "an empty store");
	ok(t, strstr(p.err.text, "taproom run"), "says what to do");
	for (unsigned i = 1; i <= 3; i++)
		record(&p, say_equal, &i, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(FINDS); i++) {
		int r = store_run_find(p.s, FINDS[i].spec, &id, &p.err);

		is_int(t, r < 0 ? r : id, FINDS[i].want, FINDS[i].spec);
	}
	place_done(&p);
}

static int collect(void *ctx, const struct store_run *r)
{
	int64_t *seen = ctx;

	*seen = *seen * 10 + r->id;
	return 0;
}

static void test_runs(struct tap *t)
{
	static const struct {
		struct store_runs_filter f;
		int64_t want;
		const char *name;
	} rows[] = {
		{ { 0 }, 54321, "newest first" },
		{ { .limit = 2 }, 54, "limit" },
		{ { .before_id = 4 }, 321, "before" },
		{ { .branch = "export", .mode = "normal" }, 54321, "branch and mode" },
		{ { .branch = "net" }, 0, "another branch" },
		{ { .mode = "debug" }, 0, "another mode" },
	};
	struct place p;
	int64_t ms;

	place_init(&p);
	for (unsigned i = 1; i <= 5; i++)
		record(&p, say_equal, &i, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t seen = 0;

		store_runs(p.s, &rows[i].f, collect, &seen, NULL);
		is_int(t, seen, rows[i].want, rows[i].name);
	}
	is_int(t, store_expect_ms(p.s, "mptcp", "connect.sh", "normal", &ms, NULL), 0, "expect");
	is_int(t, ms, 1000, "the median");
	store_expect_ms(p.s, "mptcp", "connect.sh", "debug", &ms, NULL);
	is_int(t, ms, -1, "never seen in that mode");
	place_done(&p);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_everything(&t);
	test_shapes(&t);
	test_size(&t);
	test_interleaved(&t);
	test_late(&t);
	test_texts(&t);
	test_hostile(&t);
	test_uids(&t);
	test_many(&t);
	test_counts(&t);
	test_storm(&t);
	test_find(&t);
	test_runs(&t);
	return tap_done(&t);
}
