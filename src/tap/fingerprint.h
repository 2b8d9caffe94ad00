/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Fingerprint: two splats with the same one are the same bug, as far as their
 * texts tell. It is made of the kind, the title and the functions below the
 * place, of which it takes the first few that are sure, without those that
 * report and those that bring a system call in. So it is the same on another
 * boot, build or architecture: no address, offset, process, module, no suffix
 * of a compiler's copy.
 */
#include "tap/event.h"

#define FINGERPRINT_FRAMES 4
#define FINGERPRINT_SIZE   17 /* 16 hexadecimal digits and their end */

/* @skip: functions with one of these in their names say nothing; may be NULL. */
void fingerprint(struct str kind, struct str title, const struct event_frame *frames,
		 unsigned n, const char *skip, char ret[static FINGERPRINT_SIZE]);

/* Is one of the words of "a,b,c" in it? */
bool fingerprint_skips(struct str function, const char *words);
