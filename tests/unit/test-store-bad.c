/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store on bad days: killed, locked, damaged, somebody else's, from the
 * future, without space. One sentence each, and nothing that finished is lost.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "store-place.h"

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

/* ---- killed ---- */

#define KILLS 50

/* Records for ever; after each program its number goes down the pipe. */
static void record_for_ever(const char *path, const char *uid, int ack)
{
	struct store_record *r;
	struct event_sink sink;
	struct store *s;

	if (store_open(path, STORE_WRITE, &s, NULL) < 0)
		_exit(1);
	store_record_new(s, &r, NULL);
	sink = store_record_sink(r);
	say_run(sink, EVENT_RUN_BEGIN, uid);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	for (unsigned n = 1;; n++) {
		say_program(sink, 1, n, "killed.sh", 30, n % 3 ? 0 : 1 << 7);
		if (store_record_error(r, NULL) < 0 || write(ack, &n, sizeof(n)) < 0)
			_exit(2);
	}
}

/* The number of the last program that was told to be safe. */
static unsigned kill_after(const char *path, const char *uid, long us)
{
	struct timespec nap = { .tv_nsec = us * 1000 };
	unsigned last = 0, n;
	int pipes[2];
	pid_t pid;

	if (pipe(pipes) < 0)
		return 0;
	pid = fork();
	if (pid == 0)
		record_for_ever(path, uid, pipes[1]);
	close(pipes[1]);
	/* From the first program on, or even before it. */
	if (us % 2 && read(pipes[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	nanosleep(&nap, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (read(pipes[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	close(pipes[0]);
	return last;
}

static int got_state(void *ctx, const struct store_run *r)
{
	*(enum store_run_state *)ctx = r->state;
	return 0;
}

static void count_results(void *ctx, const struct event *ev)
{
	unsigned *n = ctx;

	n[0] += ev->type == EVENT_PROGRAM_END;
	n[1] += ev->type == EVENT_RESULT;
}

static void print_problem(void *ctx, struct str sentence)
{
	printf("# %.*s\n", STR_FMT(sentence));
}

static void is_clean(struct tap *t, struct store *s)
{
	struct store_checked found;
	struct err err = {};
	int r = store_check(s, print_problem, NULL, &found, &err);

	if (r < 0)
		printf("# %s\n", err.text);
	is_int(t, r, 0, "the store is clean");
}

static void test_killed(struct tap *t)
{
	unsigned lost = 0, wrong_state = 0, partial = 0, total = 0;
	struct place p = {};

	dir_temp("/tmp", "taproom-store.", &p.dir, NULL);
	p.path = path_join(p.dir, "history.db");
	for (unsigned i = 0; i < KILLS; i++) {
		enum store_run_state state = STORE_RUN_DONE;
		unsigned last, seen[2] = {};
		uint16_t us = 0;
		char uid[16];
		int64_t id;

		(void)!getrandom(&us, sizeof(us), 0);
		snprintf(uid, sizeof(uid), "kill-%u", i);
		last = kill_after(p.path, uid, us % 25000);
		total += last;
		if (store_open(p.path, STORE_WRITE, &p.s, &p.err) < 0)
			printf("# %s\n", p.err.text);
		/* Killed before its first word: no run, and nothing told to be safe. */
		if (!p.s || store_run_find(p.s, uid, &id, NULL) < 0) {
			lost += last;
		} else {
			store_run_get(p.s, id, got_state, &state, NULL);
			wrong_state += state != STORE_RUN_LOST;
			store_replay(p.s, id, (struct event_sink){ count_results, seen }, &p.err);
			lost += seen[0] < last ? last - seen[0] : 0;
			partial += seen[1] != 30 * seen[0];
		}
		p.s = store_close(p.s);
	}
	store_open(p.path, STORE_WRITE, &p.s, &p.err);
	is_clean(t, p.s);
	store_fold(p.s, 1, &p.err);
	is_clean(t, p.s);
	printf("# %u programs before %u kills\n", total, KILLS);
	is_int(t, lost, 0, "no program that had finished is lost");
	is_int(t, partial, 0, "each is there as a whole");
	is_int(t, wrong_state, 0, "the run is lost, and says so");
	ok(t, intact(&p), "the database is intact");
	place_done(&p);
}

/* ---- together ---- */

#define WRITERS  4
#define PROGRAMS 12

static int record_some(const char *path, unsigned writer)
{
	struct store_record *r;
	struct event_sink sink;
	struct err err = {};
	struct store *s;
	char uid[16];
	int e;

	snprintf(uid, sizeof(uid), "writer-%u", writer);
	if (store_open(path, STORE_WRITE, &s, &err) < 0) {
		fprintf(stderr, "writer %u: %s\n", writer, err.text);
		return 1;
	}
	store_record_new(s, &r, NULL);
	sink = store_record_sink(r);
	say_run(sink, EVENT_RUN_BEGIN, uid);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	for (unsigned n = 1; n <= PROGRAMS; n++)
		say_program(sink, 1, n, "together.sh", 20 + n, 0);
	say_run(sink, EVENT_RUN_END, uid);
	e = store_record_error(r, NULL);
	store_record_free(r);
	store_close(s);
	return e < 0 ? 2 : 0;
}

/* Several runs at once, the first of them make the store. */
static void test_together(struct tap *t)
{
	struct place p = {};
	pid_t pids[WRITERS];
	int failed = 0;

	dir_temp("/tmp", "taproom-store.", &p.dir, NULL);
	p.path = path_join(p.dir, "history.db");
	for (unsigned i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(record_some(p.path, i));
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		failed += status != 0;
	}
	is_int(t, failed, 0, "several recorders at once");
	is_int(t, executions(&p, 0), WRITERS * PROGRAMS,
	       "everything of all of them is there");
	is_int(t, ask(&p, "SELECT count(*) FROM shape"), PROGRAMS, "in shapes they share");
	ok(t, intact(&p), "the database is intact");
	store_open(p.path, STORE_READ, &p.s, &p.err);
	is_clean(t, p.s);
	place_done(&p);
}

static int count_run(void *ctx, const struct store_run *r)
{
	++*(unsigned *)ctx;
	return 0;
}

/* POSIX locks are the process's: who closes a file of its own loses those that SQLite
 * holds, and the next writer takes the log of a reader away from it. */
static void test_twice_open(struct tap *t)
{
	struct store_runs_filter f = { .limit = WRITERS };
	struct store *again = NULL;
	struct place p = {};
	pid_t pids[WRITERS];
	int go[WRITERS][2], status;
	unsigned runs;

	place_init(&p);
	p.s = store_close(p.s);
	/* Before the store is open here: a child must not inherit what SQLite knows of it. */
	for (unsigned i = 0; i < WRITERS; i++) {
		char word;

		pids[i] = pipe(go[i]) < 0 ? -1 : fork();
		if (pids[i] == 0)
			_exit(read(go[i][0], &word, 1) == 1 ? record_some(p.path, i) : 3);
	}
	store_open(p.path, STORE_READ, &p.s, &p.err);
	for (unsigned i = 0; i < WRITERS; i++) {
		store_open(p.path, STORE_READ, &again, &p.err);
		again = store_close(again);
		if (write(go[i][1], "1", 1) != 1)
			break;
		waitpid(pids[i], &status, 0);
		runs = 0;
		store_runs(p.s, &f, count_run, &runs, &p.err);
		is_int(t, runs, i + 1, "a store that was open twice sees what others write");
		close(go[i][0]);
		close(go[i][1]);
	}
	place_done(&p);
}

static void test_running(struct tap *t)
{
	enum store_run_state state = STORE_RUN_DONE;
	struct store_record *r;
	struct place p;

	place_init(&p);
	store_record_new(p.s, &r, NULL);
	say_run(store_record_sink(r), EVENT_RUN_BEGIN, "now");
	store_run_get(p.s, 1, got_state, &state, NULL);
	is_int(t, state, STORE_RUN_RUNNING, "a run that is recorded is running");
	store_record_free(r);
	store_run_get(p.s, 1, got_state, &state, NULL);
	is_int(t, state, STORE_RUN_LOST, "and lost when its recorder goes");
	place_done(&p);
}

/* ---- files that are not what they should be ---- */

static void make_text(const char *path)
{
	file_write(path, STR("root:x:0:0:root:/root:/bin/bash\n"), 0644, NULL);
}

static void make_foreign(const char *path)
{
	test_exec(path, "CREATE TABLE bookmarks (url TEXT)");
}

static void make_newer(const char *path)
{
	struct store *s;

	if (store_open(path, STORE_WRITE, &s, NULL) == 0)
		store_close(s);
	test_exec(path, "PRAGMA user_version = 99");
}

static void make_short(const char *path)
{
	struct store *s;

	if (store_open(path, STORE_WRITE, &s, NULL) == 0)
		store_close(s);
	if (truncate(path, 3 * 4096) < 0)
		printf("# truncate: %m\n");
}

static void make_directory(const char *path)
{
	dir_make(path, NULL);
}

static void make_fifo(const char *path)
{
	if (mkfifo(path, 0600) < 0)
		printf("# mkfifo: %m\n");
}

/* Its header is fine; its schema is noise. */
static void make_damaged(const char *path)
{
	FILE *f;

	make_newer(path);
	test_exec(path, "PRAGMA user_version = 1");
	f = fopen(path, "r+");
	fseek(f, 100, SEEK_SET);
	for (int i = 0; i < 3000; i++)
		fputc(0xa5, f);
	fclose(f);
}

struct bad_row {
	const char *name;
	void (*make)(const char *path);
	int want;
	const char *says;
};

static const struct bad_row BAD[] = {
	{ "a text file", make_text, -EMEDIUMTYPE, "is no taproom store" },
	{ "another program's database", make_foreign, -EMEDIUMTYPE, "another program's" },
	{ "a newer store", make_newer, -ENOTSUP, "update taproom" },
	{ "a store cut short", make_short, -EBADMSG, "is cut short" },
	{ "a damaged store", make_damaged, -EBADMSG, "is damaged" },
	{ "a directory", make_directory, -EISDIR, "is a directory" },
	{ "a pipe", make_fifo, -EMEDIUMTYPE, "not a regular file" },
};

static bool has_company(const char *path)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal", ".d" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_free_ char *beside = xasprintf("%s%s", path, suffixes[i]);

		if (file_exists(beside))
			return true;
	}
	return false;
}

static void test_bad_files(struct tap *t)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_WRITE };

	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		_cleanup_(dir_removep) char *dir = NULL;
		_free_ char *path = NULL;
		struct buf before = {}, after = {};
		int good = 0;

		dir_temp("/tmp", "taproom-store.", &dir, NULL);
		path = path_join(dir, "x.db");
		BAD[i].make(path);
		if (BAD[i].want != -EISDIR && BAD[i].make != make_fifo)
			file_read(path, 0, &before, NULL);
		for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
			struct store *s = NULL;
			struct err err = {};
			int r = store_open(path, modes[m], &s, &err);

			good += r == BAD[i].want && strstr(err.text, BAD[i].says) && !s;
			if (r != BAD[i].want || !strstr(err.text, BAD[i].says))
				printf("# %d: %s\n", r, err.text);
			store_close(s);
		}
		is_int(t, good, 2, BAD[i].name);
		if (BAD[i].want != -EISDIR && BAD[i].make != make_fifo)
			file_read(path, 0, &after, NULL);
		ok(t, str_eq(buf_str(&before), buf_str(&after)) && !has_company(path),
		   "is left as it was");
		buf_done(&before);
		buf_done(&after);
	}
}

static void test_names(struct tap *t)
{
	struct store *s = NULL;
	struct err err = {};

	is_int(t, store_open("/nonexistent/x.db", STORE_READ, &s, &err), -ENOENT, "none yet");
	ok(t, strstr(err.text, "taproom run"), "says what makes it");
	is_int(t, store_open("mysql://db/x", STORE_READ, &s, &err), -EPROTONOSUPPORT,
	       "another kind of store");
	is_int(t, store_open("sqlite:", STORE_READ, &s, &err), -EINVAL, "no name");
	is_int(t, store_open("/proc/x.db", STORE_WRITE, &s, &err) < 0, 1, "can't be made there");
}

/* ---- locked ---- */

static void test_locked(struct tap *t)
{
	struct store_record *r;
	struct event_sink sink;
	struct place p;
	struct db *db;
	sqlite3 *other;

	place_init(&p);
	/* As store_open() has it, with less patience. */
	db_close(p.s->db);
	is_int(t, db_sqlite_open(p.path, STORE_WRITE, 20, &p.s->db, &p.err), 0,
	       "a store with less patience");
	p.s->dict.db = p.s->db;
	store_record_new(p.s, &r, NULL);
	sink = store_record_sink(r);
	say_run(sink, EVENT_RUN_BEGIN, "locked");
	sqlite3_open(p.path, &other);
	sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	say_program(sink, 1, 1, "while-locked", 3, 0);
	is_int(t, store_record_error(r, &p.err), -EBUSY, "somebody else writes");
	ok(t, strstr(p.err.text, "locked by another program"), "says so");
	say_splat(sink, 1, 1, "told after its program's end");
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	say_program(sink, 1, 2, "after", 3, 0);
	is_int(t, store_record_error(r, NULL), 0, "what waited is written with the next");
	is_int(t, executions(&p, 0), 2, "both are there");
	is_int(t, ask(&p, "SELECT program = 1 FROM splat"), 1, "and what was told in between");
	is_int(t, ask(&p, "SELECT splats FROM run"), 1, "counted");
	store_record_free(r);
	p.s = store_close(p.s);
	sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL);
	is_int(t, db_sqlite_open(p.path, STORE_READ, 20, &db, &p.err), -EBUSY, "locked as a whole");
	sqlite3_close(other);
	place_done(&p);
}

/* ---- no space ---- */

/* Exit code: 0 as it should be, 77 can't be tried here, else what was wrong. */
static int fill_up(const char *dir)
{
	_free_ char *path = path_join(dir, "history.db");
	unsigned n = 0, seen[2] = {};
	struct store_checked found;
	struct store_record *r;
	struct event_sink sink;
	struct err err = {};
	struct store *s;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=512k") < 0)
		return 77;
	if (store_open(path, STORE_WRITE, &s, &err) < 0)
		return 1;
	store_record_new(s, &r, NULL);
	sink = store_record_sink(r);
	say_run(sink, EVENT_RUN_BEGIN, "full");
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	while (store_record_error(r, NULL) == 0 && n < 10000)
		say_program(sink, 1, ++n, "fills.sh", 60, UINT64_MAX >> 4);
	if (store_record_error(r, &err) != -ENOSPC || !strstr(err.text, "no space left"))
		return 2;
	store_replay(s, 1, (struct event_sink){ count_results, seen }, NULL);
	if (seen[0] != n - 1 || seen[1] != 60 * (n - 1))
		return 3;
	return store_check(s, print_problem, NULL, &found, NULL) == 0 ? 0 : 4;
}

static void test_no_space(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	int status;
	pid_t pid;

	dir_temp("/tmp", "taproom-store.", &dir, NULL);
	pid = fork();
	if (pid == 0)
		_exit(fill_up(dir));
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		ok(t, true, "no space # SKIP may not mount here");
	else
		is_int(t, status, 0, "no space: says so, and keeps what was written");
}

/* ---- no permission ---- */

static int try_as_nobody(const char *path)
{
	_free_ char *other = xasprintf("%s.new", path);
	struct store *s;
	struct err err = {};

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 77;
	if (store_open(path, STORE_READ, &s, &err) < 0)
		return 1;
	s = store_close(s);
	if (store_open(path, STORE_WRITE, &s, &err) == 0)
		return 2;
	return store_open(other, STORE_WRITE, &s, &err) == -EACCES ? 0 : 3;
}

static void test_permission(struct tap *t)
{
	struct place p;
	int status;
	pid_t pid;

	place_init(&p);
	p.s = store_close(p.s);
	chmod(p.dir, 0755);
	pid = fork();
	if (pid == 0)
		_exit(try_as_nobody(p.path));
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		ok(t, true, "no permission # SKIP needs root to give it up");
	else
		is_int(t, status, 0, "without permission a store can be read, not written");
	place_done(&p);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_killed(&t);
	test_together(&t);
	test_twice_open(&t);
	test_running(&t);
	test_bad_files(&t);
	test_names(&t);
	test_locked(&t);
	test_no_space(&t);
	test_permission(&t);
	return tap_done(&t);
}
