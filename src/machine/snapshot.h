/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Snapshot: a booted machine in the cache, CACHE/ready/<hash of its key>/:
 * "ram", the guest's memory (sparse), "state", its devices as QEMU's migration
 * stream, "console", what it had said, and "head", a text with the key, the
 * sizes and checksums of the others. It says nothing about what makes one fit:
 * the key does, a text of every fact that a machine depends on. Of a key that
 * can't be kept the same directory says why ("refused"), for an hour.
 *
 * Written under a temporary name and renamed, so that there is all of one or
 * none; one that is removed while another starts from it stays as long as that
 * needs it. Readable for its owner only: it is a kernel's memory. At most
 * SNAPSHOT_MAX are kept, those used last, of SNAPSHOT_BYTES_MAX each. No door,
 * for this room; doctor asks by machine.h.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define SNAPSHOT_MAX         4
#define SNAPSHOT_BYTES_MAX   (512ull << 20) /* of memory that holds something */
#define SNAPSHOT_CONSOLE_MAX (1u << 20)
#define SNAPSHOT_KEY_MAX     16384

struct snapshot {
	int ram, state;    /* -1: none */
	uint64_t size;     /* of the memory */
	uint64_t bytes;    /* of it that hold something; when checked */
	struct buf console;
	struct buf head;
	char *dir;
};

#define SNAPSHOT_NONE { .ram = -1, .state = -1 }

/* Finds one and reads all of it but its memory. 1; 0 when there is none;
 * -EBADMSG for one that is damaged: it has been removed; -ENOTSUP with the reason
 * why there can be none. */
int snapshot_open(const char *cache_dir, struct str key, struct snapshot *ret, struct err *err);
/* Reads its memory too, and copies it into @copy_to, an anonymous file of that
 * size, for who shares it with others; -1: .ram is to be mapped privately. 0, or
 * -EBADMSG as above. */
int snapshot_check(const char *cache_dir, struct str key, struct snapshot *s, int copy_to,
		   struct err *err);
void snapshot_done(struct snapshot *s); /* closes; also of a NONE */

/* The right to make one: 1 and a descriptor that holds it, 0 when another does.
 * What makers left that were killed is removed. */
int snapshot_lock(const char *cache_dir, int *ret_fd, struct err *err);

/* What is to be kept. Nobody writes the files any more; they are read from their
 * beginnings. */
struct snapshot_parts {
	int ram, state;
	uint64_t size;
	struct str console;
};

/* The next three with the lock. -EFBIG where it holds too much. */
int snapshot_save(const char *cache_dir, struct str key, const struct snapshot_parts *p,
		  struct err *err);
void snapshot_refuse(const char *cache_dir, struct str key, const char *why);
/* A start from it failed. One that never worked is refused from then on: 1. One
 * that did is only removed, and one that is gone is gone: 0. */
int snapshot_failed(const char *cache_dir, struct str key, const char *why);
/* A machine started from it; it is used last. */
void snapshot_worked(const char *cache_dir, struct str key);

/* How many there are, and what they take of the disk. */
void snapshot_usage(const char *cache_dir, unsigned *ret_n, uint64_t *ret_bytes);
