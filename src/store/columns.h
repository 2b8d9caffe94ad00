/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Columns: what every result of an execution has besides its status, passes
 * included: numbers, about two bytes for a result. Each column is written as
 * the difference to what is likely (a log begins where the one before ended,
 * numbers count up), so most are zero; a column of equal differences is one
 * value. The whole is packed by pack_bytes().
 *
 *   blob   = pack_bytes( column x COLUMN_N )
 *   column = 0 int          the same difference in every row
 *          | 1 int x rows   one each
 */
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum column {
	COLUMN_LINE,      /* likely: the line after the previous */
	COLUMN_LINE_FROM, /* likely: the same; so COLUMN_LINE comes first */
	COLUMN_NUMBER,    /* likely: one more than the previous */
	COLUMN_DURATION,  /* ms; -1: unknown */
	COLUMN_EXIT,
	COLUMN_IMPLIED,
	COLUMN_N,
};

struct columns_row {
	int64_t v[COLUMN_N];
};

void columns_pack(const struct columns_row *rows, size_t n, struct buf *ret);
/* Fills @n rows. -EBADMSG when damaged or of another length. */
int columns_unpack(struct str packed, size_t n, struct columns_row *rows);
