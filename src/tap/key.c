/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys: a test's name without what changes by itself from run to run. Each mask
 * is a row: it looks at the place where it is called and says how many bytes
 * it takes and what stands for them. Masks hold nothing that a mask would
 * match, so that masking twice changes nothing.
 */
#include "base/mem.h"
#include "tap/parse.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_word(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static size_t span(struct str s, bool (*is)(char))
{
	size_t n = 0;

	while (n < s.n && is(s.p[n]))
		n++;
	return n;
}

/* How many bytes at @i of @s the mask takes; 0: not here. */
typedef size_t (*mask_fn)(struct str s, size_t i);

static bool at_word_start(struct str s, size_t i)
{
	return i == 0 || !is_word(s.p[i - 1]);
}

static size_t mask_ip4(struct str s, size_t i)
{
	struct str rest = str_from(s, i);

	if (!at_word_start(s, i) || (i && s.p[i - 1] == '.'))
		return 0;
	for (unsigned part = 0;; part++) {
		size_t d = span(rest, is_digit);

		if (d == 0 || d > 3)
			return 0;
		rest = str_from(rest, d);
		if (part == 3)
			break;
		if (!rest.n || rest.p[0] != '.')
			return 0;
		rest = str_from(rest, 1);
	}
	/* 6.12.95.1-rc is a version. */
	return rest.n && (is_word(rest.p[0]) || rest.p[0] == '.') ? 0 : s.n - i - rest.n;
}

/* With its port, where one is glued to it: "dead:beef:1::1:10042". */
static size_t mask_ip6(struct str s, size_t i)
{
	size_t n = 0, colons = 0, number = 0;
	bool pair = false;

	if (!at_word_start(s, i) || (i && s.p[i - 1] == ':'))
		return 0;
	for (; i + n < s.n && (is_hex(s.p[i + n]) || s.p[i + n] == ':'); n++) {
		if (s.p[i + n] == ':') {
			colons++;
			pair |= n && s.p[i + n - 1] == ':';
		}
		number |= is_digit(s.p[i + n]);
	}
	if (!number || (!pair && colons < 4) || colons < 2 ||
	    (i + n < s.n && is_word(s.p[i + n])))
		return 0;
	return n;
}

static size_t mask_port(struct str s, size_t i)
{
	static const struct str BEFORE[] = { STR("port "), STR("port="), STR("ports ") };
	size_t d = span(str_from(s, i), is_digit);

	if (!d || d > 5 || (i + d < s.n && is_word(s.p[i + d])))
		return 0;
	if (i && s.p[i - 1] == ':' && d >= 4)
		return d;
	for (size_t k = 0; k < ARRAY_SIZE(BEFORE); k++)
		if (str_ends(str_n(s.p, i), BEFORE[k]))
			return d;
	return 0;
}

/* 0x7fff0123, a7088c61f: long, and with a digit among the letters. */
static size_t mask_hex(struct str s, size_t i)
{
	bool prefix = i + 2 < s.n && s.p[i] == '0' && (s.p[i + 1] | 0x20) == 'x';
	struct str rest = str_from(s, prefix ? i + 2 : i);
	size_t n = span(rest, is_hex);
	bool digit = false;

	if (!at_word_start(s, i) || (n < rest.n && is_word(rest.p[n])))
		return 0;
	for (size_t k = 0; k < n; k++)
		digit |= is_digit(rest.p[k]);
	if (prefix)
		return n >= 4 ? n + 2 : 0;
	return n >= 8 && digit ? n : 0;
}

/* mktemp's XXXXXX behind a namespace or a temporary file: ns1-Tse09N. */
static size_t mask_random(struct str s, size_t i)
{
	size_t n = span(str_from(s, i), is_word), k = i;
	bool numbered = false, odd = false;

	if (n < 6 || n > 12 || i < 3 || (s.p[i - 1] != '-' && s.p[i - 1] != '.'))
		return 0;
	if (s.p[i - 1] == '.')
		return i >= 4 && str_eq(str_n(s.p + i - 4, 3), STR("tmp")) ? n : 0;
	k--;
	if (k >= 2 && is_digit(s.p[k - 1]) && s.p[k - 2] == '-') { /* ns1-0-abcdef */
		numbered = true;
		k -= 2;
	}
	while (k && is_digit(s.p[k - 1]))
		k--;
	if (k < 2 || s.p[k - 1] != 's' || s.p[k - 2] != 'n' || !at_word_start(s, k - 2))
		return 0;
	for (size_t j = i; j < i + n; j++)
		odd |= !(s.p[j] >= 'a' && s.p[j] <= 'z');
	return numbered || odd ? n : 0;
}

struct mask {
	mask_fn takes;
	bool (*begins)(char c); /* else it is not worth a call */
	struct str as;
};

static const struct mask MASKS[] = {
	{ mask_ip4, is_digit, STR("<ip4>") },
	{ mask_ip6, is_hex, STR("<ip6>") },
	{ mask_port, is_digit, STR("<port>") },
	{ mask_random, is_word, STR("<id>") },
	{ mask_hex, is_hex, STR("<hex>") },
};

/* Most names have nothing to mask: no digit, no temporary file. */
static bool may_change(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_digit(s.p[i]))
			return true;
	return str_find(s, STR("tmp.")) >= 0;
}

/* "12 ports: x", "001 no JOIN": numbered by its place. "12" alone stays. */
static struct str without_ordinals(struct str s)
{
	for (;;) {
		size_t d = span(s, is_digit), n = d;

		while (n < s.n && s.p[n] == ' ')
			n++;
		if (!d || d > 6 || n == d || n == s.n)
			return s;
		s = str_from(s, n);
	}
}

/* Columns are padded to the width of what is in them: one blank will do. */
static struct str without_padding(struct str s, char *room)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' && i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == ')'))
			continue;
		room[n++] = s.p[i];
	}
	return str_n(room, n);
}

void tap_key_append(struct buf *b, struct str name)
{
	char room[2 * TAP_NAME_MAX];
	size_t from = 0;

	if (name.n > sizeof(room))
		name.n = sizeof(room);
	name = without_ordinals(without_padding(str_trim(name), room));
	for (size_t i = may_change(name) ? 0 : name.n; i < name.n;) {
		const struct mask *m = NULL;
		size_t n = 0, word = span(str_from(name, i), is_word);

		for (size_t k = 0; k < ARRAY_SIZE(MASKS) && !n && word; k++) {
			m = &MASKS[k];
			n = m->begins(name.p[i]) ? m->takes(name, i) : 0;
		}
		if (n) {
			buf_add(b, name.p + from, i - from);
			buf_add_str(b, m->as);
			from = i += n;
		} else {
			i += word ? word : 1; /* masks begin where words do */
		}
	}
	buf_add(b, name.p + from, name.n - from);
}

enum status tap_status_from_exit(int code)
{
	/* tools/testing/selftests/kselftest.h, and timeout(1). */
	static const struct {
		int code;
		enum status status;
	} ROWS[] = {
		{ 0, STATUS_PASS },  { 1, STATUS_FAIL }, { 2, STATUS_XFAIL },
		{ 3, STATUS_XPASS }, { 4, STATUS_SKIP }, { 124, STATUS_TIMEOUT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		if (ROWS[i].code == code)
			return ROWS[i].status;
	return STATUS_FAIL;
}
