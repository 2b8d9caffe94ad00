/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/shell-word.h"

#include <string.h>

void shell_word(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./=:,@%+";

	if (word[0] && !word[strspn(word, plain)]) {
		buf_printf(b, "%s", word);
		return;
	}
	buf_printf(b, "'");
	for (const char *c = word; *c; c++) {
		if (*c == '\'')
			buf_printf(b, "'\\''");
		else
			buf_add(b, c, 1);
	}
	buf_printf(b, "'");
}
