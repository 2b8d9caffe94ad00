/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names: which names the open blocks have seen, and how often. Kept as 64-bit
 * hashes, so that nothing is allocated per name.
 *
 * Blocks close in the reverse order of their opening, so one table serves all
 * of them: entries lie in the order in which they came, and a block that closes
 * takes away what lies above its mark. Taking the newest entry out of a table
 * with linear probing leaves exactly the table that was there before it.
 *
 * Bounded: NAMES_MAX for all open blocks together, in half a MiB that is looked
 * at and one that is written in order; when they are there, every further name
 * counts as new, without a look.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define NAMES_MAX 65536

struct names_entry {
	uint64_t hash;
	uint32_t count, scope;
};

struct names {
	uint32_t *slots; /* index + 1, below it 15 bits of the hash; 0: free */
	struct names_entry *entries;
	size_t cap, n; /* of slots, a power of two; entries in use */
	bool full;     /* a name was not noted; until some are forgotten */
};

void names_done(struct names *t);
/* Notes @name in @scope; returns how often it was noted: 1 for a new one. */
uint32_t names_note(struct names *t, unsigned scope, struct str name);
/* Forgets what was noted since the table had @mark entries, but for what
 * belongs to scopes below @scope. */
void names_leave(struct names *t, size_t mark, unsigned scope);
