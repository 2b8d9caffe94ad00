/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/filter.h"

#include <inttypes.h>

static void label(struct grid *g, const char *id, const char *text)
{
	struct out *o = g->h->out;

	out_lit(o, "<div><label for=\"f-");
	html_text(g->h, id);
	out_lit(o, "\">");
	html_text(g->h, text);
	out_lit(o, "</label>");
}

static void select_begin(struct grid *g, const char *id, const char *text)
{
	struct out *o = g->h->out;

	label(g, id, text);
	out_lit(o, "<select id=\"f-");
	html_text(g->h, id);
	out_lit(o, "\" name=\"");
	html_text(g->h, id);
	out_lit(o, "\">");
}

static void select_end(struct grid *g)
{
	out_lit(g->h->out, "</select></div>\n");
}

static void option(struct grid *g, struct str value, struct str text, bool chosen)
{
	struct out *o = g->h->out;

	out_lit(o, "<option value=\"");
	out_html(o, value);
	out_str(o, chosen ? STR("\" selected>") : STR("\">"));
	out_html(o, text);
	out_lit(o, "</option>");
}

static void input(struct grid *g, const char *id, const char *text, const char *type,
		  struct str value)
{
	struct out *o = g->h->out;

	label(g, id, text);
	out_lit(o, "<input id=\"f-");
	html_text(g->h, id);
	out_lit(o, "\" name=\"");
	html_text(g->h, id);
	out_lit(o, "\" type=\"");
	html_text(g->h, type);
	out_str(o, strcmp(type, "number") == 0 ? STR("\" min=\"0\" inputmode=\"numeric\" value=\"")
					       : STR("\" value=\""));
	out_html(o, value);
	out_lit(o, "\"></div>\n");
}

static void input_count(struct grid *g, const char *id, const char *text, uint32_t n)
{
	char value[16];

	snprintf(value, sizeof(value), "%" PRIu32, n);
	input(g, id, text, "number", n ? str_of(value) : STR(""));
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

static void choose(struct grid *g, const char *id, const char *text, const struct str *v,
		   unsigned n, struct str now)
{
	if (n < 2 && !now.n)
		return;
	select_begin(g, id, text);
	option(g, STR(""), STR("any"), !now.n);
	for (unsigned i = 0; i < n; i++)
		option(g, v[i], v[i], str_eq(v[i], now));
	if (now.n && !seen_before(v, n, now))
		option(g, now, now, true);
	select_end(g);
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
static void choose_machine(struct grid *g)
{
	struct str machines[FILTER_MACHINES];
	unsigned n = filter_machines(g->history, machines);
	struct out *o = g->h->out;

	if (n < 2)
		return;
	select_begin(g, "machine", "Machine");
	option(g, STR(""), STR("any"), true);
	for (unsigned i = 0; i < n; i++) {
		out_printf(o, "<option data-bit=\"%u\" value=\"", i);
		out_html(o, machines[i]);
		out_lit(o, "\">");
		out_html(o, machines[i]);
		out_lit(o, "</option>");
	}
	select_end(g);
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
	choose(g, "branch", "Branch", branch, n_branch, g->q->branch);
	choose(g, "mode", "Mode", mode, n_mode, g->q->mode);
	choose(g, "machine", "Machine", machine, n_machine, g->q->machine);
}

static void choose_suite(struct grid *g)
{
	struct str suite[CHOICES_MAX];
	unsigned n = 0;

	for (size_t i = 0; i < g->history->n_axes; i++)
		for (size_t k = 0; k < g->history->axes[i].n_lanes; k++)
			n = add(suite, n, g->history->axes[i].lanes[k].suite);
	choose(g, "suite", "Suite", suite, n, g->q->suite);
}

/* ---- the rest ---- */

static void choose_status(struct grid *g)
{
	struct out *o = g->h->out;

	select_begin(g, "status", "Status");
	option(g, STR(""), STR("failed or flaky"), !g->q->status);
	for (int i = STATUS_N - 1; i >= 0; i--) {
		struct str name = str_of(STATUS_INFO[i].name);

		out_printf(o, "<option data-bit=\"%d\"%s value=\"", i,
			   STATUS_INFO[i].bad || i == STATUS_FLAKY ? " data-bad" : "");
		out_html(o, name);
		out_str(o, g->q->status >> i & 1 ? STR("\" selected>") : STR("\">"));
		out_html(o, name);
		out_lit(o, "</option>");
	}
	select_end(g);
}

static void choose_days(struct grid *g)
{
	static const uint32_t days[] = { 7, 30, 90, 365 };
	struct out *o = g->h->out;
	bool known = !g->q->days;

	select_begin(g, "days", "Period");
	out_str(o, known ? STR("<option value=\"\" selected>newest runs</option>")
			 : STR("<option value=\"\">newest runs</option>"));
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		known |= g->q->days == days[i];
		out_printf(o, "<option value=\"%u\"%s>%u days</option>", days[i],
			   g->q->days == days[i] ? " selected" : "", days[i]);
	}
	if (!known)
		out_printf(o, "<option value=\"%u\" selected>%u days</option>", g->q->days,
			   g->q->days);
	select_end(g);
}

static void choose_known(struct grid *g)
{
	static const char *const words[WEB_KNOWN_N] = { "any", "known", "not known" };

	select_begin(g, "known", "Known");
	for (unsigned i = 0; i < WEB_KNOWN_N; i++)
		option(g, str_of(WEB_KNOWN_WORDS[i]), str_of(words[i]), g->q->known == i);
	select_end(g);
}

static void choose_sort(struct grid *g)
{
	select_begin(g, "sort", "Sort by");
	for (unsigned i = 0; i < JUDGE_SORT_N; i++)
		option(g, str_of(JUDGE_SORTS[i]), str_of(JUDGE_SORTS[i]), g->q->sort == i);
	select_end(g);
}

void filter_write(struct grid *g)
{
	struct out *o = g->h->out;

	out_lit(o, "<form class=\"filter\" id=\"filter\" role=\"search\"");
	if (g->h->site->live) {
		out_lit(o, " action=\"");
		html_root(g->h);
		web_path(WEB_FLAKES, g->h->args, o);
		out_lit(o, "\">\n");
	} else {
		out_printf(o, " data-newest=\"%" PRId64 "\" hidden>\n",
			   g->history->n_runs ? g->history->runs[g->history->n_runs - 1].begin_ms /
							1000 : 0);
	}
	input(g, "name", "Name or glob", "search", g->q->name);
	if (g->h->site->live)
		choose_axes(g);
	else
		choose_machine(g);
	choose_suite(g);
	choose_status(g);
	input_count(g, "flips", "Flips, at least", g->q->flips);
	choose_days(g);
	choose_known(g);
	choose_sort(g);
	if (g->h->site->live)
		out_lit(o, "<div><button>Show</button></div>\n");
	out_lit(o, "<p role=\"status\" id=\"found\"></p>\n</form>\n");
}
