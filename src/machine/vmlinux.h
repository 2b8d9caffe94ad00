/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Vmlinux: the ELF kernel inside a bzImage. A guest that is translated takes
 * seconds to unpack its own kernel; we take a tenth of one, and QEMU starts an
 * ELF kernel directly where it has the PVH entry (CONFIG_PVH).
 */
#include "base/err.h"
#include "base/str.h"

/*
 * @image: the bytes of a bzImage. Adds its kernel to @ret. Returns 1; 0 when
 * it is packed in a way that we don't know or has no PVH entry: boot the image
 * as it is. -errno for what is broken.
 */
int vmlinux_extract(struct str image, struct buf *ret, struct err *err);

/*
 * The kernel of the file @image, as a descriptor to read it from. Unpacked
 * once: it stays in @cache_dir (the last few do), or in memory where that is
 * NULL or can't be written. Returns 1; 0 and no descriptor as above.
 */
int vmlinux_open(const char *image, const char *cache_dir, int *ret_fd, struct err *err);
