/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Lines: from an address to where it is in the source, inlined functions too.
 * Reads DWARF 2 to 5 (dwarfstd.org) by libdw: the headers of all units once,
 * the functions and lines of a unit when an address of it is asked for. Inside
 * kernel/ only.
 */
#include <stdint.h>

#include "base/mem.h"
#include "kernel/libdw.h"

#define LINES_FRAMES_MAX 32 /* of one address; what is further out is left out */

/* Strings live as long as the arena they were made in. */
struct lines_frame {
	const char *function; /* as in the source; NULL: unknown (assembler) */
	const char *file;     /* without the directory of the kernel's tree */
	unsigned line;        /* 0: unknown */
};

struct lines;

/* @dw and @dwarf must outlive it. @root: the tree's directory as in lines_root() of the
 * kernel that a module belongs to; NULL or "": its own. */
struct lines *lines_new(const struct libdw *dw, Dwarf *dwarf, const char *root);
struct lines *lines_free(struct lines *l);
/* Where init/main.c was; "" when it is not in there. */
const char *lines_root(const struct lines *l);

/*
 * The innermost function first: its line is that of @address; each further one
 * inlined the one before, at the line it gives. Returns how many, 0 when there
 * is no line for the address.
 */
unsigned lines_at(struct lines *l, uint64_t address, struct arena *arena,
		  struct lines_frame frames[LINES_FRAMES_MAX]);
