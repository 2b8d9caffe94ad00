/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "base/str.h"

/* Appends one word, quoted for a shell where it must be. */
void shell_word(struct buf *b, const char *word);
/* The words of a line that was made of them. NULL-ended; all of it the caller's. */
char **shell_split(struct str text, int *ret_n);
