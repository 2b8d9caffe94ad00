/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Console: finds kernel trouble in a console stream. Bytes in, EVENT_SPLAT
 * out, one per splat, when its last line was seen. Any split of the input gives
 * the same events; memory is bounded. Events carry no job or program: whoever
 * runs the machine knows those.
 *
 * A splat goes from its headline (or the "cut here" before it) to "---[ end
 * trace", to a silence of the kernel, to the next splat, or to a limit. Once a
 * line with printk's time stamp was seen, headlines need one: a script that
 * prints "WARNING: ..." is none.
 */
#include "tap/event.h"

#define CONSOLE_SPLAT_MAX 65536 /* bytes of one splat's text that are kept */
#define CONSOLE_LINES_MAX 400   /* lines of one splat */
#define CONSOLE_TITLE_MAX 200   /* bytes of a headline that are looked at */

struct console;

struct console *console_new(struct event_sink sink);
void console_feed(struct console *c, const char *bytes, size_t n);
void console_end(struct console *c); /* no more bytes: what is open is told */
struct console *console_free(struct console *c);
