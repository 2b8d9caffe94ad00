/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/libkmod.h"

#include "base/mem.h"

#define FILE_NAME     "libkmod.so.2"
#define PACKAGE       "libkmod2"
#define LIBRARY_TABLE libkmod

static const struct library_function FUNCTIONS[] = { LIBKMOD(LIBRARY_ROW) };

int libkmod_open(struct libkmod *k, struct err *err)
{
	return library_open(&k->library, FILE_NAME, PACKAGE, k, FUNCTIONS,
			    ARRAY_SIZE(FUNCTIONS), err);
}
