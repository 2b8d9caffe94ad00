/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/pages.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* What is summed is written while it is in the processor's cache. */
#define CHUNK (256u << 10)

static const uint64_t P1 = 0x9e3779b185ebca87, P2 = 0xc2b2ae3d27d4eb4f;

static uint64_t rotated(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static uint64_t page_sum(const char *page, uint64_t number)
{
	uint64_t lane[4] = { number + P1, number ^ P2, number, ~number }, v[4], sum = 0;

	for (size_t i = 0; i < PAGES_SIZE; i += sizeof(v)) {
		memcpy(v, page + i, sizeof(v));
		for (unsigned k = 0; k < 4; k++)
			lane[k] = rotated(lane[k] + v[k] * P2, 31) * P1;
	}
	for (unsigned k = 0; k < 4; k++)
		sum = (sum ^ rotated(lane[k], 7 * k + 1)) * P1 + P2;
	return sum ^ sum >> 29;
}

static bool page_is_zero(const char *page)
{
	uint64_t first;

	memcpy(&first, page, sizeof(first));
	return first == 0 && memcmp(page, page + sizeof(first), PAGES_SIZE - sizeof(first)) == 0;
}

static int write_at(int fd, const char *p, size_t n, uint64_t at)
{
	ssize_t w = n ? pwrite(fd, p, n, (off_t)at) : 0;

	if (w < 0)
		return -errno;
	return (size_t)w == n ? 0 : -ENOSPC;
}

/* @n bytes of whole pages, which stand at @at of the file. */
static int chunk_walk(const char *p, size_t n, uint64_t at, int copy_to, struct pages *w)
{
	size_t run = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i += PAGES_SIZE) {
		if (page_is_zero(p + i)) {
			if (copy_to >= 0)
				r = write_at(copy_to, p + run, i - run, at + run);
			run = i + PAGES_SIZE;
			continue;
		}
		w->sum = rotated(w->sum, 5) ^ page_sum(p + i, (at + i) / PAGES_SIZE);
		w->bytes += PAGES_SIZE;
	}
	if (r == 0 && copy_to >= 0 && run < n)
		r = write_at(copy_to, p + run, n - run, at + run);
	return r;
}

/* All of a piece that the file system does not know to be a hole. */
static int piece_walk(int fd, uint64_t from, uint64_t to, uint64_t max, char *room, int copy_to,
		      struct pages *w)
{
	int r = 0;

	while (r == 0 && from < to) {
		size_t want = to - from < CHUNK ? (size_t)(to - from) : CHUNK, n = 0;

		while (n < want) {
			ssize_t got = pread(fd, room + n, want - n, (off_t)(from + n));

			if (got < 0 && errno == EINTR)
				continue;
			if (got <= 0)
				return got < 0 ? -errno : -ENODATA;
			n += (size_t)got;
		}
		r = chunk_walk(room, n, from, copy_to, w);
		from += n;
		if (r == 0 && w->bytes > max)
			r = -EFBIG;
	}
	return r;
}

int pages_walk(int fd, uint64_t size, uint64_t max, int copy_to, struct pages *ret)
{
	_free_ char *room = NULL;
	off_t at = 0;
	int r = 0;

	*ret = (struct pages){};
	if (size == 0 || size % PAGES_SIZE)
		return -EINVAL;
	if (lseek(fd, 0, SEEK_END) < (off_t)size)
		return -ENODATA;
	room = xmalloc(CHUNK);
	while (r == 0 && (uint64_t)at < size && (at = lseek(fd, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(fd, at, SEEK_HOLE);
		uint64_t from = (uint64_t)at & ~(uint64_t)(PAGES_SIZE - 1);
		uint64_t to = end < 0 || (uint64_t)end > size ? size : (uint64_t)end;

		to = (to + PAGES_SIZE - 1) & ~(uint64_t)(PAGES_SIZE - 1);
		if (from < to)
			r = piece_walk(fd, from, to, max, room, copy_to, ret);
		at = (off_t)(to > (uint64_t)at ? to : size);
	}
	/* ENXIO: no data behind @at. */
	if (r == 0 && at < 0 && errno != ENXIO)
		r = -errno;
	lseek(fd, 0, SEEK_SET);
	return r;
}

uint64_t pages_sum(struct str bytes)
{
	char last[PAGES_SIZE] = {};
	uint64_t sum = 0;
	size_t at = 0;

	for (; bytes.n - at >= PAGES_SIZE; at += PAGES_SIZE)
		sum = rotated(sum, 5) ^ page_sum(bytes.p + at, at / PAGES_SIZE);
	if (at < bytes.n) {
		memcpy(last, bytes.p + at, bytes.n - at);
		sum = rotated(sum, 5) ^ page_sum(last, at / PAGES_SIZE);
	}
	return sum;
}
