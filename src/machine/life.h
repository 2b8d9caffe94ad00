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
/* It says @bytes on its console. */
void life_console(struct machine *m, struct str bytes);
void life_listen(struct machine *m); /* what it has said there, now */
