/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Expected output in files. With UPDATE_GOLDEN=1 in the environment they are
 * written instead of compared.
 */
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "tap.h"

static inline bool golden_update(void)
{
	const char *v = getenv("UPDATE_GOLDEN");

	return v && v[0] && v[0] != '0';
}

static inline size_t golden_line_end(struct str s)
{
	const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;

	return end ? (size_t)(end - s.p) : s.n;
}

/* Shows the first line that differs. */
static inline void golden_diff(struct str got, struct str want)
{
	unsigned line = 1;

	while (got.n && want.n) {
		size_t g = golden_line_end(got), w = golden_line_end(want);

		if (!str_eq(str_n(got.p, g), str_n(want.p, w)))
			break;
		got = str_from(got, g + (g < got.n));
		want = str_from(want, w + (w < want.n));
		line++;
	}
	printf("# line %u\n#  got: %.*s\n# want: %.*s\n", line, (int)golden_line_end(got),
	       got.p ? got.p : "", (int)golden_line_end(want), want.p ? want.p : "");
}

/* Compares @got with the file at @path, or writes it there. */
static inline void golden_check(struct tap *t, struct str got, const char *path,
				const char *name)
{
	struct buf want = {};
	struct err err = {};
	bool same;

	if (golden_update()) {
		ok(t, file_write(path, got, 0644, &err) == 0, "updated: %s", name);
		return;
	}
	if (file_read(path, 0, &want, &err) < 0) {
		ok(t, false, "%s: %s", name, err.text);
		return;
	}
	same = str_eq(got, buf_str(&want));
	ok(t, same, "%s", name);
	if (!same)
		golden_diff(got, buf_str(&want));
	buf_done(&want);
}
