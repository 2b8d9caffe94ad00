/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Printk: what the kernel's log puts before a message (kernel/printk/printk.c,
 * info_print_prefix(), as of 6.12), and what others put before that:
 *
 *	[   12.345678] message          CONFIG_PRINTK_TIME
 *	[   12.345678][  T123] message  and CONFIG_PRINTK_CALLER: a task
 *	[    C1] message                a CPU, in an interrupt; without times
 *	<4>[   12.345678] message       as /dev/kmsg and some consoles say it
 *	Jan 31 09:05:07 host kernel: [   12.345678] message
 *	[Sat Jan 31 09:05:07 2026] message          dmesg -T
 *	10:11:12 [   12.345678] message             a logger's clock
 */
#include <stdbool.h>

#include "base/str.h"

struct printk {
	size_t at;      /* where the kernel's own prefix begins */
	size_t n;       /* where the message begins; 0: no prefix */
	int64_t us;     /* since boot; -1: not told */
	int64_t caller; /* number of the task, or CPU + PRINTK_CPU; -1: not told */
};

#define PRINTK_CPU (INT64_C(1) << 32)

/* At the beginning of a line. */
struct printk printk_prefix(struct str line);
/*
 * Behind what a program wrote without ending its line: there printk goes on in
 * the middle. Not behind comment marks alone, as a test quotes the log.
 */
struct printk printk_embedded(struct str line);
