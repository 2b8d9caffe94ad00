/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/inflate.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

#define CHUNK       262144
#define XZ_MEMORY   (512u << 20)
#define ZSTD_WINDOW 27 /* log2; the kernel packs with up to 128 MiB */

/* Adds a chunk, within the limit. */
static int add(struct buf *out, const void *p, size_t n, size_t max)
{
	return n > max - out->n ? -EFBIG : buf_add(out, p, n);
}

static int inflate_gzip(struct str in, size_t max, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)in.p, .avail_in = (unsigned)in.n };
	_free_ unsigned char *chunk = xmalloc(CHUNK);
	int r = 0, s;

	if (in.n > UINT32_MAX || inflateInit2(&z, 15 + 16) != Z_OK)
		return -EBADMSG;
	do {
		z.next_out = chunk;
		z.avail_out = CHUNK;
		s = inflate(&z, Z_NO_FLUSH);
		if (s != Z_OK && s != Z_STREAM_END)
			r = -EBADMSG;
		else
			r = add(out, chunk, CHUNK - z.avail_out, max);
	} while (r == 0 && s == Z_OK);
	inflateEnd(&z);
	return r;
}

static int inflate_xz(struct str in, size_t max, struct buf *out)
{
	lzma_stream z = LZMA_STREAM_INIT;
	_free_ unsigned char *chunk = xmalloc(CHUNK);
	lzma_ret s;
	int r = 0;

	if (lzma_stream_decoder(&z, XZ_MEMORY, 0) != LZMA_OK)
		return -EBADMSG;
	z.next_in = (const unsigned char *)in.p;
	z.avail_in = in.n;
	do {
		z.next_out = chunk;
		z.avail_out = CHUNK;
		s = lzma_code(&z, LZMA_FINISH);
		if (s != LZMA_OK && s != LZMA_STREAM_END)
			r = -EBADMSG;
		else
			r = add(out, chunk, CHUNK - z.avail_out, max);
	} while (r == 0 && s == LZMA_OK);
	lzma_end(&z);
	return r;
}

static int inflate_zstd(struct str in, size_t max, struct buf *out)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer from = { in.p, in.n, 0 };
	_free_ char *chunk = xmalloc(CHUNK);
	size_t left;
	int r = 0;

	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW);
	do {
		ZSTD_outBuffer to = { chunk, CHUNK, 0 };

		left = ZSTD_decompressStream(z, &to, &from);
		if (ZSTD_isError(left) || (left && to.pos == 0 && from.pos == from.size))
			r = -EBADMSG;
		else
			r = add(out, chunk, to.pos, max);
	} while (r == 0 && left);
	ZSTD_freeDCtx(z);
	return r;
}

static int inflate_none(struct str in, size_t max, struct buf *out)
{
	return add(out, in.p, in.n, max);
}

static const struct {
	struct str magic;
	const char *name;
	int (*inflate)(struct str in, size_t max, struct buf *out);
} FORMATS[] = {
	{ STR("\x1f\x8b"), "gzip", inflate_gzip },
	{ STR("\xfd" "7zXZ"), "xz", inflate_xz },
	{ STR("\x28\xb5\x2f\xfd"), "zstd", inflate_zstd },
	{ STR(""), "plain", inflate_none },
};

int inflate_any(struct str in, size_t max, struct buf *out, struct err *err)
{
	size_t i = 0;
	int r;

	while (!str_starts(in, FORMATS[i].magic))
		i++;
	if (out->max < max)
		out->max = max;
	r = FORMATS[i].inflate(in, max, out);
	if (r == -EFBIG)
		return err_set(err, EFBIG, "unpacks to more than %zu bytes", max);
	return r < 0 ? err_set(err, EBADMSG, "its %s data is broken", FORMATS[i].name) : 0;
}
