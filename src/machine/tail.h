/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tail: the last of what a machine or its VMM said, for a sentence about its
 * end. Any bytes come in; only what prints goes out.
 */
#include "base/str.h"

/* Keeps the end of what came: 16 KiB, a little more at most. */
void tail_add(struct buf *tail, const char *p, size_t n);
/* Appends the last lines of @s that say something, @want of them, 4 at most. */
void tail_last_lines(struct str s, unsigned want, struct buf *ret);
/* The rest of the first line that holds @what, from there on; empty without one. */
struct str tail_line_with(const struct buf *tail, struct str what);
