/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Pages: a machine's memory as a file with holes: summed, and copied with its
 * holes. The sum is against disks and files that were cut, not against an
 * adversary: four lanes of multiply and rotate with the primes of XXH64
 * ("Process stripes"), so that memory is what limits it. A page of zeroes
 * counts nothing: it and a hole are the same. No door, for this room.
 */
#include <stdint.h>

#include "base/str.h"

#define PAGES_SIZE 4096

struct pages {
	uint64_t sum;
	uint64_t bytes; /* of pages that hold something */
};

/*
 * Reads @fd, @size bytes (whole pages), and copies it to the same places of
 * @copy_to, which is all holes; -1: nowhere. 0 or -errno: -ENODATA when it is
 * shorter, -EFBIG when it holds more than @max bytes.
 */
int pages_walk(int fd, uint64_t size, uint64_t max, int copy_to, struct pages *ret);

/* Of bytes, as if zeroes followed up to a whole page. */
uint64_t pages_sum(struct str bytes);
