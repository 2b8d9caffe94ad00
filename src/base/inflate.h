/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Inflate: what kernels are packed with. The format is told by its first bytes,
 * not by a name: gzip (RFC 1952), xz (xz-file-format 1.1), zstd (RFC 8878).
 */
#include "base/err.h"
#include "base/str.h"

/*
 * Adds the unpacked bytes of @in to @out; bytes of no known format are added
 * as they are. What follows the packed data is ignored (a kernel image holds
 * its size there). -EFBIG past @max, -EBADMSG for broken data.
 */
int inflate_any(struct str in, size_t max, struct buf *out, struct err *err);
