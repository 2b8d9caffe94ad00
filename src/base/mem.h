/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Memory: allocation that cannot fail, cleanup on scope exit, arenas.
 *
 * Out of memory aborts (xalloc). In exchange every size that a guest, a file
 * or the network may choose has a limit checked before it comes here.
 */
#include <stddef.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _free_ _cleanup_(freep)

/* Moves ownership out of a variable with a cleanup: return TAKE(p); */
#define TAKE(p)                         \
	({                              \
		typeof(p) _take = (p);  \
		(p) = NULL;             \
		_take;                  \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size); /* n * size, checked */
char *xstrdup(const char *s);                   /* NULL gives NULL */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Tells the allocator that much is about to be held: the heap grows in one step, of
 * huge pages where the kernel has them. Each first touch of a small page is a fault,
 * which takes microseconds in a virtual machine: half of the time of a question over
 * years. Costs nothing when it is called again.
 */
void mem_heap_huge(void);

void freep(void *pp);  /* for _cleanup_: frees *(void **)pp */
void closep(int *fd);  /* for _cleanup_: closes a descriptor that is >= 0 */

/* Room for one more in a growing array: ARRAY_GROW(v->p, v->n, v->cap). */
#define ARRAY_GROW(p, n, cap)                                              \
	do {                                                               \
		if ((n) == (cap)) {                                        \
			(cap) = (cap) ? (cap) * 2 : 8;                     \
			(p) = xrealloc((p), (cap), sizeof(*(p)));          \
		}                                                          \
	} while (0)

/*
 * Arena: many small things with one lifetime. Zero-initialise; arena_done()
 * frees everything, arena_reset() keeps one chunk for the next round.
 */
struct arena_chunk;
struct arena {
	struct arena_chunk *head;
	size_t total; /* bytes handed out since the last reset */
};

void *arena_alloc(struct arena *a, size_t size); /* aligned to 16, zeroed */
void *arena_raw(struct arena *a, size_t size);   /* not zeroed: for what is filled at once */
char *arena_strndup(struct arena *a, const char *s, size_t n);
void arena_reset(struct arena *a);
void arena_done(struct arena *a);
