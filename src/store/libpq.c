/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/libpq.h"

#include "base/mem.h"

#define FILE_NAME     "libpq.so.5"
#define PACKAGE       "libpq5"
#define LIBRARY_TABLE libpq

static const struct library_function FUNCTIONS[] = { LIBPQ(LIBRARY_ROW) };

int libpq_open(struct libpq *pq, struct err *err)
{
	return library_open(&pq->library, FILE_NAME, PACKAGE, pq, FUNCTIONS,
			    ARRAY_SIZE(FUNCTIONS), err);
}
