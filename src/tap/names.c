/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/names.h"

#include <stdlib.h>

#include "base/mem.h"

#define KEEP_MAX   128 /* entries of outer blocks that came while an inner one was open */
#define PROBES_MAX 128 /* only names made to collide need more */

static uint64_t read8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* 16 bytes a step, multiply and fold: the inner loop of wyhash (public domain).
 * The last step reads the last 16 bytes again instead of a rest. */
static uint64_t hash(struct str s, uint64_t seed)
{
	uint64_t h = seed ^ 0x9e3779b97f4a7c15u, a = 0, b = 0;
	const char *p = s.p;
	size_t n = s.n;

	for (; n > 16; n -= 16, p += 16)
		h = fold(read8(p) ^ 0xa0761d6478bd642fu, read8(p + 8) ^ h);
	if (s.n >= 16) {
		a = read8(s.p + s.n - 16);
		b = read8(s.p + s.n - 8);
	} else if (n >= 8) {
		a = read8(p);
		b = read8(p + n - 8);
	} else if (n) {
		memcpy(&a, p, n);
	}
	return fold(fold(a ^ 0xe7037ed1a0b428dbu, b ^ h), s.n ^ 0x8ebc6af09c88c6e3u);
}

#define TAG_BITS 15

static uint32_t slot_of(uint64_t hash, size_t i)
{
	return (uint32_t)(i + 1) << TAG_BITS | (uint32_t)(hash >> (64 - TAG_BITS));
}

/* Where @h is, or a free place for it; NULL where the table is too crowded. */
static uint32_t *probe(const struct names *t, uint64_t h)
{
	uint32_t tag = slot_of(h, 0) & ((1u << TAG_BITS) - 1);

	for (size_t i = 0; i < PROBES_MAX; i++) {
		uint32_t *s = &t->slots[(h + i) & (t->cap - 1)];

		if (!*s || ((*s & ((1u << TAG_BITS) - 1)) == tag &&
			    t->entries[(*s >> TAG_BITS) - 1].hash == h))
			return s;
	}
	return NULL;
}

static void put(struct names *t, uint32_t *slot, struct names_entry e)
{
	if (!slot || t->n == NAMES_MAX) {
		t->full = true;
		return;
	}
	t->entries[t->n] = e;
	*slot = slot_of(e.hash, t->n++);
}

/* In the order in which they came, so that the newest can still be taken out. */
static void grow(struct names *t)
{
	t->cap = t->cap ? t->cap * 4 : 512;
	free(t->slots);
	t->slots = xcalloc(t->cap, sizeof(*t->slots));
	t->entries = xrealloc(t->entries, t->cap / 2, sizeof(*t->entries));
	for (size_t i = 0; i < t->n; i++) {
		uint32_t *slot = probe(t, t->entries[i].hash);

		if (slot)
			*slot = slot_of(t->entries[i].hash, i);
	}
}

void names_done(struct names *t)
{
	free(t->slots);
	free(t->entries);
	*t = (struct names){};
}

uint32_t names_note(struct names *t, unsigned scope, struct str name)
{
	uint32_t *slot;
	uint64_t h;

	if (t->full)
		return 1;
	h = hash(name, scope);
	if (t->n * 2 == t->cap && t->cap < 2 * NAMES_MAX)
		grow(t);
	slot = probe(t, h);
	if (slot && *slot)
		return ++t->entries[(*slot >> TAG_BITS) - 1].count;
	put(t, slot, (struct names_entry){ .hash = h, .count = 1, .scope = scope });
	return 1;
}

void names_leave(struct names *t, size_t mark, unsigned scope)
{
	struct names_entry keep[KEEP_MAX];
	size_t kept = 0;

	while (t->n > mark) {
		const struct names_entry *e = &t->entries[--t->n];
		uint32_t *slot = probe(t, e->hash);

		if (slot)
			*slot = 0;
		if (e->scope < scope && kept < KEEP_MAX)
			keep[kept++] = *e;
		t->full = false;
	}
	while (kept--)
		put(t, probe(t, keep[kept].hash), keep[kept]);
}
