/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only a server's history does: several record, fold and read at once. */
#include <sys/wait.h>
#include <time.h>

#include "postgres.h"
#include "script.h"
#include "store/postgres.h"

#define WRITERS 4

static int record_some(const char *url, unsigned writer)
{
	char prefix[16];
	struct store *s;
	struct err err = {};
	int e = store_open(url, STORE_WRITE, &s, &err);

	snprintf(prefix, sizeof(prefix), "writer-%u", writer);
	for (unsigned i = 0; e == 0 && i < 8; i++) {
		/* The same tests, new to all of them at the same time. */
		struct script x = { prefix, NULL, 1000 + i, writer % 2 };

		e = script_run(s, &x, &err);
		if (e == 0)
			e = store_fold(s, 4, &err);
	}
	if (e < 0)
		printf("# writer %u: %s\n", writer, err.text);
	fflush(stdout);
	return e < 0;
}

static int count_run(void *ctx, const struct store_run *r)
{
	*(unsigned *)ctx += str_starts(r->uid, STR("writer-"));
	return 0;
}

static void test_writers(struct tap *t, const struct postgres_server *pg)
{
	static const struct store_runs_filter all = { .limit = 1000 };
	struct store *s = NULL;
	struct err err = {};
	unsigned failed = 0, runs = 0;
	struct buf b = {}, again = {};
	pid_t pids[WRITERS];

	store_open(pg->url, STORE_WRITE, &s, &err);
	is_int(t, script_write(s, NULL, &err), 0, "a history");
	store_close(s);
	fflush(stdout);
	for (unsigned i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(record_some(pg->url, i));
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		failed += status != 0;
	}
	is_int(t, failed, 0, "several writers at once");
	store_open(pg->url, STORE_WRITE, &s, &err);
	store_runs(s, &all, count_run, &runs, &err);
	is_int(t, runs, WRITERS * 8, "every run of all of them is there");
	is_int(t, script_ask(s, &b, &err), 0, "and all questions have answers");
	is_int(t, store_refold(s, &err), 0, "folding all anew");
	script_ask(s, &again, &err);
	ok(t, str_eq(buf_str(&b), buf_str(&again)), "changes no answer");
	buf_done(&b);
	buf_done(&again);
	store_close(s);
}

/* Who reads waits for nobody, and nobody for him. */
static void test_period(struct tap *t, const struct postgres_server *pg)
{
	/* Of a month that no other run is of. */
	static const struct event_run run = { .id = STR("period"), .time_ms = 1000 };
	static const struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };
	struct db_rows rows = {};
	struct store *s = NULL;
	struct db *reader = NULL;
	struct store_record *r;
	struct event_sink sink;
	struct err err = {};

	store_open(pg->url, STORE_WRITE, &s, &err);
	db_postgres_open(pg->url, STORE_READ, &reader, &err);
	db_begin_read(reader, &err);
	db_query(reader, SQL_SLICES, &rows, &err, DB_I(0), DB_I(INT64_MAX), DB_I(0));
	db_next(&rows, &err);
	store_record_new(s, &r, NULL);
	sink = store_record_sink(r);
	event_emit(&sink, &ev);
	is_int(t, store_record_error(r, &err), 0, "a first run of a month, while others read");
	store_record_free(r);
	db_rows_done(&rows);
	db_rollback(reader);
	db_close(reader);
	store_close(s);
}

/* Who may not read is told so. */
static void test_stranger(struct tap *t, const struct postgres_server *pg)
{
	_free_ char *url = xasprintf("postgresql://stranger@/postgres?host=%s", pg->dir);
	struct db *db = NULL;
	struct store *s = NULL;
	struct err err = {};

	db_postgres_open(pg->url, STORE_WRITE, &db, &err);
	is_int(t, postgres_simple(postgres_of(db), "CREATE ROLE stranger LOGIN", &err), 0,
	       "one who may only connect");
	db_close(db);
	is_int(t, store_open(url, STORE_READ, &s, &err), -EACCES, "can't read the history");
	ok(t, strstr(err.text, "no permission"), "and hears why: %s", err.text);
	is_int(t, store_open(url, STORE_WRITE, &s, &err), -EACCES, "nor write it");
}

static int fold_anew(struct store *s, struct err *err)
{
	return store_refold(s, err);
}

static int remove_old(struct store *s, struct err *err)
{
	/* The first quarter of the script's. */
	const struct store_keep_rule rule = { .logs_ms = -1, .runs_ms = INT64_C(750) * 86400000 };
	const struct store_keep keep = { .rules = &rule, .n = 1,
					 .now_ms = 1700000000000 + INT64_C(1000) * 86400000 };
	struct store_collected gone;
	int r = store_gc(s, &keep, &gone, err);

	return r == 0 && !gone.runs ? err_set(err, ENOENT, "nothing was old") : r;
}

/* Two that write the same rows take turns, and neither has a part of them while it
 * waits for its turn. */
static void test_turns(struct tap *t, const struct postgres_server *pg,
		       int (*fn)(struct store *s, struct err *err), const char *name)
{
	struct store *s = NULL;
	struct err err = {};
	int status = -1;
	pid_t pid;

	store_open(pg->url, STORE_WRITE, &s, &err);
	store_begin(s, &err);
	db_share(s->db, &err);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct store *other = NULL;
		int r = store_open(pg->url, STORE_WRITE, &other, &err);

		r = r < 0 ? r : fn(other, &err);
		if (r < 0)
			printf("# beside it: %s\n", err.text);
		fflush(stdout);
		_exit(r < 0);
	}
	nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
	is_int(t, store_end(s, store_refold(s, &err), &err), 0, name);
	if (err.code)
		printf("# %s\n", err.text);
	waitpid(pid, &status, 0);
	is_int(t, status, 0, "and what waited for it goes through");
	store_close(s);
}

static int got_state(void *ctx, const struct store_run *r)
{
	*(enum store_run_state *)ctx = r->state;
	return 0;
}

static void test_alive(struct tap *t, const struct postgres_server *pg)
{
	enum store_run_state state = STORE_RUN_DONE;
	struct store *s = NULL, *other = NULL;
	struct store_record *r, *twice;
	int64_t id;

	store_open(pg->url, STORE_WRITE, &s, NULL);
	store_open(pg->url, STORE_WRITE, &other, NULL);
	store_record_new(s, &r, NULL);
	say_run(store_record_sink(r), EVENT_RUN_BEGIN, "now");
	id = store_record_run(r);
	store_run_get(other, id, got_state, &state, NULL);
	is_int(t, state, STORE_RUN_RUNNING, "a run that is recorded elsewhere is running");
	store_record_new(other, &twice, NULL);
	say_run(store_record_sink(twice), EVENT_RUN_BEGIN, "now");
	is_int(t, store_record_error(twice, NULL), -EBUSY, "nobody else can record it");
	store_record_free(twice);
	store_record_free(r);
	store_run_get(other, id, got_state, &state, NULL);
	is_int(t, state, STORE_RUN_LOST, "and it is lost when its recorder goes");
	store_close(s);
	store_close(other);
}

int main(void)
{
	struct tap t = {};
	struct postgres_server pg;
	const char *why;

	if (postgres_start(&pg, &why) < 0) {
		postgres_stop(&pg);
		skip_all(why);
	}
	TAP_HEADER();
	test_writers(&t, &pg);
	test_alive(&t, &pg);
	test_period(&t, &pg);
	test_stranger(&t, &pg);
	test_turns(&t, &pg, fold_anew, "folding all anew, while another wants to");
	test_turns(&t, &pg, remove_old, "and while another removes old runs");
	postgres_stop(&pg);
	return tap_done(&t);
}
