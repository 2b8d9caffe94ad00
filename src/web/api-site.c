/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is, below api/v1/: tests, splats, a suite's matrix, the instance itself. */
#include <inttypes.h>

#include "base/units.h"
#include "judge/flakes.h"
#include "web/api.h"
#include "web/matrix.h"
#include "web/pages.h"

#define TESTS_MAX    1000 /* in one answer */
#define FAILURES_MAX 1000 /* of a test on an axis: the newest */

static void time_field(struct json *j, const char *key, int64_t ms)
{
	char text[UNIT_TEXT_MAX];

	if (ms)
		json_field_str(j, key, str_of(date_rfc3339(ms, text)));
}

/* From the site's root. */
static void address(struct json *j, const char *key, enum web_page_id page,
		    const struct web_args *args)
{
	_cleanup_(buf_done) struct buf b = {};
	struct out o;

	out_to_buf(&o, &b);
	web_path(page, args, &o);
	if (out_flush(&o) == 0)
		json_field_str(j, key, buf_str(&b));
}

/* ---- this instance ---- */

struct facts {
	const struct web_site *site;
	struct out *out;
};

static int on_facts(void *ctx, const struct store_facts *f)
{
	const struct facts *x = ctx;
	const struct web_history *w = x->site->history;
	struct json j;

	json_init(&j, x->out, false);
	json_object(&j);
	json_field_str(&j, "version", str_of(x->site->version));
	json_field_str(&j, "database", f->database);
	json_field_int(&j, "format", f->format);
	json_field_int(&j, "runs", (int64_t)f->runs);
	json_field_int(&j, "results", (int64_t)web_history_results(w));
	json_field_int(&j, "programs", (int64_t)f->programs);
	json_field_int(&j, "tests", (int64_t)f->tests);
	json_field_int(&j, "splats", x->site->n_splats);
	if (w->n_runs) {
		api_run(&j, "oldest", &w->runs[0]);
		api_run(&j, "newest", &w->runs[w->n_runs - 1]);
	}
	json_field_int(&j, "bytes", (int64_t)f->bytes);
	json_field_int(&j, "logs", (int64_t)f->logs);
	json_field_int(&j, "log_bytes", (int64_t)f->log_bytes);
	time_field(&j, "oldest_log", f->oldest_log_ms);
	json_end(&j);
	return 0;
}

WEB_RENDER(web_api_about)
{
	struct facts x = { site, out };

	return store_facts(site->store, on_facts, &x, err);
}

/* ---- splats ---- */

static void seen(struct json *j, const char *key, int64_t run, int64_t ms)
{
	json_key(j, key);
	json_object(j);
	json_field_int(j, "run", run);
	time_field(j, "begin", ms);
	json_end(j);
}

WEB_RENDER(web_api_splats)
{
	struct json j;

	json_init(&j, out, false);
	json_object(&j);
	json_key(&j, "splats");
	json_array(&j);
	for (unsigned i = 0; i < site->n_splats; i++) {
		const struct web_splat *s = &site->splats[i];
		const struct web_args at = { .splat = s };

		json_object(&j);
		json_field_str(&j, "fingerprint", s->fingerprint);
		json_field_str(&j, "kind", s->kind);
		json_field_str(&j, "title", s->title);
		json_field_int(&j, "n", (int64_t)s->n);
		seen(&j, "first", s->first_run, s->first_ms);
		seen(&j, "last", s->last_run, s->last_ms);
		address(&j, "page", WEB_SPLAT, &at);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	return 0;
}

/* ---- tests ---- */

static void test_fields(struct json *j, const struct web_test *t)
{
	const struct web_args args = { .test = t };

	api_series(j, t->parts[0]);
	address(j, "page", WEB_TEST, &args);
	address(j, "api", WEB_API_TEST, &args);
}

WEB_RENDER(web_api_tests)
{
	const struct web_tests *all = &site->history->tests;
	const struct web_query *q = &args->q;
	uint64_t fit = 0, told = 0;
	struct json j;

	json_init(&j, out, false);
	json_object(&j);
	json_key(&j, "tests");
	json_array(&j);
	for (size_t i = 0; i < all->n; i++) {
		const struct judge_series *s = all->v[i].parts[0];

		if ((q->suite.n && !str_eq(q->suite, s->lane->suite)) ||
		    !web_query_names(q, s->lane->suite, s->lane->program, s->path))
			continue;
		if (fit++ < q->skip || told == TESTS_MAX)
			continue;
		told++;
		json_object(&j);
		test_fields(&j, &all->v[i]);
		json_end(&j);
	}
	json_end(&j);
	json_field_int(&j, "n", (int64_t)fit);
	json_end(&j);
	return 0;
}

/* All that it said on one axis. */
static void test_axis(struct json *j, const struct judge_run *runs, const struct judge_series *s)
{
	const struct judge_axis *a = s->lane->axis;
	const struct stat_runs *bad = &s->said.bad;
	const struct stat_spans *in = &s->said.in;
	struct stat_rate rate = stat_rate(bad->n, stat_series_n(&s->said));

	json_object(j);
	api_axis(j, a);
	api_counts(j, s->counts);
	api_rate(j, "rate", &rate);
	if (in->n) {
		api_run(j, "first", judge_run_at(runs, a, in->v[0].from));
		api_run(j, "last", judge_run_at(runs, a, in->v[in->n - 1].to - 1));
	}
	json_key(j, "failures");
	json_array(j);
	for (size_t i = bad->n; i-- > 0 && bad->n - i <= FAILURES_MAX;)
		json_int(j, judge_run_at(runs, a, bad->v[i])->id);
	json_end(j);
	json_end(j);
}

WEB_RENDER(web_api_test)
{
	struct json j;

	json_init(&j, out, false);
	json_object(&j);
	test_fields(&j, args->test);
	json_key(&j, "axes");
	json_array(&j);
	for (size_t i = 0; i < args->test->n_parts; i++)
		test_axis(&j, site->history->runs, args->test->parts[i]);
	json_end(&j);
	json_end(&j);
	return 0;
}

/* ---- matrix ---- */

static void cell(struct json *j, const struct matrix_row *row, const struct matrix_cell *c)
{
	if (c->said == MATRIX_NEVER) {
		json_null(j);
		return;
	}
	json_object(j);
	json_field_str(j, "status", c->said == STORE_CELL_ABSENT ? STR("absent")
				    : c->said < STATUS_N ? str_of(STATUS_INFO[c->said].name)
							 : STR("unknown"));
	if (row->program) {
		json_field_int(j, "failed", c->bad);
		json_field_int(j, "skipped", c->skipped);
		json_field_int(j, "held", c->held);
	}
	json_end(j);
}

static void matrix(struct json *j, const struct matrix *m, const struct judge_run *runs)
{
	json_key(j, "columns");
	json_array(j);
	for (unsigned i = 0; i < m->n_columns; i++) {
		json_object(j);
		api_axis(j, m->columns[i].axis);
		api_run(j, "latest", &runs[m->columns[i].run]);
		json_end(j);
	}
	json_end(j);
	json_key(j, "rows");
	json_array(j);
	for (size_t i = 0; i < m->n_rows; i++) {
		json_object(j);
		api_series(j, m->rows[i].s);
		json_key(j, "cells");
		json_array(j);
		for (unsigned k = 0; k < m->n_columns; k++)
			cell(j, &m->rows[i], &m->rows[i].cells[k]);
		json_end(j);
		json_end(j);
	}
	json_end(j);
}

WEB_RENDER(web_api_matrix)
{
	struct str suites[MATRIX_SUITES];
	unsigned n = matrix_suites(site->history, suites, MATRIX_SUITES), at = 0;
	_cleanup_(matrix_done) struct matrix m = {};
	struct json j;

	while (args->q.suite.n && at < n && !str_eq(args->q.suite, suites[at]))
		at++;
	if (at == n && args->q.suite.n)
		return err_set(err, ENOENT, "no suite '%.*s' ran", STR_FMT(args->q.suite));
	json_init(&j, out, false);
	json_object(&j);
	json_key(&j, "suites");
	json_array(&j);
	for (unsigned i = 0; i < n; i++)
		json_str(&j, suites[i]);
	json_end(&j);
	if (n) {
		matrix_init(&m, site->history, suites[at], &args->q, false);
		json_field_str(&j, "suite", m.suite);
		matrix(&j, &m, site->history->runs);
	}
	json_end(&j);
	return 0;
}
