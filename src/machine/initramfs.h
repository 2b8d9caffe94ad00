/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Initramfs: a "newc" cpio archive, made in memory (kernel:
 * Documentation/driver-api/early-userspace/buffer-format.rst). The same
 * entries in the same order give the same bytes: no times, no owners but root.
 * Directories come before what is in them. Needs no root, makes no file.
 */
#include <sys/types.h>

#include "base/str.h"

struct initramfs {
	struct buf out; /* .max may be set; past it, .error */
	unsigned inode;
	int error;      /* first -errno; sticky */
};

void initramfs_dir(struct initramfs *a, const char *path, mode_t mode);
void initramfs_file(struct initramfs *a, const char *path, mode_t mode, struct str data);
void initramfs_link(struct initramfs *a, const char *path, const char *target);
void initramfs_node(struct initramfs *a, const char *path, mode_t mode, unsigned major,
		    unsigned minor); /* @mode with S_IFCHR or S_IFBLK */
int initramfs_end(struct initramfs *a); /* trailer; 0 or the first error */
void initramfs_done(struct initramfs *a);
