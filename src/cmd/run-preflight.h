/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tells what the chosen tests want and will not find, and what mends it; marks
 * those whose pass would prove little.
 */
#include "cmd/run-plan.h"

int run_preflight(const struct plan *plan, struct run_part *part, const struct log *log,
		  struct err *err);
