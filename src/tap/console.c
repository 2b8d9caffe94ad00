/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/console.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tap/lex.h"
#include "tap/lines.h"
#include "tap/splat.h"

#define SILENCE_US    1000000 /* of the kernel: a splat without an end is over */
#define CUT_REACH     4       /* lines from "cut here" to its headline */
#define FRAMES_MAX    4       /* functions that tell one splat from another */
#define FRAME_MAX     64

struct console {
	struct event_sink sink;
	struct lines lines;
	char clean[TAP_LINE_MAX];
	uint64_t line;
	bool stamped;                  /* lines with a time stamp were seen */
	unsigned program;              /* runs now */
	unsigned line_program;         /* ran when the line began */

	uint64_t cut_line;             /* of the last "cut here"; 0: none */
	unsigned cut_program;
	const struct splat_kind *kind; /* of the open splat; NULL: none */
	unsigned began_in;             /* program */
	uint64_t first, last;          /* its lines */
	int64_t last_us;
	char headline[CONSOLE_TITLE_MAX];
	size_t headline_n;
	char frames[FRAMES_MAX][FRAME_MAX];
	unsigned n_frames;
	bool in_trace;
	struct buf text, title;
};

struct console *console_new(struct event_sink sink)
{
	struct console *c = xcalloc(1, sizeof(*c));

	c->sink = sink;
	c->text.max = CONSOLE_SPLAT_MAX;
	return c;
}

struct console *console_free(struct console *c)
{
	if (c) {
		buf_done(&c->text);
		buf_done(&c->title);
		free(c);
	}
	return NULL;
}

static uint64_t hash(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++) /* FNV-1a, 64 bits */
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return (h ^ 0xff) * 0x100000001b3u;
}

static void splat_end(struct console *c)
{
	struct str headline = str_n(c->headline, c->headline_n);
	struct event_splat s = { .kind = str_of(c->kind ? c->kind->kind : NULL), .pid = -1, .cpu = -1 };
	struct event ev = { .type = EVENT_SPLAT, .program = c->began_in };
	uint64_t h = 0xcbf29ce484222325u;
	char fingerprint[17];

	if (!c->kind)
		return;
	buf_clear(&c->title);
	splat_title(&c->title, c->kind, headline,
		    c->n_frames ? str_of(c->frames[0]) : STR(""));
	h = hash(hash(h, s.kind), buf_str(&c->title));
	for (unsigned i = 0; i < c->n_frames; i++)
		h = hash(h, str_of(c->frames[i]));
	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, h);
	s.title = buf_str(&c->title);
	s.text = buf_str(&c->text);
	s.fingerprint = str_of(fingerprint);
	s.line = c->first;
	s.lines = c->last - c->first + 1;
	ev.splat = &s;
	c->kind = NULL;
	event_emit(&c->sink, &ev);
}

static void add_text(struct console *c, struct str line)
{
	if (buf_add_str(&c->text, line) == 0)
		buf_add(&c->text, "\n", 1);
	c->last = c->line;
}

/* Functions of the trace, without those that report and those that are only
 * found on the stack ("? foo"). */
static void add_frame(struct console *c, struct str line)
{
	struct str f;

	if (str_starts(line, STR("Call Trace")))
		c->in_trace = true;
	if (!c->in_trace && !str_starts(line, STR("RIP: 0010:")) &&
	    !str_starts(line, STR("pc : ")))
		return;
	if (str_starts(line, STR("RIP: 0033:")) || str_find(line, STR("? ")) >= 0)
		return;
	f = splat_function(line);
	if (!f.n || f.n >= FRAME_MAX || c->n_frames == FRAMES_MAX || splat_is_reporter(f))
		return;
	if (c->n_frames && str_eq(f, str_of(c->frames[c->n_frames - 1])))
		return;
	memcpy(c->frames[c->n_frames], f.p, f.n);
	c->frames[c->n_frames++][f.n] = '\0';
}

static void splat_begin(struct console *c, const struct splat_kind *kind, struct str line,
			struct str whole)
{
	bool cut = c->cut_line && c->line - c->cut_line <= CUT_REACH;

	splat_end(c);
	c->kind = kind;
	c->first = cut ? c->cut_line : c->line;
	c->began_in = cut ? c->cut_program : c->line_program;
	c->cut_line = 0;
	c->headline_n = line.n < CONSOLE_TITLE_MAX ? line.n : CONSOLE_TITLE_MAX;
	memcpy(c->headline, line.p, c->headline_n);
	c->n_frames = 0;
	c->in_trace = false;
	buf_clear(&c->text);
	add_text(c, whole);
}

/* Microseconds since boot of printk's prefix; -1: none in it. */
static int64_t stamp_us(struct str prefix)
{
	int64_t us = 0;
	bool any = false;

	for (size_t i = 0; i < prefix.n && prefix.p[i] != ']'; i++) {
		char d = prefix.p[i];

		if (d == '[')
			us = 0;
		if (d == '.')
			any = true;
		if (d >= '0' && d <= '9' && us < INT64_MAX / 16)
			us = us * 10 + (d - '0');
	}
	return any ? us : -1;
}

/* Does @kind only say again what the open splat is about? "Oops: invalid
 * opcode" follows "kernel BUG at", a panic follows UML's "BUG: failure at". */
static bool goes_on(const struct console *c, const struct splat_kind *kind)
{
	return c->kind && !c->in_trace && c->line - c->first <= 8 && kind != c->kind;
}

/* Without printk's time stamps a script's words look like the kernel's. */
static bool is_sure(const struct console *c, const struct splat_kind *kind, struct str line)
{
	return c->cut_line || splat_function(line).n || strcmp(kind->kind, "panic") == 0;
}

static void on_message(struct console *c, struct str line, struct str whole, int64_t us)
{
	const struct splat_kind *kind;

	if (str_starts(line, STR("------------[ cut here ]"))) {
		splat_end(c);
		c->cut_line = c->line;
		c->cut_program = c->line_program;
		return;
	}
	if (c->kind && us >= 0 && c->last_us >= 0 && us - c->last_us > SILENCE_US)
		splat_end(c);
	c->last_us = us;
	kind = splat_headline(line);
	if (kind && us < 0 && !is_sure(c, kind, line))
		kind = NULL;
	if (kind && !goes_on(c, kind)) {
		splat_begin(c, kind, line, whole);
		return;
	}
	if (!c->kind)
		return;
	add_text(c, whole);
	add_frame(c, line);
	if (str_starts(line, STR("---[ end trace")) ||
	    (c->kind->last.n && str_find(line, c->kind->last) >= 0) ||
	    c->line - c->first >= CONSOLE_LINES_MAX)
		splat_end(c);
}

static void find_splat(struct console *c, struct str raw)
{
	struct str line, message;
	size_t prefix;

	if (!raw.n || (!c->kind && !SPLAT_FIRST[(unsigned char)raw.p[0]]))
		return;
	line = lex_clean(raw, c->clean);
	prefix = lex_printk(line);
	c->stamped |= prefix != 0;
	if (c->stamped && !prefix)
		return; /* not the kernel's */
	message = str_from(line, prefix);
	on_message(c, message, line, stamp_us(str_n(line.p, prefix)));
}

static void on_line(void *ctx, struct str raw, bool too_long)
{
	struct console *c = ctx;

	c->line++;
	find_splat(c, raw);
	c->line_program = c->program;
}

void console_program(struct console *c, unsigned program)
{
	c->program = program;
	if (!c->lines.open)
		c->line_program = program;
}

void console_feed(struct console *c, const char *bytes, size_t n)
{
	lines_feed(&c->lines, bytes, n, on_line, c);
}

void console_end(struct console *c)
{
	lines_end(&c->lines, on_line, c);
	splat_end(c);
}
