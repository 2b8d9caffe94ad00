/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans of all of history against the grid, which looks at every result of every
 * run: over random histories, before and after runs are folded. And what scans
 * know beyond it: names, aliases, splats.
 */
#include "store-place.h"

#define RUNS    40
#define RESULTS 12

/* ---- a random history ---- */

static unsigned draw(uint64_t *random, unsigned n)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(*random >> 33) % n;
}

static enum status draw_status(uint64_t *random)
{
	return draw(random, 5) ? STATUS_PASS : (enum status)draw(random, STATUS_N);
}

static void say_execution(struct event_sink sink, uint64_t *random, unsigned job, unsigned n,
			  const char *name, unsigned attempt)
{
	/* Some of the tests, with a new name now and then. */
	unsigned from = draw(random, 4) ? 0 : draw(random, RESULTS), other = draw(random, 3);

	say_begin(sink, job, n, name, attempt);
	for (unsigned i = from; i < RESULTS; i++) {
		char key[16], text[16];
		struct str path;

		snprintf(key, sizeof(key), "key %u", i);
		snprintf(text, sizeof(text), "%u key %u", i + other, i);
		path = str_of(text);
		say_result(sink, job, n, i, &path, 1, str_of(key), draw_status(random), STR(""));
	}
	say_end(sink, job, n, name, attempt, draw_status(random), NULL);
}

static void say_random(struct event_sink sink, const void *arg)
{
	static const char *const branches[] = { "export", "net" };
	static const char *const modes[] = { "normal", "debug" };
	uint64_t random = *(const uint64_t *)arg * UINT64_C(0x9e3779b97f4a7c15);
	struct event_run run = {
		.branch = str_of(branches[draw(&random, 2)]), .commit = STR("c0ffee"),
		/* Not in the order in which they are recorded. */
		.time_ms = 1700000000000 + draw(&random, 1000) * 60000,
	};
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };
	char id[32];
	unsigned n = 0;

	snprintf(id, sizeof(id), "run-%u", (unsigned)*(const uint64_t *)arg);
	run.id = str_of(id);
	event_emit(&sink, &ev);
	for (unsigned job = 1; job <= 2; job++) {
		say_job(sink, EVENT_JOB_BEGIN, job, modes[draw(&random, 2)], NULL);
		for (unsigned attempt = 1; attempt <= 1 + draw(&random, 3); attempt++)
			say_execution(sink, &random, job, ++n, "a.sh", attempt);
		if (draw(&random, 4))
			say_execution(sink, &random, job, ++n, "b.sh", 1);
		say_job(sink, EVENT_JOB_END, job, "", NULL);
	}
	ev.type = EVENT_RUN_END;
	if (draw(&random, 8))
		event_emit(&sink, &ev);
}

/* ---- both ways to look at it ---- */

/* Series of a branch and mode, by run id. */
struct table {
	const char *branch;
	int64_t ids[RUNS + 1];
	unsigned n_runs;
	uint8_t cells[2][1024][RUNS + 1]; /* mode, series, run id */
	uint64_t bad, sums;
};

static int on_head(void *ctx, const int64_t *runs, unsigned n)
{
	struct table *t = ctx;

	for (unsigned i = 0; i < n; i++)
		t->ids[i] = runs[i];
	t->n_runs = n;
	return 0;
}

static int on_row(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	struct table *t = ctx;
	unsigned mode = str_eq(s->mode, STR("debug"));

	for (unsigned i = 0; i < n; i++)
		t->cells[mode][s->id % 1024][t->ids[i]] = cells[i];
	return 0;
}

static int on_runs(void *ctx, const struct store_scan_run *runs, uint32_t n)
{
	struct table *t = ctx;

	t->n_runs = n;
	for (uint32_t i = 0; i < n; i++) {
		t->ids[i] = runs[i].id;
		t->bad += i && runs[i].begin_ms < runs[i - 1].begin_ms;
		t->bad += !str_eq(runs[i].commit, STR("c0ffee"));
		t->bad += t->branch && !str_eq(runs[i].branch, str_of(t->branch));
	}
	return 0;
}

static int on_series(void *ctx, const struct store_scanned *s)
{
	struct table *t = ctx;
	unsigned mode = str_eq(s->lane->mode, STR("debug"));
	uint64_t sum = 0, n = 0;

	for (uint32_t i = 0; i < s->lane->n; i++) {
		uint8_t cell = store_scanned_at(s, i);

		t->cells[mode][s->id % 1024][t->ids[s->lane->runs[i]]] = cell;
		n += cell != STORE_CELL_ABSENT;
	}
	for (unsigned i = 0; i < STATUS_N; i++)
		sum += s->counts[i];
	t->bad += sum != s->n || n != s->n || !str_eq(s->lane->machine, STR("qemu"));
	t->bad += s->whole != (s->path.n == 0);
	t->sums += s->n;
	return 0;
}

static void compare(struct tap *t, struct place *p, const char *branch, const char *when)
{
	struct store_grid_filter g = { .branch = branch, .runs = RUNS, .all = true };
	struct store_scan_filter f = { .branch = branch };
	struct table *want = xcalloc(1, sizeof(*want)), *got = xcalloc(1, sizeof(*got));
	int r;

	memset(want->cells, STORE_CELL_ABSENT, sizeof(want->cells));
	memset(got->cells, STORE_CELL_ABSENT, sizeof(got->cells));
	want->branch = got->branch = branch;
	store_grid(p->s, &g, on_head, on_row, want, &p->err);
	r = store_scan(p->s, &f, on_runs, on_series, got, &p->err);
	if (r < 0)
		printf("# %s\n", p->err.text);
	ok(t, r == 0 && memcmp(want->cells, got->cells, sizeof(got->cells)) == 0 &&
	   want->n_runs == got->n_runs && got->sums > 0,
	   "%s, %s: the scan says what the grid says", branch ? branch : "all", when);
	for (unsigned m = 0; m < 2; m++)
		for (unsigned i = 0; i < 1024; i++)
			for (unsigned k = 0; k <= RUNS; k++)
				if (want->cells[m][i][k] != got->cells[m][i][k])
					printf("# %s series %u run %u: %u, scan %u\n",
					       m ? "debug" : "normal", i, k,
					       want->cells[m][i][k], got->cells[m][i][k]);
	is_int(t, (int64_t)got->bad, 0, "sums and order are right");
	free(want);
	free(got);
}

static void compare_all(struct tap *t, struct place *p, const char *when)
{
	compare(t, p, "export", when);
	compare(t, p, "net", when);
}

static void test_random(struct tap *t)
{
	struct place p;
	int64_t ms = 0, ms_folded = 0;

	place_init(&p);
	for (uint64_t i = 1; i <= RUNS; i++) {
		record(&p, say_random, &i, NULL);
		if (i == RUNS / 2) {
			compare_all(t, &p, "not folded");
			is_int(t, store_fold(p.s, 1, &p.err), 0, "half of them are folded");
			compare_all(t, &p, "folded");
		}
	}
	compare_all(t, &p, "half folded");
	store_expect_ms(p.s, "mptcp", "a.sh", "debug", &ms, NULL);
	store_fold(p.s, 1, &p.err);
	compare_all(t, &p, "in two steps");
	store_expect_ms(p.s, "mptcp", "a.sh", "debug", &ms_folded, NULL);
	ok(t, ms == ms_folded && ms > 0, "what to expect does not depend on it");
	is_int(t, ask(&p, "SELECT count(*) FROM run WHERE folded = 0"), 0,
	       "runs that were lost are folded too");
	is_int(t, store_refold(p.s, &p.err), 0, "all is folded anew");
	compare_all(t, &p, "folded anew");
	ok(t, intact(&p), "the database is intact");
	place_done(&p);
}

/* ---- names and aliases ---- */

static void say_named(struct event_sink sink, const void *arg)
{
	unsigned i = *(const unsigned *)arg;
	struct str old[] = { STR("3 old name") }, new[] = { STR("4 new name") };
	char id[16];

	snprintf(id, sizeof(id), "run-%u", i);
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, i < 3 ? "old.sh" : "new.sh", 1);
	say_result(sink, 1, 1, 0, i < 3 ? old : new, 1,
		   i < 3 ? STR("old name") : STR("new name"),
		   i == 2 ? STATUS_FAIL : STATUS_PASS, STR(""));
	say_end(sink, 1, 1, i < 3 ? "old.sh" : "new.sh", 1, STATUS_PASS, NULL);
	if (i == 2)
		say_splat(sink, 1, 1, "WARNING in the second");
	say_splat(sink, 1, 1, "WARNING again");
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

static int list_test(void *ctx, const struct store_test *s)
{
	return buf_printf(ctx, "%d %.*s/%.*s %.*s%s>%d\n", (int)s->id, STR_FMT(s->program),
			  STR_FMT(s->path), STR_FMT(s->key), s->whole ? " whole" : "",
			  (int)s->into_id);
}

static int no_runs(void *ctx, const struct store_scan_run *runs, uint32_t n)
{
	return 0;
}

static int list_scanned(void *ctx, const struct store_scanned *s)
{
	return buf_printf(ctx, "%d %.*s/%.*s n=%d fail=%d\n", (int)s->id,
			  STR_FMT(s->lane->program), STR_FMT(s->path), (int)s->n,
			  (int)s->counts[STATUS_FAIL]);
}

static int list_name(void *ctx, struct str path)
{
	return buf_printf(ctx, "%.*s\n", STR_FMT(path));
}

static int list_fingerprint(void *ctx, const struct store_fingerprint *f)
{
	return buf_printf(ctx, "%.*s n=%d runs=%d-%d\n", STR_FMT(f->title), (int)f->n,
			  (int)f->first_run, (int)f->last_run);
}

static int list_splat(void *ctx, const struct store_splat_at *at)
{
	return buf_printf(ctx, "%d.%u.%u %.*s/%.*s %.*s %.*s%.*s\n", (int)at->run, at->job,
			  at->program, STR_FMT(at->suite), STR_FMT(at->name), STR_FMT(at->mode),
			  STR_FMT(at->machine), STR_FMT(at->excuse.reason));
}

static int list_splat_on(void *ctx, const struct store_splat_on *on)
{
	return buf_printf(ctx, "%.*s %.*s %d in %d\n", STR_FMT(on->branch), STR_FMT(on->mode),
			  (int)on->n, (int)on->runs);
}

static int list_grid(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	unsigned in = 0;

	for (unsigned i = 0; i < n; i++)
		in += cells[i] != STORE_CELL_ABSENT;
	return buf_printf(ctx, "%.*s/%.*s in %u of %u\n", STR_FMT(s->program), STR_FMT(s->path), in,
			  n);
}

static int no_head(void *ctx, const int64_t *runs, unsigned n)
{
	(void)ctx;
	(void)runs;
	(void)n;
	return 0;
}

static void test_aliases(struct tap *t)
{
	static const struct store_grid_filter grid = { .all = true };
	static const struct store_tests_filter any = {}, some = { .glob = "*/new.sh/*" };
	static const struct store_scan_filter all = {}, one = { .series_id = 1 };
	struct buf b = {};
	struct place p;

	place_init(&p);
	for (unsigned i = 1; i <= 4; i++)
		record(&p, say_named, &i, NULL);
	store_tests(p.s, &any, list_test, &b, &p.err);
	is_str(t, b.p, "3 new.sh/4 new name new name>0\n4 new.sh/  whole>0\n"
		       "1 old.sh/3 old name old name>0\n2 old.sh/  whole>0\n", "all tests");
	buf_clear(&b);
	store_tests(p.s, &some, list_test, &b, &p.err);
	is_str(t, b.p, "3 new.sh/4 new name new name>0\n", "by a pattern");
	is_int(t, store_alias(p.s, 1, 3, &p.err), 0, "a test was renamed");
	is_int(t, store_alias(p.s, 2, 4, &p.err), 0, "and its program");
	is_int(t, store_alias(p.s, 3, 1, &p.err), -ELOOP, "not in a ring");
	is_int(t, store_alias(p.s, 3, 99, &p.err), -ENOENT, "nor into nothing");
	for (int folded = 0; folded < 2; folded++) {
		buf_clear(&b);
		store_scan(p.s, &all, no_runs, list_scanned, &b, &p.err);
		is_str(t, b.p, "3 new.sh/4 new name n=4 fail=1\n4 new.sh/ n=4 fail=0\n",
		       "then it is one");
		buf_clear(&b);
		store_scan(p.s, &one, no_runs, list_scanned, &b, &p.err);
		is_str(t, b.p, "3 new.sh/4 new name n=4 fail=1\n", "by its old number too");
		store_fold(p.s, 1, NULL);
	}
	buf_clear(&b);
	store_grid(p.s, &grid, no_head, list_grid, &b, &p.err);
	is_str(t, b.p, "new.sh/ in 4 of 4\nnew.sh/4 new name in 4 of 4\n",
	       "a row of the pages too");
	buf_clear(&b);
	store_test_get(p.s, 1, list_test, &b, &p.err);
	is_str(t, b.p, "1 old.sh/3 old name old name>3\n", "the old one says so");
	is_int(t, store_test_get(p.s, 77, list_test, &b, &p.err), -ENOENT, "no such test");
	buf_clear(&b);
	store_test_names(p.s, 3, list_name, &b, &p.err);
	is_str(t, b.p, "4 new name\n", "its names");
	store_alias(p.s, 1, 0, &p.err);
	store_alias(p.s, 2, 0, &p.err);
	buf_clear(&b);
	store_scan(p.s, &one, no_runs, list_scanned, &b, &p.err);
	is_str(t, b.p, "1 old.sh/3 old name n=2 fail=1\n", "and it can be taken back");
	buf_clear(&b);
	store_fingerprints(p.s, 0, list_fingerprint, &b, &p.err);
	is_str(t, b.p, "WARNING again n=5 runs=1-4\n", "splats by their fingerprint");
	buf_clear(&b);
	store_splats(p.s, "0123456789abcdef", 2, list_splat, &b, &p.err);
	is_str(t, b.p, "4.1.1 mptcp/new.sh normal qemu\n3.1.1 mptcp/new.sh normal qemu\n",
	       "and where they were");
	buf_clear(&b);
	store_splat_axes(p.s, "0123456789abcdef", list_splat_on, &b, &p.err);
	is_str(t, b.p, "export normal 5 in 4\n", "and on what");
	buf_done(&b);
	place_done(&p);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_random(&t);
	test_aliases(&t);
	return tap_done(&t);
}
