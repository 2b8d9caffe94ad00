/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splats: every kind of them that consoles ever showed, by its fingerprint, the
 * one that was seen last on top.
 */
#include <inttypes.h>

#include "web/splat.h"

struct page {
	struct web_html *h;
	unsigned ignored;
};

/* Whether the newest of them counted. */
static int on_newest(void *ctx, const struct store_splat_at *at)
{
	struct page *p = ctx;

	if (!at->excuse.reason.n)
		return 1;
	p->ignored++;
	out_lit(p->h->out, "<span class=\"below-it quiet\">ignored: ");
	splat_excuse(p->h, &at->excuse);
	out_lit(p->h->out, "</span>");
	return 1;
}

static void seen(struct page *p, int64_t ms, int64_t run)
{
	html_date(p->h, ms);
	out_lit(p->h->out, " <span class=\"quiet\">");
	html_run_link(p->h, run, "run ");
	out_lit(p->h->out, "</span>");
}

static int row(struct page *p, const struct web_splat *s, struct err *err)
{
	_free_ char *fingerprint = xstrndup(s->fingerprint.p, s->fingerprint.n);
	struct web_args args = { .splat = s };
	struct out *o = p->h->out;
	int r;

	out_lit(o, "<tr><td data-label=\"Kind\"><span class=\"word\">");
	out_html(o, s->kind);
	out_lit(o, "</span></td><th scope=\"row\" class=\"wide\"><a");
	html_href(p->h, WEB_SPLAT, &args);
	out_lit(o, ">");
	out_html(o, s->title);
	out_lit(o, "</a>");
	r = store_splats(p->h->site->store, fingerprint, 1, on_newest, p, err);
	out_lit(o, "</th><td class=\"num\" data-label=\"Seen\">");
	html_count(p->h, s->n);
	out_lit(o, "</td><td data-label=\"First seen\">");
	seen(p, s->first_ms, s->first_run);
	out_lit(o, "</td><td data-label=\"Last seen\">");
	seen(p, s->last_ms, s->last_run);
	out_lit(o, "</td></tr>\n");
	return r < 0 ? r : 0;
}

static int table(struct page *p, struct err *err)
{
	const struct web_site *site = p->h->site;
	struct out *o = p->h->out;
	int r = 0;

	out_lit(o, "<table class=\"runs splats\">\n<thead>\n<tr><th scope=\"col\">Kind</th>"
		   "<th scope=\"col\">Splat</th><th scope=\"col\">Seen</th>"
		   "<th scope=\"col\">First</th><th scope=\"col\">Last</th></tr>\n"
		   "</thead>\n<tbody>\n");
	for (unsigned i = 0; i < site->n_splats && r >= 0; i++)
		r = row(p, &site->splats[i], err);
	out_lit(o, "</tbody>\n</table>\n");
	return r;
}

WEB_RENDER(web_splats_page)
{
	struct web_html h = { site, out, WEB_SPLATS, args };
	struct page p = { .h = &h };
	int r = 0;

	html_begin(&h, STR("Splats"));
	out_lit(out, "<h1>Kernel splats</h1>\n");
	if (!site->n_splats) {
		out_lit(out, "<p class=\"empty\">No console ever showed a warning, an oops or a "
			     "report of a checker.</p>\n");
	} else {
		out_lit(out, "<p class=\"lead\">Warnings, oopses and reports of checkers, from "
			     "the consoles of all runs. Splats with the same functions are one, "
			     "whatever their addresses.</p>\n");
		r = table(&p, err);
	}
	if (site->n_splats == WEB_SPLATS_MAX)
		out_printf(out, "<p class=\"quiet\">Those that were seen last; older ones are not "
				"shown.</p>\n");
	html_end(&h);
	return r;
}
