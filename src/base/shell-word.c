/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/shell-word.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

char **shell_split(struct str text, int *ret_n)
{
	_cleanup_(buf_done) struct buf word = {};
	char **v = NULL;
	size_t n = 0, cap = 0;
	bool any = false, quoted = false;

	for (size_t i = 0; i <= text.n; i++) {
		char c = i < text.n ? text.p[i] : ' ';

		if (i < text.n && c == '\'') {
			quoted = !quoted;
			any = true;
		} else if (i < text.n && (quoted || (c != ' ' && c != '\\'))) {
			buf_add(&word, &c, 1);
			any = true;
		} else if (c == '\\' && i + 1 < text.n) {
			buf_add(&word, &text.p[++i], 1);
			any = true;
		} else if (any) {
			ARRAY_GROW(v, n, cap);
			v[n++] = xstrndup(word.p ? word.p : "", word.n);
			buf_clear(&word);
			any = false;
		}
	}
	ARRAY_GROW(v, n, cap);
	v[n] = NULL;
	*ret_n = (int)n;
	return v;
}
