/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "script.h"

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

int script_run(struct store *s, const struct script *x, struct err *err)
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

int script_write(struct store *s, const char *log, struct err *err)
{
	int e = 0;

	for (unsigned i = 0; i < SCRIPT_RUNS && e == 0; i++) {
		struct script x = { "run", i % 7 ? NULL : log, i, i % 2 };

		e = script_run(s, &x, err);
		if (e == 0 && i == SCRIPT_RUNS / 2)
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
	for (int64_t i = 1; i <= SCRIPT_RUNS && r == 0; i++)
		r = store_replay(s, i, hear_into(b), err);
	r = r < 0 ? r : store_run_find(s, "latest-3", &id, err);
	buf_printf(b, "latest-3 %d\n", (int)id);
	r = r < 0 ? r : store_run_find(s, "run-011", &id, err);
	buf_printf(b, "run-011 %d\n", (int)id);
	buf_printf(b, "ambiguous %d\n", store_run_find(s, "run-01", &id, NULL));
	buf_printf(b, "none %d\n", store_run_find(s, "run-9\xff", &id, NULL));
	return r;
}

int script_ask(struct store *s, struct buf *b, struct err *err)
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
