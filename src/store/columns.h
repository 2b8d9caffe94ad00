/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Columns: what every result of an execution has besides its status, passes
 * included: where in the log, its number, its exit code; and its duration.
 *
 * Each column is a difference to what is likely (a log begins where the one
 * before ended, numbers count up). Executions of a shape are alike in them, so
 * a whole set of columns is stored once, as a layout, and an execution is the
 * places where it differs from one of its shape's layouts; mostly none.
 *
 *   layout = pack_bytes( log lines, column x COLUMN_N, typical durations )
 *   column = 0 int          the same difference in every row
 *          | 1 int x rows   one each
 *   patch  = { places skipped, int } x n; place = column * rows + row
 *   times  = 0              no duration is known
 *          | 1              all as the layout's
 *          | 2 int x rows   difference to the layout's
 */
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum column {
	COLUMN_LINE,      /* likely: the line after the previous */
	COLUMN_LINE_FROM, /* likely: the same; so COLUMN_LINE comes first */
	COLUMN_LINE_TO,   /* likely: the result's line */
	COLUMN_NUMBER,    /* likely: one more than the previous */
	COLUMN_EXIT,
	COLUMN_IMPLIED,
	COLUMN_N,
};

struct columns_row {
	int64_t v[COLUMN_N];
};

struct columns {
	size_t n;
	struct columns_row *rows;
	int64_t *times;  /* ms; -1: unknown */
	int64_t log_lines;
};

void columns_alloc(struct columns *c, size_t n); /* rows and times, zeroed */
void columns_done(struct columns *c);

struct ZSTD_CCtx_s;
void layout_pack(const struct columns *c, struct ZSTD_CCtx_s **zstd, struct buf *ret);
/* @ret of @n rows; -EBADMSG when damaged or of another length. */
int layout_unpack(struct str packed, size_t n, struct columns *ret);

/* How @c differs from @base, of as many rows, appended to @ret. Returns the
 * number of places, or SIZE_MAX (and @ret as it was) when more than @max. */
size_t columns_diff(const struct columns *base, const struct columns *c, size_t max,
		    struct buf *ret);
/* Takes @n places off the front of @diff; rows of @c become @base's with them. */
int columns_patch(const struct columns *base, uint64_t n, struct str *diff,
		  struct columns *c);

void times_pack(const struct columns *base, const struct columns *c, struct buf *ret);
/* Takes those of one execution off the front. */
int times_unpack(const struct columns *base, struct str *packed, struct columns *c);
/* As times_unpack(), without keeping any. */
int times_skip(size_t n, struct str *packed);

/* The blob of versions 1 and 2: layout and durations together. */
int columns_unpack_1(struct str packed, size_t n, struct columns *ret);
