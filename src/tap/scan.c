/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/scan.h"

#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The pair, its bucket for find_avx2(), and what it stands for. */
#define PAIRS(pair)                                                     \
	pair('U', 'G', 0) /* BUG */                                     \
	pair('U', 'B', 0) /* UBSAN */                                   \
	pair('U', 'P', 0) /* hard LOCKUP */                             \
	pair('U', 'n', 0) /* Unable to handle kernel */                 \
	pair('U', 's', 0) /* unregister_netdevice: ... Usage count = */ \
	pair('O', ':', 1) /* INFO: */                                   \
	pair('O', 'o', 1) /* Oops */                                    \
	pair('_', 'a', 2) /* list_add corruption, double add */         \
	pair('_', 'd', 2) /* list_del corruption */                     \
	pair('_', 't', 2) /* ref_tracker: */                            \
	pair('N', 'I', 3) /* WARNING, PANIC */                          \
	pair('P', 'i', 3) /* Pid: of UML */                             \
	pair('y', 'n', 4) /* Kernel panic - not syncing */              \
	pair('-', '[', 5) /* ---[ cut here ]---, ---[ end trace */      \
	pair('=', '=', 5) /* ====== before reports */                   \
	pair('[', '#', 6) /* general protection fault: 0000 [#1] */     \
	pair('k', '=', 6) /* oom-killer: gfp_mask=, nodemask= */        \
	pair('m', 'l', 7) /* kmemleak: */                               \
	pair('n', 'r', 7) /* unreferenced object */

static inline bool is_pair(const char *p)
{
#define PAIR(x, y, bucket) || (p[0] == (x) && p[1] == (y))
	return false PAIRS(PAIR);
#undef PAIR
}

/* Byte by byte: what is left at the end. */
static const char *find_slowly(const char *p, const char *end, uint64_t *newlines)
{
	for (; p < end; p++) {
		if (end - p > 1 && is_pair(p))
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
#define PAIR(x, y, bucket)                     \
	t->low[0][LOW(x)] |= 1 << (bucket);    \
	t->high[0][HIGH(x)] |= 1 << (bucket);  \
	t->low[1][LOW(y)] |= 1 << (bucket);    \
	t->high[1][HIGH(y)] |= 1 << (bucket);
	PAIRS(PAIR)
#undef PAIR
}

__attribute__((target("avx2"))) static const char *find_avx2(const char *p, const char *end,
							     uint64_t *newlines)
{
	const __m256i half = _mm256_set1_epi8(15), newline = _mm256_set1_epi8('\n');
	const __m256i zero = _mm256_setzero_si256();
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

			if (!is_pair(p + i))
				continue;
			*newlines += (unsigned)__builtin_popcount(before & ((1u << i) - 1));
			p += i;
			end = p;
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
	return find_slowly(p, end, newlines);
}
#endif

/* The same with what every compiler and machine has: 16 bytes, each pair. */
#define NARROW 16

typedef unsigned char vec __attribute__((vector_size(NARROW)));

const char *scan_find_anywhere(const char *p, const char *end, uint64_t *newlines)
{
	while (end - p > NARROW) {
		uint64_t hits[2], n = 0;
		vec a, b, hit = {};

		memcpy(&a, p, NARROW);
		memcpy(&b, p + 1, NARROW);
#define PAIR(x, y, bucket) hit |= (vec)((a == (vec){} + (x)) & (b == (vec){} + (y)));
		PAIRS(PAIR)
#undef PAIR
		memcpy(hits, &hit, NARROW);
		if (hits[0] | hits[1])
			break;
		a = (vec)(a == (vec){} + '\n') & 1;
		memcpy(hits, &a, NARROW);
		/* Sums the bytes: none of them is above 1. */
		n = (hits[0] + hits[1]) * UINT64_C(0x0101010101010101) >> 56;
		*newlines += n;
		p += NARROW;
	}
	/* Not far: in the vector that was left, or at the end. */
	return find_slowly(p, end, newlines);
}

const char *scan_find(const char *p, const char *end, uint64_t *newlines)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return find_avx2(p, end, newlines);
#endif
	return scan_find_anywhere(p, end, newlines);
}
