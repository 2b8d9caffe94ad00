/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names: which names a block has seen, and how often. Kept as 64-bit hashes in
 * an open table, so that nothing is allocated per name; forgetting all of them
 * costs nothing (generations). Bounded: past NAMES_MAX a name counts as new.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define NAMES_MAX 65536

struct names_slot {
	uint64_t hash;
	uint32_t generation, count;
};

struct names {
	struct names_slot *slots;
	size_t cap, n;
	uint32_t generation;
};

void names_reset(struct names *t); /* forgets, keeps the memory */
void names_done(struct names *t);
/* Notes @name; returns how often it was noted: 1 for a new one. */
uint32_t names_note(struct names *t, struct str name);
