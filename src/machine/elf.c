/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/elf.h"

#include <elf.h>
#include <string.h>

#define PHDRS_MAX 64

struct str elf_segment(struct str file, uint32_t type, unsigned n)
{
	Elf64_Ehdr e;
	Elf64_Phdr p;

	if (file.n < sizeof(e))
		return STR_NONE;
	memcpy(&e, file.p, sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_phentsize != sizeof(p) || e.e_phnum > PHDRS_MAX || e.e_phoff > file.n ||
	    file.n - e.e_phoff < (size_t)e.e_phnum * sizeof(p))
		return STR_NONE;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		memcpy(&p, file.p + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == type && p.p_offset <= file.n &&
		    p.p_filesz <= file.n - p.p_offset && n-- == 0)
			return str_n(file.p + p.p_offset, p.p_filesz);
	}
	return STR_NONE;
}
