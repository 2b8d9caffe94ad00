/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/map.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

/* What stands where something was: a free place would end others' searches. */
static const char GONE;

/* Fibonacci hashing: neighbours in the database don't become neighbours here. */
static size_t place(const struct map *m, uint64_t key)
{
	size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (m->cap - 1);

	while (m->v[i].value && m->v[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->cap = old.cap ? old.cap * 2 : 64;
	m->v = xcalloc(m->cap, sizeof(*m->v));
	for (size_t i = 0; i < old.cap; i++)
		if (old.v[i].value)
			m->v[place(m, old.v[i].key)] = old.v[i];
	free(old.v);
}

void *map_get(const struct map *m, uint64_t key)
{
	void *value = m->cap ? m->v[place(m, key)].value : NULL;

	return value == (void *)&GONE ? NULL : value;
}

void map_put(struct map *m, uint64_t key, void *value)
{
	size_t i;

	if (m->n * 2 >= m->cap)
		grow(m);
	i = place(m, key);
	m->n += !m->v[i].value && value;
	if (value || m->v[i].value)
		m->v[i] = (struct map_slot){ key, value ? value : (void *)&GONE };
}

void map_done(struct map *m)
{
	free(m->v);
	*m = (struct map){};
}
