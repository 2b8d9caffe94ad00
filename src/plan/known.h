/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "plan/plan.h"

/* The rules of `known` make sense. @text: of the configuration, for the place of
 * a mistake. */
int known_check(const struct plan *p, struct str text, const char *path, struct err *err);
