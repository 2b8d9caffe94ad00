/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Splats of a run, on its page: each kind once, with how often it came. A kernel that
 * leaks, or warns, does so hundreds of times, and what else it said must not go under.
 */
#include "web/pages.h"

int run_splats(struct web_html *h, int64_t run, struct err *err);
