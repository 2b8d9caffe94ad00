/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Log: what the program says about its own work, not about results. cmd/ owns
 * the sink (standard error, above the progress line); rooms are handed a
 * `struct log *` and never print. A NULL log is silent.
 */
#include "base/str.h"

enum log_level {
	LOG_WARN,  /* always shown: the user should know or do something */
	LOG_INFO,  /* not with -q: what is being done */
	LOG_DEBUG, /* with -v: how and why */
};

struct log {
	enum log_level level; /* highest that is shown */
	void (*line)(void *ctx, enum log_level level, struct str text);
	void *ctx;
};

void log_say(const struct log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_warn(log, ...)  log_say((log), LOG_WARN, __VA_ARGS__)
#define log_info(log, ...)  log_say((log), LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_say((log), LOG_DEBUG, __VA_ARGS__)
