/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A result line behind "ok 12": name, directive, fields.
 * KTAP: Documentation/dev-tools/ktap.rst, "Test case result lines"; what
 * kselftest.h and the MPTCP scripts print beyond it: tests/unit/test-tap.c.
 */
#include "base/mem.h"
#include "tap/lex.h"

struct directive {
	struct str word;
	bool prefix;   /* SKIPPED is SKIP */
	bool names;    /* "ok 3 # SKIP name", kselftest.h: the name is behind it */
	int not_ok, ok; /* status, or -1: on such a line it is a plain comment */
	bool exact;    /* only as it is written here */
};

static const struct directive DIRECTIVES[] = {
	{ STR("SKIP"), true, true, STATUS_SKIP, STATUS_SKIP },
	{ STR("TODO"), false, false, STATUS_XFAIL, STATUS_XPASS },
	{ STR("XFAIL"), false, true, STATUS_XFAIL, STATUS_XFAIL },
	{ STR("XPASS"), false, true, STATUS_XPASS, STATUS_XPASS },
	{ STR("TIMEOUT"), false, false, STATUS_TIMEOUT, -1 },
	{ STR("ERROR"), false, true, STATUS_ERROR, -1 },
	{ STR("IGNORE"), false, false, STATUS_FLAKY, STATUS_FLAKY },
	/* No test prints these: report/tap.c does. */
	{ STR("CRASH"), false, false, STATUS_CRASH, -1, true },
	{ STR("MISSING"), false, false, STATUS_MISSING, -1, true },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || is_digit(c) || c == '_';
}

/* @s is behind the '#'. Returns the row, and what follows the word. */
static const struct directive *directive_at(struct str s, bool ok, struct str *ret)
{
	size_t n = 0;

	s = str_trim(s);
	while (n < s.n && is_letter(s.p[n]))
		n++;
	for (size_t i = 0; n && i < ARRAY_SIZE(DIRECTIVES); i++) {
		const struct directive *d = &DIRECTIVES[i];

		if ((s.p[0] | 0x20) != (d->word.p[0] | 0x20) || (n != d->word.n && !d->prefix) ||
		    (ok ? d->ok : d->not_ok) < 0 || !str_starts_nocase(s, d->word) ||
		    (d->exact && !str_starts(s, d->word)))
			continue;
		while (n < s.n && (s.p[n] == ':' || s.p[n] == '.'))
			n++;
		*ret = str_trim(str_from(s, n));
		return d;
	}
	return NULL;
}

/* Thousandths, of what follows a point at the start of @s; *ret: their length. */
static int64_t thousandths(struct str s, size_t *ret)
{
	int64_t v = 0, scale = 1000;
	size_t n = 0;

	if (s.n && s.p[0] == '.')
		while (++n < s.n && is_digit(s.p[n]))
			v += (s.p[n] - '0') * (scale /= 10);
	*ret = n;
	return v;
}

/* "12ms", "3", "1.5s". Returns 1, or 0 and changes nothing. */
static int duration(struct str s, int64_t *ret_ms)
{
	int64_t v = 0, part;
	size_t n = 0, point;
	bool seconds;

	while (n < s.n && is_digit(s.p[n]) && v < INT32_MAX)
		v = v * 10 + (s.p[n++] - '0');
	if (!n || v >= INT32_MAX)
		return 0;
	s = str_from(s, n);
	part = thousandths(s, &point);
	s = str_from(s, point);
	/* A bare number is milliseconds: node-tap and the MPTCP scripts. */
	seconds = str_eq(s, STR("s"));
	if (!seconds && s.n && !str_eq(s, STR("ms")))
		return 0;
	*ret_ms = seconds ? v * 1000 + part : v;
	return 1;
}

static int exit_code(struct str s, int *ret)
{
	uint64_t v;

	if (!str_to_u64(s, &v) || v > INT32_MAX)
		return 0;
	*ret = (int)v;
	return 1;
}

static int field(struct str word, struct lex_result *ret)
{
	if (str_starts(word, STR("time=")))
		return duration(str_from(word, 5), &ret->duration_ms);
	if (str_starts(word, STR("exit=")))
		return exit_code(str_from(word, 5), &ret->exit_code);
	return 0;
}

/* Takes "time=" and "exit=" out of @s; what is left is copied to @room. */
static struct str fields(struct str s, char *room, struct lex_result *ret)
{
	size_t n = 0;

	if (!s.n || !memchr(s.p, '=', s.n))
		return s;
	for (struct str rest = s; rest.p;) {
		struct str word = str_cut(&rest, ' ');

		if (!word.n || field(word, ret))
			continue;
		if (n)
			room[n++] = ' ';
		memcpy(room + n, word.p, word.n);
		n += word.n;
	}
	return str_n(room, n);
}

static bool begins_with_field(struct str s)
{
	struct lex_result none;
	struct str word;

	s = str_trim(s);
	word = str_cut(&s, ' ');
	return field(word, &none);
}

struct split {
	size_t at;                /* of the '#'; the text's length: no comment */
	struct str comment;       /* behind the '#' or the directive */
	const struct directive *directive;
};

/*
 * Where the comment begins: at a directive, else at a field, else at the first
 * " # ". "issue #42" and "page.html#skip" have none.
 */
static struct split find_comment(struct str text, bool ok)
{
	struct split fallback = { .at = text.n };
	bool plain = false;

	for (size_t i = 0; i < text.n; i++) {
		const char *hit = memchr(text.p + i, '#', text.n - i);
		struct split s;

		if (!hit)
			break;
		i = (size_t)(hit - text.p);
		if (i && !is_blank(text.p[i - 1]))
			continue;
		s = (struct split){ .at = i, .comment = str_trim(str_from(text, i + 1)) };
		s.directive = directive_at(s.comment, ok, &s.comment);
		if (s.directive)
			return s;
		if (fallback.at < text.n && !plain)
			continue;
		if (begins_with_field(s.comment)) {
			fallback = s;
			plain = false;
		} else if (fallback.at == text.n &&
			   (i + 1 == text.n || is_blank(text.p[i + 1]))) {
			fallback = s;
			plain = true;
		}
	}
	return fallback;
}

/* TAP version 14, "Escaping". @s may be in @room. */
static struct str unescape(struct str s, char *room)
{
	size_t n = 0;

	if (!s.n || !memchr(s.p, '\\', s.n))
		return s;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == '\\' || s.p[i + 1] == '#'))
			i++;
		room[n++] = s.p[i];
	}
	return str_n(room, n);
}

struct str lex_cut_printk(struct str text)
{
	struct str rest = text;

	while (rest.n) {
		const char *hit = memchr(rest.p, '[', rest.n);

		if (!hit)
			break;
		rest = str_from(rest, (size_t)(hit - rest.p));
		if (lex_printk(rest))
			return str_n(text.p, text.n - rest.n);
		rest = str_from(rest, 1);
	}
	return text;
}

static void with_comment(struct str text, bool ok, bool escapes, struct lex_room *room,
			 struct lex_result *ret)
{
	struct split c = find_comment(text, ok);

	ret->name = str_trim(str_n(text.p, c.at));
	ret->reason = fields(c.comment, room->reason, ret);
	if (escapes)
		ret->reason = unescape(ret->reason, room->reason);
	if (c.directive)
		ret->status = (enum status)(ok ? c.directive->ok : c.directive->not_ok);
	if (c.directive && c.directive->names && !ret->name.n) {
		ret->name = ret->reason;
		ret->reason = STR("");
	}
}

/* Nearly every comment is this one, to the end of the line: "# time=12ms". */
static bool only_field(struct str text, size_t at, struct lex_result *ret)
{
	if ((at && !is_blank(text.p[at - 1])) ||
	    !field(str_trim(str_from(text, at + 1)), ret))
		return false;
	ret->name = str_trim(str_n(text.p, at));
	return true;
}

void lex_result(struct str text, bool ok, bool escapes, struct scan_has has,
		struct lex_room *room, struct lex_result *ret)
{
	const char *hash;

	*ret = (struct lex_result){
		.status = ok ? STATUS_PASS : STATUS_FAIL,
		.duration_ms = -1,
		.exit_code = -1,
	};
	text = str_trim(has.bracket ? lex_cut_printk(text) : text);
	if (str_eq(text, STR("-")))
		text = STR("");
	else if (str_starts(text, STR("- ")))
		text = str_trim(str_from(text, 2));
	ret->name = text;
	hash = text.n ? memchr(text.p, '#', text.n) : NULL;
	if (hash && !only_field(text, (size_t)(hash - text.p), ret))
		with_comment(text, ok, escapes, room, ret);
	/* One that was a comment is unescaped. */
	if (escapes && ret->name.p != room->reason)
		ret->name = unescape(ret->name, room->name);
}

bool tap_is_directive(struct str comment, bool ok)
{
	struct str rest;

	return directive_at(comment, ok, &rest) != NULL;
}

struct str lex_skip_reason(struct str text)
{
	struct str reason = STR("");

	if (text.n && text.p[0] == '#' && !directive_at(str_from(text, 1), true, &reason))
		reason = str_trim(str_from(text, 1));
	return reason;
}
