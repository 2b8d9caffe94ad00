/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/lex.h"

#include "base/mem.h"

#define TOLD_DIGITS 4

const bool LEX_FIRST[256] = {
	['o'] = true, ['n'] = true, ['T'] = true, ['K'] = true,    ['0' ... '9'] = true,
	['#'] = true, [' '] = true, ['\t'] = true, ['['] = true,   ['<'] = true,
	['B'] = true, ['b'] = true, ['r'] = true, ['E'] = true,    ['R'] = true,
	['-'] = true, ['.'] = true, ['\0'] = true, ['\x1b'] = true, [0xef] = true,
};

/* Lines after which a pass says less than it seems to. */
const struct lex_degraded LEX_DEGRADED_ROWS[] = {
	{ STR("Error: Specified qdisc kind is unknown"),
	  "a traffic shaper is missing (CONFIG_NET_SCH_*): what ran was not shaped" },
	{ STR("RTNETLINK answers: Operation not supported"),
	  "a network feature is missing in this kernel: a set-up step did nothing" },
	{ STR("Error: Unknown device type"),
	  "a network device type is missing in this kernel: a set-up step did nothing" },
	{},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of the number at the start of @s; UINT64_MAX: it is that large or larger. */
static size_t digits(struct str s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < s.n && is_digit(s.p[n]); n++)
		if (n < 18)
			v = v * 10 + (uint64_t)(s.p[n] - '0');
		else if (__builtin_mul_overflow(v, 10, &v) ||
			 __builtin_add_overflow(v, (uint64_t)(s.p[n] - '0'), &v))
			v = UINT64_MAX;
	*ret = v;
	return n;
}

static size_t blanks(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_blank(s.p[n]))
		n++;
	return n;
}

/* Length of a CSI sequence at the start of @s; 0: none. */
static size_t csi(struct str s)
{
	size_t n = 2;

	if (s.n < 2 || s.p[0] != '\x1b' || s.p[1] != '[')
		return 0;
	while (n < s.n && s.p[n] >= 0x20 && s.p[n] <= 0x3f)
		n++;
	return n < s.n ? n + 1 : n;
}

struct str lex_clean(struct str line, char room[static TAP_LINE_MAX])
{
	size_t n = 0;

	line = lex_chomp(line);
	if (!line.n || (!memchr(line.p, '\x1b', line.n) && !memchr(line.p, '\0', line.n)))
		return line;
	while (line.n) {
		size_t skip = line.p[0] == '\0' ? 1 : csi(line);

		if (!skip)
			room[n++] = line.p[0];
		line = str_from(line, skip ? skip : 1);
	}
	return lex_chomp(str_n(room, n));
}

/* "[   12.345678]" at the start of @s, without the blank behind it. */
static size_t timestamp(struct str s)
{
	struct str rest = s;
	uint64_t number;
	size_t n;

	if (!s.n || s.p[0] != '[')
		return 0;
	rest = str_from(rest, 1);
	rest = str_from(rest, blanks(rest));
	n = digits(rest, &number);
	if (!n || n == rest.n || rest.p[n] != '.')
		return 0;
	rest = str_from(rest, n + 1);
	if (digits(rest, &number) != 6 || rest.n < 7 || rest.p[6] != ']')
		return 0;
	return s.n - rest.n + 7;
}

/* CONFIG_PRINTK_CALLER: "[  T123]" or "[    C0]". */
static size_t caller(struct str s)
{
	uint64_t number;
	size_t n, d;

	if (!s.n || s.p[0] != '[')
		return 0;
	n = 1 + blanks(str_from(s, 1));
	if (n >= s.n || (s.p[n] != 'T' && s.p[n] != 'C'))
		return 0;
	d = digits(str_from(s, n + 1), &number);
	n += 1 + d;
	return d && n < s.n && s.p[n] == ']' ? n + 1 : 0;
}

static size_t level(struct str s)
{
	uint64_t number;
	size_t d;

	if (!s.n || s.p[0] != '<')
		return 0;
	d = digits(str_from(s, 1), &number);
	return d && d <= 3 && d + 1 < s.n && s.p[d + 1] == '>' ? d + 2 : 0;
}

size_t lex_printk(struct str s)
{
	size_t n = level(s), t = timestamp(str_from(s, n));

	if (!t)
		return n;
	n += t;
	n += caller(str_from(s, n));
	return n < s.n && s.p[n] == ' ' ? n + 1 : n;
}

/* A keyword and what follows it, without blanks around. */
static bool after(struct str s, struct str word, struct str *ret)
{
	if (!str_starts(s, word))
		return false;
	*ret = str_trim(str_from(s, word.n));
	return true;
}

static void header(struct str s, struct lex_line *l)
{
	struct str version;
	bool tap = after(s, STR("TAP version "), &version);
	uint64_t number;
	size_t d;

	if (!tap && !after(s, STR("KTAP version "), &version))
		return;
	d = digits(version, &number);
	/* A word more would be a sentence. */
	if (!d || d > 4 || (d < version.n && !is_blank(version.p[d])))
		return;
	l->kind = LEX_HEADER;
	l->escapes = tap && str_eq(str_n(version.p, d), STR("14"));
}

static void plan(struct str s, struct lex_line *l)
{
	struct str rest;
	size_t d;

	if (!str_starts(s, STR("1..")))
		return;
	s = str_from(s, 3);
	d = digits(s, &l->plan);
	rest = str_trim(str_from(s, d));
	if (!d || (rest.n && rest.p[0] != '#'))
		return;
	l->too_large = l->plan == UINT64_MAX;
	l->kind = LEX_PLAN;
	l->text = rest;
}

static void result(struct str s, bool ok, struct lex_line *l)
{
	uint64_t number;
	size_t d = 0;

	if (s.n && !is_blank(s.p[0]))
		return;
	s = str_from(s, blanks(s));
	d = digits(s, &number);
	if (d && (d == s.n || is_blank(s.p[d]) || s.p[d] == '#')) {
		l->too_large = number > INT64_MAX;
		l->number = l->too_large ? -1 : (int64_t)number;
		s = str_from(s, l->too_large ? 0 : d);
	}
	l->kind = LEX_RESULT;
	l->ok = ok;
	l->text = s;
}

static void numbered(struct str s, struct lex_line *l)
{
	size_t d = 0;

	l->number = 0;
	for (; d < s.n && d < TOLD_DIGITS && is_digit(s.p[d]); d++)
		l->number = l->number * 10 + (s.p[d] - '0');
	if (d + 1 >= s.n || s.p[d] != ' ')
		return;
	l->kind = LEX_NUMBERED;
	l->text = str_from(s, d + 1);
}

static void named(struct str s, struct lex_line *l)
{
	if (after(s, STR("Subtest: "), &l->text) && l->text.n)
		l->kind = LEX_NAME;
	/* The runner's own name for it has "selftests: " in front, too. */
	else if (after(s, STR("selftests: "), &l->text) && l->text.n) {
		l->kind = LEX_NAME;
		l->text = str_trim(s);
	}
}

static void degraded(struct str s, struct lex_line *l)
{
	for (unsigned i = 0; LEX_DEGRADED_ROWS[i].message; i++) {
		if (str_starts(s, LEX_DEGRADED_ROWS[i].text)) {
			l->kind = LEX_DEGRADED;
			l->row = i;
			return;
		}
	}
}

static void machine(struct str s, struct lex_line *l)
{
	static const struct str DOWN[] = {
		STR("reboot: Power down"), STR("reboot: Restarting system"),
		STR("reboot: System halted"), STR("reboot: machine restart"),
	};

	if (str_starts(s, STR("Kernel panic - not syncing"))) {
		l->kind = LEX_PANIC;
		l->text = s;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(DOWN); i++)
		if (str_starts(s, DOWN[i]))
			l->kind = LEX_REBOOT;
}

static void content(struct str s, bool comment, struct lex_line *l)
{
	switch (s.p[0]) {
	case 'o':
		if (str_starts(s, STR("ok")))
			result(str_from(s, 2), true, l);
		break;
	case 'n':
		if (str_starts(s, STR("not ok")))
			result(str_from(s, 6), false, l);
		break;
	case '1': plan(s, l); if (l->kind) break; /* fall through */
	case '0':
	case '2' ... '9': numbered(s, l); break;
	case 'T': header(s, l); break;
	case 'K': header(s, l); if (l->kind) break; /* fall through */
	case 'r': if (!comment) machine(s, l); break;
	case 'S':
	case 's': if (comment) named(s, l); break;
	case 'E':
	case 'R': degraded(s, l); break;
	case 'B':
	case 'b':
		if (str_starts_nocase(s, STR("Bail out!"))) {
			l->kind = LEX_BAIL;
			l->text = str_trim(str_from(s, 9));
		}
		break;
	case '-':
		if (str_starts(s, STR("---")) && (s.n == 3 || is_blank(s.p[3])))
			l->kind = LEX_YAML_BEGIN;
		break;
	case '.':
		if (str_eq(str_trim(s), STR("...")))
			l->kind = LEX_YAML_END;
		break;
	}
}

/* Takes the blanks at the start of @s; returns their columns. One step of
 * nesting is two columns at least: a single one is sloppiness. */
static unsigned take_indent(struct str *s)
{
	unsigned col = 0;
	size_t n = 0;

	while (n + 4 <= s->n && memcmp(s->p + n, "    ", 4) == 0)
		n += 4;
	for (col = (unsigned)n; n < s->n && is_blank(s->p[n]); n++)
		col = s->p[n] == '\t' ? (col / 4 + 1) * 4 : col + 1;
	*s = str_from(*s, n);
	return col > 1 ? col : 0;
}

void lex_classify(struct str line, struct lex_line *ret)
{
	struct lex_place mark = {};
	size_t n = line.n && (line.p[0] == '[' || line.p[0] == '<') ? lex_printk(line) : 0;
	bool tight = false;

	*ret = (struct lex_line){ .number = -1, .printk = n != 0 };
	line = str_from(line, n);
	while (line.n) {
		if (ret->at.comments) { /* the first blank belongs to the mark */
			tight = !is_blank(line.p[0]);
			line = str_from(line, !tight);
		}
		ret->at.indent += take_indent(&line);
		if (!line.n || line.p[0] != '#')
			break;
		mark = ret->at;
		if (++ret->at.comments > LEX_COMMENTS_MAX)
			return;
		line = str_from(line, 1);
	}
	if (!line.n || tight) /* "#ok" */
		return;
	ret->text = line;
	content(line, ret->at.comments != 0, ret);
	if (ret->kind == LEX_NAME)
		ret->at = mark;
}
