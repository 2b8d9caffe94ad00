/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/libcurl.h"

#include "base/mem.h"

#define PACKAGE       "libcurl4"
#define LIBRARY_TABLE libcurl

static const struct library_function FUNCTIONS[] = { LIBCURL(LIBRARY_ROW) };

int libcurl_open(struct libcurl *c, struct err *err)
{
	static const char *const files[] = { "libcurl-gnutls.so.4", "libcurl.so.4" };
	int r = -ENOENT;

	for (size_t i = 0; r < 0 && i < ARRAY_SIZE(files); i++)
		r = library_open(&c->library, files[i], PACKAGE, c, FUNCTIONS,
				 ARRAY_SIZE(FUNCTIONS), err);
	return r;
}
