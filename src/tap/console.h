/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Console: finds kernel trouble in a console stream. Bytes in, EVENT_SPLAT
 * out, one per splat, when its last line was seen. Any split of the input gives
 * the same events; memory is bounded, nothing is allocated per line. Events
 * carry no job: whoever runs the machine knows it.
 *
 *	scan     the bytes that may belong to a splat, at memory's speed
 *	printk   time and speaker of a line
 *	splat    headlines, titles: one row per text of the kernel
 *	gather   one splat from its first to its last line
 *	trace, place, fingerprint   what it says
 *
 * A splat goes from its headline (or the line before it: "cut here") to its end
 * marker, to a silence of the kernel, to the next splat of the same speaker, or
 * to a limit. Speakers are tasks and CPUs (CONFIG_PRINTK_CALLER); where the log
 * does not tell them there is one. A panic that a splat brings about is its end,
 * not another splat. Once a line with printk's prefix was seen, headlines need
 * one: a script that prints "WARNING: ..." is none.
 *
 * Most splats have no last line that can be known, so they are told late, maybe
 * when another program runs. Each carries the program in which it began.
 *
 * Limits: GATHER_TEXT_MAX bytes and GATHER_LINES_MAX lines of one splat, 4 at a
 * time, TAP_LINE_MAX bytes of a line.
 */
#include "tap/event.h"

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
