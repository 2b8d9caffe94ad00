/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/told.h"

#include <stdlib.h>

#include "base/mem.h"

#define MARK 6        /* bytes of each mark */
#define SAME_HEAD 12  /* bytes of a title that must be in the result's name */

static const struct {
	struct str text;
	enum status status;
} MARKS[] = {
	{ STR("[ OK ]"), STATUS_PASS },
	{ STR("[FAIL]"), STATUS_FAIL },
	{ STR("[SKIP]"), STATUS_SKIP },
	{ STR("[IGNO]"), STATUS_FLAKY },
};

void told_done(struct told *t)
{
	free(t->v);
	buf_done(&t->text);
}

void told_begin(struct told *t, struct lex_place at, uint64_t line)
{
	t->n = 0;
	t->marked = 0;
	buf_clear(&t->text);
	t->at = at;
	t->last = line;
}

/* Where the mark begins in @s, or -1. */
static ptrdiff_t find_mark(struct str s, enum status *ret)
{
	for (size_t i = 0; i + MARK <= s.n; i++) {
		const char *hit = memchr(s.p + i, '[', s.n - i - MARK + 1);

		if (!hit)
			return -1;
		i = (size_t)(hit - s.p);
		for (size_t k = 0; k < ARRAY_SIZE(MARKS); k++) {
			if (memcmp(hit, MARKS[k].text.p, MARK) == 0) {
				*ret = MARKS[k].status;
				return (ptrdiff_t)i;
			}
		}
	}
	return -1;
}

/* Appends without padding: names in TAP have none. Returns the length. */
static size_t add_text(struct told *t, struct str s)
{
	char room[TOLD_TEXT_MAX];
	size_t n = 0;

	s = str_trim(s);
	for (size_t i = 0; i < s.n && n < sizeof(room); i++)
		if (s.p[i] != ' ' || (i + 1 < s.n && s.p[i + 1] != ' ' && s.p[i + 1] != ')'))
			room[n++] = s.p[i];
	return buf_add(&t->text, room, n) < 0 ? 0 : n;
}

static size_t digits_before(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[s.n - 1 - n] >= '0' && s.p[s.n - 1 - n] <= '9')
		n++;
	return n;
}

/* "... (duration    69ms)": taken off. */
static struct str take_duration(struct str s, int64_t *ret_ms)
{
	ptrdiff_t at = str_find(s, STR("(duration "));
	struct str number;
	uint64_t ms;

	if (at < 0 || !str_ends(s, STR("ms)")))
		return s;
	number = str_from(s, (size_t)at + 10);
	number.n -= 3;
	if (!str_to_u64(str_trim(number), &ms) || ms > INT32_MAX)
		return s;
	*ret_ms = (int64_t)ms;
	return str_trim(str_n(s.p, (size_t)at));
}

/* "... 556 max 7906": simult_flows.sh's measurement, another one each time. */
static struct str without_measure(struct str s)
{
	size_t limit = digits_before(s), value;
	struct str rest = str_n(s.p, s.n - limit);

	if (!limit || !str_ends(rest, STR(" max ")))
		return s;
	rest.n -= 5;
	value = digits_before(rest);
	return value ? str_trim(str_n(rest.p, rest.n - value)) : s;
}

static void set_reason(struct told *t, struct told_line *l, struct str what, struct str why)
{
	l->reason = t->text.n;
	l->reason_n = add_text(t, what);
	if (what.n && str_trim(why).n && buf_add(&t->text, ": ", 2) == 0)
		l->reason_n += 2;
	l->reason_n += add_text(t, why);
}

static void numbered(struct told *t, struct str s, uint64_t line)
{
	struct told_line l = { .from = t->last + 1, .to = line, .duration_ms = -1 };
	ptrdiff_t mark = find_mark(s, &l.status);
	struct str title = str_trim(mark < 0 ? s : str_n(s.p, (size_t)mark));

	if (!title.n)
		return;
	title = without_measure(take_duration(title, &l.duration_ms));
	l.title = t->text.n;
	l.title_n = add_text(t, title);
	if (mark >= 0)
		set_reason(t, &l, STR(""), str_from(s, (size_t)mark + MARK));
	ARRAY_GROW(t->v, t->n, t->cap);
	t->v[t->n++] = l;
	t->v[t->n - 1].marked = mark >= 0;
	t->marked += mark >= 0;
	t->last = line;
}

/* One of the checks that a numbered test is made of. */
static void check(struct told *t, struct str s, uint64_t line)
{
	struct told_line *l = &t->v[t->n - 1];
	enum status status;
	ptrdiff_t mark = find_mark(s, &status);

	if (mark < 0)
		return;
	if (!l->marked || status_worst(l->status, status) != l->status) {
		l->status = status;
		if (status != STATUS_PASS)
			set_reason(t, l, str_trim(str_n(s.p, (size_t)mark)),
				   str_from(s, (size_t)mark + MARK));
	}
	l->to = t->last = line;
	t->marked += !l->marked;
	l->marked = true;
}

void told_note(struct told *t, const struct lex_line *l, uint64_t line)
{
	struct str text = lex_cut_printk(l->text);

	if (l->kind == LEX_NUMBERED && lex_same(l->at, t->at)) {
		if (l->number == (int64_t)t->n + 1 && t->n < TOLD_MAX)
			numbered(t, text, line);
	} else if (t->n && lex_within(l->at, t->at)) {
		check(t, text, line);
	}
}

const struct told_line *told_find(const struct told *t, int64_t number, struct str name)
{
	const struct told_line *l;
	struct str head;

	if (number < 1 || number > t->n)
		return NULL;
	l = &t->v[number - 1];
	head = told_title(t, l);
	head.n = head.n < SAME_HEAD ? head.n : SAME_HEAD;
	return head.n && str_find(name, head) >= 0 ? l : NULL;
}

bool told_runs(const struct told *t)
{
	return t->n && !t->v[t->n - 1].marked;
}

struct str told_title(const struct told *t, const struct told_line *l)
{
	return str_from(str_n(t->text.p, l->title + l->title_n), l->title);
}

struct str told_reason(const struct told *t, const struct told_line *l)
{
	return l->reason_n ? str_from(str_n(t->text.p, l->reason + l->reason_n), l->reason)
			   : STR("");
}
