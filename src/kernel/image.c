/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/image.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"

#define RELEASE_MAX 64 /* __NEW_UTS_LEN */
#define CHUNK       (1u << 20)
#define BANNER      STR("Linux version ")

enum { /* offsets of boot.rst, "The Real-Mode Kernel Header" */
	SETUP_SECTS = 0x1f1,
	HEADER = 0x202,
	KERNEL_VERSION = 0x20e,
	HEADER_END = 0x210,
	SECTOR = 0x200,
};

/* A release starts with a digit and ends at a blank or NUL. It becomes part of
 * paths, so it has no slash. */
static int take_release(struct str s, struct str *ret)
{
	size_t n = 0;

	while (n < s.n && n <= RELEASE_MAX && s.p[n] > ' ' && s.p[n] < 0x7f && s.p[n] != '/')
		n++;
	if (n == 0 || n > RELEASE_MAX || n == s.n || s.p[0] < '0' || s.p[0] > '9')
		return 0;
	if (s.p[n] != ' ' && s.p[n] != '\0')
		return 0;
	*ret = str_n(s.p, n);
	return 1;
}

int image_release_bzimage(struct str head, struct str *ret)
{
	const unsigned char *p = (const unsigned char *)head.p;
	size_t at, end;

	if (head.n < HEADER_END || p[0x1fe] != 0x55 || p[0x1ff] != 0xaa ||
	    memcmp(p + HEADER, "HdrS", 4) != 0)
		return 0;
	at = p[KERNEL_VERSION] | (size_t)p[KERNEL_VERSION + 1] << 8;
	if (at == 0)
		return 0;
	at += SECTOR;
	/* "should be less than 0x200 * setup_sects"; 0 sectors means 4. */
	end = SECTOR * ((p[SETUP_SECTS] ? p[SETUP_SECTS] : 4u) + 1);
	if (end > head.n)
		end = head.n;
	return at < end ? take_release(str_n(head.p + at, end - at), ret) : 0;
}

int image_release_banner(struct str text, struct str *ret)
{
	for (;;) {
		ptrdiff_t at = str_find(text, BANNER);

		if (at < 0)
			return 0;
		text = str_from(text, (size_t)at + BANNER.n);
		if (take_release(text, ret))
			return 1;
	}
}

int image_is_uml(struct str head)
{
	Elf64_Ehdr e;
	bool loads = false;

	if (head.n < sizeof(e))
		return 0;
	memcpy(&e, head.p, sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_machine != EM_X86_64 || (e.e_type != ET_EXEC && e.e_type != ET_DYN))
		return 0;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr p;

		if (e.e_phoff > head.n || head.n - e.e_phoff < (i + 1) * sizeof(p))
			return 0;
		memcpy(&p, head.p + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD && p.p_vaddr >> 63)
			return 0;
		loads |= p.p_type == PT_LOAD;
	}
	return loads;
}

/* Searches the whole file, a chunk at a time with an overlap for the banner. */
static int search_banner(int fd, char **ret)
{
	const size_t overlap = BANNER.n + RELEASE_MAX + 1;
	_free_ char *p = xmalloc(CHUNK + overlap);
	struct str release;
	size_t kept = 0;
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, p + kept, CHUNK, at);
		size_t have;

		if (n < 0)
			return -errno;
		have = kept + (size_t)n;
		if (image_release_banner(str_n(p, have), &release)) {
			*ret = xstrndup(release.p, release.n);
			return 1;
		}
		if (n == 0)
			return 0;
		at += n;
		kept = have < overlap ? have : overlap;
		memmove(p, p + have - kept, kept);
	}
}

int image_release(const char *path, char **ret, bool *ret_uml, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_free_ char *head = xmalloc(IMAGE_HEAD_MAX);
	struct str release;
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return err_sys(err, errno, "open kernel '%s'", path);
	n = pread(fd, head, IMAGE_HEAD_MAX, 0);
	if (n < 0)
		return err_sys(err, errno, "read kernel '%s'", path);
	if (ret_uml)
		*ret_uml = image_is_uml(str_n(head, (size_t)n));
	if (image_release_bzimage(str_n(head, (size_t)n), &release)) {
		*ret = xstrndup(release.p, release.n);
		return 0;
	}
	if (n > SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		r = search_banner(fd, ret);
	if (r < 0)
		return err_sys(err, -r, "read kernel '%s'", path);
	if (r == 0)
		return err_set(err, ENOEXEC,
			       "'%s' is no kernel: neither a bzImage with a version nor a vmlinux "
			       "nor User Mode Linux",
			       path);
	return 0;
}
