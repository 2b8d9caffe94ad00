/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Library: a shared library that is loaded when it is first needed. Some bring
 * twenty others along; whoever asks for a version or a help text shall not
 * wait for them (dlopen(3)). Who uses one has a table of its functions:
 *
 *   #define LIBX(F) F(x_open) F(x_close)
 *   struct libx {
 *           struct library library;
 *           LIBX(LIBRARY_POINTER)
 *   };
 *   static const struct library_function FUNCTIONS[] = { LIBX(LIBRARY_ROW) };
 *
 * where LIBRARY_ROW needs LIBRARY_TABLE defined as the struct's name.
 */
#include <stddef.h>

#include "base/err.h"

struct library {
	void *handle; /* NULL: not loaded */
};

struct library_function {
	const char *name;
	size_t offset; /* of the pointer in the table */
};

#define LIBRARY_POINTER(name) __typeof__(name) *name;
#define LIBRARY_ROW(name)     { #name, offsetof(struct LIBRARY_TABLE, name) },

/*
 * Loads @file ("libpq.so.5": with the version that its header was of) and fills
 * in the pointers of @table. -ENOENT without it, with Debian's name for the
 * @package in the sentence; -ENOSYS when it lacks a function. What was loaded
 * stays in memory until the program ends, whoever closes it.
 */
int library_open(struct library *l, const char *file, const char *package, void *table,
		 const struct library_function *functions, size_t n, struct err *err);
void library_close(struct library *l); /* zeroed is fine */
