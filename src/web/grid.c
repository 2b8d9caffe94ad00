/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grid of a flakes page: one row for each test, one column for each run,
 * newest first. Those of one program stand together by mode; the program of
 * the highest rate is on top.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "stat/rate.h"
#include "web/pages.h"

#define NAME_FITS  44  /* longer ones may be cut by the column, and get a title */

struct row {
	struct store_series series;
	uint8_t *cells;
	struct stat_rate rate;
	struct stat_rate worst; /* of the program's rows */
	size_t program, at;  /* as they came: the program's first row, this one */
};

struct grid {
	struct web_html *h;
	unsigned columns;
	bool steady;         /* which of the two tables is written */
	struct row *rows;
	size_t n_rows, cap_rows;
	struct arena arena;
	int64_t ids[WEB_RUNS_MAX];
};

/* ---- column heads ---- */

/* "22 Nov": days since 1970 and their name. */
static int64_t day_of(const struct web_run *run, char text[static 16])
{
	time_t s = run ? (time_t)(run->begin_ms / 1000) : 0;
	struct tm tm;

	text[0] = '\0';
	if (!run || !gmtime_r(&s, &tm))
		return -1;
	strftime(text, 16, "%e %b", &tm);
	return (int64_t)s / 86400;
}

static void day_heads(struct grid *g)
{
	struct out *o = g->h->out;
	char text[16], next[16];

	for (unsigned i = 0; i < g->columns;) {
		int64_t day = day_of(web_site_run(g->h->site, g->ids[i]), text);
		unsigned n = 1;

		while (i + n < g->columns &&
		       day_of(web_site_run(g->h->site, g->ids[i + n]), next) == day)
			n++;
		out_printf(o, "<th class=\"day\" colspan=\"%u\" scope=\"colgroup\"><span>", n);
		/* A narrow group has room for the day of the month only. */
		out_html(o, str_trim(n < 3 ? str_n(text, strlen(text) < 2 ? strlen(text) : 2)
					   : str_of(text)));
		out_lit(o, "</span></th>");
		i += n;
	}
	out_lit(o, "</tr>\n");
}

static void run_head(struct grid *g, unsigned i)
{
	const struct web_run *run = web_site_run(g->h->site, g->ids[i]);
	const struct web_run *older =
		i + 1 < g->columns ? web_site_run(g->h->site, g->ids[i + 1]) : NULL;
	struct web_args args = { .run = g->ids[i] };
	struct out *o = g->h->out;

	/* A tick where the commit is not that of the run before. */
	out_str(o, run && older && !str_eq(run->commit, older->commit)
			   ? STR("<th class=\"run new\" scope=\"col\">")
			   : STR("<th class=\"run\" scope=\"col\">"));
	if (run) {
		out_lit(o, "<a");
		html_href(g->h, WEB_RUN, &args);
		out_lit(o, " title=\"");
		html_text(g->h, web_run_word(run->state, run->exit_code));
		out_lit(o, ", ");
		out_html(o, run->commit);
		out_lit(o, "\">");
	}
	out_printf(o, "%" PRId64, g->ids[i]);
	out_str(o, run ? STR("</a></th>") : STR("</th>"));
}

static int on_head(void *ctx, const int64_t *runs, unsigned n)
{
	struct grid *g = ctx;
	struct out *o = g->h->out;

	g->columns = n < WEB_RUNS_MAX ? n : WEB_RUNS_MAX;
	memcpy(g->ids, runs, g->columns * sizeof(*runs));
	out_lit(o, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
	html_text(g->h, g->steady ? "Steady tests by run" : "Tests that failed, by run");
	/* Numbers of three digits stand upright: a column is as wide as two. */
	out_str(o, n && runs[0] >= 100 ? STR("\">\n<table class=\"grid tall\">")
				       : STR("\">\n<table class=\"grid\">"));
	out_lit(o, "\n<thead>\n<tr>"
		   "<th class=\"name\" rowspan=\"2\" scope=\"col\">Test</th>"
		   "<th class=\"stat\" rowspan=\"2\" scope=\"col\">Failure rate</th>"
		   "<th class=\"stat num\" rowspan=\"2\" scope=\"col\">Failed</th>"
		   "<th class=\"stat num\" rowspan=\"2\" scope=\"col\">Last</th>");
	day_heads(g);
	out_lit(o, "<tr>");
	for (unsigned i = 0; i < g->columns; i++)
		run_head(g, i);
	out_lit(o, "</tr>\n</thead>\n");
	return 0;
}

/* ---- rows ---- */

bool grid_is_row(const struct store_series *s)
{
	return s->leaf || s->path.n == 0;
}

static void percent(struct out *o, double p)
{
	p *= 100;
	out_printf(o, p == 0 || p >= 99.995 ? "%.0f" : p < 1 ? "%.2f" : "%.1f", p);
}

static void rate_text(struct grid *g, const struct stat_rate *rate)
{
	/* It never said anything. */
	if (!rate->n) {
		out_lit(g->h->out, "–");
		return;
	}
	percent(g->h->out, rate->rate);
	out_lit(g->h->out, " % <span class=\"interval\">[");
	percent(g->h->out, rate->low);
	out_lit(g->h->out, "–");
	percent(g->h->out, rate->high);
	out_lit(g->h->out, "]</span>");
}

/* The newest one in the window, known flake or not. */
static void last_failure(struct grid *g, const uint8_t *cells)
{
	for (unsigned i = 0; i < g->columns; i++) {
		if (stat_says(cells[i]) == STAT_FAILED) {
			html_run_link(g->h, g->ids[i], "");
			return;
		}
	}
}

static void stats(struct grid *g, const struct row *r)
{
	struct out *o = g->h->out;

	/* On a narrow screen the figures stand below the name. */
	out_lit(o, "<span class=\"below\">");
	rate_text(g, &r->rate);
	out_printf(o, " %" PRIu64 "/%" PRIu64 "</span></th><td class=\"stat\">", r->rate.k,
		   r->rate.n);
	rate_text(g, &r->rate);
	out_printf(o, "</td><td class=\"stat num\">%" PRIu64, r->rate.k);
	out_printf(o, "<span class=\"quiet\">/%" PRIu64 "</span></td>", r->rate.n);
	out_lit(o, "<td class=\"stat num\">");
	last_failure(g, r->cells);
	out_lit(o, "</td>");
}

static void bad_cell(struct grid *g, const struct store_series *s, unsigned i,
		     enum status status)
{
	struct web_args args = { .run = g->ids[i] };
	struct out *o = g->h->out;

	out_lit(o, "<a href=\"");
	/* The same path as html_href() writes, and the place in that page. */
	for (const char *p = WEB_PAGES[g->h->page].path; *p; p++)
		if (*p == '/')
			out_lit(o, "../");
	web_path(WEB_RUN, &args, o);
	out_lit(o, "#");
	if (s->path.n)
		html_result_id(o, s->mode, s->suite, s->program, s->path);
	else
		html_program_id(o, s->mode, s->suite, s->program);
	out_printf(o, "\" title=\"run %" PRId64 ": %s\">%s</a>", g->ids[i],
		   STATUS_INFO[status].name, STATUS_INFO[status].mark);
}

static void cell(struct grid *g, const struct store_series *s, unsigned i, uint8_t state)
{
	struct out *o = g->h->out;

	if (state >= STATUS_N) {
		out_lit(o, "<td class=\"absent\">·</td>");
		return;
	}
	out_printf(o, "<td class=\"%s\">", STATUS_INFO[state].name);
	/* A harness error is no failure of the test, but has a log to read too. */
	if ((STATUS_INFO[state].bad || state == STATUS_FLAKY) &&
	    web_site_run(g->h->site, g->ids[i]))
		bad_cell(g, s, i, (enum status)state);
	else
		html_text(g->h, STATUS_INFO[state].mark);
	out_lit(o, "</td>");
}

/* A program's own row heads those of its results. */
static void name(struct grid *g, const struct store_series *s)
{
	struct out *o = g->h->out;

	if (!s->path.n) {
		out_lit(o, "<tr class=\"group\"><th class=\"name\" scope=\"row\">");
		out_html(o, s->suite);
		out_lit(o, "/<b>");
		out_html(o, s->program);
		out_lit(o, "</b> <span class=\"quiet\">");
		out_html(o, s->mode);
		out_lit(o, "</span>");
		return;
	}
	out_lit(o, "<tr><th class=\"name\" scope=\"row\"");
	if (s->path.n > NAME_FITS) {
		out_lit(o, " title=\"");
		out_html(o, s->path);
		out_lit(o, "\"");
	}
	out_lit(o, ">");
	out_html(o, s->path);
}

/* Where the program itself has no row, a line with its name alone. */
static void heading(struct grid *g, const struct store_series *s)
{
	struct store_series head = *s;

	out_lit(g->h->out, "<tbody>\n");
	if (!s->path.n)
		return;
	head.path = STR("");
	name(g, &head);
	out_printf(g->h->out, "</th><td colspan=\"%u\"></td></tr>\n", g->columns + 3);
}

static int by_program(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	struct str p = x->series.mode, q = y->series.mode;
	int c = stat_rate_order(&x->worst, &y->worst);

	if (c || x->program != y->program)
		return c ? c : x->program < y->program ? -1 : 1;
	c = memcmp(p.p, q.p, p.n < q.n ? p.n : q.n);
	if (c || p.n != q.n)
		return c ? c : p.n < q.n ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* What all rows of a program are ordered by. The steady stay as they came. */
static void find_worst(struct grid *g)
{
	for (size_t i = 0; i < g->n_rows; i++) {
		struct row *first = &g->rows[g->rows[i].program];

		if (stat_rate_order(&g->rows[i].rate, &first->worst) < 0)
			first->worst = g->rows[i].rate;
	}
	for (size_t i = 0; i < g->n_rows; i++)
		g->rows[i].worst = g->rows[g->rows[i].program].worst;
}

static void write_rows(struct grid *g)
{
	if (!g->steady)
		find_worst(g);
	if (g->n_rows)
		qsort(g->rows, g->n_rows, sizeof(*g->rows), by_program);
	for (size_t i = 0; i < g->n_rows; i++) {
		const struct row *r = &g->rows[i], *above = r - (i > 0);

		if (i == 0 || r->program != above->program ||
		    !str_eq(r->series.mode, above->series.mode)) {
			if (i)
				out_lit(g->h->out, "</tbody>\n");
			heading(g, &r->series);
		}
		name(g, &r->series);
		out_lit(g->h->out, " ");
		stats(g, r);
		for (unsigned c = 0; c < g->columns; c++)
			cell(g, &r->series, c, r->cells[c]);
		out_lit(g->h->out, "</tr>\n");
	}
	if (g->n_rows)
		out_lit(g->h->out, "</tbody>\n");
}

static struct str keep(struct grid *g, struct str s)
{
	return str_n(arena_strndup(&g->arena, s.p ? s.p : "", s.n), s.n);
}

static int on_row(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	struct grid *g = ctx;
	const struct row *last;
	struct row *r;

	if (!grid_is_row(s) || stat_failed(cells, g->columns) == g->steady ||
	    (g->steady && g->n_rows >= GRID_STEADY_MAX))
		return 0;
	ARRAY_GROW(g->rows, g->n_rows, g->cap_rows);
	r = &g->rows[g->n_rows];
	last = r - (g->n_rows > 0);
	r->rate = stat_rate_of(cells, g->columns);
	r->worst = g->steady ? (struct stat_rate){} : r->rate;
	r->program = g->n_rows && str_eq(last->series.suite, s->suite) &&
				     str_eq(last->series.program, s->program)
			     ? last->program : g->n_rows;
	r->at = g->n_rows++;
	r->series = *s;
	r->series.suite = keep(g, s->suite);
	r->series.program = keep(g, s->program);
	r->series.path = keep(g, s->path);
	r->series.mode = keep(g, s->mode);
	r->cells = arena_alloc(&g->arena, g->columns);
	memcpy(r->cells, cells, g->columns);
	return 0;
}

int grid_write(struct web_html *h, const struct store_grid_filter *filter, bool steady,
	       uint64_t *ret_rows, struct err *err)
{
	_free_ struct grid *g = xcalloc(1, sizeof(*g));
	struct store_grid_filter f = *filter;
	int r;

	g->h = h;
	g->steady = steady;
	f.all = steady;
	r = store_grid(h->site->store, &f, on_head, on_row, g, err);
	if (r >= 0) {
		write_rows(g);
		out_lit(h->out, "</table>\n</div>\n");
		*ret_rows = g->n_rows;
	}
	free(g->rows);
	arena_done(&g->arena);
	return r < 0 ? r : 0;
}
