/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Place: where and to whom a splat happened: task, CPU, taint, and the function
 * that names it, by syzkaller's rules (pkg/report/linux.go). Only tap/gather.c
 * uses it.
 */
#include "tap/gather.h"

/* What a line of the splat tells. */
void place_facts(struct gather *g, struct str line);
/* The function that the headline names, if it does. */
void place_in_headline(struct gather *g, struct str line);
/* The function of the title; empty: none is known. */
struct str place_find(const struct gather *g);
