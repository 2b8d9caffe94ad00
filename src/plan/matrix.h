/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Matrix: what of the keys `run` and `trees` their schema can't say. Inside plan/ only.
 */
#include "plan/plan.h"

/* @text: the configuration's; errors have a line and a column of it. Fills in numbers. */
int matrix_check(struct plan *p, struct str text, const char *path, struct err *err);
