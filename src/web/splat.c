/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/splat.h"

#include <inttypes.h>

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

void splat_text(struct web_html *h, const struct event_splat *s)
{
	if (!s->text.n)
		return;
	out_lit(h->out, "<pre class=\"log plain\" tabindex=\"0\">");
	out_html(h->out, s->text);
	out_lit(h->out, "</pre>\n");
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
