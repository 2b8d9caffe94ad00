/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The configuration's `ignore` rules, ready to stand before a sink. */
#include "base/log.h"
#include "plan/plan.h"
#include "tap/excuse.h"

/* Those that hold today; @log is told of each that holds no more. *ret is NULL
 * where there is none. @plan must outlive it. */
int ignore_make(const struct plan *plan, const struct log *log, struct excuses **ret,
		struct err *err);
/* After a stream: warns of patterns that were given up. */
void ignore_warn(struct excuses *e, const struct log *log);
