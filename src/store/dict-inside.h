/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What dict.c and dict-words.c share. */
#include "store/dict.h"

struct str dict_keep(struct dict *d, struct str s);
/* An id that the database had before, and one that this transaction may give. */
void dict_known(struct map *by_id, int64_t *id, int64_t value, void *thing);
void dict_fresh_id(struct dict *d, struct map *by_id, int64_t *id, int64_t value, void *thing);
/*
 * The way every thing is saved: look; if it isn't there, keep other writers
 * from adding it, look again, add it. What was found may be of this very
 * transaction (found again after a rollback inside it), so all ids are fresh.
 */
int dict_find_or_add(struct dict *d, enum sql find, enum sql add, const struct db_arg *args,
		     size_t n, int64_t *ret, struct err *err);
/* Only to find: what counts are the columns themselves. */
int64_t dict_hash(struct str s);
