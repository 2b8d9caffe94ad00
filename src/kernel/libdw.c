/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/libdw.h"

#include "base/mem.h"

#define FILE_NAME     "libdw.so.1"
#define PACKAGE       "libdw1"
#define LIBRARY_TABLE libdw

static const struct library_function FUNCTIONS[] = { LIBDW(LIBRARY_ROW) };

int libdw_open(struct libdw *dw, struct err *err)
{
	return library_open(&dw->library, FILE_NAME, PACKAGE, dw, FUNCTIONS,
			    ARRAY_SIZE(FUNCTIONS), err);
}
