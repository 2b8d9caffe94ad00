/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

static void set(struct err *err, int code, const char *fmt, va_list ap)
{
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (err)
		set(err, code, fmt, ap);
	va_end(ap);
	return -code;
}

int err_sys(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	if (err) {
		set(err, code, fmt, ap);
		n = strlen(err->text);
		snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(code));
	}
	va_end(ap);
	return -code;
}

int err_wrap(struct err *err, int r, const char *fmt, ...)
{
	char head[ERR_TEXT_MAX / 2];
	char tail[ERR_TEXT_MAX];
	va_list ap;

	if (!err)
		return r;
	va_start(ap, fmt);
	vsnprintf(head, sizeof(head), fmt, ap);
	va_end(ap);
	memcpy(tail, err->text, sizeof(tail));
	/* A long chain loses its end, never its beginning. */
	snprintf(err->text, sizeof(err->text), "%s: %.*s", head,
		 (int)(ERR_TEXT_MAX - strlen(head) - 3), tail);
	err->code = -r;
	return r;
}
