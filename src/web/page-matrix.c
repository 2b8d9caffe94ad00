/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrix: one suite over branches and modes, the latest run of each. A program's
 * cell says the worst and how many; of its tests those are shown that failed
 * somewhere, or were skipped here and ran there: a kernel that lacks a feature is
 * told from one that breaks it. What never ran there is empty.
 */
#include <inttypes.h>

#include "base/units.h"
#include "web/filter.h"
#include "web/matrix.h"
#include "web/pages.h"

struct page {
	struct web_html *h;
	const struct web_history *history;
	struct matrix m;
};

/* ---- heads ---- */

static void suites(struct page *p, const struct str *v, unsigned n)
{
	struct out *o = p->h->out;

	if (n < 2)
		return;
	out_lit(o, "<nav class=\"choices\" aria-label=\"Suite\">\n<ul>\n"
		   "<li class=\"what\">Suite</li>\n");
	for (unsigned i = 0; i < n; i++) {
		struct web_args args = { .q.suite = v[i] };
		struct web_query q = { .machine = p->h->args->q.machine,
				       .days = p->h->args->q.days };

		out_lit(o, "<li><a href=\"");
		html_root(p->h);
		web_path(WEB_MATRIX_SUITE, &args, o);
		web_query_print(&q, true, o);
		out_str(o, str_eq(v[i], p->m.suite) ? STR("\" aria-current=\"page\">")
						    : STR("\">"));
		out_html(o, v[i]);
		out_lit(o, "</a></li>\n");
	}
	out_lit(o, "</ul>\n</nav>\n");
}

static void lead(struct page *p)
{
	size_t programs = 0;
	struct out *o = p->h->out;

	for (size_t i = 0; i < p->m.n_rows; i++)
		programs += p->m.rows[i].program && !p->m.rows[i].other;
	out_lit(o, "<p class=\"lead\">The latest run of ");
	out_html(o, p->m.suite);
	out_printf(o, " on each branch and mode: %zu program%s, and those of their tests that "
		      "failed somewhere, or were skipped here and ran there.",
		   programs, programs == 1 ? "" : "s");
	if (p->m.more_columns)
		out_printf(o, " %u more branch%s and mode%s did not run for longer than these.",
			   p->m.more_columns, p->m.more_columns == 1 ? "" : "es",
			   p->m.more_columns == 1 ? "" : "s");
	out_lit(o, "</p>\n");
}

static void legend(struct page *p)
{
	static const enum status shown[] = { STATUS_PASS, STATUS_FAIL, STATUS_SKIP, STATUS_FLAKY,
					     STATUS_XFAIL, STATUS_MISSING, STATUS_CRASH };
	struct out *o = p->h->out;

	out_lit(o, "<ul class=\"legend\" aria-label=\"Marks\">\n");
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		out_lit(o, "<li>");
		html_mark(p->h, shown[i], false);
		out_lit(o, " ");
		html_text(p->h, STATUS_INFO[shown[i]].name);
		out_lit(o, "</li>\n");
	}
	out_lit(o, "<li><span class=\"mark unknown\" aria-hidden=\"true\">◦</span> passed, or "
		   "did not run</li>\n"
		   "<li><span class=\"mark absent\" aria-hidden=\"true\">·</span> "
		   "not in the latest run</li>\n<li>empty: never ran there</li>\n</ul>\n");
}

static bool is_first(const struct page *p, unsigned i)
{
	const struct matrix_column *v = p->m.columns;

	return !i || !str_eq(v[i - 1].axis->branch, v[i].axis->branch);
}

static void branch_heads(struct page *p)
{
	const struct matrix_column *v = p->m.columns;
	struct out *o = p->h->out;

	out_lit(o, "<tr><th rowspan=\"2\" scope=\"col\" class=\"name\">Test</th>");
	for (unsigned i = 0, n, shown; i < p->m.n_columns; i += n) {
		struct str branch = v[i].axis->branch;
		struct web_query q = { .branch = branch, .suite = p->m.suite };

		for (n = shown = 1; i + n < p->m.n_columns && !is_first(p, i + n); n++)
			shown += !v[i + n].other;
		/* One or two columns have no room for a name that lies. */
		out_printf(o, "<th class=\"branch%s\" colspan=\"%u\" scope=\"colgroup\"><a",
			   shown < 3 && branch.n > 4 ? " tall" : "", shown);
		html_flakes_href(p->h, &q);
		out_lit(o, ">");
		out_html(o, branch.n ? branch : STR("no branch"));
		out_lit(o, "</a></th>");
	}
	out_lit(o, "</tr>\n");
}

/* What a script chooses columns by, among files. */
static void head_values(struct page *p, const struct matrix_column *c)
{
	struct str machines[FILTER_MACHINES];
	unsigned n = filter_machines(p->history, machines), i = 0;

	while (i < n && !str_eq(machines[i], c->axis->machine))
		i++;
	out_printf(p->h->out, " data-t=\"%" PRId64 "\"",
		   p->history->runs[c->run].begin_ms / 1000);
	if (n > 1 && i < n)
		out_printf(p->h->out, " data-m=\"%u\"", UINT32_C(1) << i);
	if (c->other)
		out_lit(p->h->out, " hidden");
}

static void mode_head(struct page *p, unsigned i)
{
	const struct matrix_column *c = &p->m.columns[i];
	const struct judge_run *r = &p->history->runs[c->run];
	char text[UNIT_TEXT_MAX];
	struct out *o = p->h->out;

	out_str(o, is_first(p, i) ? STR("<th scope=\"col\" class=\"mode-head first\" title=\"")
				  : STR("<th scope=\"col\" class=\"mode-head\" title=\""));
	out_html(o, c->axis->branch);
	out_lit(o, " ");
	out_html(o, c->axis->mode);
	if (c->axis->machine.n) {
		out_lit(o, " on ");
		out_html(o, c->axis->machine);
	}
	out_printf(o, ": run %" PRId64 ", ", r->id);
	html_text(p->h, date_text(r->begin_ms, text));
	out_str(o, r->commit.n ? STR(", ") : STR(""));
	out_html(o, r->commit);
	out_lit(o, "\"");
	if (!p->h->site->live)
		head_values(p, c);
	out_lit(o, "><span>");
	out_html(o, c->axis->mode.n ? c->axis->mode : STR("no mode"));
	out_lit(o, "</span><span class=\"quiet\">");
	html_run_link(p->h, r->id, "");
	out_lit(o, "</span></th>");
}

/* ---- cells ---- */

static void cell_begin(struct page *p, const struct matrix_row *row, unsigned i,
		       const char *class)
{
	out_printf(p->h->out, "<td class=\"%s%s%s\"%s", class, row->program ? " whole" : "",
		   is_first(p, i) ? " first" : "", p->m.columns[i].other ? " hidden" : "");
}

static void title(struct page *p, const struct matrix_cell *c, bool program)
{
	struct out *o = p->h->out;

	out_lit(o, " title=\"");
	html_text(p->h, STATUS_INFO[c->said].name);
	if (program && c->bad + c->skipped + c->held)
		out_printf(o, ": %u failed, %u skipped, %u passed", c->bad, c->skipped, c->held);
	out_lit(o, "\"");
}

static void cell_link(struct page *p, const struct matrix_row *row, unsigned i)
{
	const struct judge_axis *a = p->m.columns[i].axis;
	const struct judge_lane *l = row->s->lane;
	struct web_args args = { .run = p->history->runs[p->m.columns[i].run].id };
	struct out *o = p->h->out;

	out_lit(o, "<a href=\"");
	html_root(p->h);
	web_path(WEB_RUN, &args, o);
	out_lit(o, "#");
	html_program_id(o, a->mode, l->suite, l->program);
	out_lit(o, "\">");
}

static void cell(struct page *p, const struct matrix_row *row, unsigned i)
{
	const struct matrix_cell *c = &row->cells[i];
	const struct judge_run *r = &p->history->runs[p->m.columns[i].run];
	bool link = row->program && web_site_has_run(p->h->site, r->id);
	struct out *o = p->h->out;

	if (c->said >= STATUS_N) {
		bool unknown = c->said == JUDGE_CELL_UNKNOWN, absent = c->said == STORE_CELL_ABSENT;

		cell_begin(p, row, i, unknown ? "unknown" : absent ? "absent" : "none");
		out_str(o, unknown ? STR(">◦</td>") : absent ? STR(">·</td>") : STR("></td>"));
		return;
	}
	cell_begin(p, row, i, STATUS_INFO[c->said].name);
	title(p, c, row->program);
	out_lit(o, ">");
	if (link)
		cell_link(p, row, i);
	html_text(p->h, STATUS_INFO[c->said].mark);
	if (row->program && c->bad)
		out_printf(o, " %u", c->bad);
	else if (row->program && c->skipped && c->said != STATUS_SKIP)
		out_printf(o, "<span class=\"part\"> %s %u</span>",
			   STATUS_INFO[STATUS_SKIP].mark, c->skipped);
	out_str(o, link ? STR("</a></td>") : STR("</td>"));
}

static void row(struct page *p, const struct matrix_row *row)
{
	const struct judge_series *s = row->s;
	struct out *o = p->h->out;
	bool link;

	out_str(o, row->other ? STR("<tr hidden>") : STR("<tr>"));
	out_lit(o, "<th class=\"name\" scope=\"row\" title=\"");
	out_html(o, s->lane->program);
	out_str(o, row->program ? STR("") : STR("/"));
	out_html(o, row->program ? STR("") : s->path);
	out_str(o, row->program ? STR("\"><b class=\"test\">")
				: STR("\"><span class=\"test below-program\">"));
	link = html_test_begin(p->h, row->test);
	out_html(o, row->program ? s->lane->program : s->path);
	out_str(o, link ? STR("</a>") : STR(""));
	out_str(o, row->program ? STR("</b></th>") : STR("</span></th>"));
	for (unsigned i = 0; i < p->m.n_columns; i++)
		cell(p, row, i);
	out_lit(o, "</tr>\n");
}

static void table(struct page *p)
{
	struct out *o = p->h->out;

	out_lit(o, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		   "aria-label=\"Tests by branch and mode\">\n"
		   "<table class=\"grid matrix\" id=\"matrix\">\n<thead>\n");
	branch_heads(p);
	out_lit(o, "<tr>");
	for (unsigned i = 0; i < p->m.n_columns; i++)
		mode_head(p, i);
	out_lit(o, "</tr>\n</thead>\n<tbody>\n");
	for (size_t i = 0; i < p->m.n_rows; i++)
		row(p, &p->m.rows[i]);
	out_lit(o, "</tbody>\n</table>\n</div>\n");
	if (p->m.more_rows)
		out_printf(o, "<p class=\"quiet\">and %zu more test%s</p>\n", p->m.more_rows,
			   p->m.more_rows == 1 ? "" : "s");
}

/* ---- the page ---- */

/* Without a suite in its address the largest. */
static bool choose(struct page *p, const struct str *v, unsigned n, struct str asked,
		   struct str *ret)
{
	*ret = n ? v[0] : STR("");
	for (unsigned i = 0; i < n && asked.n; i++)
		if (str_eq(v[i], asked)) {
			*ret = v[i];
			return true;
		}
	return !asked.n;
}

WEB_RENDER(web_matrix_page)
{
	struct web_html h = { site, out, args->q.suite.n ? WEB_MATRIX_SUITE : WEB_MATRIX, args };
	struct page p = { .h = &h, .history = site->history };
	struct str v[MATRIX_SUITES], suite;
	unsigned n = matrix_suites(site->history, v, MATRIX_SUITES);

	if (!choose(&p, v, n, args->q.suite, &suite))
		return err_set(err, ENOENT, "no suite '%.*s' ever ran", STR_FMT(args->q.suite));
	html_begin(&h, STR("Matrix"));
	out_lit(out, "<h1>Matrix</h1>\n");
	if (n) {
		matrix_init(&p.m, site->history, suite, &args->q, !site->live);
		suites(&p, v, n);
		lead(&p);
		filter_matrix_write(&h);
		legend(&p);
		if (p.m.n_columns)
			table(&p);
		else
			out_lit(out, "<p class=\"empty\">No run fits.</p>\n");
		matrix_done(&p.m);
	} else {
		out_lit(out, "<p class=\"empty\">No results yet. <code>taproom run</code> makes "
			     "the first.</p>\n");
	}
	html_end(&h);
	return 0;
}

WEB_EACH(web_each_suite)
{
	struct str v[MATRIX_SUITES];
	unsigned n = matrix_suites(site->history, v, MATRIX_SUITES);

	for (unsigned i = 0; i < n; i++) {
		struct web_args args = { .q.suite = v[i] };
		int r = fn(ctx, &args);

		if (r)
			return r;
	}
	return 0;
}
