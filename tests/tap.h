/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tests' own TAP: ok(), is_int(), is_str(), then done(). Output goes to
 * standard output, a failure's place and values as comments. A test file is a
 * program; its cases are rows of a table where they can be.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct tap {
	unsigned n, failed;
};

#define TAP_HEADER() puts("TAP version 13")

__attribute__((format(printf, 5, 6))) static inline bool
tap_ok(struct tap *t, bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	t->n++;
	t->failed += !good;
	printf("%s %u - ", good ? "ok" : "not ok", t->n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!good)
		printf("# at %s:%d\n", file, line);
	fflush(stdout);
	return good;
}

/* @why: empty, or why it is known to be wrong: told as TODO, fails nothing. One
 * that is right again is an ordinary "ok": Meson takes the other for a failure. */
__attribute__((format(printf, 4, 5))) static inline bool
tap_todo(struct tap *t, bool good, struct str why, const char *fmt, ...)
{
	va_list ap;

	t->n++;
	t->failed += !good && !why.n;
	printf("%s %u - ", good ? "ok" : "not ok", t->n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	if (!good && why.n)
		printf(" # TODO %.*s", STR_FMT(why));
	puts(good && why.n ? "\n# it is right now: its TODO can go" : "");
	fflush(stdout);
	return good;
}

static inline bool tap_is_int(struct tap *t, int64_t got, int64_t want, const char *file,
			      int line, const char *name)
{
	if (tap_ok(t, got == want, file, line, "%s", name))
		return true;
	printf("#  got: %" PRId64 "\n# want: %" PRId64 "\n", got, want);
	return false;
}

static inline bool tap_is_str(struct tap *t, const char *got, const char *want,
			      const char *file, int line, const char *name)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;

	if (tap_ok(t, same, file, line, "%s", name))
		return true;
	printf("#  got: %s\n# want: %s\n", got ? got : "(null)", want ? want : "(null)");
	return false;
}

static inline int tap_done(struct tap *t)
{
	printf("1..%u\n", t->n);
	return t->failed != 0;
}

#define ok(t, good, ...)           tap_ok((t), (good), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(t, got, want, name) tap_is_int((t), (got), (want), __FILE__, __LINE__, (name))
#define is_str(t, got, want, name) tap_is_str((t), (got), (want), __FILE__, __LINE__, (name))
/* The whole program can't run here: says why, ends it. */
#define skip_all(why)                                              \
	do {                                                       \
		printf("TAP version 13\n1..0 # SKIP %s\n", (why)); \
		return 0;                                          \
	} while (0)
