/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "base/mem.h"

#define MIN_SIZE   512 /* below it a packet is a packet */
#define MAX_SIZE   BUF_MAX_DEFAULT
#define GZIP_LEVEL 6
/* The first who asks for a page waits for it: a fifth of what level 9 takes, for a
 * fifth more bytes. */
#define ZSTD_LEVEL 4

/* Of files, which are written once. */
#define FILE_CHUNK      131072
#define FILE_GZIP_LEVEL 9
#define FILE_ZSTD_LEVEL 15

const char *const ENCODE_NAMES[ENCODE_N] = {
	[ENCODE_GZIP] = "gzip",
	[ENCODE_ZSTD] = "zstd",
};

const char *const ENCODE_SUFFIXES[ENCODE_N] = {
	[ENCODE_GZIP] = ".gz",
	[ENCODE_ZSTD] = ".zst",
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

/* ---- files ---- */

struct encoder {
	z_stream gzip;
	ZSTD_CCtx *zstd;
	/* A piece on its way. */
	size_t n, used; /* in .in */
	bool last;
	char in[FILE_CHUNK], out[FILE_CHUNK];
};

struct encoder *encoder_new(void)
{
	struct encoder *e = xcalloc(1, sizeof(*e));

	e->zstd = ZSTD_createCCtx();
	if (!e->zstd || deflateInit2(&e->gzip, FILE_GZIP_LEVEL, Z_DEFLATED, 31, 9,
				     Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* out of memory */
	ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, FILE_ZSTD_LEVEL);
	return e;
}

struct encoder *encoder_free(struct encoder *e)
{
	if (!e)
		return NULL;
	deflateEnd(&e->gzip);
	ZSTD_freeCCtx(e->zstd);
	free(e);
	return NULL;
}

static void gzip_begin(struct encoder *e, int from)
{
	deflateReset(&e->gzip);
}

static void zstd_begin(struct encoder *e, int from)
{
	struct stat st;

	ZSTD_CCtx_reset(e->zstd, ZSTD_reset_session_only);
	/* Else it takes, and clears, tables as for a large one. */
	if (fstat(from, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		ZSTD_CCtx_setPledgedSrcSize(e->zstd, (unsigned long long)st.st_size);
}

/* Turn what is left of the piece into bytes at .out; return how many, SIZE_MAX when
 * that failed. *ret_done: all of it is taken, and of the last piece all is told. */

static size_t gzip_turn(struct encoder *e, bool *ret_done)
{
	z_stream *z = &e->gzip;
	int r;

	z->next_in = (Bytef *)e->in + e->used;
	z->avail_in = (uInt)(e->n - e->used);
	z->next_out = (Bytef *)e->out;
	z->avail_out = FILE_CHUNK;
	r = deflate(z, e->last ? Z_FINISH : Z_NO_FLUSH);
	e->used = e->n - z->avail_in;
	*ret_done = e->last ? r == Z_STREAM_END : z->avail_out > 0;
	return r == Z_STREAM_ERROR ? SIZE_MAX : FILE_CHUNK - z->avail_out;
}

static size_t zstd_turn(struct encoder *e, bool *ret_done)
{
	ZSTD_inBuffer in = { e->in, e->n, e->used };
	ZSTD_outBuffer out = { e->out, FILE_CHUNK, 0 };
	size_t left = ZSTD_compressStream2(e->zstd, &out, &in,
					   e->last ? ZSTD_e_end : ZSTD_e_continue);

	e->used = in.pos;
	*ret_done = e->last ? left == 0 : in.pos == in.size;
	return ZSTD_isError(left) ? SIZE_MAX : out.pos;
}

static const struct {
	void (*begin)(struct encoder *e, int from);
	size_t (*turn)(struct encoder *e, bool *ret_done);
} CODERS[ENCODE_N] = {
	[ENCODE_GZIP] = { gzip_begin, gzip_turn },
	[ENCODE_ZSTD] = { zstd_begin, zstd_turn },
};

/* A piece that was read, to its end. */
static int piece_out(struct encoder *e, enum encoding how, int to, uint64_t *packed,
		     struct err *err)
{
	for (bool done = false; !done;) {
		size_t made = CODERS[how].turn(e, &done);
		int r = made == SIZE_MAX ? -EIO : file_write_all(to, e->out, made);

		if (r < 0)
			return err_sys(err, -r, "write a compressed file");
		*packed += made;
	}
	return 0;
}

int encoder_file(struct encoder *e, enum encoding how, int from, int to, struct err *err)
{
	uint64_t plain = 0, packed = 0;
	int r = 0;

	if (how == ENCODE_NONE)
		return 0;
	CODERS[how].begin(e, from);
	for (e->last = false; !e->last && r == 0;) {
		ssize_t n = read(from, e->in, FILE_CHUNK);

		if (n < 0)
			return err_sys(err, errno, "read a file to compress");
		e->n = (size_t)n;
		e->used = 0;
		e->last = n == 0;
		plain += e->n;
		r = piece_out(e, how, to, &packed, err);
	}
	return r < 0 ? r : plain >= MIN_SIZE && packed < plain;
}
