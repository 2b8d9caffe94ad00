/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * About this instance: which program wrote the pages, from how much, how old. No
 * path and no name of the machine: pages are for everybody.
 */
#include <inttypes.h>

#include "base/units.h"
#include "web/history.h"
#include "web/pages.h"

static void fact_count(struct web_html *h, const char *name, uint64_t n)
{
	html_fact(h, name);
	html_count(h, n);
	html_fact_end(h);
}

static void fact_size(struct web_html *h, const char *name, uint64_t bytes)
{
	char text[UNIT_TEXT_MAX];

	html_fact(h, name);
	html_text(h, size_text(bytes, text));
	html_fact_end(h);
}

static void fact_time(struct web_html *h, const char *name, int64_t ms)
{
	if (!ms)
		return;
	html_fact(h, name);
	html_time(h, ms);
	html_fact_end(h);
}

static void program(struct web_html *h, const struct store_facts *f)
{
	out_lit(h->out, "<h2>Program</h2>\n<dl class=\"facts\">\n");
	html_fact_text(h, "Version", str_of(h->site->version));
	html_fact_text(h, "Database", f->database);
	html_fact(h, "Format of the history");
	out_printf(h->out, "%d", f->format);
	html_fact_end(h);
	html_fact_text(h, "Pages", h->site->live ? STR("from a server") : STR("as files"));
	out_lit(h->out, "</dl>\n");
}

static void history(struct web_html *h, const struct store_facts *f)
{
	const struct web_history *w = h->site->history;

	out_lit(h->out, "<h2>History</h2>\n<dl class=\"facts\">\n");
	fact_count(h, "Runs", f->runs);
	fact_count(h, "Results", web_history_results(w));
	fact_count(h, "Programs", f->programs);
	fact_count(h, "Names of tests", f->tests);
	fact_count(h, "Branches and modes", h->site->n_choices);
	fact_count(h, "Kinds of splats", h->site->n_splats);
	if (w->n_runs) {
		fact_time(h, "Oldest run", w->runs[0].begin_ms);
		fact_time(h, "Newest run", w->runs[w->n_runs - 1].begin_ms);
	}
	if (!h->site->live) /* a server has a page of each */
		fact_count(h, "Runs with a page", h->site->n_runs);
	out_lit(h->out, "</dl>\n");
}

static void sizes(struct web_html *h, const struct store_facts *f)
{
	out_lit(h->out, "<h2>Space</h2>\n<dl class=\"facts\">\n");
	fact_size(h, "Database", f->bytes);
	fact_count(h, "Logs and consoles", f->logs);
	fact_size(h, "These, compressed", f->log_bytes);
	fact_time(h, "Oldest log", f->oldest_log_ms);
	out_lit(h->out, "</dl>\n");
}

static void links(struct web_html *h)
{
	static const struct {
		enum web_page_id page;
		const char *name, *what;
	} rows[] = {
		{ WEB_ATOM, "Atom feed", "what changed, for a reader" },
		{ WEB_JSON_FEED, "JSON feed", "the same, for programs" },
		{ WEB_METRICS, "OpenMetrics", "the newest runs and failure rates, for Prometheus" },
	};
	struct out *o = h->out;

	out_lit(o, "<h2>For other programs</h2>\n<ul class=\"changes\">\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		out_lit(o, "<li><a");
		html_href(h, rows[i].page, h->args);
		out_lit(o, ">");
		html_text(h, rows[i].name);
		out_lit(o, "</a> <span class=\"quiet\">");
		html_text(h, rows[i].what);
		out_lit(o, "</span></li>\n");
	}
	out_lit(o, "</ul>\n");
}

static int on_facts(void *ctx, const struct store_facts *f)
{
	struct web_html *h = ctx;

	html_begin(h, STR("About"));
	out_lit(h->out, "<h1>About this instance</h1>\n");
	program(h, f);
	history(h, f);
	sizes(h, f);
	links(h);
	html_end(h);
	return 0;
}

WEB_RENDER(web_about_page)
{
	struct web_html h = { site, out, WEB_ABOUT, args };

	return store_facts(site->store, on_facts, &h, err);
}
