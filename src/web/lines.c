/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "web/log-search.h"
#include "web/pages.h"

/* Colours and cursor moves of a terminal mean nothing here: ECMA-48, 5.4,
 * CSI parameters and final byte. Returns the length of one at @s, else 0. */
static size_t csi_len(struct str s)
{
	size_t n = 2;

	if (s.n < 2 || s.p[0] != '\033' || s.p[1] != '[')
		return 0;
	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x40)
		n++;
	return n < s.n ? n + 1 : n;
}

/* What is searched stands out. */
static void piece(struct out *o, struct str s, struct str find)
{
	ptrdiff_t at;

	while (find.n && (at = log_find(s, find)) >= 0) {
		out_html(o, str_n(s.p, (size_t)at));
		out_lit(o, "<mark>");
		out_html(o, str_n(s.p + at, find.n));
		out_lit(o, "</mark>");
		s = str_from(s, (size_t)at + find.n);
	}
	out_html(o, s);
}

void lines_text(struct out *o, struct str s, struct str find)
{
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	while (s.n) {
		size_t plain = 0, skip;

		while (plain < s.n && s.p[plain] != '\033')
			plain++;
		piece(o, str_n(s.p, plain), find);
		s = str_from(s, plain);
		skip = csi_len(s);
		if (!skip && s.n) {
			out_html(o, str_n(s.p, 1));
			skip = 1;
		}
		s = str_from(s, skip);
	}
}

/* A sequence that the cut went through: its bytes are left out too. */
static struct str whole_characters(struct str s)
{
	for (size_t back = 1; back <= 3 && back <= s.n; back++) {
		unsigned char c = (unsigned char)s.p[s.n - back];

		if ((c & 0xc0) == 0x80)
			continue;
		if (c >= 0xc0 && !utf8_len(str_from(s, s.n - back)))
			s.n -= back;
		break;
	}
	return s;
}

static bool wanted(struct web_lines *l)
{
	if (!l->keep)
		return true;
	while (l->keep_at < l->n_keep && l->keep[l->keep_at].to < l->line)
		l->keep_at++;
	return l->keep_at < l->n_keep && l->keep[l->keep_at].from <= l->line;
}

static void tell_skipped(struct web_lines *l)
{
	bool link = l->more.n && l->skipped;

	if (!l->skipped)
		return;
	out_lit(l->out, "<span class=\"cut\">");
	if (link) {
		out_lit(l->out, "<a href=\"");
		out_html(l->out, l->more);
		out_printf(l->out, "?line=%" PRIu64 "\">", l->line - l->skipped);
	}
	out_printf(l->out, "%" PRIu64 " line%s left out", l->skipped, l->skipped == 1 ? "" : "s");
	out_str(l->out, link ? STR("</a></span>\n") : STR("</span>\n"));
	l->skipped = 0;
}

/* The range that @line is in; a block of its own, so that a link to its first
 * line shows all of it. */
static const struct web_range *range(struct web_lines *l)
{
	while (l->at < l->n_ranges && l->ranges[l->at].to < l->line)
		l->at++;
	if (l->at == l->n_ranges || l->ranges[l->at].from > l->line)
		return NULL;
	return &l->ranges[l->at];
}

static void close_range(struct web_lines *l)
{
	if (l->open)
		out_lit(l->out, "</span>");
	l->open = false;
}

static void show_line(struct web_lines *l)
{
	const struct web_range *r = range(l);
	struct str s = str_n(l->text, l->n);
	bool first = r && r->from == l->line;

	if (first) {
		out_lit(l->out, "<span class=\"range ");
		out_html(l->out, str_of(STATUS_INFO[r->status].name));
		out_printf(l->out, "\" id=\"L%" PRIu64 "\">", l->line);
		l->open = true;
	}
	if (!l->plain) {
		out_lit(l->out, "<a");
		if (!first)
			out_printf(l->out, " id=\"L%" PRIu64 "\"", l->line);
		out_printf(l->out, " href=\"#L%" PRIu64 "\">%" PRIu64 "</a>", l->line, l->line);
	}
	lines_text(l->out, l->dropped ? whole_characters(s) : s, l->find);
	if (l->dropped)
		out_printf(l->out, "<span class=\"cut\"> … %zu more bytes</span>",
			   l->dropped);
	out_lit(l->out, "\n");
	if (r && r->to == l->line)
		close_range(l);
}

static void end_line(struct web_lines *l)
{
	if (wanted(l)) {
		tell_skipped(l);
		show_line(l);
	} else {
		close_range(l);
		l->skipped++;
	}
	l->n = 0;
	l->dropped = 0;
	l->line++;
}

static int feed(void *ctx, const char *p, size_t n)
{
	struct web_lines *l = ctx;

	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t take = nl ? (size_t)(nl - p) : n;
		size_t room = sizeof(l->text) - l->n, fits = take < room ? take : room;

		memcpy(l->text + l->n, p, fits);
		l->n += fits;
		l->dropped += take - fits;
		if (nl) {
			end_line(l);
			take++;
		}
		p += take;
		n -= take;
	}
	return l->out->error;
}

void lines_out(struct web_lines *l, struct out *o)
{
	if (!l->line)
		l->line = 1;
	out_to(o, feed, l);
}

void lines_skip(struct web_lines *l, uint64_t line)
{
	if (!l->line)
		l->line = 1;
	if (line <= l->line)
		return;
	close_range(l);
	l->skipped += line - l->line;
	l->line = line;
}

void lines_end(struct web_lines *l)
{
	if (l->n || l->dropped)
		end_line(l);
}

void lines_done(struct web_lines *l)
{
	lines_end(l);
	close_range(l);
	tell_skipped(l);
}

#define EXCERPT_LINES 14

void html_excerpt(struct web_html *h, int64_t run, unsigned program, unsigned job,
		  uint64_t from, uint64_t to)
{
	struct web_lines lines = { .out = h->out, .plain = true };
	struct err err = {};
	struct out feed;

	if (to - from >= EXCERPT_LINES)
		from = to - EXCERPT_LINES + 1;
	out_lit(h->out, "<pre class=\"excerpt\">");
	lines_out(&lines, &feed);
	/* A log that is gone takes nothing from the result itself. */
	if (store_log(h->site->store, run, program, job, from, to, &feed, &err) < 0)
		out_lit(h->out, "(no log was kept)");
	out_flush(&feed);
	lines_done(&lines);
	out_lit(h->out, "</pre>");
}
