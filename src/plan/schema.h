/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The keys that a configuration has, for libcyaml. Inside plan/ only. */
#include <cyaml/cyaml.h>

extern const cyaml_schema_value_t PLAN_SCHEMA;

/* The key, of any mapping, that @key is nearest to, if nearer than @best; then @best is
 * how far it is. NULL: none. */
const char *schema_near_key(const char *key, unsigned *best);
