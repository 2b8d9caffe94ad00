/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a text for a terminal, wrapped at its width. */
#include "report/text-inside.h"

#include "base/mem.h"
#include "base/units.h"

unsigned text_width(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

void text_paint(struct out *o, const struct report *r, const char *ansi, struct str s)
{
	if (r->opt->colour)
		out_printf(o, "\x1b[%sm", ansi);
	out_str(o, s);
	if (r->opt->colour)
		out_lit(o, "\x1b[0m");
}

struct buf text_escaped(struct str s)
{
	struct buf b = {};
	struct out o;

	out_to_buf(&o, &b);
	out_term(&o, s);
	out_flush(&o);
	return b;
}

unsigned text_wrap(struct out *o, struct str text, unsigned indent, unsigned column)
{
	struct str rest = text;
	bool first = true;

	while (rest.p) {
		struct str word = str_cut(&rest, ' ');
		unsigned w = text_width(word);

		if (!first && column + 1 + w > WIDTH) {
			out_printf(o, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			out_char(o, ' ');
			column++;
		}
		out_str(o, word);
		column += w;
		first = false;
	}
	return column;
}

void text_right(struct out *o, struct str right, unsigned column)
{
	unsigned w = text_width(right);

	if (right.n && column + 2 + w > WIDTH) {
		out_char(o, '\n');
		column = 0;
	}
	if (right.n)
		out_printf(o, "%*s%.*s", (int)(WIDTH - w - column), "", STR_FMT(right));
	out_char(o, '\n');
}

void text_reason(struct out *o, unsigned indent, struct str text)
{
	struct buf why = text_escaped(text);

	if (why.n) {
		out_printf(o, "%*s", (int)indent, "");
		text_wrap(o, buf_str(&why), indent, indent);
		out_char(o, '\n');
	}
	buf_done(&why);
}

void text_known(struct out *o, unsigned indent, const struct event_excuse *known)
{
	_cleanup_(buf_done) struct buf b = {};

	if (!known)
		return;
	report_excuse(&b, "known", known);
	text_reason(o, indent, buf_str(&b));
}

void text_line(struct report *r, struct out *o, unsigned indent, enum status status,
	       struct str name, struct str reason, int64_t duration_ms,
	       const struct event_excuse *known)
{
	const struct status_info *info = &STATUS_INFO[status];
	const char *ansi = known ? STATUS_INFO[STATUS_FLAKY].ansi : info->ansi;
	struct buf n = text_escaped(name);
	char time[UNIT_TEXT_MAX] = "";
	unsigned column;

	if (duration_ms >= 0)
		duration_text(duration_ms, time);
	out_printf(o, "%*s", (int)indent, "");
	text_paint(o, r, ansi, str_of(info->mark));
	out_char(o, ' ');
	column = text_wrap(o, buf_str(&n), indent + 2, indent + 2);
	if (status != STATUS_PASS && status != STATUS_FAIL) {
		struct str label = str_of(info->name);

		if (column + 3 + text_width(label) > WIDTH) {
			out_printf(o, "\n%*s", (int)indent + 1, "");
			column = indent + 1;
		}
		out_char(o, ' ');
		text_paint(o, r, ansi, label);
		column += 1 + text_width(label);
	}
	text_right(o, str_of(time), column);
	text_reason(o, indent + 4, reason);
	text_known(o, indent + 4, known);
	buf_done(&n);
}

void text_known_count(struct out *o, uint64_t n)
{
	if (n)
		out_printf(o, " (%" PRIu64 " known)", n);
}
