/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Map: numbers to pointers, open addressing. Zero-initialise. Keys that are
 * hashes may fall together: what is kept under them is a chain of the caller's.
 */
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t key;
	void *value; /* NULL: free */
};

struct map {
	struct map_slot *v;
	size_t n, cap;
};

void *map_get(const struct map *m, uint64_t key); /* NULL: none */
/* @value NULL takes what was there away from map_get(), not its place. */
void map_put(struct map *m, uint64_t key, void *value);
void map_done(struct map *m);
