/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the lists of rules share: where a mistake stands, and dates. */
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct place {
	size_t line, column; /* from 1 */
};

/* Item @i of the list under @list ("run/include": in a mapping), or the value of its
 * @key, in the text of a configuration: libcyaml knows it no more when it has loaded.
 * PLACE_NONE: @list is no list but the mapping itself. 1:1 where it is not found. */
#define PLACE_NONE UINT32_MAX
struct place place_of(struct str text, const char *list, unsigned i, const char *key);
/* "2026-12-31", a day that can be. */
bool place_is_date(const char *s);
/* Is the day of @until, NULL: none, not over? Both in UTC. */
bool place_holds(const char *until, int64_t now_ms);
