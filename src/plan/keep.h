/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Keep: what of the rules of `keep` their schema can't say.
 */
#include "plan/plan.h"

/* @text: the configuration's; errors have a line and a column of it. Fills in ages. */
int keep_check(struct plan *p, struct str text, const char *path, struct err *err);
