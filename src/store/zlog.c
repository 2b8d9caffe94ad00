/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/zlog.h"

#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "base/mem.h"

#define LEVEL 3
#define SKIPPABLE 0x184D2A54
#define MAGIC 0x474F4C54 /* "TLOG" */
#define FRAMES_MAX (1u << 20) /* a terabyte of log */

struct frame {
	uint32_t bytes, newlines;
};

struct index {
	struct frame *v;
	uint32_t n, cap;
};

static void index_done(struct index *x)
{
	free(x->v);
}

static void free_cctx(ZSTD_CCtx **c)
{
	ZSTD_freeCCtx(*c);
}

/* Fills the chunk. Returns its bytes, 0 at the end, -errno. */
static ssize_t read_full(int fd, char *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

static uint32_t count_newlines(const char *p, size_t n)
{
	const char *end = p + n;
	uint32_t lines = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		lines++;
		p++;
	}
	return lines;
}

static int write_index(int fd, const struct index *x)
{
	size_t bytes = x->n * sizeof(struct frame) + 8;
	_free_ uint32_t *w = xcalloc(x->n * 2 + 4, sizeof(*w));

	w[0] = htole32(SKIPPABLE);
	w[1] = htole32((uint32_t)bytes);
	for (uint32_t i = 0; i < x->n; i++) {
		w[2 + 2 * i] = htole32(x->v[i].bytes);
		w[3 + 2 * i] = htole32(x->v[i].newlines);
	}
	w[2 + 2 * x->n] = htole32(x->n);
	w[3 + 2 * x->n] = htole32(MAGIC);
	return file_write_all(fd, w, bytes + 8);
}

static int write_frames(int in, int out, struct index *x)
{
	_cleanup_(free_cctx) ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(ZLOG_FRAME);
	_free_ char *plain = xmalloc(ZLOG_FRAME), *packed = xmalloc(room);
	ssize_t got;

	if (!c)
		return -ENOMEM;
	while ((got = read_full(in, plain, ZLOG_FRAME)) > 0) {
		size_t n = ZSTD_compressCCtx(c, packed, room, plain, (size_t)got, LEVEL);
		int r = ZSTD_isError(n) ? -EIO : file_write_all(out, packed, n);

		if (r < 0)
			return r;
		if (x->n == FRAMES_MAX)
			return -EFBIG;
		ARRAY_GROW(x->v, x->n, x->cap);
		x->v[x->n++] = (struct frame){ (uint32_t)n,
					       count_newlines(plain, (size_t)got) };
	}
	return got < 0 ? (int)got : write_index(out, x);
}

/* Its name lives in the directory: that is synced as well. */
static int sync_directory(const char *path)
{
	_free_ char *dir = path_dir(path);
	_cleanup_(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int zlog_write(const char *from, const char *to, uint64_t *ret_bytes, struct err *err)
{
	_cleanup_(closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY), out = -1;
	_cleanup_(index_done) struct index x = {};
	struct stat st;
	int r;

	if (in < 0)
		return err_sys(err, errno, "read log '%s'", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out < 0)
		return err_sys(err, errno, "write '%s'", to);
	r = write_frames(in, out, &x);
	if (r == 0 && (fsync(out) < 0 || fstat(out, &st) < 0))
		r = -errno;
	if (r == 0)
		r = sync_directory(to);
	if (r < 0) {
		unlink(to);
		return err_sys(err, -r, "keep log '%s' as '%s'", from, to);
	}
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

static int read_at(int fd, void *p, size_t n, uint64_t at)
{
	ssize_t r = pread(fd, p, n, (off_t)at);

	return r < 0 ? -errno : (size_t)r == n ? 0 : -EBADMSG;
}

static int read_index(int fd, struct index *x)
{
	uint32_t tail[2];
	uint64_t sum = 0;
	size_t bytes;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 16)
		return -EBADMSG;
	r = read_at(fd, tail, sizeof(tail), (uint64_t)st.st_size - 8);
	x->n = le32toh(tail[0]);
	if (r < 0 || le32toh(tail[1]) != MAGIC || x->n > FRAMES_MAX)
		return r < 0 ? r : -EBADMSG;
	bytes = x->n * sizeof(struct frame);
	if (bytes + 16 > (uint64_t)st.st_size)
		return -EBADMSG;
	x->v = xcalloc(x->n, sizeof(struct frame));
	r = read_at(fd, x->v, bytes, (uint64_t)st.st_size - 8 - bytes);
	for (uint32_t i = 0; r == 0 && i < x->n; i++) {
		x->v[i] = (struct frame){ le32toh(x->v[i].bytes), le32toh(x->v[i].newlines) };
		sum += x->v[i].bytes;
	}
	return r < 0 ? r : sum + bytes + 16 == (uint64_t)st.st_size ? 0 : -EBADMSG;
}

struct wanted {
	uint64_t line; /* of the byte that comes next */
	uint64_t first, last;
	struct out *out;
};

static void print_lines(struct wanted *w, const char *p, size_t n)
{
	if (w->line >= w->first && !w->last) {
		out_bytes(w->out, p, n);
		return;
	}
	while (n && (!w->last || w->line <= w->last)) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) + 1 : n;

		if (w->line >= w->first)
			out_bytes(w->out, p, len);
		w->line += nl != NULL;
		p += len;
		n -= len;
	}
}

#define ROOM ZSTD_COMPRESSBOUND(ZLOG_FRAME)

/* The plain bytes of one frame, ZLOG_FRAME at most; or -errno. */
static ssize_t unpack(int fd, const struct frame *f, uint64_t at, char *packed, char *plain)
{
	int r = f->bytes > ROOM ? -EBADMSG : read_at(fd, packed, f->bytes, at);
	size_t n;

	if (r < 0)
		return r;
	n = ZSTD_decompress(plain, ZLOG_FRAME, packed, f->bytes);
	return ZSTD_isError(n) ? -EBADMSG : (ssize_t)n;
}

static int print_frames(int fd, const struct index *x, struct wanted *w)
{
	_free_ char *plain = xmalloc(ZLOG_FRAME), *packed = xmalloc(ROOM);
	uint64_t at = 0;

	/* Whoever has enough says so by an error of theirs. */
	for (uint32_t i = 0; i < x->n && (!w->last || w->line <= w->last) && !w->out->error; i++) {
		const struct frame *f = &x->v[i];
		ssize_t n;

		if (w->line + f->newlines < w->first) {
			w->line += f->newlines;
			at += f->bytes;
			continue;
		}
		n = unpack(fd, f, at, packed, plain);
		if (n < 0)
			return (int)n;
		print_lines(w, plain, (size_t)n);
		at += f->bytes;
	}
	return 0;
}

static int failed(const char *path, int r, struct err *err)
{
	if (r == -EBADMSG)
		return err_set(err, EBADMSG, "log '%s' is damaged or cut short", path);
	return r < 0 ? err_sys(err, -r, "read log '%s'", path) : 0;
}

int zlog_print(const char *path, uint64_t first, uint64_t last, struct out *out,
	       struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct wanted w = { .line = 1, .first = first, .last = last, .out = out };
	_cleanup_(index_done) struct index x = {};
	int r;

	if (fd < 0)
		return err_sys(err, errno, "read log '%s'", path);
	r = read_index(fd, &x);
	if (r == 0)
		r = print_frames(fd, &x, &w);
	return failed(path, r, err);
}

/* What its index says, and its last frame, the only one that is unpacked. */
static int measure(const char *path, uint64_t *ret_size, uint64_t *ret_lines, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_free_ char *plain = NULL, *packed = NULL;
	_cleanup_(index_done) struct index x = {};
	uint64_t at = 0, lines = 0;
	ssize_t last;
	int r;

	if (fd < 0)
		return err_sys(err, errno, "read log '%s'", path);
	r = read_index(fd, &x);
	if (r < 0)
		return failed(path, r, err);
	*ret_size = *ret_lines = 0;
	if (!x.n)
		return 0;
	for (uint32_t i = 0; i < x.n; i++)
		lines += x.v[i].newlines;
	for (uint32_t i = 0; i + 1 < x.n; i++)
		at += x.v[i].bytes;
	plain = xmalloc(ZLOG_FRAME);
	packed = xmalloc(ROOM);
	last = unpack(fd, &x.v[x.n - 1], at, packed, plain);
	if (last < 0)
		return failed(path, (int)last, err);
	*ret_size = (uint64_t)(x.n - 1) * ZLOG_FRAME + (uint64_t)last;
	*ret_lines = lines + (last > 0 && plain[last - 1] != '\n');
	return 0;
}

int zlog_size(const char *path, uint64_t *ret, struct err *err)
{
	uint64_t lines;

	return measure(path, ret, &lines, err);
}

int zlog_lines(const char *path, uint64_t *ret, struct err *err)
{
	uint64_t size;

	return measure(path, &size, ret, err);
}

static int read_frames(int fd, const struct index *x, uint64_t from, size_t n, struct buf *ret)
{
	_free_ char *plain = xmalloc(ZLOG_FRAME), *packed = xmalloc(ROOM);
	uint64_t at = 0;

	for (uint32_t i = 0; n && i < x->n; at += x->v[i++].bytes) {
		size_t skip = (size_t)(from % ZLOG_FRAME), take;
		ssize_t got;
		int r;

		if (i < from / ZLOG_FRAME)
			continue;
		got = unpack(fd, &x->v[i], at, packed, plain);
		if (got < 0)
			return (int)got;
		if ((size_t)got <= skip)
			return 0;
		take = (size_t)got - skip < n ? (size_t)got - skip : n;
		r = buf_add(ret, plain + skip, take);
		if (r < 0)
			return r;
		from += take;
		n -= take;
	}
	return 0;
}

int zlog_read(const char *path, uint64_t from, size_t n, struct buf *ret, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_(index_done) struct index x = {};
	int r;

	if (fd < 0)
		return err_sys(err, errno, "read log '%s'", path);
	r = read_index(fd, &x);
	if (r == 0)
		r = read_frames(fd, &x, from, n, ret);
	return failed(path, r, err);
}
