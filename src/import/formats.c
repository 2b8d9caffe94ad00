/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "import/import.h"

const struct import_format *const IMPORT_FORMATS[] = {
	&import_mptcp_results, &import_tap,   &import_junit,
	&import_nipa,          &import_kcidb, &import_testclutch,
	&import_events,         &import_json,
	NULL,
};

const struct import_format *import_format_find(const char *name, struct err *err)
{
	char names[256] = "";
	size_t n = 0;

	for (const struct import_format *const *f = IMPORT_FORMATS; *f; f++) {
		if (str_eq(str_of(name), str_of((*f)->name)))
			return *f;
		if (n < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
					      n ? f[1] ? ", " : " or " : "", (*f)->name);
	}
	err_set(err, EINVAL, "no format '%s' to import: it is %s", name, names);
	return NULL;
}

void import_damaged(struct import *im, const char *file, const char *why, const char *where, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, where);
	vsnprintf(text, sizeof(text), where, ap);
	va_end(ap);
	im->counts.damaged++;
	im->damaged(im->ctx, file, text, why);
}
