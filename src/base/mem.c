/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define HEAP_ROOM (256 << 20) /* only what is used of it is memory */
#define HEAP_MMAP (32 << 20)  /* as large as glibc lets it be */

static void *checked(void *p)
{
	if (!p) {
		static const char msg[] = "taproom: out of memory\n";

		(void)!write(STDERR_FILENO, msg, sizeof(msg) - 1);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		checked(NULL);
	return checked(realloc(p, bytes ? bytes : 1));
}

char *xstrndup(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *xstrdup(const char *s)
{
	return s ? xstrndup(s, strlen(s)) : NULL;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : p);
}

void mem_heap_huge(void)
{
	size_t heap;
	char *end;

	mallopt(M_MMAP_THRESHOLD, HEAP_MMAP);
	mallopt(M_TRIM_THRESHOLD, HEAP_ROOM);
	mallopt(M_TOP_PAD, HEAP_ROOM);
	free(xmalloc(HEAP_MMAP / 2)); /* the heap grows by it and by the pad */
	heap = mallinfo2().arena;
	end = sbrk(0);
	end -= (uintptr_t)end % HUGE_PAGE;
	if (heap > 2 * HUGE_PAGE)
		madvise(end - (heap - HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE,
			(heap - HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
}

void freep(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof(p));
	free(p);
}

void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

#define ARENA_CHUNK 16384
#define CHUNK_MAX   (1 << 20)

static struct arena_chunk *chunk_new(size_t bytes, struct arena_chunk *next)
{
	struct arena_chunk *c = xmalloc(bytes);

	c->next = next;
	c->used = 0;
	c->size = bytes - sizeof(*c);
	return c;
}

/* As much again as there is, within limits. */
static size_t chunk_bytes(const struct arena *a)
{
	return a->total < ARENA_CHUNK ? ARENA_CHUNK : a->total < CHUNK_MAX ? a->total : CHUNK_MAX;
}

/* What is large gets a chunk of its own behind the first, in which there is room
 * for small ones still. */
void *arena_raw(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->head;
	void *p;

	if (size > SIZE_MAX / 2)
		checked(NULL);
	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		size_t bytes = chunk_bytes(a);

		if (size <= bytes / 4)
			c = a->head = chunk_new(bytes, c);
		else if (c)
			c = c->next = chunk_new(sizeof(*c) + size, c->next);
		else
			c = a->head = chunk_new(sizeof(*c) + size, NULL);
	}
	p = c->data + c->used;
	c->used += size;
	a->total += size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return memset(arena_raw(a, size), 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_raw(a, n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *keep = NULL;

	for (struct arena_chunk *c = a->head, *next; c; c = next) {
		next = c->next;
		if (!keep && c->size <= CHUNK_MAX)
			keep = c;
		else
			free(c);
	}
	if (keep) {
		keep->used = 0;
		keep->next = NULL;
	}
	a->head = keep;
	a->total = 0;
}

void arena_done(struct arena *a)
{
	arena_reset(a);
	free(a->head);
	a->head = NULL;
}
