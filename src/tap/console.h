/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Console: finds kernel trouble in a console stream. Bytes in, EVENT_SPLAT
 * out, one per splat, when its last line was seen. Any split of the input gives
 * the same events; memory is bounded. Events carry no job or program: whoever
 * runs the machine knows those.
 */
#include "tap/event.h"

#define CONSOLE_SPLAT_MAX 65536 /* bytes of one splat's text that are kept */

struct console;

struct console *console_new(struct event_sink sink);
void console_feed(struct console *c, const char *bytes, size_t n);
void console_end(struct console *c); /* no more bytes: what is open is told */
struct console *console_free(struct console *c);
