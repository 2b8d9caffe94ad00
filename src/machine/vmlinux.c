/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/vmlinux.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "machine/elf.h"
#include "machine/kind.h"

#define VMLINUX_MAX (512u << 20)
#define IMAGE_MAX   (256u << 20)
#define CACHE_FILES 4 /* of some 60 MB each */

/* Offsets in a bzImage: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel
 * Header"; the payload's are from protocol 2.08 on. */
enum {
	SETUP_SECTS = 0x1f1,
	HEADER_MAGIC = 0x202,
	VERSION = 0x206,
	PAYLOAD_OFFSET = 0x248,
	PAYLOAD_LENGTH = 0x24c,
	HEADER_END = 0x250,
};

/* XEN_ELFNOTE_PHYS32_ENTRY (xen/interface/elfnote.h): where PVH begins. */
#define NOTE_PHYS32_ENTRY 18

static uint32_t u32_at(struct str s, size_t at)
{
	uint32_t v;

	memcpy(&v, s.p + at, sizeof(v));
	return v;
}

static bool note_found(struct str notes)
{
	while (notes.n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		uint64_t size;

		memcpy(&h, notes.p, sizeof(h));
		size = sizeof(h) + (((uint64_t)h.n_namesz + 3) & ~3ull) +
		       (((uint64_t)h.n_descsz + 3) & ~3ull);
		if (size > notes.n)
			return false;
		if (h.n_type == NOTE_PHYS32_ENTRY && h.n_namesz == 4 &&
		    memcmp(notes.p + sizeof(h), "Xen", 4) == 0)
			return true;
		notes = str_from(notes, size);
	}
	return false;
}

static bool has_pvh(struct str elf)
{
	struct str notes;

	for (unsigned i = 0; (notes = elf_segment(elf, PT_NOTE, i)).p; i++)
		if (note_found(notes))
			return true;
	return false;
}

int vmlinux_extract(struct str image, struct buf *ret, struct err *err)
{
	uint64_t begin, length, sectors;
	int r;

	if (image.n < HEADER_END || u32_at(image, HEADER_MAGIC) != 0x53726448 /* HdrS */ ||
	    (u32_at(image, VERSION) & 0xffff) < 0x208)
		return 0;
	sectors = (unsigned char)image.p[SETUP_SECTS];
	begin = ((sectors ? sectors : 4) + 1) * 512 + u32_at(image, PAYLOAD_OFFSET);
	length = u32_at(image, PAYLOAD_LENGTH);
	if (begin > image.n || length > image.n - begin)
		return err_set(err, EBADMSG, "the kernel image is cut short");
	r = inflate_any(str_n(image.p + begin, length), VMLINUX_MAX, ret, err);
	if (r < 0)
		return r;
	return has_pvh(buf_str(ret));
}

/* Removes the one that was used least recently when there are too many. */
static void cache_trim(const char *dir)
{
	DIR *d = opendir(dir);
	_free_ char *oldest = NULL;
	struct timespec when = {};
	struct dirent *e;
	struct stat st;
	unsigned n = 0;

	while (d && (e = readdir(d))) {
		_free_ char *path = path_join(dir, e->d_name);

		if (e->d_name[0] == '.' || stat(path, &st) < 0)
			continue;
		n++;
		if (oldest && (st.st_mtim.tv_sec > when.tv_sec ||
			       (st.st_mtim.tv_sec == when.tv_sec &&
				st.st_mtim.tv_nsec >= when.tv_nsec)))
			continue;
		free(oldest);
		oldest = TAKE(path);
		when = st.st_mtim;
	}
	if (d)
		closedir(d);
	if (n > CACHE_FILES)
		unlink(oldest);
}

/* A name that changes whenever the image does. */
static char *cache_name(const struct stat *st)
{
	return xasprintf("%llx-%llx-%llx-%llx.%09ld", (unsigned long long)st->st_dev,
			 (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
			 (unsigned long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static int cache_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		futimens(fd, NULL); /* used now; not ours to change is fine */
	return fd;
}

int vmlinux_open(const char *image, const char *cache_dir, int *ret_fd, struct err *err)
{
	_free_ char *dir = cache_dir ? path_join(cache_dir, "vmlinux") : NULL;
	_free_ char *name = NULL, *path = NULL;
	_cleanup_(buf_done) struct buf packed = {}, kernel = {};
	struct stat st;
	int r;

	if (stat(image, &st) < 0)
		return err_sys(err, errno, "kernel image '%s'", image);
	name = cache_name(&st);
	path = dir ? path_join(dir, name) : NULL;
	*ret_fd = path ? cache_open(path) : -1;
	if (*ret_fd >= 0)
		return 1;
	r = file_read(image, IMAGE_MAX, &packed, err);
	if (r == 0)
		r = vmlinux_extract(buf_str(&packed), &kernel, err);
	if (r <= 0)
		return r < 0 ? err_wrap(err, r, "kernel image '%s'", image) : 0;
	if (dir && dir_make(dir, NULL) == 0 &&
	    file_write(path, buf_str(&kernel), 0644, NULL) == 0) {
		cache_trim(dir);
		*ret_fd = cache_open(path);
	}
	if (*ret_fd < 0)
		r = machine_memfd("vmlinux", buf_str(&kernel), ret_fd, err);
	return r < 0 ? r : 1;
}
