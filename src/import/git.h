/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Git: every content that the files of a repository ever had, oldest first, by
 * the git command. What a repository's own configuration may start is turned
 * off; nothing is fetched.
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Is there a repository at @path itself: a checkout or a bare one? */
bool git_is_repository(const char *path);

/* @done of @all contents. Non-zero ends it. */
typedef int (*git_content_fn)(void *ctx, struct str path, struct str content, uint64_t done,
			      uint64_t all, struct err *err);
/* Files whose name ends with @suffix, in the first-parent and all other commits
 * of HEAD. One over @max bytes has no .p. */
int git_past(const char *path, struct str suffix, size_t max, git_content_fn fn, void *ctx,
	     struct err *err);
