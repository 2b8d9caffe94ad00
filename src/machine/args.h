/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Args: a command line being written, of a VMM or a kernel. What doesn't fit is
 * told at the end, not left away.
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "machine/kind.h"

#define MACHINE_ARGS_MAX (MACHINE_APPEND_MAX + 96)

struct machine_args {
	struct arena arena; /* other strings of the same boot may lie in it */
	const char *v[MACHINE_ARGS_MAX + 1]; /* NULL-ended */
	unsigned n;
	bool over;
};

void machine_args_add(struct machine_args *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* 0, or -E2BIG when there were more than MACHINE_ARGS_MAX. */
int machine_args_end(const struct machine_args *a, struct err *err);
void machine_args_done(struct machine_args *a);
