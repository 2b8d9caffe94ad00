/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Unpack: what a run's events carry beside words, its logs and artefacts, in pieces
 * of base64. They become files of ours below a directory of their own, whose names
 * the sender can't choose, until the run is recorded.
 */
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define UNPACK_MAX (1ull << 30) /* bytes of all files of a run */

struct unpack_dir {
	const char *scratch; /* NULL: pieces are read, none is written */
	char *dir;           /* below it, of this run */
	uint64_t bytes;
	struct buf piece;
};

struct unpack_file {
	char *path;          /* NULL: none */
	int fd;              /* -1 then */
};

/* One more piece. @name: below the directory, one of each. Returns why it can't be, of
 * the line that it stood in; or NULL, and *ret: 0 or an error that ends it all. */
const char *unpack_add(struct unpack_dir *dir, struct unpack_file *f, const char *name,
		       struct str base64, struct err *err, int *ret);
void unpack_file_done(struct unpack_file *f); /* closed; the file stays */
void unpack_dir_done(struct unpack_dir *dir); /* and all of them are gone */
