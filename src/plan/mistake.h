/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Mistakes. libcyaml tells them as log lines: what, then a backtrace whose
 * first "(line: L, column: C)" is the innermost value. Inside plan/ only.
 */
#include <cyaml/cyaml.h>
#include <stdarg.h>

#include "base/err.h"
#include "base/str.h"

struct mistake {
	char what[160];
	unsigned long line, column;
	bool traced;
};

/* A cyaml_log_fn_t; @mistake: a struct mistake, zeroed before the first. */
__attribute__((format(printf, 3, 0)))
void mistake_on_log(cyaml_log_t level, void *mistake, const char *fmt, va_list args);
/* Says it in our words, with its place in @text. */
int mistake_tell(const char *path, struct str text, struct mistake *m, struct err *err);
/* What YAML itself refuses, with the exact place (which libcyaml doesn't tell),
 * and what no configuration needs: deep nesting, aliases. */
int mistake_check_syntax(const char *path, struct str text, struct err *err);
