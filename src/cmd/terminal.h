/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Terminal: ours, while it is a guest's. Raw means that every key is the
 * guest's, Ctrl-C and Ctrl-Z too.
 */
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct terminal {
	struct termios before;
	bool raw;
};

void terminal_raw(struct terminal *t);
void terminal_restore(struct terminal *t); /* as it was; also when it never changed */
/* 0 and 0 where it is not known. */
void terminal_size(unsigned *ret_rows, unsigned *ret_columns);

/* A key or a signal that means something else when it comes three times within
 * a second. Zero-initialise; .n = 0 begins anew. */
struct times {
	unsigned n;
	int64_t first_ms;
};

bool times_enough(struct times *t); /* it came once more */

bool signal_is_ignored(int number); /* as whoever started us wanted it */
