/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "plan/plan.h"

/* The modes of a configuration make sense, one by one and on top of each other. */
int modes_check(const struct plan *p, struct str text, const char *path, struct err *err);
