/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/log-search.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HOLD (64u << 10)
#define BACK 50000 /* lines at a time, backwards */

struct scan {
	struct str what;      /* folded */
	char *hold, *folded;  /* HOLD bytes each */
	size_t n;             /* in them */
	size_t left;          /* bytes that may be looked at yet */
	uint64_t line;        /* of the first byte in it */
	struct log_search *ret; /* NULL: only .last is asked for */
	uint64_t last;        /* hit; 0: none */
};

/* Each byte of a word the same: eight are looked at at once. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static void fold(char *to, const char *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w, low, letters;

		memcpy(&w, p + i, 8);
		low = w & EACH(0x7f);
		/* The high bit of a byte: it is 'A' or above, and not above 'Z'. */
		letters = (low + EACH(0x80 - 'A')) & ~(low + EACH(0x7f - 'Z')) & ~w & EACH(0x80);
		w |= letters >> 2;
		memcpy(to + i, &w, 8);
	}
	for (; i < n; i++)
		to[i] = (char)(p[i] | (p[i] >= 'A' && p[i] <= 'Z' ? 0x20 : 0));
}

ptrdiff_t log_find(struct str s, struct str what)
{
	for (size_t i = 0; what.n && i + what.n <= s.n; i++)
		if (str_eq_nocase(str_n(s.p + i, what.n), what))
			return (ptrdiff_t)i;
	return -1;
}

static uint64_t newlines(const char *p, size_t n)
{
	uint64_t count = 0;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		w ^= EACH('\n');
		/* The high bit of each byte that is not zero now. */
		w = (((w & EACH(0x7f)) + EACH(0x7f)) | w) & EACH(0x80);
		count += 8 - ((w >> 7) * EACH(1) >> 56);
	}
	for (; i < n; i++)
		count += p[i] == '\n';
	return count;
}

/* From the begin of the line, unless that would not show what was found. */
static void take_text(const struct scan *s, size_t at, char *to)
{
	const char *end = memchr(s->hold + at, '\n', s->n - at);
	size_t from = at, to_end = end ? (size_t)(end - s->hold) : s->n, n;

	while (from > 0 && s->hold[from - 1] != '\n' && at - from < SEARCH_TEXT / 2)
		from--;
	n = to_end - from < SEARCH_TEXT ? to_end - from : SEARCH_TEXT;
	memcpy(to, s->hold + from, n);
	to[n] = '\0';
}

static bool hit(struct scan *s, size_t at)
{
	if (s->last == s->line)
		return true;
	if (s->ret && s->ret->n == SEARCH_HITS)
		return false;
	s->last = s->line;
	if (s->ret) {
		take_text(s, at, s->ret->text[s->ret->n]);
		s->ret->hits[s->ret->n++] = s->line;
	}
	return true;
}

/* What may be the begin of a hit stays for the next. */
static int look(struct scan *s)
{
	size_t keep = s->what.n - 1 < s->n ? s->what.n - 1 : s->n, end = s->n - keep, at = 0;

	fold(s->folded, s->hold, s->n);
	for (;;) {
		const char *found = memmem(s->folded + at, s->n - at, s->what.p, s->what.n);
		const char *next;

		if (!found)
			break;
		s->line += newlines(s->hold + at, (size_t)(found - s->folded) - at);
		at = (size_t)(found - s->folded);
		if (!hit(s, at))
			return -ECANCELED;
		/* The rest of that line says no more. */
		next = memchr(s->hold + at, '\n', end - at);
		if (!next)
			break;
		at = (size_t)(next - s->hold);
	}
	s->line += newlines(s->hold + at, end - at);
	memmove(s->hold, s->hold + end, keep);
	s->n = keep;
	return 0;
}

static int feed(void *ctx, const char *p, size_t n)
{
	struct scan *s = ctx;

	while (n) {
		size_t take = HOLD - s->n < n ? HOLD - s->n : n;
		int r;

		if (s->left < take)
			return -ECANCELED;
		s->left -= take;
		memcpy(s->hold + s->n, p, take);
		s->n += take;
		p += take;
		n -= take;
		r = s->n == HOLD ? look(s) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* 1: all of them were looked at, 0: it stopped before. */
static int lines(struct store *store, int64_t run, unsigned program, unsigned job,
		 uint64_t from, uint64_t to, struct scan *s, struct err *err)
{
	struct out out;
	int r;

	s->line = from;
	s->n = 0;
	out_to(&out, feed, s);
	r = store_log(store, run, program, job, from, to, &out, err);
	if (r < 0)
		return r;
	if (out_flush(&out) < 0 || look(s) < 0)
		return 0;
	return 1;
}

static int backwards(struct store *store, int64_t run, unsigned program, unsigned job,
		     struct scan *s, struct log_search *ret, struct err *err)
{
	uint64_t end = ret->from;
	int r = 1;

	s->ret = NULL;
	s->last = 0;
	s->left = SEARCH_BYTES;
	while (end > 1 && r > 0 && !s->last) {
		uint64_t from = end > BACK ? end - BACK : 1;

		r = lines(store, run, program, job, from, end - 1, s, err);
		end = from;
	}
	/* Of a piece that was not looked at to its end the last is not known. */
	ret->before = r == 0 ? 0 : s->last;
	return r < 0 ? r : 0;
}

int log_search(struct store *store, int64_t run, unsigned program, unsigned job, uint64_t total,
	       struct str text, uint64_t from, struct log_search *ret, struct err *err)
{
	_free_ char *hold = xmalloc(HOLD), *folded = xmalloc(HOLD), *what = xmalloc(text.n);
	struct scan s = { .what = { what, text.n }, .hold = hold, .folded = folded,
			  .left = SEARCH_BYTES, .ret = ret };
	int r;

	*ret = (struct log_search){ .from = from ? from : 1 };
	fold(what, text.p, text.n);
	r = lines(store, run, program, job, ret->from, 0, &s, err);
	if (r < 0)
		return r;
	ret->to = r ? total : s.line > ret->from ? s.line - 1 : ret->from;
	return backwards(store, run, program, job, &s, ret, err);
}
