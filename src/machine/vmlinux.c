/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/vmlinux.h"

#include <elf.h>

#include "base/mem.h"
#include "machine/inflate.h"

#define VMLINUX_MAX (512u << 20)
#define PHDRS_MAX   64

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
	Elf64_Ehdr e;
	Elf64_Phdr p;

	if (elf.n < sizeof(e))
		return false;
	memcpy(&e, elf.p, sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_phentsize != sizeof(p) || e.e_phnum > PHDRS_MAX || e.e_phoff > elf.n ||
	    elf.n - e.e_phoff < (size_t)e.e_phnum * sizeof(p))
		return false;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		memcpy(&p, elf.p + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_NOTE && p.p_offset <= elf.n &&
		    p.p_filesz <= elf.n - p.p_offset &&
		    note_found(str_n(elf.p + p.p_offset, p.p_filesz)))
			return true;
	}
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
