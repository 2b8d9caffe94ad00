/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/session-boot.h"

#include <stdio.h>

#include "base/units.h"

#define DRAW_MS 1000

static void clear(struct boot_line *b)
{
	if (b->drawn)
		fprintf(stderr, "\r\033[K");
	b->drawn = false;
}

static void on_timer(void *ctx)
{
	struct boot_line *b = ctx;
	char text[UNIT_TEXT_MAX];

	clear(b);
	fprintf(stderr, "booting, %s", duration_clock(clock_mono_ms() - b->begin_ms, text));
	b->drawn = true;
	loop_timer_set(b->timer, DRAW_MS);
}

/* The next second draws it again. */
static void on_line(void *ctx, enum log_level level, struct str text)
{
	struct boot_line *b = ctx;

	clear(b);
	b->log->line(b->log->ctx, level, text);
}

void boot_line_begin(struct boot_line *b, struct loop *loop, bool terminal, const struct log *log,
		     struct log *ret_log)
{
	*b = (struct boot_line){ .log = log, .begin_ms = clock_mono_ms() };
	if (!terminal || log->level != LOG_INFO)
		return;
	*ret_log = (struct log){ log->level, on_line, b };
	b->timer = loop_timer(loop, on_timer, b);
	loop_timer_set(b->timer, DRAW_MS);
}

void boot_line_end(struct boot_line *b)
{
	b->timer = loop_unwatch(b->timer);
	clear(b);
}
