/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/printk.h"

#define BEFORE_MAX 200 /* bytes before a message that are looked through */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at the start of @s, at most 18. */
static size_t number(struct str s, int64_t *ret)
{
	size_t i;

	*ret = 0;
	for (i = 0; i < s.n && i < 18 && is_digit(s.p[i]); i++)
		*ret = *ret * 10 + (s.p[i] - '0');
	return i;
}

static size_t blanks(struct str s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] == ' ')
		i++;
	return i;
}

/* "[   12.345678]" */
static size_t stamp(struct str s, int64_t *ret_us)
{
	int64_t seconds, fraction;
	size_t i = 1, n;

	if (s.n < 5 || s.p[0] != '[')
		return 0;
	i += blanks(str_from(s, i));
	n = number(str_from(s, i), &seconds);
	i += n;
	if (!n || n > 12 || i >= s.n || s.p[i] != '.')
		return 0;
	i++;
	n = number(str_from(s, i), &fraction);
	i += n;
	if (n != 6 || i >= s.n || s.p[i] != ']')
		return 0;
	*ret_us = seconds * 1000000 + fraction;
	return i + 1;
}

/* "[  T123]", "[    C1]" */
static size_t caller(struct str s, int64_t *ret)
{
	int64_t id;
	size_t i = 1, n;
	char kind;

	if (s.n < 4 || s.p[0] != '[')
		return 0;
	i += blanks(str_from(s, i));
	if (i >= s.n || (s.p[i] != 'T' && s.p[i] != 'C'))
		return 0;
	kind = s.p[i++];
	n = number(str_from(s, i), &id);
	i += n;
	if (!n || n > 9 || i >= s.n || s.p[i] != ']')
		return 0;
	*ret = kind == 'C' ? id + PRINTK_CPU : id;
	return i + 1;
}

/* "[Sat Jan 31 09:05:07 2026]" */
static size_t date(struct str s)
{
	static const char form[] = "[Aaa Aaa 99 99:99:99 9999]";

	if (s.n < sizeof(form) - 1)
		return 0;
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		char c = s.p[i];
		bool good = form[i] == 'A' ? c >= 'A' && c <= 'Z' :
			    form[i] == 'a' ? c >= 'a' && c <= 'z' :
			    form[i] == '9' ? is_digit(c) || c == ' ' : c == form[i];

		if (!good)
			return 0;
	}
	return sizeof(form) - 1;
}

/* "<4>" */
static size_t level(struct str s)
{
	int64_t v;
	size_t n = s.n && s.p[0] == '<' ? number(str_from(s, 1), &v) : 0;

	return n && n <= 3 && n + 1 < s.n && s.p[n + 1] == '>' ? n + 2 : 0;
}

static struct printk at(struct str line, size_t from)
{
	struct printk p = { .at = from, .us = -1, .caller = -1 };
	size_t i = from, n;

	n = level(str_from(line, i));
	i += n;
	n = stamp(str_from(line, i), &p.us);
	if (!n)
		n = date(str_from(line, i));
	i += n;
	i += caller(str_from(line, i), &p.caller);
	if (i == from)
		return p;
	p.n = i < line.n && line.p[i] == ' ' ? i + 1 : i;
	return p;
}

struct printk printk_prefix(struct str line)
{
	struct printk p = at(line, 0);
	ptrdiff_t kernel;

	if (p.n || line.n < 16 || line.p[0] == '#')
		return p;
	/* A log daemon's: a name of a month, or a year, then "host kernel: ". */
	kernel = str_find(str_n(line.p, line.n < 80 ? line.n : 80), STR(" kernel: "));
	if (kernel < 0 || (line.p[6] != ' ' && line.p[4] != '-'))
		return p;
	p = at(line, (size_t)kernel + 9);
	p.at = 0;
	if (!p.n)
		p.n = (size_t)kernel + 9;
	return p;
}

struct printk printk_embedded(struct str line)
{
	struct printk none = { .us = -1, .caller = -1 };
	size_t i = 0, max = line.n < BEFORE_MAX ? line.n : BEFORE_MAX;
	int64_t us;

	while (i < max && (line.p[i] == '#' || line.p[i] == ' '))
		i++;
	if (i < max && line.p[i] == '[' && i && stamp(str_from(line, i), &us))
		return none;
	for (; i < max; i++)
		if (line.p[i] == '[' && stamp(str_from(line, i), &us))
			return at(line, i);
	return none;
}
