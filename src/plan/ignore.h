/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The rules of `ignore`, checked: only plan/load.c uses it. */
#include "plan/plan.h"

/* @text: the configuration, for line and column. -EINVAL with a sentence. */
int ignore_check(const struct plan *p, struct str text, const char *path, struct err *err);
