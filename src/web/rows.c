/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the grid: what is told of a test, and what it said in each run. A cell
 * has a colour and a mark; one that is bad leads to that result. What isn't
 * known to have passed is never drawn as a pass.
 */
#include <inttypes.h>

#include "web/grid.h"
#include "web/known.h"

#define TREND_HEIGHT 12

/* ---- what is told ---- */

static void rate_text(struct grid *g, const struct judge_flake *x)
{
	struct out *o = g->h->out;

	/* It never said anything. */
	if (!x->rate.n) {
		out_lit(o, "–");
		return;
	}
	if (x->s->lane->at_least)
		out_lit(o, "≥\u00a0");
	html_percent(g->h, x->rate.rate);
	out_lit(o, " <span class=\"interval\">[");
	judge_percent(o, x->rate.low);
	out_lit(o, "–");
	judge_percent(o, x->rate.high);
	out_printf(o, "] %" PRIu64 "/%" PRIu64 "</span>", x->rate.k, x->rate.n);
}

/* Observations and failures of the runs in from <= run < to. */
static void count(const struct judge_flake *x, uint32_t from, uint32_t to, uint32_t *ret_n,
		  uint32_t *ret_k)
{
	*ret_n = *ret_k = 0;
	for (size_t i = 0; i < x->n_parts; i++) {
		const struct judge_axis *a = x->parts[i].s->lane->axis;
		const struct stat_series *s = &x->parts[i].s->own;
		uint32_t first = judge_place(a, from), end = judge_place(a, to), before;
		struct stat_cursor c = {};

		before = stat_series_rank(s, &c, first);
		*ret_n += stat_series_rank(s, &c, end) - before;
		*ret_k += (uint32_t)stat_runs_count(s->bad, first, end);
	}
}

/* The oldest left, as time goes; a bar is at least seen. */
static void trend(struct grid *g, const struct judge_flake *x)
{
	struct out *o = g->h->out;
	bool any = false;

	for (unsigned i = 0; i < TREND_N; i++) {
		uint32_t n, k;
		int height;

		if (g->trend[i] == g->trend[i + 1])
			continue;
		count(x, g->trend[i], g->trend[i + 1], &n, &k);
		if (!k || !n)
			continue;
		if (!any)
			out_printf(o, "<svg class=\"trend\" viewBox=\"0 0 %d %d\" "
				      "aria-hidden=\"true\"><path d=\"", TREND_N * 3, TREND_HEIGHT);
		any = true;
		height = 1 + (int)((double)k * (TREND_HEIGHT - 1) / n + 0.5);
		out_printf(o, "M%u %dh2V%dh-2z", i * 3, TREND_HEIGHT,
			   TREND_HEIGHT - (height < TREND_HEIGHT ? height : TREND_HEIGHT));
	}
	if (any)
		out_lit(o, "\"/></svg>");
}

static void streak(struct grid *g, const struct judge_flake *x)
{
	struct out *o = g->h->out;

	if (x->streak > 0)
		out_printf(o, "✗ %d", x->streak);
	else if (x->streak < 0)
		out_printf(o, "<span class=\"quiet\">%s %d</span>",
			   x->s->lane->at_least ? "◦" : "✓", -x->streak);
}

static void stats(struct grid *g, const struct judge_flake *x)
{
	struct out *o = g->h->out;

	out_lit(o, "<td class=\"stat\">");
	rate_text(g, x);
	out_lit(o, "</td><td class=\"stat\">");
	trend(g, x);
	out_printf(o, "</td><td class=\"stat num\">%u</td><td class=\"stat num\" "
		      "title=\"of %u red runs, %u red for it alone\">", x->flips, x->cost.red,
		   x->cost.alone);
	out_printf(o, "%.1f</td><td class=\"stat num\">", x->cost.share);
	streak(g, x);
	out_lit(o, "</td><td class=\"stat num\">");
	if (x->last != UINT32_MAX)
		grid_run_link(g, x->last);
	out_lit(o, "</td>");
}

/* ---- cells ---- */

void grid_change(struct web_html *h, const struct judge_event *e)
{
	html_text(h, JUDGE_WHAT_NAMES[e->what]);
	out_lit(h->out, ": from ");
	html_percent(h, e->before.rate);
	out_lit(h->out, " to ");
	html_percent(h, e->after.rate);
}

/* What changed in that run, or NULL. */
static const struct judge_event *change_at(const struct grid *g, const struct judge_flake *x,
					   uint32_t run)
{
	for (size_t i = 0; i < x->n_parts; i++) {
		const struct judge_event *const *v;
		size_t n = web_history_changes(g->history, x->parts[i].s, &v);

		for (size_t k = 0; k < n; k++)
			if (v[k]->axis->run[v[k]->run] == run)
				return v[k];
	}
	return NULL;
}

static void cell_link(struct grid *g, const struct judge_flake *x, int64_t id, uint8_t cell)
{
	struct web_args args = { .run = id };
	const struct judge_lane *l = x->s->lane;
	struct out *o = g->h->out;

	out_lit(o, "<a href=\"");
	html_root(g->h);
	web_path(WEB_RUN, &args, o);
	out_lit(o, "#");
	if (x->s->path.n)
		html_result_id(o, l->axis->mode, l->suite, l->program, x->s->path);
	else
		html_program_id(o, l->axis->mode, l->suite, l->program);
	out_printf(o, "\" title=\"run %" PRId64 ": %s\">%s</a>", id, STATUS_INFO[cell].name,
		   STATUS_INFO[cell].mark);
}

static const char *class_of(uint8_t cell)
{
	return cell < STATUS_N			? STATUS_INFO[cell].name
	       : cell == JUDGE_CELL_UNKNOWN	? "unknown"
	       : cell == STORE_CELL_ABSENT	? "absent"
						: "none";
}

static void cell(struct grid *g, const struct judge_flake *x, unsigned column, uint8_t cell)
{
	uint32_t run = g->columns[column];
	const struct judge_event *change = change_at(g, x, run);
	int64_t id = g->history->runs[run].id;
	struct out *o = g->h->out;
	bool bad = cell < STATUS_N && (STATUS_INFO[cell].bad || cell == STATUS_FLAKY);

	if (cell == JUDGE_CELL_NO_RUN && !change) {
		out_lit(o, "<td></td>");
		return;
	}
	out_lit(o, "<td class=\"");
	out_str(o, str_of(class_of(cell)));
	if (change)
		out_lit(o, " cp");
	if (bad && g->outages[column])
		out_lit(o, " out");
	out_lit(o, "\"");
	if (change) {
		out_lit(o, " title=\"");
		grid_change(g->h, change);
		out_lit(o, "\"");
	}
	out_lit(o, ">");
	/* A harness error is no failure of the test, but has a log to read too. */
	if (bad && web_site_has_run(g->h->site, id))
		cell_link(g, x, id, cell);
	else if (cell < STATUS_N)
		html_text(g->h, STATUS_INFO[cell].mark);
	else
		out_str(o, cell == JUDGE_CELL_UNKNOWN ? STR("◦") : STR("·"));
	out_lit(o, "</td>");
}

/* Has the site a page of it? */
static bool has_page(const struct web_site *site, const struct web_query *q)
{
	for (unsigned i = 0; i < site->n_choices && !site->live; i++)
		if (str_eq(site->choices[i].branch, q->branch) &&
		    (!q->mode.n || str_eq(site->choices[i].mode, q->mode)))
			return true;
	return site->live;
}

/* Where the row is empty for long, as its branches seldom run: when it was told last, and
 * where all of a page is about it. */
static void ran(struct grid *g, const struct judge_flake *x, uint32_t run)
{
	const struct judge_run *r = &g->history->runs[run];
	struct web_query q = *g->q;
	struct out *o = g->h->out;

	out_str(o, g->q->before ? STR("<td><span class=\"ran\">ran ")
				: STR("<td><span class=\"ran\">last ran "));
	html_date(g->h, r->begin_ms);
	q.branch = r->branch;
	q.before = 0;
	q.skip = 0;
	if (!g->q->branch.n && r->branch.n && has_page(g->h->site, &q)) {
		out_lit(o, " on <a");
		html_flakes_href(g->h, &q);
		out_lit(o, ">");
		out_html(o, r->branch);
		out_lit(o, "</a>");
	}
	out_lit(o, "</span></td>");
}

static void cells(struct grid *g, const struct judge_flake *x)
{
	uint8_t said[GRID_COLUMNS];
	unsigned empty = 0, i = 0;
	uint32_t run;

	for (unsigned k = 0; k < g->n_columns; k++) {
		said[k] = judge_flake_cell(x, g->columns[k]);
		empty += empty == k && said[k] == JUDGE_CELL_NO_RUN;
	}
	if (empty >= GRID_EMPTY && !change_at(g, x, g->columns[0])) {
		run = g->columns[empty < g->n_columns ? empty : empty - 1];
		while (run > g->flakes.first && judge_flake_cell(x, run) == JUDGE_CELL_NO_RUN)
			run--;
		ran(g, x, run);
		i = 1;
	}
	for (; i < g->n_columns; i++)
		cell(g, x, i, said[i]);
}

/* ---- a row ---- */

static void name(struct grid *g, const struct judge_flake *x)
{
	const struct web_test *test = web_test_of(&g->history->tests, x->s);
	const struct judge_lane *l = x->s->lane;
	struct out *o = g->h->out;
	struct web_excuse excuse;
	bool link;

	out_lit(o, "<th class=\"name\" scope=\"row\" title=\"");
	out_html(o, l->suite);
	out_lit(o, "/");
	out_html(o, l->program);
	if (x->s->path.n)
		out_lit(o, "/");
	out_html(o, x->s->path);
	out_lit(o, "\"><span class=\"line\"><span class=\"where\">");
	out_html(o, l->suite);
	out_lit(o, "/");
	if (x->s->path.n) {
		out_html(o, l->program);
		out_lit(o, "</span> <span class=\"test\">");
		link = html_test_begin(g->h, test);
		out_html(o, x->s->path);
		out_str(o, link ? STR("</a></span>") : STR("</span>"));
	} else {
		out_lit(o, "</span><b class=\"test\">");
		link = html_test_begin(g->h, test);
		out_html(o, l->program);
		out_str(o, link ? STR("</a></b>") : STR("</b>"));
	}
	if (g->modes && l->axis->mode.n) {
		out_lit(o, " <span class=\"mode\">");
		out_html(o, l->axis->mode);
		out_lit(o, "</span>");
	}
	if (web_known_find(g->h->site, x->s, &excuse))
		html_known_pill(g->h, &excuse);
	out_lit(o, "</span>");
	/* On a narrow screen the figures stand below the name. */
	out_lit(o, "<span class=\"below\">");
	rate_text(g, x);
	out_lit(o, "</span></th>");
}

/* What a script sorts by: as judge_flakes_sort() does. */
static void values(struct grid *g, const struct judge_flake *x)
{
	uint32_t status = 0;
	bool known = grid_is_known(g, x);

	for (unsigned i = 0; i < STATUS_N; i++)
		status |= x->counts[i] ? UINT32_C(1) << i : 0;
	out_printf(g->h->out, "<tr data-v=\"%.5g %u %.5g %u %d\" data-status=\"%u\"%s>",
		   x->rate.rate, x->flips, x->cost.share, x->last + 1, x->streak, status,
		   known ? " data-known" : "");
}

size_t grid_end(const struct grid *g)
{
	size_t end = (size_t)g->q->skip + (g->h->site->live ? GRID_ROWS : GRID_FILE);

	return end < g->n_rows ? end : g->n_rows;
}

void grid_rows(struct grid *g)
{
	for (size_t i = g->q->skip; i < grid_end(g); i++) {
		values(g, g->rows[i]);
		name(g, g->rows[i]);
		stats(g, g->rows[i]);
		cells(g, g->rows[i]);
		out_lit(g->h->out, "</tr>\n");
	}
}
