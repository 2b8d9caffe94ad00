/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What life.c and life-end.c share. */
#include "machine/life.h"

/* The last word; the first caller is right about the reason. died() is told later. */
__attribute__((format(printf, 3, 4)))
void life_die(struct machine *m, enum machine_death how, const char *fmt, ...);
/* What is known of it now, judged. @status: of its process; -1: it runs. */
enum machine_death life_verdict(struct machine *m, int status, struct buf *why);
/* Did not become ready: once more, unless it is known that it can't. */
void life_boot_failed(struct machine *m, enum machine_death death, const char *how);
