/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Zlog: a log, compressed, of which any lines can be read without the rest.
 * Independent zstd frames of 1 MiB, then an index in a skippable frame
 * (RFC 8878, 3.1.2), so that `zstd -dc` reads the file as well. Memory is a
 * few MiB whatever the log's size.
 *
 *   index = 0x184D2A54, size   (zstd's skippable frame)
 *           { compressed bytes, newlines in it } per frame
 *           frames, "TLOG"     all 32 bits, little endian
 */
#include <stdint.h>

#include "base/err.h"
#include "base/out.h"

/* @from: the plain file. @to is written anew and synced. */
int zlog_write(const char *from, const char *to, uint64_t *ret_bytes, struct err *err);
/* Lines first..last, counted from 1; last 0: to the end. Beyond it: nothing. */
int zlog_print(const char *path, uint64_t first, uint64_t last, struct out *out,
	       struct err *err);

/* How many there are; a last one without its newline counts. Reads the index. */
int zlog_lines(const char *path, uint64_t *ret, struct err *err);

/*
 * By bytes of the plain log. Every frame but the last holds ZLOG_FRAME of them,
 * so that any place is found without reading what comes before. Beyond the end:
 * nothing.
 */
#define ZLOG_FRAME (1u << 20)
int zlog_size(const char *path, uint64_t *ret, struct err *err);
int zlog_read(const char *path, uint64_t from, size_t n, struct buf *ret, struct err *err);
