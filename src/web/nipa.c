/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nipa: results as the pages of netdev's CI ask for them (linux-netdev/nipa,
 * contest/backend/query.py; read by ui/contest.js and ui/flakes.js): below nipa/, where
 * these pages can be put. Theirs to ours:
 *
 *   branch    a branch and when its run began: "net-next-2026-01-31--09-05"; the last
 *             18 bytes are cut off for what branches have in common
 *   remote    the mode         executor   the machine
 *   group     the suite        test       the program; with format=l2 "program.result"
 *   retry     what the last attempt said, where it took more than one
 *
 * The entry of the executor "brancher" is where their pages find a branch's link.
 * They put strings into their HTML as they are: nothing that could be markup is in them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "base/units.h"
#include "web/history.h"
#include "web/pages.h"

#define BRANCHES_MAX 100
#define RESULTS_MAX  20000 /* no further run is begun */
#define SUFFIX       18    /* bytes of "-2026-01-31--09-05" */

struct row {
	struct str mode, machine, suite, program, path; /* path empty: the program itself */
	enum status status, retry;
	bool retried;
	unsigned number;          /* of the program; 0: it kept no log */
	int64_t ms;
};

struct list {
	const struct web_site *site;
	const struct web_query *q;
	struct json j;
	struct err *err;
	bool l2;
	size_t told;
	/* of the run that is told */
	struct arena arena;
	struct str mode, machine, branch;
	size_t leaves;            /* of the program */
	struct row *rows;
	size_t n, cap;
};

/* A letter instead of what could begin or end markup or an attribute, and of what is
 * no ASCII (a char below zero): it might be no UTF-8, and then another word in JSON. */
static struct str masked(struct arena *a, struct str s)
{
	char *v = arena_strndup(a, s.p ? s.p : "", s.n);

	for (size_t i = 0; i < s.n; i++)
		if ((signed char)v[i] < 0x20 || strchr("<>&\"'`", v[i]))
			v[i] = '_';
	return str_n(v, s.n);
}

/* ---- a run's results ---- */

static struct str joined(struct list *l, const struct event_result *e)
{
	_cleanup_(buf_done) struct buf b = {};

	for (unsigned i = 0; i < e->depth; i++) {
		buf_add_str(&b, i ? STR(".") : STR(""));
		buf_add_str(&b, e->path[i]);
	}
	return masked(&l->arena, buf_str(&b));
}

static bool same(const struct row *a, const struct row *b)
{
	return str_eq(a->program, b->program) && str_eq(a->path, b->path) &&
	       str_eq(a->mode, b->mode) && str_eq(a->machine, b->machine) &&
	       str_eq(a->suite, b->suite);
}

static void row_add(struct list *l, const struct row *row, unsigned attempt)
{
	for (size_t i = 0; attempt > 1 && i < l->n; i++) {
		if (!same(&l->rows[i], row))
			continue;
		l->rows[i].retried = true;
		l->rows[i].retry = row->status;
		return;
	}
	ARRAY_GROW(l->rows, l->n, l->cap);
	l->rows[l->n++] = *row;
}

/* A result's program is told before it: it has the same names until its end. */
struct now {
	struct list *list;
	struct row row;
	unsigned attempt;
	size_t first;             /* of its rows */
};

static void on_event(void *ctx, const struct event *ev)
{
	struct now *n = ctx;
	struct list *l = n->list;

	if (ev->type == EVENT_JOB_BEGIN) {
		n->row.mode = masked(&l->arena, ev->job_info->mode);
		n->row.machine = masked(&l->arena, ev->job_info->machine);
	} else if (ev->type == EVENT_PROGRAM_BEGIN) {
		n->row.suite = masked(&l->arena, ev->prog->suite);
		n->row.program = masked(&l->arena, ev->prog->name);
		n->attempt = ev->prog->attempt;
		n->first = l->n;
		l->leaves = 0;
	} else if (ev->type == EVENT_RESULT && l->l2 && ev->result->leaf) {
		struct row row = n->row;

		row.path = joined(l, ev->result);
		row.status = ev->result->status;
		row.ms = ev->result->duration_ms;
		row_add(l, &row, n->attempt);
		l->leaves++;
	} else if (ev->type == EVENT_PROGRAM_END) {
		struct row row = n->row;
		unsigned number = ev->prog->log_path.n ? ev->program : 0;

		row.status = ev->prog->status;
		row.ms = ev->prog->duration_ms;
		row.number = number;
		for (size_t i = n->first; i < l->n; i++)
			l->rows[i].number = number;
		if (!l->leaves)
			row_add(l, &row, n->attempt);
	}
}

/* ---- telling ---- */

/* What failed and may is their "warn": they have no word for it in a result. */
static struct str word(enum status status)
{
	return status == STATUS_FLAKY ? STR("warn") : str_of(STATUS_INFO[status].nipa);
}

static void link_field(struct list *l, int64_t run, unsigned program)
{
	const struct web_args args = { .run = run, .program = program };
	_cleanup_(buf_done) struct buf b = {};
	struct out o;

	out_to_buf(&o, &b);
	out_lit(&o, "../");
	web_path(program ? WEB_LOG : WEB_RUN, &args, &o);
	out_flush(&o);
	json_field_str(&l->j, "link", buf_str(&b));
}

static void entry_begin(struct list *l, const struct store_run *run, struct str remote,
			struct str executor)
{
	char text[UNIT_TEXT_MAX];

	json_object(&l->j);
	json_field_str(&l->j, "branch", l->branch);
	json_field_str(&l->j, "remote", remote);
	json_field_str(&l->j, "executor", executor);
	json_field_str(&l->j, "start", str_of(date_rfc3339(run->begin_ms, text)));
	json_field_str(&l->j, "end", str_of(date_rfc3339(run->end_ms ? run->end_ms
								     : run->begin_ms, text)));
	json_key(&l->j, "results");
	json_array(&l->j);
}

static void row_tell(struct list *l, const struct store_run *run, const struct row *r)
{
	_cleanup_(buf_done) struct buf test = {};

	buf_add_str(&test, r->program);
	if (r->path.n)
		buf_add(&test, ".", 1);
	buf_add_str(&test, r->path);
	json_object(&l->j);
	json_field_str(&l->j, "test", buf_str(&test));
	json_field_str(&l->j, "group", r->suite);
	json_field_str(&l->j, "result", word(r->status));
	if (r->retried)
		json_field_str(&l->j, "retry", word(r->retry));
	if (r->ms >= 0)
		json_field_real(&l->j, "time", (double)r->ms / 1000);
	link_field(l, run->id, r->number);
	json_end(&l->j);
}

/* Rows come mode by mode but for jobs that took turns: each once. */
static void entries(struct list *l, const struct store_run *run)
{
	_free_ bool *told = xcalloc(l->n + 1, sizeof(*told));

	for (size_t i = 0; i < l->n; i++) {
		const struct row *first = &l->rows[i];

		if (told[i] || (l->q->remote.n && !str_eq(l->q->remote, first->mode)))
			continue;
		entry_begin(l, run, first->mode, first->machine);
		for (size_t k = i; k < l->n; k++) {
			const struct row *r = &l->rows[k];

			if (told[k] || !str_eq(r->mode, first->mode) ||
			    !str_eq(r->machine, first->machine))
				continue;
			told[k] = true;
			row_tell(l, run, r);
			l->told++;
		}
		json_end(&l->j);
		json_end(&l->j);
	}
}

static void brancher(struct list *l, const struct store_run *run)
{
	entry_begin(l, run, STR("brancher"), STR("brancher"));
	json_object(&l->j);
	json_field_str(&l->j, "test", STR("branch"));
	json_field_str(&l->j, "group", STR("brancher"));
	json_field_str(&l->j, "result", STR("pass"));
	link_field(l, run->id, 0);
	json_end(&l->j);
	json_end(&l->j);
	json_end(&l->j);
}

static struct str branch_name(struct list *l, const struct store_run *run)
{
	time_t s = (time_t)(run->begin_ms / 1000);
	_cleanup_(buf_done) struct buf b = {};
	char suffix[64];
	struct tm tm;

	gmtime_r(&s, &tm);
	if (strftime(suffix, sizeof(suffix), "-%Y-%m-%d--%H-%M", &tm) != SUFFIX)
		snprintf(suffix, sizeof(suffix), "-0000-00-00--00-00");
	buf_add_str(&b, run->branch.n ? run->branch : STR("none"));
	buf_add_str(&b, str_of(suffix));
	return masked(&l->arena, buf_str(&b));
}

static int on_run(void *ctx, const struct store_run *run)
{
	struct list *l = ctx;
	struct now now = { .list = l };
	struct str prefix;
	int r;

	l->branch = branch_name(l, run);
	prefix = str_n(l->branch.p, l->branch.n - SUFFIX);
	if ((l->q->branch_name.n && !str_eq(l->q->branch_name, l->branch)) ||
	    (l->q->br_pfx.n && !str_eq(l->q->br_pfx, prefix)))
		return 0;
	r = store_replay(l->site->store, run->id, (struct event_sink){ on_event, &now }, l->err);
	if (r < 0)
		return r;
	if (!l->q->remote.n)
		brancher(l, run);
	entries(l, run);
	return 1;
}

WEB_RENDER(web_nipa_results)
{
	struct list l = { .site = site, .q = &args->q, .err = err,
			  .l2 = str_eq(args->q.format, STR("l2")) };
	uint32_t left = args->q.branches && args->q.branches < BRANCHES_MAX ? args->q.branches
									   : BRANCHES_MAX;
	int r = 0;

	json_init(&l.j, out, false);
	json_array(&l.j);
	for (unsigned i = 0; i < site->n_runs && left && l.told < RESULTS_MAX && r >= 0; i++) {
		if (site->runs[i].state == STORE_RUN_RUNNING)
			continue;
		l.n = 0;
		r = store_run_get(site->store, site->runs[i].id, on_run, &l, err);
		left -= r > 0;
		arena_reset(&l.arena);
	}
	json_end(&l.j);
	arena_done(&l.arena);
	free(l.rows);
	return r < 0 ? r : 0;
}

WEB_RENDER(web_nipa_remotes)
{
	struct arena arena = {};
	struct json j;

	json_init(&j, out, false);
	json_array(&j);
	for (unsigned i = 0; i < site->n_choices; i++) {
		bool before = false;

		for (unsigned k = 0; k < i && !before; k++)
			before = str_eq(site->choices[k].mode, site->choices[i].mode);
		if (!before)
			json_str(&j, masked(&arena, site->choices[i].mode));
	}
	json_end(&j);
	arena_done(&arena);
	return 0;
}

/* What their pages leave out as not reported: nothing. */
WEB_RENDER(web_nipa_filters)
{
	out_lit(out, "{\"ignore-results\":[]}");
	return 0;
}
