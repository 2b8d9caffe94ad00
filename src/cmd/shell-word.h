/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "base/str.h"

/* Appends one word, quoted for a shell where it must be. */
void shell_word(struct buf *b, const char *word);
