/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "base/units.h"
#include "web/history.h"
#include "judge/words.h"
#include "web/pages.h"

/* Up to the site's root from where the page is. */
void html_root(struct web_html *h)
{
	for (const char *p = h->lost ? "" : WEB_PAGES[h->page].path; *p; p++)
		if (*p == '/')
			out_lit(h->out, "../");
	for (unsigned i = 0; i < h->up; i++)
		out_lit(h->out, "../");
}

void html_text(struct web_html *h, const char *s)
{
	out_html(h->out, str_of(s));
}

void html_list(struct web_html *h, struct str s)
{
	for (bool first = true; s.p; first = false) {
		struct str item = str_cut(&s, ',');

		if (!first)
			out_lit(h->out, ", ");
		out_html(h->out, item);
	}
}

void html_href(struct web_html *h, enum web_page_id page, const struct web_args *args)
{
	out_lit(h->out, " href=\"");
	html_root(h);
	web_path(page, args, h->out);
	out_lit(h->out, "\"");
}

void html_line_link(struct web_html *h, enum web_page_id page, const struct web_args *args,
		    uint64_t line)
{
	out_lit(h->out, "<a href=\"");
	html_root(h);
	web_path(page, args, h->out);
	out_printf(h->out, "#L%" PRIu64 "\">", line);
}

/* The menu entry that a page belongs to. */
static enum web_page_id section(enum web_page_id page)
{
	return WEB_PAGES[page].menu ? page : page == WEB_SPLAT ? WEB_SPLATS
	       : page == WEB_MATRIX_SUITE ? WEB_MATRIX : page == WEB_ABOUT ? WEB_ABOUT
	       : page >= WEB_TEST && page <= WEB_FLAKES ? WEB_FLAKES : WEB_RUNS;
}

static void menu(struct web_html *h)
{
	out_lit(h->out, "<nav class=\"menu\" aria-label=\"Pages\">\n");
	for (int i = WEB_PAGE_N - 1; i >= 0; i--) {
		enum web_page_id page = (enum web_page_id)i;

		if (!WEB_PAGES[page].menu)
			continue;
		out_lit(h->out, "<a");
		html_href(h, page, h->args);
		if (page == h->page && !h->lost)
			out_lit(h->out, " aria-current=\"page\"");
		else if (!h->lost && page == section(h->page))
			out_lit(h->out, " aria-current=\"true\"");
		out_lit(h->out, ">");
		html_text(h, WEB_PAGES[page].menu);
		out_lit(h->out, "</a>\n");
	}
	out_lit(h->out, "</nav>\n");
}

static const char SCHEME_SWITCH[] =
	"<fieldset class=\"scheme\">\n<legend class=\"hidden\">Colours</legend>\n"
	"<input type=\"radio\" name=\"scheme\" id=\"scheme-auto\" value=\"auto\" checked>"
	"<label for=\"scheme-auto\">Auto</label>\n"
	"<input type=\"radio\" name=\"scheme\" id=\"scheme-light\" value=\"light\">"
	"<label for=\"scheme-light\">Light</label>\n"
	"<input type=\"radio\" name=\"scheme\" id=\"scheme-dark\" value=\"dark\">"
	"<label for=\"scheme-dark\">Dark</label>\n"
	"</fieldset>\n";

/* Four cells of a flakes page; in the page, so that nothing is fetched. */
static const char ICON[] =
	"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
	"%3Cpath fill='%23278a4b' d='M0 0h3.6v3.6H0zM4.4 4.4H8V8H4.4zM0 4.4h3.6V8H0z'/%3E"
	"%3Cpath fill='%23c62828' d='M4.4 0H8v3.6H4.4z'/%3E%3C/svg%3E";

void html_begin(struct web_html *h, struct str title)
{
	struct out *o = h->out;

	out_lit(o, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n"
		   "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	out_html(o, title);
	out_lit(o, " · taproom</title>\n<link rel=\"icon\" href=\"");
	out_str(o, str_of(ICON));
	out_lit(o, "\">\n<link rel=\"stylesheet\"");
	html_href(h, WEB_STYLE, h->args);
	out_lit(o, ">\n<script src=\"");
	html_root(h);
	web_path(WEB_SCRIPT, h->args, o);
	out_lit(o, "\"></script>\n</head>\n<body>\n"
		   "<a class=\"to-main\" href=\"#main\">Skip to the content</a>\n"
		   "<header class=\"top\">\n<a class=\"brand\"");
	html_href(h, WEB_INDEX, h->args);
	out_lit(o, ">taproom</a>\n");
	menu(h);
	out_str(o, str_of(SCHEME_SWITCH));
	out_lit(o, "</header>\n<main id=\"main\">\n");
}

void web_error_page(const struct web_site *site, unsigned up, const char *title,
		    const char *sentence, struct out *out)
{
	const struct web_args none = {};
	struct web_html h = { .site = site, .out = out, .args = &none, .lost = true, .up = up };

	html_begin(&h, str_of(title));
	out_lit(out, "<h1>");
	html_text(&h, title);
	out_lit(out, "</h1>\n<p class=\"lead\">");
	html_text(&h, sentence);
	out_lit(out, "</p>\n");
	html_end(&h);
}

static bool is_of_all(enum web_page_id page)
{
	return page >= WEB_ABOUT;
}

void html_end(struct web_html *h)
{
	struct out *o = h->out;

	out_lit(o, "</main>\n<footer>\n<p>taproom ");
	html_text(h, h->site->version);
	/* Only where it is about all of it: else each new run would change every page. */
	if (h->site->n_runs && !h->lost && is_of_all(h->page)) {
		out_lit(o, " · history up to ");
		html_time(h, h->site->date_ms);
		out_lit(o, ", ");
		html_run_link(h, h->site->runs[0].id, "run ");
	}
	out_lit(o, " · <a");
	html_href(h, WEB_ABOUT, h->args);
	out_lit(o, ">about</a> · times are UTC</p>\n</footer>\n</body>\n</html>\n");
}

void html_run_link(struct web_html *h, int64_t id, const char *before)
{
	struct web_args args = { .run = id };
	bool known = web_site_has_run(h->site, id);

	if (known) {
		out_lit(h->out, "<a");
		html_href(h, WEB_RUN, &args);
		out_lit(h->out, ">");
	}
	html_text(h, before);
	out_printf(h->out, "%" PRId64, id);
	if (known)
		out_lit(h->out, "</a>");
}

bool html_test_begin(struct web_html *h, const struct web_test *test)
{
	struct web_args args = { .test = test };

	if (!test || (!test->page && !h->site->live))
		return false;
	out_lit(h->out, "<a");
	html_href(h, WEB_TEST, &args);
	out_lit(h->out, ">");
	return true;
}

void html_test_name(struct web_html *h, const struct judge_series *s)
{
	bool link = html_test_begin(h, web_test_of(&h->site->history->tests, s));
	_cleanup_(buf_done) struct buf name = {};

	judge_name(&name, s);
	out_html(h->out, buf_str(&name));
	out_str(h->out, link ? STR("</a>") : STR(""));
}

bool html_splat_begin(struct web_html *h, struct str fingerprint)
{
	struct web_args args = { .splat = web_site_splat(h->site, fingerprint) };

	if (!args.splat)
		return false;
	out_lit(h->out, "<a");
	html_href(h, WEB_SPLAT, &args);
	out_lit(h->out, ">");
	return true;
}

static void mark(struct web_html *h, const char *class, const char *sign, const char *label)
{
	out_lit(h->out, "<span class=\"mark ");
	html_text(h, class);
	if (label) {
		out_lit(h->out, "\" role=\"img\" aria-label=\"");
		html_text(h, label);
		out_lit(h->out, "\" title=\"");
		html_text(h, label);
		out_lit(h->out, "\">");
	} else {
		out_lit(h->out, "\" aria-hidden=\"true\">");
	}
	html_text(h, sign);
	out_lit(h->out, "</span>");
}

void html_mark(struct web_html *h, enum status status, bool labelled)
{
	const struct status_info *s = &STATUS_INFO[status];

	mark(h, s->name, s->mark, labelled ? s->name : NULL);
}

struct run_look {
	const char *class, *sign, *word;
};

/* By state, and for a run that is done by its exit code (taproom-run(1)). */
static struct run_look run_look(enum store_run_state state, int exit_code)
{
	static const struct run_look states[] = {
		[STORE_RUN_RUNNING] = { "running", "…", "running" },
		[STORE_RUN_STOPPED] = { "absent", "■", "stopped" },
		[STORE_RUN_LOST] = { "error", "E", "lost" },
	};
	static const struct run_look codes[] = {
		{ "pass", "✓", "passed" },   { "fail", "✗", "failed" },
		{ "error", "E", "error" },   { "crash", "#", "critical" },
		{ "error", "E", "harness failed" },
	};

	if (state != STORE_RUN_DONE)
		return states[state];
	return codes[exit_code >= 0 && (size_t)exit_code < ARRAY_SIZE(codes) ? exit_code : 4];
}

void html_run_mark(struct web_html *h, enum store_run_state state, int exit_code)
{
	struct run_look l = run_look(state, exit_code);

	mark(h, l.class, l.sign, l.word);
}

const char *web_run_word(enum store_run_state state, int exit_code)
{
	return run_look(state, exit_code).word;
}

/* "1 xfail", "2 expected failures": labels are for several. */
static const char *label(enum status status, uint64_t n)
{
	const struct status_info *s = &STATUS_INFO[status];

	return n == 1 && str_ends(str_of(s->label), STR("s")) ? s->name : s->label;
}

void html_counts(struct web_html *h, const uint64_t counts[STATUS_N], bool words)
{
	bool any = false;

	out_lit(h->out, "<span class=\"counts\">");
	for (int i = STATUS_N - 1; i >= 0; i--) {
		if (!counts[i])
			continue;
		out_lit(h->out, "<span>");
		html_mark(h, (enum status)i, !words);
		out_lit(h->out, " ");
		html_count(h, counts[i]);
		if (words) {
			out_lit(h->out, " ");
			html_text(h, label((enum status)i, counts[i]));
		}
		out_lit(h->out, "</span> ");
		any = true;
	}
	if (!any)
		out_lit(h->out, "no results");
	out_lit(h->out, "</span>");
}

#define BAR_WIDTH 1000
#define BAR_LEAST 25 /* the least a part may have: one failure of thousands is seen */

void html_bar(struct web_html *h, const uint64_t counts[STATUS_N])
{
	uint64_t total = 0, parts = 0, x = 0, room;

	for (int i = 0; i < STATUS_N; i++) {
		total += counts[i];
		parts += counts[i] > 0;
	}
	if (!total)
		return;
	room = BAR_WIDTH - parts * BAR_LEAST;
	out_lit(h->out, "<svg class=\"bar\" viewBox=\"0 0 1000 8\" aria-hidden=\"true\" "
			"preserveAspectRatio=\"none\">");
	for (int i = STATUS_N - 1; i >= 0; i--) {
		double share = (double)counts[i] / (double)total;
		uint64_t w = BAR_LEAST + (uint64_t)((double)room * share);

		if (!counts[i])
			continue;
		if (--parts == 0)
			w = BAR_WIDTH - x;
		out_lit(h->out, "<rect class=\"");
		html_text(h, STATUS_INFO[i].name);
		out_printf(h->out, "\" height=\"8\" x=\"%" PRIu64 "\" width=\"%" PRIu64 "\"/>",
			   x, w);
		x += w;
	}
	out_lit(h->out, "</svg>");
}

static void timed(struct web_html *h, int64_t unix_ms, size_t n)
{
	char text[UNIT_TEXT_MAX];

	out_lit(h->out, "<time datetime=\"");
	html_text(h, date_rfc3339(unix_ms, text));
	out_lit(h->out, "\">");
	date_text(unix_ms, text);
	out_html(h->out, str_n(text, strnlen(text, n)));
	out_lit(h->out, "</time>");
}

void html_time(struct web_html *h, int64_t unix_ms)
{
	timed(h, unix_ms, UNIT_TEXT_MAX);
}

void html_date(struct web_html *h, int64_t unix_ms)
{
	timed(h, unix_ms, strlen("2026-01-31"));
}

void html_duration(struct web_html *h, int64_t ms)
{
	char text[UNIT_TEXT_MAX];

	if (ms >= 0)
		html_text(h, duration_text(ms, text));
}

void html_percent(struct web_html *h, double share)
{
	judge_percent(h->out, share);
	out_lit(h->out, "\u00a0%");
}

void html_count(struct web_html *h, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out_lit(h->out, ",");
		out_char(h->out, digits[i]);
	}
}

#define COMMIT_SHORT 12
#define COMMIT_LINE  24 /* so long a label stays in one line, hyphens or not */

void html_commit(struct web_html *h, struct str commit)
{
	size_t hex = 0;
	struct out *o = h->out;
	bool line;

	while (hex < commit.n && strchr("0123456789abcdef", commit.p[hex]) && commit.p[hex])
		hex++;
	line = hex < commit.n && commit.n <= COMMIT_LINE;
	out_str(o, line ? STR("<code class=\"commit\" title=\"") : STR("<code title=\""));
	out_html(o, commit);
	out_lit(o, "\">");
	out_html(o, hex == commit.n && hex >= 20 ? str_n(commit.p, COMMIT_SHORT) : commit);
	out_lit(o, "</code>");
}

void html_crumbs(struct web_html *h, int64_t run)
{
	out_lit(h->out, "<p class=\"crumbs\"><a");
	html_href(h, WEB_RUNS, h->args);
	out_lit(h->out, ">Runs</a> / ");
	if (run) {
		html_run_link(h, run, "run ");
		out_lit(h->out, " / ");
	}
}

void html_fact(struct web_html *h, const char *name)
{
	out_lit(h->out, "<div><dt>");
	html_text(h, name);
	out_lit(h->out, "</dt><dd>");
}

void html_fact_end(struct web_html *h)
{
	out_lit(h->out, "</dd></div>\n");
}

void html_fact_text(struct web_html *h, const char *name, struct str s)
{
	if (!s.n)
		return;
	html_fact(h, name);
	out_html(h->out, s);
	html_fact_end(h);
}

void html_program_id(struct out *out, struct str mode, struct str suite, struct str program)
{
	const struct str parts[] = { mode, suite, program };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (i)
			out_lit(out, ".");
		web_slug(out, parts[i]);
	}
}

void html_result_id(struct out *out, struct str mode, struct str suite, struct str program,
		    struct str path)
{
	html_program_id(out, mode, suite, program);
	out_printf(out, ".%08" PRIx32, web_hash(path));
}

void html_axis(struct web_html *h, const struct judge_axis *a, bool machine)
{
	struct out *o = h->out;

	out_html(o, a->branch.n ? a->branch : STR("no branch"));
	if (a->mode.n) {
		out_lit(o, " <span class=\"mode\">");
		out_html(o, a->mode);
		out_lit(o, "</span>");
	}
	if (machine && a->machine.n) {
		out_lit(o, " <span class=\"quiet\">");
		out_html(o, a->machine);
		out_lit(o, "</span>");
	}
}

void html_commit_run(struct web_html *h, const struct judge_run *r)
{
	if (r->commit.n) {
		html_commit(h, r->commit);
		out_lit(h->out, " (");
	}
	html_run_link(h, r->id, "run ");
	if (r->commit.n)
		out_lit(h->out, ")");
}
