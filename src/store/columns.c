/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/columns.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/pack.h"

enum { COLUMN_SAME, COLUMN_EACH };
enum { TIMES_NONE, TIMES_TYPICAL, TIMES_EACH };

/* Bytes of one row at most: integers of ten. */
#define ROW_MAX ((COLUMN_N + 1) * 10)

void columns_alloc(struct columns *c, size_t n)
{
	*c = (struct columns){ .n = n };
	c->rows = xcalloc(n, sizeof(*c->rows));
	c->times = xcalloc(n, sizeof(*c->times));
}

void columns_done(struct columns *c)
{
	free(c->rows);
	free(c->times);
	*c = (struct columns){};
}

/* What row @i of a column would be if all went as usual, from what is decoded
 * by then. Unsigned, because hostile numbers may wrap. */
static uint64_t likely(const struct columns_row *rows, size_t i, enum column c)
{
	const struct columns_row *before = i ? &rows[i - 1] : NULL;

	switch (c) {
	case COLUMN_LINE:
	case COLUMN_LINE_FROM: return before ? (uint64_t)before->v[COLUMN_LINE] + 1 : 1;
	case COLUMN_LINE_TO: return (uint64_t)rows[i].v[COLUMN_LINE];
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

static int column_unpack(struct str *rest, size_t n, enum column c, struct columns_row *rows)
{
	uint64_t how;
	int64_t d = 0;

	if (!unpack_uint(rest, &how) || how > COLUMN_EACH)
		return -EBADMSG;
	if (how == COLUMN_SAME && !unpack_int(rest, &d))
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (how == COLUMN_EACH && !unpack_int(rest, &d))
			return -EBADMSG;
		rows[i].v[c] = (int64_t)(likely(rows, i, c) + (uint64_t)d);
	}
	return 0;
}

void layout_pack(const struct columns *c, struct ZSTD_CCtx_s **zstd, struct buf *ret)
{
	_cleanup_(buf_done) struct buf raw = {};

	pack_int(&raw, c->log_lines);
	for (unsigned i = 0; i < COLUMN_N; i++)
		column_pack(c->rows, c->n, (enum column)i, &raw);
	for (size_t i = 0; i < c->n; i++)
		pack_int(&raw, c->times[i]);
	pack_bytes_fast(zstd, buf_str(&raw), ret);
}

int layout_unpack(struct str packed, size_t n, struct columns *ret)
{
	_cleanup_(buf_done) struct buf raw = {};
	_cleanup_(columns_done) struct columns c = {};
	struct str rest;
	int r;

	if (unpack_bytes(packed, (n + 2) * ROW_MAX, &raw) < 0)
		return -EBADMSG;
	rest = buf_str(&raw);
	columns_alloc(&c, n);
	r = unpack_int(&rest, &c.log_lines) ? 0 : -EBADMSG;
	for (unsigned i = 0; r == 0 && i < COLUMN_N; i++)
		r = column_unpack(&rest, n, (enum column)i, c.rows);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = unpack_int(&rest, &c.times[i]) ? 0 : -EBADMSG;
	if (r < 0 || rest.n)
		return -EBADMSG;
	*ret = c;
	c = (struct columns){};
	return 0;
}

size_t columns_diff(const struct columns *base, const struct columns *c, size_t max,
		    struct buf *ret)
{
	size_t before = ret->n, n = 0;
	uint64_t skipped = 0;

	if (c->n == 0 || memcmp(base->rows, c->rows, c->n * sizeof(*c->rows)) == 0)
		return 0;
	for (unsigned k = 0; k < COLUMN_N; k++) {
		for (size_t i = 0; i < c->n; i++, skipped++) {
			int64_t a = difference(base->rows, i, (enum column)k);
			int64_t b = difference(c->rows, i, (enum column)k);

			if (a == b)
				continue;
			if (++n > max) {
				ret->n = before;
				return SIZE_MAX;
			}
			pack_uint(ret, skipped);
			pack_int(ret, (int64_t)((uint64_t)b - (uint64_t)a));
			skipped = UINT64_MAX; /* and the loop's step makes it 0 */
		}
	}
	return n;
}

int columns_patch(const struct columns *base, uint64_t n, struct str *diff, struct columns *c)
{
	uint64_t place = 0, skip = 0, at = UINT64_MAX;
	int64_t d = 0;

	if (n) {
		if (!unpack_uint(diff, &at) || !unpack_int(diff, &d))
			return -EBADMSG;
	}
	for (unsigned k = 0; k < COLUMN_N; k++) {
		for (size_t i = 0; i < c->n; i++, place++) {
			uint64_t v = (uint64_t)difference(base->rows, i, (enum column)k);

			if (n && place == at) {
				v += (uint64_t)d;
				n--;
				if (n && (!unpack_uint(diff, &skip) || !unpack_int(diff, &d)))
					return -EBADMSG;
				at = place + 1 + skip;
			}
			c->rows[i].v[k] = (int64_t)(likely(c->rows, i, (enum column)k) + v);
		}
	}
	return n ? -EBADMSG : 0;
}

/* ---- durations ---- */

static uint64_t typical(const struct columns *base, size_t i)
{
	return base->times[i] < 0 ? 0 : (uint64_t)base->times[i];
}

void times_pack(const struct columns *base, const struct columns *c, struct buf *ret)
{
	size_t unknown = 0;

	while (unknown < c->n && c->times[unknown] == -1)
		unknown++;
	if (unknown == c->n) {
		pack_uint(ret, TIMES_NONE);
	} else if (memcmp(base->times, c->times, c->n * sizeof(*c->times)) == 0) {
		pack_uint(ret, TIMES_TYPICAL);
	} else {
		pack_uint(ret, TIMES_EACH);
		for (size_t i = 0; i < c->n; i++)
			pack_int(ret, (int64_t)((uint64_t)c->times[i] - typical(base, i)));
	}
}

int times_unpack(const struct columns *base, struct str *packed, struct columns *c)
{
	uint64_t how;
	int64_t d;

	if (!unpack_uint(packed, &how) || how > TIMES_EACH)
		return -EBADMSG;
	for (size_t i = 0; i < c->n; i++) {
		c->times[i] = how == TIMES_NONE ? -1 : base->times[i];
		if (how != TIMES_EACH)
			continue;
		if (!unpack_int(packed, &d))
			return -EBADMSG;
		c->times[i] = (int64_t)(typical(base, i) + (uint64_t)d);
	}
	return 0;
}

int times_skip(size_t n, struct str *packed)
{
	uint64_t how;
	int64_t d;

	if (!unpack_uint(packed, &how) || how > TIMES_EACH)
		return -EBADMSG;
	for (size_t i = 0; how == TIMES_EACH && i < n; i++)
		if (!unpack_int(packed, &d))
			return -EBADMSG;
	return 0;
}

/* ---- versions 1 and 2 ---- */

/* Its columns in their order; -1 is the duration. */
static const int COLUMNS_1[] = { COLUMN_LINE, COLUMN_LINE_FROM, COLUMN_NUMBER, -1, COLUMN_EXIT,
				 COLUMN_IMPLIED };

int columns_unpack_1(struct str packed, size_t n, struct columns *ret)
{
	_cleanup_(buf_done) struct buf raw = {};
	_cleanup_(columns_done) struct columns c = {};
	_free_ struct columns_row *times = xcalloc(n, sizeof(*times));
	struct str rest;
	int r = 0;

	if (unpack_bytes(packed, (n + 2) * ROW_MAX, &raw) < 0)
		return -EBADMSG;
	rest = buf_str(&raw);
	columns_alloc(&c, n);
	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(COLUMNS_1); k++)
		/* The exit code's column is one whose likely value is 0, too. */
		r = COLUMNS_1[k] < 0 ? column_unpack(&rest, n, COLUMN_EXIT, times) :
				       column_unpack(&rest, n, (enum column)COLUMNS_1[k], c.rows);
	if (r < 0 || rest.n)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		c.times[i] = times[i].v[COLUMN_EXIT];
		c.rows[i].v[COLUMN_LINE_TO] = c.rows[i].v[COLUMN_LINE];
	}
	*ret = c;
	c = (struct columns){};
	return 0;
}
