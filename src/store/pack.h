/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Pack: integers and bytes, small. Integers are LEB128 (7 bits a byte, low
 * first), signed ones zigzag before (0, -1, 1, -2 ... become 0, 1, 2, 3 ...).
 * Packed bytes begin with how they are kept: 0 as they are, 1 a zstd frame.
 */
#include <stdint.h>

#include "base/str.h"

void pack_uint(struct buf *b, uint64_t v);
void pack_int(struct buf *b, int64_t v);
/* Take one off the front. 1, or 0 when there is no whole one. */
int unpack_uint(struct str *s, uint64_t *ret);
int unpack_int(struct str *s, int64_t *ret);

/* Appends @raw to @ret, compressed when that is shorter. */
void pack_bytes(struct str raw, struct buf *ret);
/* The same for many: @zstd is kept between calls, NULL before the first. */
struct ZSTD_CCtx_s;
void pack_bytes_fast(struct ZSTD_CCtx_s **zstd, struct str raw, struct buf *ret);
void pack_done(struct ZSTD_CCtx_s *zstd); /* NULL is fine */
/* Appends what was packed to @ret. -EBADMSG when it is damaged, -EFBIG when
 * it would be more than @max bytes. */
int unpack_bytes(struct str packed, size_t max, struct buf *ret);

/* Numbers of series: n, then each as the difference to the one before. */
void pack_ids(const int64_t *v, size_t n, struct buf *ret);
/* Caller frees *ret. -EBADMSG when damaged, or more than @max. */
int unpack_ids(struct str packed, size_t max, int64_t **ret, size_t *ret_n);
