/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Lines: bytes in, lines out, without their newline, wherever the input was
 * split. A line that is whole in the input is handed on in place; of one that
 * is longer than TAP_LINE_MAX only the head comes, marked as too long. Blanks at
 * the beginning past LINES_BLANKS are not part of it: what follows still counts.
 *
 * Inline, so that the handler is too: this is the innermost loop of a reader.
 */
#include <stdbool.h>

#include "base/str.h"
#include "tap/parse.h"

#define LINES_BLANKS (TAP_LINE_MAX / 4)

struct lines {
	char hold[TAP_LINE_MAX]; /* of a line whose end is not there yet */
	size_t n;
	bool open, too_long;
	bool begun; /* not only blanks are held */
};

typedef void (*lines_fn)(void *ctx, struct str line, bool too_long);

static inline size_t lines_blanks(const char *s, size_t n)
{
	size_t blanks = 0;

	while (blanks < n && (s[blanks] == ' ' || s[blanks] == '\t'))
		blanks++;
	return blanks;
}

static inline size_t lines_surplus(size_t blanks)
{
	return blanks > LINES_BLANKS ? blanks - LINES_BLANKS : 0;
}

static inline void lines_keep(struct lines *l, const char *s, size_t n)
{
	size_t room;

	if (!l->begun) {
		size_t blanks = lines_blanks(s, n), surplus = lines_surplus(l->n + blanks);

		l->begun = blanks < n;
		s += surplus;
		n -= surplus;
	}
	room = TAP_LINE_MAX - l->n;
	if (n > room) {
		n = room;
		l->too_long = true;
	}
	memcpy(l->hold + l->n, s, n);
	l->n += n;
	l->open = true;
}

/* The last line, where it has no newline. */
static inline void lines_end(struct lines *l, lines_fn fn, void *ctx)
{
	if (!l->open)
		return;
	fn(ctx, str_n(l->hold, l->n), l->too_long);
	l->n = 0;
	l->open = l->too_long = l->begun = false;
}

static inline void lines_feed(struct lines *l, const char *bytes, size_t n, lines_fn fn,
			      void *ctx)
{
	while (n) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) : n;

		if (!end || l->open)
			lines_keep(l, bytes, len);
		if (!end)
			return;
		if (l->open) {
			lines_end(l, fn, ctx);
		} else {
			size_t skip = len > LINES_BLANKS ? lines_surplus(lines_blanks(bytes, len))
							 : 0;
			size_t rest = len - skip;

			fn(ctx, str_n(bytes + skip, rest < TAP_LINE_MAX ? rest : TAP_LINE_MAX),
			   rest > TAP_LINE_MAX);
		}
		bytes += len + 1;
		n -= len + 1;
	}
}
