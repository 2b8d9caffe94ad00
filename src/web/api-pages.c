/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server answers below api/v1/: docs/api.md. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/units.h"
#include "web/api.h"
#include "web/grid.h"
#include "web/history.h"
#include "web/pages.h"

#define RUNS_MAX    100  /* in one answer */
#define CHANGES_MAX 1000
#define DAY_MS      INT64_C(86400000)

/* ---- overview ---- */

static int on_latest(void *ctx, const struct store_run *r)
{
	struct json *j = ctx;

	json_field_str(j, "state", str_of(API_STATES[r->state]));
	json_field_int(j, "exit_code", r->exit_code);
	json_field_str(j, "conclusion", r->conclusion);
	return 0;
}

WEB_RENDER(web_api_overview)
{
	const struct web_history *w = site->history;
	struct json j;
	int r = 0;

	json_init(&j, out, false);
	json_object(&j);
	json_field_str(&j, "version", str_of(site->version));
	json_field_int(&j, "runs", w->n_runs);
	json_field_int(&j, "tests", (int64_t)web_history_leaves(w));
	json_key(&j, "branches");
	json_array(&j);
	for (unsigned i = 0; i < site->n_choices && r >= 0; i++) {
		const struct web_choice *c = &site->choices[i];

		if (c->last >= w->n_runs)
			continue;
		json_object(&j);
		json_field_str(&j, "branch", c->branch);
		json_field_str(&j, "mode", c->mode);
		api_run(&j, "latest", &w->runs[c->last]);
		r = store_run_get(site->store, w->runs[c->last].id, on_latest, &j, err);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	return r;
}

/* ---- runs ---- */

struct listing {
	struct json j;
	struct store *programs_of;
	struct err *err;
};

static int on_run(void *ctx, const struct store_run *r)
{
	struct listing *l = ctx;

	return api_runs_one(&l->j, r, l->programs_of, l->err);
}

WEB_RENDER(web_api_run)
{
	struct listing l = { .programs_of = site->store, .err = err };

	json_init(&l.j, out, false);
	return store_run_get(site->store, args->run, on_run, &l, err);
}

static char *text_of(struct str s)
{
	return s.n ? xstrndup(s.p, s.n) : NULL;
}

WEB_RENDER(web_api_runs)
{
	_free_ char *branch = text_of(args->q.branch), *mode = text_of(args->q.mode);
	const struct store_runs_filter f = { .branch = branch, .mode = mode,
					     .before_id = args->q.before, .limit = RUNS_MAX };
	struct listing l = { .err = err };
	int r;

	json_init(&l.j, out, false);
	json_array(&l.j);
	r = store_runs(site->store, &f, on_run, &l, err);
	if (r == 0)
		json_end(&l.j);
	return r;
}

/* ---- judged ---- */

/* The rows of the page that is asked for, and what they said in its columns. */
WEB_RENDER(web_api_flakes)
{
	struct web_html h = { .site = site, .out = out, .page = WEB_FLAKES, .args = args };
	_cleanup_(grid_done) struct grid g = {};
	int r = grid_init(&g, &h, err);
	size_t skip = args->q.skip, n;
	struct json j;

	if (r < 0)
		return r;
	skip = skip < g.n_rows ? skip : g.n_rows;
	n = g.n_rows - skip < GRID_ROWS ? g.n_rows - skip : GRID_ROWS;
	json_init(&j, out, false);
	api_flakes(&j, &g.flakes, g.rows + skip, n, g.columns, g.n_columns, NULL);
	return 0;
}

static bool fits(const struct judge_event *e, const struct web_query *q, int64_t since_ms)
{
	const struct judge_axis *a = e->axis;

	if (e->suspect || e->ms < since_ms || (q->branch.n && !str_eq(q->branch, a->branch)) ||
	    (q->mode.n && !str_eq(q->mode, a->mode)) ||
	    (q->machine.n && !str_eq(q->machine, a->machine)))
		return false;
	if (!e->series)
		return !q->suite.n && !q->name.n;
	return (!q->suite.n || str_eq(q->suite, e->series->lane->suite)) &&
	       web_query_names(q, e->series->lane->suite, e->series->lane->program,
			       e->series->path);
}

WEB_RENDER(web_api_changes)
{
	const struct web_history *w = site->history;
	struct judge_events e = { .v = xcalloc(w->events.n + 1, sizeof(*e.v)) };
	int64_t since_ms = 0;
	struct json j;

	if (args->q.days && w->n_runs)
		since_ms = w->runs[w->n_runs - 1].begin_ms - args->q.days * DAY_MS;
	for (size_t i = 0; i < w->events.n; i++)
		if (fits(&w->events.v[i], &args->q, since_ms))
			e.v[e.n++] = w->events.v[i];
	json_init(&j, out, false);
	api_changes(&j, &e, w->runs, CHANGES_MAX, NULL);
	free(e.v);
	return 0;
}

/* ---- two sides ---- */

static int side_of(const struct web_history *w, const struct web_span *s, const char *name,
		   struct judge_side *ret, struct err *err)
{
	uint32_t first = web_history_run(w, s->first), last = web_history_run(w, s->last);

	if (!s->first)
		return err_set(err, EINVAL, "two runs are compared, a and b: '%s' is not said",
			       name);
	if (first == w->n_runs || last == w->n_runs)
		return err_set(err, ENOENT, "there is no run %" PRId64 " that has ended",
			       first == w->n_runs ? s->first : s->last);
	/* In time, which an imported past's numbers do not follow. */
	*ret = first <= last ? (struct judge_side){ first, last + 1 }
			     : (struct judge_side){ last, first + 1 };
	return 0;
}

int web_sides(const struct web_site *site, const struct web_query *q, struct judge_side *ret,
	      struct err *err)
{
	int r = side_of(site->history, &q->a, "a", &ret[JUDGE_SIDE_A], err);

	return r < 0 ? r : side_of(site->history, &q->b, "b", &ret[JUDGE_SIDE_B], err);
}

WEB_RENDER(web_api_diff)
{
	const struct web_history *w = site->history;
	_cleanup_(judge_compared_done) struct judge_compared d = {};
	struct judge_side side[JUDGE_SIDES];
	struct json j;
	int r = web_sides(site, &args->q, side, err);

	if (r < 0)
		return r;
	judge_compare(&d, w->axes, w->n_axes, side);
	json_init(&j, out, false);
	api_diff(&j, &d, w->runs, side, NULL);
	return 0;
}
