/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/pack.h"

#include <errno.h>
#include <zstd.h>

#include "base/mem.h"

#define LEVEL 6
#define LEVEL_FAST 1
/* Below this a frame's own header is more than what it saves. */
#define WORTH_TRYING 24

enum { KEPT_RAW, KEPT_ZSTD };

void pack_uint(struct buf *b, uint64_t v)
{
	unsigned char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v);
	buf_add(b, bytes, n);
}

void pack_int(struct buf *b, int64_t v)
{
	uint64_t sign = v < 0 ? UINT64_MAX : 0;

	pack_uint(b, ((uint64_t)v << 1) ^ sign);
}

int unpack_uint(struct str *s, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s->n && i < 10; i++) {
		unsigned char c = (unsigned char)s->p[i];

		if (i == 9 && c > 1)
			return 0;
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (!(c & 0x80)) {
			*s = str_from(*s, i + 1);
			*ret = v;
			return 1;
		}
	}
	return 0;
}

int unpack_int(struct str *s, int64_t *ret)
{
	uint64_t v;

	if (!unpack_uint(s, &v))
		return 0;
	*ret = (int64_t)((v >> 1) ^ (v & 1 ? UINT64_MAX : 0));
	return 1;
}

static void keep_shorter(const char *zstd, size_t n, struct str raw, struct buf *ret)
{
	if (zstd && !ZSTD_isError(n) && n < raw.n) {
		buf_add(ret, (char[]){ KEPT_ZSTD }, 1);
		buf_add(ret, zstd, n);
	} else {
		buf_add(ret, (char[]){ KEPT_RAW }, 1);
		buf_add_str(ret, raw);
	}
}

void pack_bytes_fast(ZSTD_CCtx **zstd, struct str raw, struct buf *ret)
{
	size_t room = ZSTD_compressBound(raw.n), n = 0;
	_free_ char *p = NULL;

	if (!*zstd)
		*zstd = ZSTD_createCCtx();
	if (*zstd && raw.n >= WORTH_TRYING) {
		p = xmalloc(room);
		n = ZSTD_compressCCtx(*zstd, p, room, raw.p, raw.n, LEVEL_FAST);
	}
	keep_shorter(p, n, raw, ret);
}

void pack_done(ZSTD_CCtx *zstd)
{
	ZSTD_freeCCtx(zstd);
}

void pack_bytes(struct str raw, struct buf *ret)
{
	size_t room = ZSTD_compressBound(raw.n), n = 0;
	_free_ char *p = NULL;

	if (raw.n >= WORTH_TRYING) {
		p = xmalloc(room);
		n = ZSTD_compress(p, room, raw.p, raw.n, LEVEL);
	}
	keep_shorter(p, n, raw, ret);
}

int unpack_bytes(struct str packed, size_t max, struct buf *ret)
{
	unsigned long long size;
	_free_ char *p = NULL;
	size_t n;

	if (packed.n == 0)
		return -EBADMSG;
	if (packed.p[0] == KEPT_RAW)
		return packed.n - 1 > max ? -EFBIG : buf_add_str(ret, str_from(packed, 1));
	if (packed.p[0] != KEPT_ZSTD)
		return -EBADMSG;
	packed = str_from(packed, 1);
	size = ZSTD_getFrameContentSize(packed.p, packed.n);
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
		return -EBADMSG;
	if (size > max)
		return -EFBIG;
	p = xmalloc(size);
	n = ZSTD_decompress(p, size, packed.p, packed.n);
	return ZSTD_isError(n) || n != size ? -EBADMSG : buf_add(ret, p, n);
}

void pack_ids(const int64_t *v, size_t n, struct buf *ret)
{
	_cleanup_(buf_done) struct buf raw = {};
	int64_t last = 0;

	pack_uint(&raw, n);
	for (size_t i = 0; i < n; i++) {
		pack_int(&raw, (int64_t)((uint64_t)v[i] - (uint64_t)last));
		last = v[i];
	}
	pack_bytes(buf_str(&raw), ret);
}

int unpack_ids(struct str packed, size_t max, int64_t **ret, size_t *ret_n)
{
	_cleanup_(buf_done) struct buf raw = {};
	_free_ int64_t *v = NULL;
	int64_t last = 0, step;
	struct str rest;
	uint64_t n;

	if (unpack_bytes(packed, BUF_MAX_DEFAULT, &raw) < 0)
		return -EBADMSG;
	rest = buf_str(&raw);
	/* Each takes a byte at least: a lying count can't make us allocate. */
	if (!unpack_uint(&rest, &n) || n > max || n > rest.n)
		return -EBADMSG;
	v = xcalloc(n, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		if (!unpack_int(&rest, &step))
			return -EBADMSG;
		last = (int64_t)((uint64_t)last + (uint64_t)step);
		v[i] = last;
	}
	*ret = TAKE(v);
	*ret_n = n;
	return 0;
}
