/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/names.h"

#include <stdlib.h>

#include "base/mem.h"

#define PROBES_MAX 64

/* 8 bytes a step, multiply and fold: the inner loop of wyhash (public domain). */
static uint64_t hash(struct str s)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ s.n;

	while (s.n) {
		uint64_t w = 0;
		size_t n = s.n < 8 ? s.n : 8;
		unsigned __int128 m;

		memcpy(&w, s.p, n);
		m = (unsigned __int128)(h ^ w) * 0xa0761d6478bd642fu;
		h = (uint64_t)m ^ (uint64_t)(m >> 64) ^ 0xe7037ed1a0b428dbu;
		s = str_from(s, n);
	}
	return h;
}

/* The slot of @h, or a free one for it; NULL where the table is too crowded. */
static struct names_slot *probe(struct names *t, uint64_t h)
{
	for (size_t i = 0; i < PROBES_MAX; i++) {
		struct names_slot *s = &t->slots[(h + i) & (t->cap - 1)];

		if (s->generation != t->generation || s->hash == h)
			return s;
	}
	return NULL;
}

static void grow(struct names *t)
{
	struct names old = *t;

	t->cap = old.cap ? old.cap * 2 : 64;
	t->slots = xcalloc(t->cap, sizeof(*t->slots));
	for (size_t i = 0; i < old.cap; i++) {
		struct names_slot *s;

		if (old.slots[i].generation != old.generation)
			continue;
		s = probe(t, old.slots[i].hash);
		if (s)
			*s = old.slots[i];
	}
	free(old.slots);
}

void names_reset(struct names *t)
{
	t->n = 0;
	if (++t->generation == 0) { /* wrapped: old marks would look fresh */
		names_done(t);
		t->generation = 1;
	}
}

void names_done(struct names *t)
{
	free(t->slots);
	*t = (struct names){};
}

uint32_t names_note(struct names *t, struct str name)
{
	uint64_t h = hash(name);
	struct names_slot *s;

	if (!t->generation)
		t->generation = 1;
	if (t->n * 2 >= t->cap && t->cap < 2 * NAMES_MAX)
		grow(t);
	s = probe(t, h);
	if (!s)
		return 1;
	if (s->generation == t->generation)
		return ++s->count;
	if (t->n >= NAMES_MAX)
		return 1;
	*s = (struct names_slot){ .hash = h, .generation = t->generation, .count = 1 };
	t->n++;
	return 1;
}
