/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/splat.h"
#include "tap/parse.h"
#include "tap/trace.h"

#define RAW_MAX 200 /* bytes of a headline that go into a title */

static bool is_symbol(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	       c == '.';
}

/* Without "+0x12/0x34", and without ".isra.0" and the like in symbols. */
static void add_plain(struct buf *b, struct str s)
{
	static const struct str COPIES[] = { STR(".isra."), STR(".constprop."), STR(".part."),
					     STR(".cold"), STR(".llvm."), STR("+0x") };

	for (size_t i = 0; i < s.n;) {
		struct str rest = str_from(s, i);
		bool copy = false;

		for (size_t k = 0; k < sizeof(COPIES) / sizeof(COPIES[0]); k++)
			copy |= str_starts(rest, COPIES[k]);
		if (!copy) {
			buf_add(b, s.p + i++, 1);
			continue;
		}
		i++;
		while (i < s.n && (is_symbol(s.p[i]) || s.p[i] == '/'))
			i++;
	}
}

static void add_masked(struct buf *b, struct str s)
{
	struct buf plain = {};

	s = str_trim(s);
	add_plain(&plain, str_n(s.p, s.n < RAW_MAX ? s.n : RAW_MAX));
	tap_key_append(b, buf_str(&plain));
	buf_done(&plain);
}

static struct str before(struct str s, const char *end)
{
	ptrdiff_t at = str_find(s, str_of(end));

	return at < 0 ? s : str_n(s.p, (size_t)at);
}

/* "Oops: divide error: 0000 [#1] SMP" is a "divide error"; of one that has no
 * words of its own "Oops". */
static struct str death(struct str line)
{
	static const struct str HEADS[] = { STR("Internal error: "), STR("Oops: "),
					    STR("Oops - ") };
	struct str words;

	for (size_t i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++)
		while (str_starts(line, HEADS[i]))
			line = str_from(line, HEADS[i].n);
	words = str_trim(before(before(line, ":"), ","));
	for (size_t i = 0; i < words.n; i++)
		if (!strchr("0123456789abcdef", words.p[i]) && !(words.p[i] == '[' && i))
			return str_eq(words, STR("stack segment")) ? STR("stack segment fault")
								   : words;
	return STR("Oops");
}

static void add_title(struct buf *b, const struct splat_kind *kind, struct str line,
		      struct str function, const char *access)
{
	const char *f = kind->title;
	ptrdiff_t at = str_find(line, kind->text);
	struct str rest = at < 0 ? line : str_from(line, (size_t)at + kind->text.n);

	if (!f) {
		add_masked(b, line);
		return;
	}
	function = trace_plain(function);
	for (; *f; f++) {
		if (!function.n && strcmp(f, " in %f") == 0)
			return;
		if (*f != '%') {
			buf_add(b, f, 1);
			continue;
		}
		switch (*++f) {
		case 'f': buf_add_str(b, function); break;
		case 'b':
			rest = before(before(rest, " in "), " on CPU#");
			if (str_starts(rest, STR("invalid-access")))
				rest = STR("invalid-access");
			add_masked(b, rest);
			if (access[0])
				buf_printf(b, " %s", access);
			break;
		case 'd': add_masked(b, death(line)); break;
		case 's':
			at = str_find(rest, STR("): "));
			add_masked(b, at < 0 ? rest : str_from(rest, (size_t)at + 3));
			break;
		case 'r': add_masked(b, rest); break;
		default: break;
		}
	}
}

/* What was printed may be garbled until nothing is left of it. */
void splat_title(struct buf *b, const struct splat_kind *kind, struct str line,
		 struct str function, const char *access)
{
	size_t before = b->n;

	add_title(b, kind, line, function, access);
	if (b->n == before)
		buf_add_str(b, str_of(kind->kind));
}
