/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Regex: a user's patterns, as Perl writes them (PCRE2), on bytes. ^ and $ are
 * at lines. A match that takes too long, or too much memory, is given up: the
 * text may be hostile, and the pattern careless.
 */
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define REGEX_STEPS_MAX 1000000 /* of one match; some milliseconds */
#define REGEX_DEPTH_MAX 10000
#define REGEX_HEAP_MAX  4096    /* KiB */

struct regex;

/* -EINVAL: not a pattern; *ret_at (may be NULL) is the byte of it. */
int regex_new(const char *pattern, struct regex **ret, size_t *ret_at, struct err *err);
/* Anywhere in @s. 1 yes, 0 no, -E2BIG given up. */
int regex_match(struct regex *r, struct str s);
struct regex *regex_free(struct regex *r);
