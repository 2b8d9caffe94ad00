/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Published: histories of which only the failures are known. The MPTCP CI has
 * published nothing else: a test that isn't named in a run passed, or did not
 * run; which of the two can't be told (taproom-import(1)).
 *
 * For rates and change points it is taken to have held in every run of its suite
 * that came to its end. So its rate is at least what is told, and is told as
 * that; a cell of it is never a pass, and that it comes or goes means nothing.
 */
#include "base/mem.h"
#include "judge/judge.h"

/* Sets what a lane says of itself: its series are there. @machine: who ran it. */
void published_mark(struct judge_lane *l, struct str machine);
/* Of lanes that are marked: presence from the suite's runs. All lanes are there. */
void published_hold(struct arena *arena, struct judge_axis *a);
