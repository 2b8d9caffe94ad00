/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/encode.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

#define MIN_SIZE   512 /* below it a packet is a packet */
#define MAX_SIZE   BUF_MAX_DEFAULT
#define GZIP_LEVEL 6
#define ZSTD_LEVEL 9   /* at pages' sizes a few milliseconds, and pages are kept */

const char *const ENCODE_NAMES[ENCODE_N] = {
	[ENCODE_GZIP] = "gzip",
	[ENCODE_ZSTD] = "zstd",
};

/* ";q=0", ";q=0.000" in any form: it is refused. */
static bool refused(struct str params)
{
	for (struct str p; params.p;) {
		p = str_trim(str_cut(&params, ';'));
		if (!str_starts_nocase(p, STR("q=")))
			continue;
		p = str_from(p, 2);
		for (size_t i = 0; i < p.n; i++)
			if (p.p[i] != '0' && p.p[i] != '.')
				return false;
		return p.n > 0;
	}
	return false;
}

enum encoding encode_choose(struct str accept)
{
	bool takes[ENCODE_N] = {}, said[ENCODE_N] = {}, any = false;

	for (struct str item, rest = accept; rest.p;) {
		item = str_cut(&rest, ',');
		struct str name = str_trim(str_cut(&item, ';'));

		if (str_eq(name, STR("*")))
			any = !refused(item);
		for (int i = 1; i < ENCODE_N; i++) {
			if (name.n != strlen(ENCODE_NAMES[i]) ||
			    !str_starts_nocase(name, str_of(ENCODE_NAMES[i])))
				continue;
			said[i] = true;
			takes[i] = !refused(item);
		}
	}
	for (int i = ENCODE_N - 1; i > 0; i--)
		if (said[i] ? takes[i] : any)
			return (enum encoding)i;
	return ENCODE_NONE;
}

/* Each returns the bytes in @to, 0 when it failed. */
static size_t gzip(struct str plain, char *to, size_t room)
{
	z_stream z = { .next_in = (Bytef *)plain.p, .avail_in = (uInt)plain.n,
		       .next_out = (Bytef *)to, .avail_out = (uInt)room };
	size_t n;

	/* 31: 15 bits of window, and a gzip header (zlib.h). */
	if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	n = deflate(&z, Z_FINISH) == Z_STREAM_END ? z.total_out : 0;
	deflateEnd(&z);
	return n;
}

static size_t zstd(struct str plain, char *to, size_t room)
{
	size_t n = ZSTD_compress(to, room, plain.p, plain.n, ZSTD_LEVEL);

	return ZSTD_isError(n) ? 0 : n;
}

bool encode(enum encoding how, struct str plain, struct buf *ret)
{
	_free_ char *to = NULL;
	size_t n;

	buf_clear(ret);
	if (how == ENCODE_NONE || plain.n < MIN_SIZE || plain.n > MAX_SIZE)
		return false;
	/* No room for more than what would be worth it. */
	to = xmalloc(plain.n);
	n = how == ENCODE_GZIP ? gzip(plain, to, plain.n) : zstd(plain, to, plain.n);
	return n > 0 && n < plain.n && buf_add(ret, to, n) == 0;
}
