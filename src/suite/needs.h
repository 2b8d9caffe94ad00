/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Needs: which words of a test's script stand for which option of the kernel and
 * which program, and what a test without it does. Inside suite/ only.
 *
 * From the scripts of tools/testing/selftests/net and its directories, and what
 * they did on kernels and hosts that lacked the one or the other.
 */
#include "suite/preflight.h"

struct need_option {
	const char *name;  /* without CONFIG_ */
	const char *words; /* any of them, parted by blanks; NULL: no word tells */
	enum preflight_effect effect;
	const char *what;
};

struct need_program {
	const char *name, *package;
	const char *version; /* the argument that makes it tell; NULL: it can't */
};

#define NEEDS_MAX 64 /* rows of a table */

/* Ended by a row without a name. */
extern const struct need_option NEED_OPTIONS[];
extern const struct need_program NEED_PROGRAMS[];
