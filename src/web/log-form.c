/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The form above a log by which it is searched, and what was found. */
#include <inttypes.h>

#include "web/log-search.h"
#include "web/pages.h"

#define LISTED 10 /* lines that are told, of those that were found */

/* Opens <a> to @line of this page, asked for the same. */
static void link(struct web_html *h, uint64_t line, bool whole)
{
	struct web_query q = h->args->q;

	q.line = (uint32_t)line;
	out_lit(h->out, "<a href=\"");
	if (!whole) {
		html_root(h);
		web_path(h->page, h->args, h->out);
		web_query_print(&q, true, h->out);
	}
	out_printf(h->out, "#L%" PRIu64 "\">", line);
}

static void form(struct web_html *h)
{
	struct out *o = h->out;

	out_lit(o, "<form class=\"filter\" role=\"search\" action=\"");
	html_root(h);
	web_path(h->page, h->args, o);
	out_lit(o, "\">\n<div><label for=\"find\">Search</label>"
		   "<input id=\"find\" name=\"find\" type=\"search\" maxlength=\"200\" value=\"");
	out_html(o, h->args->q.find);
	out_lit(o, "\"></div>\n<div><label for=\"line\">From line</label>"
		   "<input id=\"line\" name=\"line\" type=\"number\" min=\"1\" "
		   "inputmode=\"numeric\" value=\"");
	if (h->args->q.line)
		out_printf(o, "%" PRIu32, h->args->q.line);
	out_lit(o, "\"></div>\n<div><button>Show</button></div>\n</form>\n");
}

static void lead(struct web_html *h, uint64_t total, const struct log_search *f)
{
	struct out *o = h->out;

	out_lit(o, "<p role=\"status\">");
	if (!f->n)
		out_lit(o, "No line");
	else
		out_printf(o, "%u line%s", f->n, f->n == 1 ? "" : "s");
	out_lit(o, " with “<mark>");
	out_html(o, h->args->q.find);
	out_lit(o, "</mark>” from line ");
	html_count(h, f->from);
	out_lit(o, " to ");
	html_count(h, f->to);
	out_str(o, f->to == total ? STR(", the last.</p>\n") : STR(".</p>\n"));
}

/* Those before, the next one, and those that were not looked at yet. */
static void around(struct web_html *h, uint64_t total, const struct log_search *f, bool whole)
{
	struct out *o = h->out;

	if (!f->before && f->n < 2 && f->to == total && f->from == 1)
		return;
	out_lit(o, "<nav class=\"pages\" aria-label=\"Found lines\">");
	if (f->before) {
		link(h, f->before, false);
		out_lit(o, "Line before</a>\n");
	}
	if (f->n > 1) {
		link(h, f->hits[1], whole);
		out_lit(o, "Next line</a>\n");
	}
	if (f->to < total) {
		link(h, f->to + 1, false);
		out_lit(o, "Search on</a>\n");
	} else if (f->from > 1) {
		link(h, 1, false);
		out_lit(o, "From the top</a>\n");
	}
	out_lit(o, "</nav>\n");
}

static void list(struct web_html *h, const struct log_search *f, bool whole)
{
	struct out *o = h->out;

	out_lit(o, "<pre class=\"log found\" tabindex=\"0\">");
	for (unsigned i = 0; i < f->n && i < LISTED; i++) {
		link(h, f->hits[i], whole);
		out_printf(o, "%" PRIu64 "</a>", f->hits[i]);
		lines_text(o, str_of(f->text[i]), h->args->q.find);
		out_lit(o, "\n");
	}
	out_lit(o, "</pre>\n");
	if (f->n > LISTED)
		out_printf(o, "<p class=\"quiet\">and %u more below</p>\n", f->n - LISTED);
}

void log_form(struct web_html *h, uint64_t total, const struct log_search *f, bool whole)
{
	form(h);
	if (!h->args->q.find.n)
		return;
	lead(h, total, f);
	around(h, total, f, whole);
	if (f->n)
		list(h, f, whole);
}
