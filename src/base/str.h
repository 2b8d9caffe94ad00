/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Strings: `struct str` is a borrowed slice (never freed, not terminated),
 * `struct buf` grows up to a limit. `struct out` (base/out.h) is the third.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE     ((struct str){ NULL, 0 })
/* For "%.*s". */
#define STR_FMT(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_of(const char *s) /* NULL gives an empty slice */
{
	return (struct str){ s, s ? strlen(s) : 0 };
}

static inline struct str str_n(const char *p, size_t n)
{
	return (struct str){ p, n };
}

static inline struct str str_from(struct str s, size_t i) /* i <= s.n */
{
	return (struct str){ s.p + i, s.n - i };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str head)
{
	return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}

static inline bool str_ends(struct str s, struct str tail)
{
	return s.n >= tail.n &&
	       (tail.n == 0 || memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0);
}

static inline bool char_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline struct str str_trim(struct str s) /* white space at both ends */
{
	while (s.n && char_is_space(s.p[0]))
		s = str_from(s, 1);
	while (s.n && char_is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_eq_nocase(struct str a, struct str b);     /* ASCII */
bool str_starts_nocase(struct str s, struct str head);
ptrdiff_t str_find(struct str s, struct str what);  /* index or -1 */
/*
 * Cuts at the first @sep: *s becomes what follows, the return value what stood
 * before. Without @sep the return value is all of it and *s has p == NULL.
 * Loop: for (struct str f, rest = s; rest.p; ) { f = str_cut(&rest, ','); ... }
 */
struct str str_cut(struct str *s, char sep);
/* Digits only, whole string. Returns 1, or 0 when it is none or overflows. */
int str_to_u64(struct str s, uint64_t *ret);
/* A glob with * ? and [...] (fnmatch(3) without special treatment of '/'). */
bool str_glob(const char *pattern, const char *s);
/* Edit distance with transpositions; for "did you mean". Limits: 64 bytes. */
unsigned str_distance(struct str a, struct str b);

/* FNV-1a, 64 bits (RFC 9923): names for caches, not against an adversary. Start
 * with STR_HASH_INIT, or go on with an earlier result. */
#define STR_HASH_INIT UINT64_C(0xcbf29ce484222325)
uint64_t str_hash(struct str s, uint64_t seed);

/*
 * Growing bytes. Zero-initialise, set .max to change the limit (0 = 64 MiB).
 * buf_add() past the limit returns -EFBIG and adds nothing. p is always
 * NUL-terminated once something was added. buf_done() frees.
 */
struct buf {
	char *p;
	size_t n, cap, max;
};

#define BUF_MAX_DEFAULT (64u << 20)

int buf_add(struct buf *b, const void *p, size_t n);
int buf_add_str(struct buf *b, struct str s);
int buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_drop(struct buf *b, size_t n);  /* removes the first n bytes */
void buf_clear(struct buf *b);           /* keeps the memory */
void buf_done(struct buf *b);
char *buf_take(struct buf *b);           /* caller frees; never NULL */

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p ? b->p : "", b->n };
}
