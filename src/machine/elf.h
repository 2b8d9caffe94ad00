/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Elf: the segments of a 64-bit ELF file in memory, which may be anybody's (elf(5)).
 * Inside this room only.
 */
#include <stdint.h>

#include "base/str.h"

/* The @n-th segment of that type (PT_NOTE, PT_INTERP), counted from 0; without a
 * pointer where there is none, or the file is not one. */
struct str elf_segment(struct str file, uint32_t type, unsigned n);
