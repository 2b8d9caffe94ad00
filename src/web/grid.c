/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/grid.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/units.h"
#include "web/filter.h"
#include "web/known.h"

#define DAY_MS INT64_C(86400000)

/* ---- which runs ---- */

static bool has_run(const struct judge_flakes *f, uint32_t run)
{
	for (size_t i = 0; i < f->n_axes; i++) {
		const struct judge_axis *a = &f->axes[i];
		uint32_t at;

		if (!f->asked[i])
			continue;
		at = judge_place(a, run);
		if (at < a->n && a->run[at] == run)
			return true;
	}
	return false;
}

/* Of the axes that are asked for. */
static const struct stat_outage *outage_at(const struct grid *g, uint32_t run)
{
	for (size_t i = 0; i < g->history->n_axes; i++) {
		const struct stat_outage *o = g->flakes.asked[i] ?
			web_history_outage(g->history, &g->history->axes[i], run) : NULL;

		if (o)
			return o;
	}
	return NULL;
}

/* Of a period that is asked for, those that are in it. */
static void find_columns(struct grid *g, uint32_t end)
{
	uint32_t first = g->q->days ? g->flakes.first : 0;

	while (end > first && !g->older) {
		if (!has_run(&g->flakes, --end))
			continue;
		if (g->n_columns == GRID_COLUMNS)
			g->older = true;
		else
			g->columns[g->n_columns++] = end;
	}
	for (unsigned i = 0; i < g->n_columns; i++)
		g->outages[i] = outage_at(g, g->columns[i]);
}

static struct judge_flakes_filter filter_of(const struct grid *g)
{
	const struct web_history *h = g->history;
	struct judge_flakes_filter f = {
		.branch = g->q->branch, .mode = g->q->mode, .machine = g->q->machine,
		.suite = g->q->suite, .outages = h->outages,
		/* That a test never failed is told when it is asked for. */
		.steady = g->q->status & ~(UINT32_C(1) << STATUS_FLAKY),
	};

	if (g->q->days && h->n_runs)
		f.since_ms = h->runs[h->n_runs - 1].begin_ms - (int64_t)g->q->days * DAY_MS;
	else
		f.newest = GRID_RUNS;
	return f;
}

/* Which rows there are is known from what is in the columns too: a window that
 * is shorter is made as long as they are. A period is as long as it is. */
static void judge_window(struct grid *g, uint32_t end)
{
	struct judge_flakes_filter f = filter_of(g);
	uint32_t oldest;

	judge_flakes(g->history->judge, &f, &g->flakes);
	find_columns(g, end);
	if (!g->n_columns || g->q->days)
		return;
	oldest = g->columns[g->n_columns - 1];
	if (oldest >= g->flakes.first)
		return;
	judge_flakes_done(&g->flakes);
	f.newest = 0;
	f.since_ms = g->history->runs[oldest].begin_ms;
	judge_flakes(g->history->judge, &f, &g->flakes);
}

/* ---- which tests ---- */

static bool had(const struct judge_flake *x, uint32_t status)
{
	if (!status)
		return x->last != UINT32_MAX;
	for (unsigned i = 0; i < STATUS_N; i++)
		if (status >> i & 1 && x->counts[i])
			return true;
	return false;
}

bool grid_is_known(const struct grid *g, const struct judge_flake *x)
{
	struct web_excuse excuse;

	if (web_known_find(g->h->site, x->s, &excuse) && !excuse.some)
		return true;
	for (unsigned i = 0; i < STATUS_N; i++)
		if (STATUS_INFO[i].bad && x->counts[i])
			return false;
	return x->counts[STATUS_FLAKY] > 0;
}

static bool is_row(const struct grid *g, const struct judge_flake *x)
{
	const struct web_query *q = g->q;
	const struct judge_series *s = x->s;

	return had(x, q->status) && x->flips >= q->flips &&
	       (q->known == WEB_KNOWN_ANY || grid_is_known(g, x) == (q->known == WEB_KNOWN_YES)) &&
	       web_query_names(q, s->lane->suite, s->lane->program, s->path);
}

/* Groups inside of a program say nothing that their results do not; neither does
 * a program whose results explain it. */
static void find_rows(struct grid *g)
{
	g->rows = xcalloc(g->flakes.n + 1, sizeof(struct judge_flake *));
	for (size_t i = 0; i < g->flakes.n; i++) {
		const struct judge_flake *x = &g->flakes.v[i];

		if (x->explained || (!x->s->leaf && !x->s->whole))
			continue;
		g->failed += x->s->leaf && x->last != UINT32_MAX;
		g->programs += !x->s->leaf && x->last != UINT32_MAX;
		if (!is_row(g, x))
			continue;
		g->modes |= g->n_rows && !str_eq(g->rows[0]->s->lane->axis->mode,
						 x->s->lane->axis->mode);
		g->at_least |= x->s->lane->at_least;
		g->rows[g->n_rows++] = x;
	}
}

int grid_init(struct grid *g, struct web_html *h, struct err *err)
{
	uint32_t end, n;

	g->h = h;
	g->history = h->site->history;
	g->q = &h->args->q;
	end = g->history->n_runs;
	if (g->q->before) {
		end = web_history_run(g->history, g->q->before);
		if (end == g->history->n_runs)
			return err_set(err, ENOENT, "there is no run %" PRId64 " to look behind",
				       g->q->before);
	}
	judge_window(g, end);
	judge_flakes_sort(&g->flakes, g->q->sort);
	find_rows(g);
	n = g->flakes.n_runs - g->flakes.first;
	for (uint32_t i = 0; i <= TREND_N; i++)
		g->trend[i] = g->flakes.first + (uint32_t)((uint64_t)n * i / TREND_N);
	return 0;
}

void grid_done(struct grid *g)
{
	judge_flakes_done(&g->flakes);
	free(g->rows);
}

/* ---- column heads ---- */

/* "22 Nov": days since 1970 and their name. */
static int64_t day_of(const struct judge_run *run, char text[static 16])
{
	time_t s = (time_t)(run->begin_ms / 1000);
	struct tm tm;

	text[0] = '\0';
	if (!gmtime_r(&s, &tm))
		return -1;
	strftime(text, 16, "%e %b", &tm);
	return (int64_t)s / 86400;
}

static void day_heads(struct grid *g)
{
	const struct judge_run *runs = g->history->runs;
	struct out *o = g->h->out;
	char text[16], next[16];

	for (unsigned i = 0; i < g->n_columns;) {
		int64_t day = day_of(&runs[g->columns[i]], text);
		unsigned n = 1;

		while (i + n < g->n_columns && day_of(&runs[g->columns[i + n]], next) == day)
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

static uint32_t changes_at(const struct grid *g, uint32_t run)
{
	uint32_t n = 0;

	for (size_t i = 0; i < g->history->n_changes; i++) {
		const struct judge_event *e = g->history->changes[i];

		n += g->flakes.asked[e->axis - g->history->axes] && e->axis->run[e->run] == run;
	}
	return n;
}

/* What the marks of a head say, for whoever asks the head. */
static void head_title(struct grid *g, uint32_t run, const struct stat_outage *outage,
		       uint32_t changes)
{
	const struct judge_run *r = &g->history->runs[run];
	const struct web_run *w = web_site_run(g->h->site, r->id);
	char text[UNIT_TEXT_MAX];
	struct out *o = g->h->out;

	out_printf(o, " title=\"run %" PRId64 ", ", r->id);
	if (w) {
		html_text(g->h, web_run_word(w->state, w->exit_code));
		out_lit(o, ", ");
	}
	html_text(g->h, date_text(r->begin_ms, text));
	if (r->branch.n) {
		out_lit(o, ", ");
		out_html(o, r->branch);
	}
	if (r->commit.n) {
		out_lit(o, ", ");
		out_html(o, r->commit);
	}
	if (outage)
		out_printf(o, "; an outage: %u failed, %.1f were to be expected",
			   outage->failures, outage->expected);
	if (changes)
		out_printf(o, "; %u rate%s changed here", changes, changes == 1 ? "" : "s");
	out_lit(o, "\"");
}

void grid_run_link(struct grid *g, uint32_t run)
{
	html_run_link(g->h, g->history->runs[run].id, "");
}

/* A tick where the commit is not that of the run before. */
static bool is_new(const struct grid *g, unsigned i)
{
	const struct judge_run *runs = g->history->runs;

	return i + 1 < g->n_columns && !str_eq(runs[g->columns[i]].commit,
					       runs[g->columns[i + 1]].commit);
}

/* What a script chooses columns by, among files: when it began, and on which machines of
 * filter_machines() it ran, as bits. */
static void head_values(struct grid *g, uint32_t run)
{
	struct str machines[FILTER_MACHINES];
	unsigned n = filter_machines(g->history, machines);
	uint32_t bits = 0;

	for (size_t i = 0; i < g->history->n_axes; i++) {
		const struct judge_axis *a = &g->history->axes[i];
		uint32_t at = judge_place(a, run);

		for (unsigned k = 0; k < n && at < a->n && a->run[at] == run; k++)
			bits |= str_eq(machines[k], a->machine) ? UINT32_C(1) << k : 0;
	}
	out_printf(g->h->out, " data-t=\"%" PRId64 "\"", g->history->runs[run].begin_ms / 1000);
	if (n > 1)
		out_printf(g->h->out, " data-m=\"%u\"", bits);
}

static void run_head(struct grid *g, unsigned i)
{
	const struct stat_outage *outage = g->outages[i];
	uint32_t changes = changes_at(g, g->columns[i]);
	struct out *o = g->h->out;

	out_lit(o, "<th scope=\"col\" class=\"run");
	if (is_new(g, i))
		out_lit(o, " new");
	if (outage)
		out_lit(o, " out");
	out_lit(o, "\"");
	head_title(g, g->columns[i], outage, changes);
	if (!g->h->site->live)
		head_values(g, g->columns[i]);
	out_lit(o, ">");
	if (changes)
		out_lit(o, "<span class=\"sign\">◆</span>");
	if (outage)
		out_lit(o, "<span class=\"sign\">▼</span>");
	grid_run_link(g, g->columns[i]);
	out_lit(o, "</th>");
}

/* A head by which the rows are sorted, or can be. */
static void sort_head(struct grid *g, const char *class, enum judge_sort by, const char *label)
{
	struct web_query q = *g->q;
	struct out *o = g->h->out;

	out_lit(o, "<th rowspan=\"2\" scope=\"col\" class=\"");
	html_text(g->h, class);
	out_lit(o, "\"");
	if (g->q->sort == by)
		out_str(o, by == JUDGE_SORT_NAME ? STR(" aria-sort=\"ascending\"")
						 : STR(" aria-sort=\"descending\""));
	q.sort = by;
	q.skip = 0;
	out_lit(o, "><a data-sort=\"");
	html_text(g->h, JUDGE_SORTS[by]);
	out_lit(o, "\"");
	html_flakes_href(g->h, &q);
	out_lit(o, ">");
	html_text(g->h, label);
	out_lit(o, "</a></th>");
}

void grid_write(struct grid *g)
{
	struct out *o = g->h->out;
	bool tall = g->n_columns && g->history->runs[g->columns[0]].id >= 100;

	out_lit(o, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		   "aria-label=\"Tests by run, the newest run first\">\n");
	/* Numbers of three digits stand upright: a column is as wide as two. */
	out_str(o, tall ? STR("<table class=\"grid tall\" id=\"grid\">\n<thead>\n<tr>")
			: STR("<table class=\"grid\" id=\"grid\">\n<thead>\n<tr>"));
	sort_head(g, "name", JUDGE_SORT_NAME, "Test");
	sort_head(g, "stat", JUDGE_SORT_RATE, "Failure rate");
	out_lit(o, "<th rowspan=\"2\" scope=\"col\" class=\"stat\">Trend</th>");
	sort_head(g, "stat num", JUDGE_SORT_FLIPS, "Flips");
	sort_head(g, "stat num", JUDGE_SORT_COST, "Cost");
	sort_head(g, "stat num", JUDGE_SORT_STREAK, "Streak");
	sort_head(g, "stat num", JUDGE_SORT_RECENT, "Last");
	day_heads(g);
	out_lit(o, "<tr>");
	for (unsigned i = 0; i < g->n_columns; i++)
		run_head(g, i);
	out_lit(o, "</tr>\n</thead>\n<tbody>\n");
	grid_rows(g);
	out_lit(o, "</tbody>\n</table>\n</div>\n");
}
