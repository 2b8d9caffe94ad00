/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Console: finds kernel trouble in a console stream. Bytes in, EVENT_SPLAT
 * out, one per splat, when its last line was seen. Any split of the input gives
 * the same events; memory is bounded. Events carry no job: whoever runs the
 * machine knows it.
 *
 * A splat goes from its headline (or the "cut here" before it) to "---[ end
 * trace", to a silence of the kernel, to the next splat, or to a limit. Once a
 * line with printk's time stamp was seen, headlines need one: a script that
 * prints "WARNING: ..." is none.
 *
 * Most splats have no last line that can be known, so they are told late, maybe
 * when another program runs. Each carries the program in which it began.
 */
#include "tap/event.h"

#define CONSOLE_SPLAT_MAX 65536 /* bytes of one splat's text that are kept */
#define CONSOLE_LINES_MAX 400   /* lines of one splat */
#define CONSOLE_TITLE_MAX 200   /* bytes of a headline that are looked at */

struct console;

struct console *console_new(struct event_sink sink);
/*
 * From the next line on splats begin in @program; 0, as at first: in none. A
 * line that has begun, and a splat that is open, stay with the one before.
 */
void console_program(struct console *c, unsigned program);
void console_feed(struct console *c, const char *bytes, size_t n);
void console_end(struct console *c); /* no more bytes: what is open is told */
struct console *console_free(struct console *c);
