/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/scan.h"

#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/*
 * The words, where in each stands the pair of letters that is looked for, and
 * the pair's bucket for find_avx2(). Some pair of each is rare; that the word is
 * there is looked at afterwards.
 */
#define WORDS(word)                                                \
	word("BUG", 1, 0)                                          \
	word("UBSAN: ", 0, 0)                                      \
	word("LOCKUP", 4, 0)                                       \
	word("Unable to handle kernel", 0, 0)                      \
	word("Usage count =", 0, 0)        /* of a netdevice */    \
	word("INFO: rcu_", 3, 1)                                   \
	word("INFO: task ", 3, 1)                                  \
	word("INFO: trying to", 3, 1)                              \
	word("Oops", 0, 1)                                         \
	word("list_add ", 4, 2)                                    \
	word("list_del ", 4, 2)                                    \
	word("ref_tracker: ", 3, 2)                                \
	word("WARNING: ", 3, 3)                                    \
	word("PANIC: ", 2, 3)                                      \
	word("Pid: ", 0, 3)                /* before UML's panic */ \
	word("not syncing", 5, 4)          /* Kernel panic - */    \
	word("-[ cut here ]", 0, 5)                                \
	word("====================", 0, 5) /* before a report */   \
	word(" [#", 1, 6)                  /* 0000 [#1] */         \
	word("mask=", 3, 6)                /* gfp_, node- */       \
	word("kmemleak: ", 3, 7)                                   \
	word("unreferenced object ", 1, 7)

static bool is_around(const char *begin, const char *p, const char *end, const char *word,
		      size_t n, size_t at)
{
	return (size_t)(p - begin) >= at && (size_t)(end - p) >= n - at &&
	       memcmp(p - at, word, n) == 0;
}

/* Is there a word whose pair begins at @p? */
static inline bool is_word(const char *begin, const char *p, const char *end)
{
#define WORD(text, at, bucket)                                     \
	if (p[0] == (text)[at] && p[1] == (text)[(at) + 1] &&      \
	    is_around(begin, p, end, text, sizeof(text) - 1, at))  \
		return true;
	WORDS(WORD)
#undef WORD
	return false;
}

/* Byte by byte: what is left at the end. */
static const char *find_slowly(const char *begin, const char *p, const char *end,
			       uint64_t *newlines)
{
	for (; p < end; p++) {
		if (end - p > 1 && is_word(begin, p, end))
			break;
		*newlines += *p == '\n';
	}
	return p;
}

#if defined(__x86_64__)
/*
 * 32 bytes at a time, by the method of Hyperscan's "Teddy": a table for each
 * half of a byte says in which buckets it occurs; a pair may begin where all
 * four, of a byte and of its neighbour, agree on one.
 */
#define WIDTH 32

struct tables {
	uint8_t low[2][16], high[2][16];
};

#define LOW(c)  ((uint8_t)(c) & 15)
#define HIGH(c) ((uint8_t)(c) >> 4)

static void tables_make(struct tables *t)
{
	memset(t, 0, sizeof(*t));
#define WORD(text, at, bucket)                                \
	t->low[0][LOW((text)[at])] |= 1 << (bucket);          \
	t->high[0][HIGH((text)[at])] |= 1 << (bucket);        \
	t->low[1][LOW((text)[(at) + 1])] |= 1 << (bucket);    \
	t->high[1][HIGH((text)[(at) + 1])] |= 1 << (bucket);
	WORDS(WORD)
#undef WORD
}

__attribute__((target("avx2"))) static const char *find_avx2(const char *p, const char *end,
							     uint64_t *newlines)
{
	const __m256i half = _mm256_set1_epi8(15), newline = _mm256_set1_epi8('\n');
	const __m256i zero = _mm256_setzero_si256();
	const char *begin = p;
	__m256i table[4], count = zero;
	struct tables t;

	tables_make(&t);
	for (unsigned i = 0; i < 2; i++) {
		table[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((void *)t.low[i]));
		table[2 + i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((void *)t.high[i]));
	}
#define SET(x, i)                                                                        \
	_mm256_and_si256(_mm256_shuffle_epi8(table[i], _mm256_and_si256(x, half)),       \
			 _mm256_shuffle_epi8(table[2 + (i)],                             \
					     _mm256_and_si256(_mm256_srli_epi16(x, 4), half)))
	for (; end - p > WIDTH; p += WIDTH) {
		__m256i a = _mm256_loadu_si256((const void *)p);
		__m256i b = _mm256_loadu_si256((const void *)(p + 1));
		__m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(SET(a, 0), SET(b, 1)), zero);
		__m256i ends = _mm256_cmpeq_epi8(a, newline);
		uint32_t may = ~(uint32_t)_mm256_movemask_epi8(none);

		for (; may; may &= may - 1) {
			unsigned i = (unsigned)__builtin_ctz(may);
			uint32_t before = (uint32_t)_mm256_movemask_epi8(ends);

			if (!is_word(begin, p + i, end))
				continue;
			*newlines += (unsigned)__builtin_popcount(before & ((1u << i) - 1));
			p += i;
			end = p; /* found: nothing is left to search */
			goto done;
		}
		/* Four counters of 64 bits. */
		count = _mm256_add_epi64(count, _mm256_sad_epu8(_mm256_sub_epi8(zero, ends), zero));
	}
#undef SET
done:
	*newlines += (uint64_t)_mm256_extract_epi64(count, 0) +
		     (uint64_t)_mm256_extract_epi64(count, 1) +
		     (uint64_t)_mm256_extract_epi64(count, 2) +
		     (uint64_t)_mm256_extract_epi64(count, 3);
	return find_slowly(begin, p, end, newlines);
}
#endif

/* The same with what every compiler and machine has: 16 bytes, each pair. */
#define NARROW 16

typedef unsigned char vec __attribute__((vector_size(NARROW)));

const char *scan_find_anywhere(const char *p, const char *end, uint64_t *newlines)
{
	const char *begin = p;

	while (end - p > NARROW) {
		uint64_t hits[2];
		vec a, b, hit = {};

		memcpy(&a, p, NARROW);
		memcpy(&b, p + 1, NARROW);
#define WORD(text, at, bucket) \
	hit |= (vec)((a == (vec){} + (text)[at]) & (b == (vec){} + (text)[(at) + 1]));
		WORDS(WORD)
#undef WORD
		memcpy(hits, &hit, NARROW);
		for (unsigned i = 0; hits[0] | hits[1] && i < NARROW; i++)
			if (hit[i] && is_word(begin, p + i, end))
				return find_slowly(begin, p, end, newlines);
		a = (vec)(a == (vec){} + '\n') & 1;
		memcpy(hits, &a, NARROW);
		/* Sums the bytes: none of them is above 2. */
		*newlines += (hits[0] + hits[1]) * UINT64_C(0x0101010101010101) >> 56;
		p += NARROW;
	}
	return find_slowly(begin, p, end, newlines);
}

const char *scan_find(const char *p, const char *end, uint64_t *newlines)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return find_avx2(p, end, newlines);
#endif
	return scan_find_anywhere(p, end, newlines);
}

static struct scan_has look_anywhere(const char *p, size_t n)
{
	return (struct scan_has){
		.junk = memchr(p, '\0', n) || memchr(p, '\x1b', n),
		.bracket = memchr(p, '[', n) != NULL,
	};
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static struct scan_has look_avx2(const char *p, size_t n)
{
	const __m256i nul = _mm256_setzero_si256(), escape = _mm256_set1_epi8('\x1b');
	const __m256i bracket = _mm256_set1_epi8('[');
	__m256i junk = nul, brackets = nul;
	struct scan_has rest;

	for (; n >= WIDTH; p += WIDTH, n -= WIDTH) {
		__m256i v = _mm256_loadu_si256((const void *)p);

		junk = _mm256_or_si256(junk, _mm256_cmpeq_epi8(v, nul));
		junk = _mm256_or_si256(junk, _mm256_cmpeq_epi8(v, escape));
		brackets = _mm256_or_si256(brackets, _mm256_cmpeq_epi8(v, bracket));
	}
	rest = look_anywhere(p, n);
	rest.junk |= !_mm256_testz_si256(junk, junk);
	rest.bracket |= !_mm256_testz_si256(brackets, brackets);
	return rest;
}
#endif

struct scan_has scan_look(const char *p, size_t n)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return look_avx2(p, n);
#endif
	return look_anywhere(p, n);
}
