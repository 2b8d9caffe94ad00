/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Coverage: what a kernel counted (kernel/counters.h), made readable by lcov: a
 * tracefile, of which several become one, totals, and pages (geninfo(1), "FILES").
 */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What machines gave, as text: a line ":<path>.gcda", then the file in base64, for
 * each file. It comes from guests: only what @counters, struct kernel's, has notes of is
 * taken, and a path decides nothing. Writes the tracefile @to, with @work, an empty
 * directory, for files on the way. -ENOENT: lcov is missing; -ENODATA: there is no
 * count in it.
 */
int coverage_capture(const char *counters, const char *const *files, size_t n, const char *work,
		     const char *to, struct err *err);
/* Several tracefiles as one. */
int coverage_merge(const char *const *files, size_t n, const char *to, struct err *err);

struct coverage_part {
	uint64_t found, hit;
};
struct coverage {
	struct coverage_part lines, functions, branches;
};
int coverage_read(const char *file, struct coverage *ret, struct err *err);

/* Pages about the tracefile, in @dir; index.html is the first. */
int coverage_pages(const char *file, const char *title, const char *dir, struct err *err);
