/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Objects: one file with symbols and debug info, a vmlinux or a module, as the
 * linker made it or with only its debug info kept; by libelf and libdw. Modules
 * may be packed (.ko.xz, .ko.zst, .ko.gz). Inside kernel/ only.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "kernel/lines.h"

#define OBJECT_BUILD_ID_MAX 64 /* bytes; SHA-1's are 20 */

struct object;

/*
 * Opens it; nothing of a unit is read before an address in it is asked for.
 * -ENOENT, -ENOEXEC what is no ELF file or none with symbols, -EFBIG a packed
 * one that unpacks to more than 512 MiB, -EBADMSG what is damaged. A file
 * without debug info is no error: see object_has_lines().
 */
int object_open(const char *path, struct object **ret, struct err *err);
struct object *object_close(struct object *o);

const char *object_path(const struct object *o);
/* In hexadecimal; "" when it has none. */
const char *object_build_id(const struct object *o);
bool object_has_lines(const struct object *o);
/* As of lines_root(). */
const char *object_root(struct object *o);
/* See lines_new(); before the first object_lines(). */
void object_set_root(struct object *o, const char *root);

/*
 * Where the functions @name are that are @size bytes long, as the kernel counts
 * it (up to the next symbol: kernel/kallsyms.c). Returns how many: static
 * functions of one name may even have one size; 0 when there is no such
 * function; -ESTALE when none of its name has that size.
 */
#define OBJECT_SAME_MAX 4
int object_symbol(struct object *o, struct str name, uint64_t size,
		  uint64_t ret[OBJECT_SAME_MAX]);
/* As lines_at(). */
unsigned object_lines(struct object *o, uint64_t address, struct arena *arena,
		      struct lines_frame frames[LINES_FRAMES_MAX]);
