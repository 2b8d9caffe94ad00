/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tools: other people's programs (apt-get, tar, git), run to their end in the
 * C locale. Inside kernel/ only.
 */
#include "base/err.h"
#include "base/str.h"

/*
 * Runs @argv in @dir (NULL: here); standard output goes to @out unless NULL.
 * Returns 0, or an error that ends in the last thing the program said: its last
 * line on standard error that begins with "E: ", else the last line.
 */
int tool_run(const char *const *argv, const char *dir, struct buf *out, struct err *err);
/* As tool_run(); returns the exit code and what it said instead of judging. */
int tool_exit_code(const char *const *argv, const char *dir, struct buf *out,
		   struct buf *said, struct err *err);
/* The line of @said that an error should quote. */
struct str tool_complaint(struct str said);
