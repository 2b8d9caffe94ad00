/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <stdio.h>

void log_say(const struct log *log, enum log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	if (!log || level > log->level)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	log->line(log->ctx, level, str_n(text, (size_t)n));
}
