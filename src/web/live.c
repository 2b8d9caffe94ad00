/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not over yet: how far it is, and what makes a page follow it. */
#include <inttypes.h>

#include "web/pages.h"

void html_live(struct web_html *h, const char *events)
{
	struct out *o = h->out;

	if (!h->site->live)
		return;
	out_lit(o, "<p class=\"quiet\" id=\"live\" data-events=\"");
	html_text(h, events);
	out_lit(o, "\">This is how far it was: load the page again to see more.</p>\n"
		   "<script src=\"");
	html_root(h);
	web_path(WEB_LIVE_SCRIPT, h->args, o);
	out_lit(o, "\" defer></script>\n");
}

void html_progress(struct web_html *h, int64_t run, uint64_t ended, uint64_t tests)
{
	struct out *o = h->out;

	if (!tests)
		return;
	/* A run that goes on after a test was taken out of the plan has more behind it. */
	ended = ended < tests ? ended : tests;
	out_printf(o, "<progress aria-label=\"How far run %" PRId64 " is\" max=\"%" PRIu64
		      "\" value=\"%" PRIu64 "\"></progress> ", run, tests, ended);
	html_count(h, ended);
	out_lit(o, " of ");
	html_count(h, tests);
	out_lit(o, " tests ended");
}

void html_running(struct web_html *h, struct str words)
{
	_cleanup_(buf_done) struct buf text = {};
	struct out *o = h->out;
	struct store_running r;
	bool any = false;

	while (store_running_next(&words, &text, &r)) {
		if (!any)
			out_lit(o, "<ul class=\"now\" aria-label=\"Tests that have not ended\">\n");
		any = true;
		out_lit(o, "<li><code>");
		out_html(o, r.suite);
		out_lit(o, "/");
		out_html(o, r.name);
		out_lit(o, "</code>");
		if (r.attempt > 1)
			out_printf(o, ", attempt %u", r.attempt);
		out_lit(o, ", since ");
		html_time(h, r.begin_ms);
		if (r.machine.n) {
			out_lit(o, " on ");
			out_html(o, r.machine);
		}
		if (r.mode.n) {
			out_lit(o, ", ");
			out_html(o, r.mode);
		}
		out_lit(o, "</li>\n");
	}
	if (any)
		out_lit(o, "</ul>\n");
}
