/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/out.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

static int write_fd(void *ctx, const char *p, size_t n)
{
	struct out *o = ctx;

	return file_write_all(o->fd, p, n);
}

static int write_buf(void *ctx, const char *p, size_t n)
{
	return buf_add(ctx, p, n);
}

void out_to(struct out *o, int (*write)(void *, const char *, size_t), void *ctx)
{
	o->write = write;
	o->ctx = ctx;
	o->fd = -1;
	o->error = 0;
	o->total = 0;
	o->n = 0;
}

void out_to_fd(struct out *o, int fd)
{
	out_to(o, write_fd, o);
	o->fd = fd;
}

void out_to_buf(struct out *o, struct buf *buf)
{
	out_to(o, write_buf, buf);
}

int out_flush(struct out *o)
{
	if (o->n && !o->error)
		o->error = o->write(o->ctx, o->hold, o->n);
	o->n = 0;
	return o->error;
}

void out_bytes(struct out *o, const void *p, size_t n)
{
	if (o->error)
		return;
	o->total += n;
	if (n > sizeof(o->hold) - o->n)
		out_flush(o);
	if (o->error)
		return;
	if (n > sizeof(o->hold)) {
		o->error = o->write(o->ctx, p, n);
		return;
	}
	if (n)
		memcpy(o->hold + o->n, p, n);
	o->n += n;
}

void out_str(struct out *o, struct str s)
{
	out_bytes(o, s.p, s.n);
}

void out_char(struct out *o, char c)
{
	out_bytes(o, &c, 1);
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char small[256];
	char *big = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(small)) {
		out_bytes(o, small, (size_t)n);
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&big, fmt, ap);
	va_end(ap);
	if (n >= 0)
		out_bytes(o, big, (size_t)n);
	free(big);
}

size_t utf8_len(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, above U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/* U+0080..U+009F: C1 controls, two bytes in UTF-8. */
static bool is_c1(struct str s)
{
	return s.n >= 2 && (unsigned char)s.p[0] == 0xc2 && (unsigned char)s.p[1] < 0xa0;
}

/* Bytes that stand for themselves come in long runs: as one piece. @plain: ASCII. */
static size_t put_plain(struct out *o, struct str s, const bool plain[128])
{
	size_t n = 0;

	while (n < s.n && (unsigned char)s.p[n] < 128 && plain[(unsigned char)s.p[n]])
		n++;
	if (n)
		out_bytes(o, s.p, n);
	return n;
}

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

/* HTML and XML need the same five; XML 1.0 also forbids most controls. */
static void out_markup(struct out *o, struct str s, const char *control)
{
	/* All that can be printed but for " & ' < > */
	static const bool PLAIN[128] = { [' ' ... '!'] = true, ['#' ... '%'] = true,
					 ['(' ... ';'] = true, ['='] = true,
					 ['?' ... '~'] = true };

	while (s.n) {
		unsigned char c = (unsigned char)s.p[0];
		size_t n = put_plain(o, s, PLAIN);

		if (n) {
			s = str_from(s, n);
			continue;
		}
		n = utf8_len(s);
		switch (c) {
		case '&': out_lit(o, "&amp;"); break;
		case '<': out_lit(o, "&lt;"); break;
		case '>': out_lit(o, "&gt;"); break;
		case '"': out_lit(o, "&quot;"); break;
		case '\'': out_lit(o, "&#39;"); break;
		default:
			if (is_control(c) && c != '\t' && c != '\n')
				out_str(o, str_of(control));
			else if (n == 0 || (n == 3 && !memcmp(s.p, "\xef\xbf\xbe", 3)) ||
				 (n == 3 && !memcmp(s.p, "\xef\xbf\xbf", 3)))
				out_str(o, str_of(REPLACEMENT));
			else
				out_bytes(o, s.p, n);
		}
		s = str_from(s, n ? n : 1);
	}
}

void out_html(struct out *o, struct str s)
{
	out_markup(o, s, REPLACEMENT);
}

void out_xml(struct out *o, struct str s)
{
	out_markup(o, s, REPLACEMENT);
}

void out_url(struct out *o, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		/* Unreserved characters of RFC 3986, 2.3. */
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c && strchr("-._~", c)))
			out_char(o, (char)c);
		else
			out_printf(o, "%%%02X", c);
	}
}

void out_json(struct out *o, struct str s)
{
	static const bool PLAIN[128] = { [' ' ... '!'] = true, ['#' ... '['] = true,
					 [']' ... '~'] = true };

	while (s.n) {
		unsigned char c = (unsigned char)s.p[0];
		size_t n = put_plain(o, s, PLAIN);

		if (n) {
			s = str_from(s, n);
			continue;
		}
		n = utf8_len(s);
		if (c == '"' || c == '\\') {
			out_char(o, '\\');
			out_char(o, (char)c);
		} else if (c == '\n') {
			out_lit(o, "\\n");
		} else if (c == '\t') {
			out_lit(o, "\\t");
		} else if (is_control(c) || n == 0) {
			out_printf(o, "\\u%04x", c);
		} else {
			out_bytes(o, s.p, n);
		}
		s = str_from(s, n ? n : 1);
	}
}

/* OpenMetrics 1.0, ABNF: escaped-char. */
void out_metrics(struct out *o, struct str s)
{
	while (s.n) {
		size_t n = utf8_len(s);

		if (s.p[0] == '\n')
			out_lit(o, "\\n");
		else if (s.p[0] == '"' || s.p[0] == '\\')
			out_printf(o, "\\%c", s.p[0]);
		else if (n && !is_control((unsigned char)s.p[0]))
			out_bytes(o, s.p, n);
		else
			out_lit(o, "\xef\xbf\xbd");
		s = str_from(s, n ? n : 1);
	}
}

void out_term(struct out *o, struct str s)
{
	static const bool PLAIN[128] = { [' ' ... '~'] = true };

	while (s.n) {
		unsigned char c = (unsigned char)s.p[0];
		size_t n = put_plain(o, s, PLAIN);

		if (n) {
			s = str_from(s, n);
			continue;
		}
		n = utf8_len(s);
		if (is_c1(s)) {
			out_printf(o, "\\x%02x", (unsigned char)s.p[1]);
			n = 2;
		} else if ((is_control(c) && c != '\t') || n == 0) {
			out_printf(o, "\\x%02x", c);
		} else {
			out_bytes(o, s.p, n);
		}
		s = str_from(s, n ? n : 1);
	}
}

/* GitHub's toolkit, packages/core/src/command.ts: escapeData and escapeProperty. */
void out_github(struct out *o, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c && strchr("%\r\n:,", c))
			out_printf(o, "%%%02X", (unsigned char)c);
		else
			out_char(o, c);
	}
}
