/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Life: from the first boot to died(), the same for every kind. Nothing here
 * calls died() from within another callback: it is told by a timer of its own,
 * after what the machine still had to say was read.
 */
#include "machine/kind.h"

int life_begin(struct machine *m, struct err *err);
/* Ends processes, closes, removes; tells nobody. Also what never began. */
void life_end(struct machine *m);
