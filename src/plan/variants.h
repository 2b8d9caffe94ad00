/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Inside plan/ only: variants of kselftests, as they are read. */
#include "plan/plan.h"

/* -EINVAL with what is wrong; @at: "file:line:column" of the list. */
int variants_check(const struct plan_suite *s, const char *at, struct err *err);
