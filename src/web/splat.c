/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/splat.h"

#include <inttypes.h>

#include "base/mem.h"
#include "tap/trace.h"

void splat_about(struct web_html *h, const struct event_splat *s)
{
	struct out *o = h->out;
	const char *comma = "";

	if (!s->task.n && s->pid < 0 && s->cpu < 0 && !s->taint.n && !s->fatal)
		return;
	out_lit(o, "<p class=\"quiet\">");
	if (s->task.n) {
		out_lit(o, "task ");
		out_html(o, s->task);
		comma = ", ";
	}
	if (s->pid >= 0) {
		out_printf(o, "%spid %" PRId64, comma, s->pid);
		comma = ", ";
	}
	if (s->cpu >= 0) {
		out_printf(o, "%sCPU %d", comma, s->cpu);
		comma = ", ";
	}
	if (s->taint.n) {
		out_printf(o, "%staint ", comma);
		out_html(o, s->taint);
		comma = "; ";
	}
	if (s->fatal)
		out_printf(o, "%sthe kernel died of it", comma);
	out_lit(o, "</p>\n");
}

/* Of a decoded frame, or of what was inlined there. */
static bool place_in(struct str line, struct str *ret)
{
	static const struct str BELOW[] = { STR(" (inlined by) "), STR(" (or) ") };

	if (trace_place(line, ret))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(BELOW); i++) {
		ptrdiff_t at = str_find(line, BELOW[i]);

		if (at >= 0) {
			*ret = str_from(line, (size_t)at + BELOW[i].n);
			return true;
		}
	}
	return false;
}

static void text_line(struct out *o, struct str line)
{
	struct str place;

	if (place_in(line, &place)) {
		out_html(o, str_n(line.p, (size_t)(place.p - line.p)));
		out_lit(o, "<b class=\"place\">");
		out_html(o, place);
		out_lit(o, "</b>");
		line = str_from(line, (size_t)(place.p - line.p) + place.n);
	}
	out_html(o, line);
}

void splat_text(struct web_html *h, const struct event_splat *s)
{
	struct out *o = h->out;

	if (!s->text.n)
		return;
	out_lit(o, "<pre class=\"log plain\" tabindex=\"0\">");
	for (struct str rest = s->text; rest.p;) {
		text_line(o, str_cut(&rest, '\n'));
		if (rest.p)
			out_char(o, '\n');
	}
	out_lit(o, "</pre>\n");
}

/* Only what a browser opens as a page: a rule may say "javascript:". */
static bool is_web(struct str link)
{
	return str_starts(link, STR("https://")) || str_starts(link, STR("http://"));
}

void splat_excuse(struct web_html *h, const struct event_excuse *e)
{
	struct out *o = h->out;

	out_html(o, e->reason);
	if (e->owner.n || e->until.n) {
		out_lit(o, " (");
		out_html(o, e->owner);
		out_str(o, e->owner.n && e->until.n ? STR(", ") : STR(""));
		if (e->until.n) {
			out_lit(o, "until ");
			out_html(o, e->until);
		}
		out_lit(o, ")");
	}
	if (!e->link.n)
		return;
	out_lit(o, " ");
	if (is_web(e->link)) {
		out_lit(o, "<a href=\"");
		out_html(o, e->link);
		out_lit(o, "\">");
	}
	out_html(o, e->link);
	if (is_web(e->link))
		out_lit(o, "</a>");
}
