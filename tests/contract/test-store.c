/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One script of writes and questions, on a file and on PostgreSQL: they answer
 * the same, byte by byte. And what only a server does: several writers at once.
 */
#include <signal.h>
#include <sys/wait.h>

#include "postgres.h"
#include "unit/store-place.h"

#define RUNS    30
#define WRITERS 4

/* ---- writes ---- */

static unsigned draw(uint64_t *random, unsigned n)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(*random >> 33) % n;
}

static void say_execution(struct event_sink sink, uint64_t *random, unsigned n,
			  const char *name, unsigned attempt, const char *log)
{
	static const char odd[] = "'; \\x00\xff\0\n";
	unsigned from = draw(random, 3) ? 0 : draw(random, 5);

	say_begin(sink, 1, n, name, attempt);
	for (unsigned i = from; i < 10; i++)
		say_simple(sink, 1, n, i,
			   draw(random, 6) ? STATUS_PASS : (enum status)draw(random, STATUS_N));
	if (!draw(random, 3)) {
		struct str path[] = { str_n(odd, sizeof(odd) - 1), STR("b/c") };

		say_result(sink, 1, n, 10, path, 2, path[0], STATUS_FAIL, path[0]);
		say_splat(sink, 1, n, "WARNING in both");
		say_problem(sink, 1, n, "a \"problem\"");
	}
	say_end(sink, 1, n, name, attempt, draw(random, 5) ? STATUS_PASS : STATUS_FAIL, log);
}

struct script {
	const char *prefix, *log;
	unsigned nth;
	bool whole;
};

static void say_run_nth(struct event_sink sink, const struct script *x)
{
	uint64_t random = (x->nth + 1) * UINT64_C(0x9e3779b97f4a7c15);
	struct event_run run = {
		.branch = draw(&random, 2) ? STR("export") : STR("net"), .commit = STR("c0ffee"),
		.title = STR("\xff\xfe title"), .command = STR("taproom run"),
		/* Months apart, not in their order. */
		.time_ms = 1700000000000 + draw(&random, 1000) * INT64_C(86400000),
	};
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };
	char id[64];

	snprintf(id, sizeof(id), "%s-%03u", x->prefix, x->nth);
	run.id = str_of(id);
	event_emit(&sink, &ev);
	say_job(sink, EVENT_JOB_BEGIN, 1, draw(&random, 2) ? "normal" : "debug", NULL);
	say_execution(sink, &random, 1, "a.sh", 1, x->log);
	say_execution(sink, &random, 2, "a.sh", 2, NULL);
	say_execution(sink, &random, 3, "b.sh", 1, NULL);
	say_job(sink, EVENT_JOB_END, 1, "", NULL);
	ev.type = EVENT_RUN_END;
	run.conclusion = STR("Unstable");
	if (draw(&random, 8))
		event_emit(&sink, &ev);
}

static int write_run(struct store *s, const struct script *x, struct err *err)
{
	struct store_record *r;
	int e;

	store_record_new(s, &r, NULL);
	if (x->whole)
		store_record_durable(r, STORE_PER_RUN);
	say_run_nth(store_record_sink(r), x);
	e = store_record_error(r, err);
	store_record_free(r);
	return e;
}

static int new_text(void *ctx, unsigned job, struct str text, struct buf *ret)
{
	buf_printf(ret, "%u: %.*s", job, STR_FMT(text));
	return 1;
}

static int write_all(struct store *s, const char *log, struct err *err)
{
	int e = 0;

	for (unsigned i = 0; i < RUNS && e == 0; i++) {
		struct script x = { "run", i % 7 ? NULL : log, i, i % 2 };

		e = write_run(s, &x, err);
		if (e == 0 && i == RUNS / 2)
			e = store_fold(s, 1, err);
	}
	if (e == 0)
		e = store_splat_texts(s, 3, new_text, NULL, err);
	return e == 0 ? store_alias(s, 2, 3, err) : e;
}

/* ---- questions ---- */

static int on_run(void *ctx, const struct store_run *r)
{
	buf_printf(ctx, "run %d %.*s %.*s %.*s %.*s/%.*s/%.*s state=%d splats=%d", (int)r->id,
		   STR_FMT(r->uid), STR_FMT(r->branch), STR_FMT(r->conclusion), STR_FMT(r->modes),
		   STR_FMT(r->machines), STR_FMT(r->kernel), r->state, (int)r->splats);
	for (unsigned i = 0; i < STATUS_N; i++)
		buf_printf(ctx, " %d", (int)r->counts[i]);
	return buf_printf(ctx, "\n");
}

static int on_head(void *ctx, const int64_t *runs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_printf(ctx, "%d ", (int)runs[i]);
	return buf_printf(ctx, "\n");
}

static int on_row(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	buf_printf(ctx, "%d %.*s %.*s ", (int)s->id, STR_FMT(s->program), STR_FMT(s->mode));
	for (unsigned i = 0; i < n; i++)
		buf_printf(ctx, "%x", cells[i]);
	return buf_printf(ctx, "\n");
}

static int on_runs(void *ctx, const struct store_scan_run *runs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		buf_printf(ctx, "%d ", (int)runs[i].id);
	return buf_printf(ctx, "\n");
}

static int on_series(void *ctx, const struct store_scanned *s)
{
	buf_printf(ctx, "%d %.*s/%.*s %.*s n=%d:", (int)s->id, STR_FMT(s->lane->mode),
		   STR_FMT(s->lane->branch), STR_FMT(s->path), (int)s->n);
	for (uint32_t i = 0; i < s->lane->n; i++)
		buf_printf(ctx, " %d=%x", (int)s->lane->times[i], store_scanned_at(s, i));
	return buf_printf(ctx, "\n");
}

static int on_test(void *ctx, const struct store_test *s)
{
	return buf_printf(ctx, "test %d %.*s/%.*s>%d\n", (int)s->id, STR_FMT(s->program),
			  STR_FMT(s->path), (int)s->into_id);
}

static int on_fingerprint(void *ctx, const struct store_fingerprint *f)
{
	return buf_printf(ctx, "%.*s n=%d %d-%d\n", STR_FMT(f->title), (int)f->n,
			  (int)f->first_run, (int)f->last_run);
}

static int on_splat(void *ctx, const struct store_splat_at *at)
{
	return buf_printf(ctx, "%d.%u %.*s %.*s ", (int)at->run, at->program, STR_FMT(at->name),
			  STR_FMT(at->mode));
}

static int on_splat_on(void *ctx, const struct store_splat_on *on)
{
	return buf_printf(ctx, "%.*s %.*s %d %d %d %d\n", STR_FMT(on->branch),
			  STR_FMT(on->mode), (int)on->n, (int)on->runs, (int)on->first_ms,
			  (int)on->last_ms);
}

/* Which database it is, and its size, are each one's own. */
static int on_facts(void *ctx, const struct store_facts *f)
{
	return buf_printf(ctx, "format=%d of=%d runs=%d programs=%d tests=%d outcomes=%d logs=%d "
			  "oldest=%d\n", f->format, f->database.n && f->bytes, (int)f->runs,
			  (int)f->programs, (int)f->tests, (int)f->outcomes, (int)f->logs,
			  (int)(f->oldest_log_ms / 1000));
}

static int ask_runs(struct store *s, struct buf *b, struct err *err)
{
	static const struct store_runs_filter all = { .limit = 100 }, some = {
		.branch = "net", .mode = "debug", .before_id = 20, .limit = 5
	};
	int64_t id = 0;
	int r = store_runs(s, &all, on_run, b, err);

	r = r < 0 ? r : store_runs(s, &some, on_run, b, err);
	for (int64_t i = 1; i <= RUNS && r == 0; i++)
		r = store_replay(s, i, hear_into(b), err);
	r = r < 0 ? r : store_run_find(s, "latest-3", &id, err);
	buf_printf(b, "latest-3 %d\n", (int)id);
	r = r < 0 ? r : store_run_find(s, "run-011", &id, err);
	buf_printf(b, "run-011 %d\n", (int)id);
	buf_printf(b, "ambiguous %d\n", store_run_find(s, "run-01", &id, NULL));
	buf_printf(b, "none %d\n", store_run_find(s, "run-9\xff", &id, NULL));
	return r;
}

static int ask_all(struct store *s, struct buf *b, struct err *err)
{
	static const struct store_grid_filter grid = { .all = true }, net = { .branch = "net" };
	static const struct store_scan_filter scan = { .times = true }, one = {
		.series_id = 4, .times = true, .runs = 10
	};
	static const struct store_tests_filter any = {};
	int64_t ms = 0;
	int r = ask_runs(s, b, err);

	r = r < 0 ? r : store_grid(s, &grid, on_head, on_row, b, err);
	r = r < 0 ? r : store_grid(s, &net, on_head, on_row, b, err);
	r = r < 0 ? r : store_scan(s, &scan, on_runs, on_series, b, err);
	r = r < 0 ? r : store_scan(s, &one, on_runs, on_series, b, err);
	r = r < 0 ? r : store_tests(s, &any, on_test, b, err);
	r = r < 0 ? r : store_fingerprints(s, 0, on_fingerprint, b, err);
	r = r < 0 ? r : store_splats(s, "0123456789abcdef", 5, on_splat, b, err);
	r = r < 0 ? r : store_splat_axes(s, "0123456789abcdef", on_splat_on, b, err);
	r = r < 0 ? r : store_facts(s, on_facts, b, err);
	r = r < 0 ? r : store_expect_ms(s, "mptcp", "a.sh", "debug", &ms, err);
	buf_printf(b, "expect %d\n", (int)ms);
	return r;
}

/* ---- */

static int answers(struct tap *t, const char *url, const char *log, struct buf *b)
{
	struct store *s = NULL;
	struct err err = {};
	int r = store_open(url, STORE_WRITE, &s, &err);

	r = r < 0 ? r : write_all(s, log, &err);
	r = r < 0 ? r : ask_all(s, b, &err);
	store_close(s);
	/* Again in a store that knows nothing yet. */
	r = r < 0 ? r : store_open(url, STORE_READ, &s, &err);
	r = r < 0 ? r : ask_all(s, b, &err);
	if (r == 0)
		store_close(s);
	else
		printf("# %s: %s\n", url, err.text);
	is_int(t, r, 0, "the script goes through");
	return r;
}

static void show_difference(struct str a, struct str b)
{
	while (a.n && b.n) {
		struct str x = str_cut(&a, '\n'), y = str_cut(&b, '\n');

		if (str_eq(x, y))
			continue;
		printf("# file:   %.*s\n# server: %.*s\n", STR_FMT(x), STR_FMT(y));
		return;
	}
}

/* Who reads hears of what others write; without that nothing need be read again. */
static void test_changed(struct tap *t, const char *url)
{
	struct script x = { "change", NULL, 5000, 0 };
	struct store *s = NULL, *other = NULL;
	int64_t before = 0, same = 0, after = 0;

	store_open(url, STORE_WRITE, &other, NULL);
	store_open(url, STORE_READ, &s, NULL);
	store_changed(s, &before, NULL);
	store_changed(s, &same, NULL);
	is_int(t, same, before, "nobody wrote");
	write_run(other, &x, NULL);
	store_changed(s, &after, NULL);
	ok(t, after != before, "somebody did");
	store_close(s);
	store_close(other);
}

static struct str mark(struct store *s, struct buf *b)
{
	buf_clear(b);
	return store_mark(s, b, NULL) == 0 ? buf_str(b) : STR("");
}

/* Equal texts, equal history. */
static void test_mark(struct tap *t, const char *url)
{
	const struct store_keep_rule none = { .logs_ms = -1, .runs_ms = 1 };
	const struct store_keep keep = { .rules = &none, .n = 1, .now_ms = INT64_C(1) << 50 };
	_cleanup_(buf_done) struct buf before = {}, now = {};
	struct store_collected gone;
	struct script x = { "mark", NULL, 6000, 0 }, y = { "mark-2", NULL, 6001, 0 };
	struct store *s = NULL;

	store_open(url, STORE_WRITE, &s, NULL);
	write_run(s, &x, NULL);
	mark(s, &before);
	ok(t, before.n && str_eq(mark(s, &now), buf_str(&before)), "a mark stays");
	write_run(s, &y, NULL);
	ok(t, !str_eq(mark(s, &now), buf_str(&before)), "until a run is recorded");
	mark(s, &before);
	store_alias(s, 4, 5, NULL);
	ok(t, !str_eq(mark(s, &now), buf_str(&before)), "or a test is renamed");
	store_alias(s, 4, 0, NULL);
	ok(t, str_eq(mark(s, &now), buf_str(&before)), "and comes back with the name");
	ok(t, store_gc(s, &keep, &gone, NULL) == 0 && gone.runs > 0 &&
	       !str_eq(mark(s, &now), buf_str(&before)), "or runs are removed");
	store_close(s);
}

static void test_same(struct tap *t, const struct postgres *pg)
{
	_cleanup_(buf_done) struct buf file = {}, server = {};
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL, *log = NULL;

	dir_temp("/tmp", "taproom-store.", &dir, NULL);
	path = path_join(dir, "history.db");
	log = path_join(dir, "log");
	file_write(log, STR("one\ntwo\n"), 0644, NULL);
	setenv("XDG_DATA_HOME", dir, 1);
	answers(t, path, log, &file);
	answers(t, pg->url, log, &server);
	ok(t, file.n > 10000 && str_eq(buf_str(&file), buf_str(&server)),
	   "a file and a server answer the same");
	show_difference(buf_str(&file), buf_str(&server));
	test_changed(t, path);
	test_changed(t, pg->url);
}

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

		e = write_run(s, &x, &err);
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

static void test_writers(struct tap *t, const struct postgres *pg)
{
	static const struct store_runs_filter all = { .limit = 1000 };
	struct store *s = NULL;
	struct err err = {};
	unsigned failed = 0, runs = 0;
	struct buf b = {}, again = {};
	pid_t pids[WRITERS];

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
	is_int(t, ask_all(s, &b, &err), 0, "and all questions have answers");
	is_int(t, store_refold(s, &err), 0, "folding all anew");
	ask_all(s, &again, &err);
	ok(t, str_eq(buf_str(&b), buf_str(&again)), "changes no answer");
	buf_done(&b);
	buf_done(&again);
	store_close(s);
}

static int got_state(void *ctx, const struct store_run *r)
{
	*(enum store_run_state *)ctx = r->state;
	return 0;
}

static void test_alive(struct tap *t, const struct postgres *pg)
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

static void test_marks(struct tap *t, const struct postgres *pg)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;

	dir_temp("/tmp", "taproom-store.", &dir, NULL);
	path = path_join(dir, "history.db");
	test_mark(t, path);
	test_mark(t, pg->url);
}

int main(void)
{
	struct tap t = {};
	struct postgres pg;
	const char *why;

	if (postgres_start(&pg, &why) < 0) {
		postgres_stop(&pg);
		skip_all(why);
	}
	TAP_HEADER();
	test_same(&t, &pg);
	test_writers(&t, &pg);
	test_alive(&t, &pg);
	test_marks(&t, &pg);
	postgres_stop(&pg);
	return tap_done(&t);
}
