/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Files: whole-file reads with a limit, writes that are all or nothing,
 * directories made and removed as trees. Paths are NUL-terminated; the
 * returned ones are the caller's to free.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

#define FILE_MAX_DEFAULT (16u << 20)

char *path_join(const char *a, const char *b); /* a NULL or "": b alone */
const char *path_base(const char *path);       /* after the last '/' */
char *path_dir(const char *path);              /* before it, "." without one */

bool file_exists(const char *path);
/* Reads at most @max bytes (0 = 16 MiB); a larger file is -EFBIG. Works on
 * /proc and /sys too, where sizes say 0. @b must be zeroed or cleared. */
int file_read(const char *path, size_t max, struct buf *b, struct err *err);
/* First line without its newline; caller frees. */
int file_read_line(const char *path, char **ret, struct err *err);
/* Writes to a temporary name beside it, syncs, renames over. */
int file_write(const char *path, struct str data, mode_t mode, struct err *err);
int file_write_all(int fd, const void *p, size_t n); /* 0 or -errno */

/*
 * Takes an exclusive flock(2) on @path, made when missing with its directory.
 * Returns 1 with the descriptor (closing it releases), or 0 when another
 * process holds it and @wait is false.
 */
int file_lock(const char *path, bool wait, int *ret_fd, struct err *err);

int dir_make(const char *path, struct err *err);     /* with parents; there = 0 */
/* Removes a tree. Never follows links, never crosses into another mount. */
int dir_remove(const char *path, struct err *err);
/* Calls @each with the path behind "<path>/" of every regular file below whose name ends
 * in @suffix, in the order of names, until it returns an error. Links are not followed.
 * -errno: the directory itself can't be read. */
int dir_files(const char *path, const char *suffix,
	      int (*each)(void *ctx, const char *below, struct err *err), void *ctx,
	      struct err *err);
/* A fresh directory "<parent>/<prefix>XXXXXX"; parent is made when missing. */
int dir_temp(const char *parent, const char *prefix, char **ret, struct err *err);
/* Bytes free for us on the file system of @path. */
int dir_free_space(const char *path, uint64_t *ret, struct err *err);
/* Closes on scope exit and removes the tree: for tests and work directories. */
void dir_removep(char **path);
