/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/tail.h"

#include <ctype.h>

#include "base/mem.h"

#define TAIL_SIZE 16384

void tail_add(struct buf *tail, const char *p, size_t n)
{
	if (n > TAIL_SIZE) {
		p += n - TAIL_SIZE;
		n = TAIL_SIZE;
	}
	if (tail->n + n > 2 * TAIL_SIZE)
		buf_drop(tail, tail->n - TAIL_SIZE);
	buf_add(tail, p, n);
}

void tail_last_lines(struct str s, unsigned want, struct buf *ret)
{
	struct str lines[4];
	unsigned n = 0;

	while (n < want && n < ARRAY_SIZE(lines) && s.n) {
		struct str line = s;

		for (size_t i = s.n; i-- > 0;)
			if (s.p[i] == '\n') {
				line = str_from(s, i + 1);
				break;
			}
		s.n -= line.n + (line.n < s.n);
		line = str_trim(line);
		if (line.n)
			lines[n++] = line;
	}
	while (n--) {
		for (size_t i = 0; i < lines[n].n && i < 160; i++)
			if (isprint((unsigned char)lines[n].p[i]))
				buf_add(ret, &lines[n].p[i], 1);
		buf_add_str(ret, n ? STR(" | ") : STR(""));
	}
}

struct str tail_line_with(const struct buf *tail, struct str what)
{
	struct str rest = buf_str(tail);
	ptrdiff_t at = str_find(rest, what);

	if (at < 0)
		return STR_NONE;
	rest = str_from(rest, (size_t)at);
	return str_trim(str_cut(&rest, '\n'));
}
