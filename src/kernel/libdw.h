/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Libdw: elfutils' library, and libelf that it brings, only there when frames
 * are looked up. Inside object.c and lines.c only.
 */
#include <elfutils/libdwfl.h>

#include "base/library.h"

#define LIBDW(F) \
	F(dwarf_attr) F(dwarf_child) F(dwarf_diename) F(dwarf_filesrc) F(dwarf_formstring) \
	F(dwarf_formudata) F(dwarf_get_units) F(dwarf_getsrc_die) F(dwarf_getsrcfiles) \
	F(dwarf_haspc) F(dwarf_lineno) F(dwarf_linesrc) F(dwarf_ranges) F(dwarf_siblingof) \
	F(dwarf_tag) F(dwfl_begin) F(dwfl_end) F(dwfl_errmsg) F(dwfl_module_build_id) \
	F(dwfl_module_getdwarf) F(dwfl_module_getelf) F(dwfl_module_getsym_info) \
	F(dwfl_module_getsymtab) F(dwfl_offline_section_address) F(dwfl_report_end) \
	F(dwfl_report_offline) F(elf_getshdrnum) F(elf_ndxscn) F(elf_nextscn) F(gelf_getshdr)

struct libdw {
	struct library library;
	LIBDW(LIBRARY_POINTER)
};

int libdw_open(struct libdw *dw, struct err *err); /* as library_open() */
