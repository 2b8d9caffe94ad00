/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/initramfs.h"

#include <errno.h>
#include <sys/stat.h>

/* Files and headers begin at multiples of this, counted from the beginning. */
#define ALIGN 4

static void pad(struct initramfs *a)
{
	static const char zeros[ALIGN];
	size_t n = (ALIGN - a->out.n % ALIGN) % ALIGN;

	if (!a->error)
		a->error = buf_add(&a->out, zeros, n);
}

static void entry(struct initramfs *a, const char *path, mode_t mode, unsigned major,
		  unsigned minor, struct str data)
{
	size_t name = strlen(path) + 1;

	if (!a->error && data.n > UINT32_MAX)
		a->error = -EFBIG;
	if (!a->error)
		/* magic, inode, mode, uid, gid, links, mtime, size, device, the
		 * node's device, length of the name, check */
		a->error = buf_printf(&a->out,
				      "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
				      a->inode++, (unsigned)mode, 0, 0, S_ISDIR(mode) ? 2 : 1, 0,
				      (unsigned)data.n, 0, 0, major, minor, (unsigned)name, 0);
	if (!a->error)
		a->error = buf_add(&a->out, path, name);
	pad(a);
	if (!a->error)
		a->error = buf_add_str(&a->out, data);
	pad(a);
}

void initramfs_dir(struct initramfs *a, const char *path, mode_t mode)
{
	entry(a, path, S_IFDIR | mode, 0, 0, STR_NONE);
}

void initramfs_file(struct initramfs *a, const char *path, mode_t mode, struct str data)
{
	entry(a, path, S_IFREG | mode, 0, 0, data);
}

void initramfs_link(struct initramfs *a, const char *path, const char *target)
{
	entry(a, path, S_IFLNK | 0777, 0, 0, str_of(target));
}

void initramfs_node(struct initramfs *a, const char *path, mode_t mode, unsigned major,
		    unsigned minor)
{
	entry(a, path, mode, major, minor, STR_NONE);
}

int initramfs_end(struct initramfs *a)
{
	entry(a, "TRAILER!!!", 0, 0, 0, STR_NONE);
	return a->error;
}

void initramfs_done(struct initramfs *a)
{
	buf_done(&a->out);
	*a = (struct initramfs){};
}
