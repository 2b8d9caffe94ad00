/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Parts: what of a kernel tree the selftests need to be built. A whole tree is
 * 1.6 GB, its parts are 60 MB. Inside kernel/ only.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Unpacks the parts out of a source tarball into @dir. */
int parts_extract(const char *tarball, const char *dir, struct err *err);
/* True when all that tar says in @said is that this version of the kernel
 * doesn't have some of the parts. */
bool parts_only_absent(struct str said);

/*
 * The files of the parts in a tree as they are now, each ended by NUL, edits
 * and new files included. In a git checkout without what git ignores, which is
 * what builds leave behind.
 */
int parts_list(const char *tree, struct buf *ret, struct err *err);
/* Changes whenever a listed file does (name, size, time). */
uint64_t parts_stamp(const char *tree, struct str list);
/* Copies the listed files that are there into @dir, which exists. */
int parts_copy(const char *tree, struct str list, const char *dir, struct err *err);
