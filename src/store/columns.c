/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/columns.h"

#include <errno.h>

#include "base/mem.h"
#include "store/pack.h"

enum { COLUMN_SAME, COLUMN_EACH };

/* Bytes of one row at most: COLUMN_N integers of ten. */
#define ROW_MAX (COLUMN_N * 10)

/* What row @i of a column would be if all went as usual, from what is decoded
 * by then. Unsigned, because hostile numbers may wrap. */
static uint64_t likely(const struct columns_row *rows, size_t i, enum column c)
{
	const struct columns_row *before = i ? &rows[i - 1] : NULL;

	switch (c) {
	case COLUMN_LINE:
	case COLUMN_LINE_FROM: return before ? (uint64_t)before->v[COLUMN_LINE] + 1 : 1;
	case COLUMN_NUMBER: return before ? (uint64_t)before->v[COLUMN_NUMBER] + 1 : 1;
	default: return 0;
	}
}

static int64_t difference(const struct columns_row *rows, size_t i, enum column c)
{
	return (int64_t)((uint64_t)rows[i].v[c] - likely(rows, i, c));
}

static void column_pack(const struct columns_row *rows, size_t n, enum column c, struct buf *b)
{
	int64_t first = n ? difference(rows, 0, c) : 0;
	size_t same = 1;

	while (same < n && difference(rows, same, c) == first)
		same++;
	if (same >= n) {
		pack_uint(b, COLUMN_SAME);
		pack_int(b, first);
		return;
	}
	pack_uint(b, COLUMN_EACH);
	for (size_t i = 0; i < n; i++)
		pack_int(b, difference(rows, i, c));
}

void columns_pack(const struct columns_row *rows, size_t n, struct buf *ret)
{
	_cleanup_(buf_done) struct buf raw = {};

	for (unsigned c = 0; c < COLUMN_N; c++)
		column_pack(rows, n, (enum column)c, &raw);
	pack_bytes(buf_str(&raw), ret);
}

int columns_unpack(struct str packed, size_t n, struct columns_row *rows)
{
	_cleanup_(buf_done) struct buf raw = {};
	struct str rest;

	if (unpack_bytes(packed, (n + 2) * ROW_MAX, &raw) < 0)
		return -EBADMSG;
	rest = buf_str(&raw);
	for (unsigned c = 0; c < COLUMN_N; c++) {
		uint64_t how;
		int64_t d = 0;

		if (!unpack_uint(&rest, &how) || how > COLUMN_EACH)
			return -EBADMSG;
		if (how == COLUMN_SAME && !unpack_int(&rest, &d))
			return -EBADMSG;
		for (size_t i = 0; i < n; i++) {
			if (how == COLUMN_EACH && !unpack_int(&rest, &d))
				return -EBADMSG;
			rows[i].v[c] = (int64_t)(likely(rows, i, (enum column)c) + (uint64_t)d);
		}
	}
	return rest.n ? -EBADMSG : 0;
}
