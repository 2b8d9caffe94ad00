/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/filter.h"

#include <inttypes.h>

static void label(struct web_html *h, const char *id, const char *text)
{
	struct out *o = h->out;

	out_lit(o, "<div><label for=\"f-");
	html_text(h, id);
	out_lit(o, "\">");
	html_text(h, text);
	out_lit(o, "</label>");
}

static void select_begin(struct web_html *h, const char *id, const char *text)
{
	struct out *o = h->out;

	label(h, id, text);
	out_lit(o, "<select id=\"f-");
	html_text(h, id);
	out_lit(o, "\" name=\"");
	html_text(h, id);
	out_lit(o, "\">");
}

static void select_end(struct web_html *h)
{
	out_lit(h->out, "</select></div>\n");
}

static void option(struct web_html *h, struct str value, struct str text, bool chosen)
{
	struct out *o = h->out;

	out_lit(o, "<option value=\"");
	out_html(o, value);
	out_str(o, chosen ? STR("\" selected>") : STR("\">"));
	out_html(o, text);
	out_lit(o, "</option>");
}

static void input(struct web_html *h, const char *id, const char *text, const char *type,
		  struct str value)
{
	struct out *o = h->out;

	label(h, id, text);
	out_lit(o, "<input id=\"f-");
	html_text(h, id);
	out_lit(o, "\" name=\"");
	html_text(h, id);
	out_lit(o, "\" type=\"");
	html_text(h, type);
	out_str(o, strcmp(type, "number") == 0 ? STR("\" min=\"0\" inputmode=\"numeric\" value=\"")
					       : STR("\" value=\""));
	out_html(o, value);
	out_lit(o, "\"></div>\n");
}

static void input_count(struct web_html *h, const char *id, const char *text, uint32_t n)
{
	char value[16];

	snprintf(value, sizeof(value), "%" PRIu32, n);
	input(h, id, text, "number", n ? str_of(value) : STR(""));
}

/* ---- from what the history has ---- */

static bool seen_before(const struct str *v, unsigned n, struct str s)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}

#define CHOICES_MAX 64

static void choose(struct web_html *h, const char *id, const char *text, const struct str *v,
		   unsigned n, struct str now)
{
	if (n < 2 && !now.n)
		return;
	select_begin(h, id, text);
	option(h, STR(""), STR("any"), !now.n);
	for (unsigned i = 0; i < n; i++)
		option(h, v[i], v[i], str_eq(v[i], now));
	if (now.n && !seen_before(v, n, now))
		option(h, now, now, true);
	select_end(h);
}

static unsigned add(struct str *v, unsigned n, struct str s)
{
	if (n < CHOICES_MAX && s.n && !seen_before(v, n, s))
		v[n++] = s;
	return n;
}

unsigned filter_machines(const struct web_history *h, struct str ret[static FILTER_MACHINES])
{
	unsigned n = 0;

	for (size_t i = 0; i < h->n_axes && n < FILTER_MACHINES; i++)
		n = add(ret, n, h->axes[i].machine);
	return n;
}

/* Among files a script shows the runs on one: the place of its bit goes with it. */
static void choose_machine(struct web_html *h, struct str now)
{
	struct str machines[FILTER_MACHINES];
	unsigned n = filter_machines(h->site->history, machines);
	struct out *o = h->out;

	if (n < 2 && !now.n)
		return;
	select_begin(h, "machine", "Machine");
	option(h, STR(""), STR("any"), !now.n);
	for (unsigned i = 0; i < n; i++) {
		out_printf(o, "<option data-bit=\"%u\" value=\"", i);
		out_html(o, machines[i]);
		out_str(o, str_eq(machines[i], now) ? STR("\" selected>") : STR("\">"));
		out_html(o, machines[i]);
		out_lit(o, "</option>");
	}
	if (now.n && !seen_before(machines, n, now))
		option(h, now, now, true);
	select_end(h);
}

static void choose_axes(struct grid *g)
{
	struct str branch[CHOICES_MAX], mode[CHOICES_MAX], machine[CHOICES_MAX];
	unsigned n_branch = 0, n_mode = 0, n_machine = 0;

	for (size_t i = 0; i < g->history->n_axes; i++) {
		const struct judge_axis *a = &g->history->axes[i];

		n_branch = add(branch, n_branch, a->branch);
		n_mode = add(mode, n_mode, a->mode);
		n_machine = add(machine, n_machine, a->machine);
	}
	choose(g->h, "branch", "Branch", branch, n_branch, g->q->branch);
	choose(g->h, "mode", "Mode", mode, n_mode, g->q->mode);
	choose(g->h, "machine", "Machine", machine, n_machine, g->q->machine);
}

static void choose_suite(struct grid *g)
{
	struct str suite[CHOICES_MAX];
	unsigned n = 0;

	for (size_t i = 0; i < g->history->n_axes; i++)
		for (size_t k = 0; k < g->history->axes[i].n_lanes; k++)
			n = add(suite, n, g->history->axes[i].lanes[k].suite);
	choose(g->h, "suite", "Suite", suite, n, g->q->suite);
}

/* ---- the rest ---- */

static void choose_status(struct grid *g)
{
	struct out *o = g->h->out;

	select_begin(g->h, "status", "Status");
	option(g->h, STR(""), STR("failed or flaky"), !g->q->status);
	for (int i = STATUS_N - 1; i >= 0; i--) {
		struct str name = str_of(STATUS_INFO[i].name);

		out_printf(o, "<option data-bit=\"%d\"%s value=\"", i,
			   STATUS_INFO[i].bad || i == STATUS_FLAKY ? " data-bad" : "");
		out_html(o, name);
		out_str(o, g->q->status >> i & 1 ? STR("\" selected>") : STR("\">"));
		out_html(o, name);
		out_lit(o, "</option>");
	}
	select_end(g->h);
}

/* @all: the word for no period. */
static void choose_days(struct web_html *h, uint32_t now, const char *all)
{
	static const uint32_t days[] = { 7, 30, 90, 365 };
	struct out *o = h->out;
	bool known = !now;

	select_begin(h, "days", "Period");
	out_str(o, known ? STR("<option value=\"\" selected>") : STR("<option value=\"\">"));
	html_text(h, all);
	out_lit(o, "</option>");
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		known |= now == days[i];
		out_printf(o, "<option value=\"%u\"%s>%u days</option>", days[i],
			   now == days[i] ? " selected" : "", days[i]);
	}
	if (!known)
		out_printf(o, "<option value=\"%u\" selected>%u days</option>", now, now);
	select_end(h);
}

static void choose_known(struct grid *g)
{
	static const char *const words[WEB_KNOWN_N] = { "any", "known", "not known" };

	select_begin(g->h, "known", "Known");
	for (unsigned i = 0; i < WEB_KNOWN_N; i++)
		option(g->h, str_of(WEB_KNOWN_WORDS[i]), str_of(words[i]), g->q->known == i);
	select_end(g->h);
}

static void choose_sort(struct grid *g)
{
	select_begin(g->h, "sort", "Sort by");
	for (unsigned i = 0; i < JUDGE_SORT_N; i++)
		option(g->h, str_of(JUDGE_SORTS[i]), str_of(JUDGE_SORTS[i]), g->q->sort == i);
	select_end(g->h);
}

static void form_begin(struct web_html *h, enum web_page_id page)
{
	const struct web_history *y = h->site->history;
	struct out *o = h->out;

	out_lit(o, "<form class=\"filter\" id=\"filter\" role=\"search\"");
	if (h->site->live) {
		out_lit(o, " action=\"");
		html_root(h);
		web_path(page, h->args, o);
		out_lit(o, "\">\n");
	} else {
		out_printf(o, " data-newest=\"%" PRId64 "\" hidden>\n",
			   y->n_runs ? y->runs[y->n_runs - 1].begin_ms / 1000 : 0);
	}
}

static void form_end(struct web_html *h)
{
	if (h->site->live)
		out_lit(h->out, "<div><button>Show</button></div>\n");
	out_lit(h->out, "<p role=\"status\" id=\"found\"></p>\n</form>\n");
}

void filter_write(struct grid *g)
{
	form_begin(g->h, WEB_FLAKES);
	input(g->h, "name", "Name or glob", "search", g->q->name);
	if (g->h->site->live)
		choose_axes(g);
	else
		choose_machine(g->h, STR(""));
	choose_suite(g);
	choose_status(g);
	input_count(g->h, "flips", "Flips, at least", g->q->flips);
	choose_days(g->h, g->q->days, "newest runs");
	choose_known(g);
	choose_sort(g);
	form_end(g->h);
}

void filter_matrix_write(struct web_html *h)
{
	form_begin(h, h->page);
	choose_machine(h, h->args->q.machine);
	choose_days(h, h->args->q.days, "any");
	form_end(h);
}
