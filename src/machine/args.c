/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/args.h"

#include <stdarg.h>
#include <stdio.h>

void machine_args_add(struct machine_args *a, const char *fmt, ...)
{
	va_list ap, again;
	char *to;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	a->over |= n < 0 || a->n == MACHINE_ARGS_MAX;
	if (!a->over) {
		to = arena_alloc(&a->arena, (size_t)n + 1);
		vsnprintf(to, (size_t)n + 1, fmt, again);
		a->v[a->n++] = to;
	}
	va_end(again);
	va_end(ap);
}

int machine_args_end(const struct machine_args *a, struct err *err)
{
	return a->over ? err_set(err, E2BIG, "its command line has more than %d arguments",
				 MACHINE_ARGS_MAX) : 0;
}

void machine_args_done(struct machine_args *a)
{
	arena_done(&a->arena);
}
