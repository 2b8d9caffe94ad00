/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/console.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tap/gather.h"
#include "tap/lex.h"
#include "tap/scan.h"

#define OPEN_MAX 4 /* splats of several speakers at a time */

struct console {
	struct event_sink sink;
	char hold[TAP_LINE_MAX]; /* of a line whose end is not there yet */
	size_t n_hold;
	bool has_hold;
	char clean[TAP_LINE_MAX];
	uint64_t line;           /* lines that are over */
	bool stamped;            /* lines with printk's prefix were seen */
	unsigned program;        /* runs now */
	unsigned line_program;   /* ran when the line began */
	unsigned n_open;         /* of the following, not free */
	struct gather open[OPEN_MAX];
};

struct console *console_new(struct event_sink sink)
{
	struct console *c = xcalloc(1, sizeof(*c));

	c->sink = sink;
	return c;
}

struct console *console_free(struct console *c)
{
	if (c) {
		for (unsigned i = 0; i < OPEN_MAX; i++)
			gather_done(&c->open[i]);
		free(c);
	}
	return NULL;
}

static void end(struct console *c, struct gather *g)
{
	if (g->stage == GATHER_FREE)
		return;
	c->n_open--;
	gather_end(g, &c->sink);
}

/* The first that began, so that splats are told in their order. */
static struct gather *oldest(struct console *c)
{
	struct gather *old = NULL;

	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (c->open[i].stage != GATHER_FREE && (!old || c->open[i].first < old->first))
			old = &c->open[i];
	return old;
}

static struct gather *speaker(struct console *c, const struct gather_line *l)
{
	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (gather_hears(&c->open[i], l))
			return &c->open[i];
	return NULL;
}

static struct gather *room(struct console *c)
{
	if (c->n_open == OPEN_MAX)
		end(c, oldest(c));
	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (c->open[i].stage == GATHER_FREE) {
			c->n_open++;
			return &c->open[i];
		}
	abort();
}

static void end_silent(struct console *c, int64_t us)
{
	for (unsigned i = 0; i < OPEN_MAX; i++)
		if (c->open[i].stage != GATHER_FREE && gather_is_silent(&c->open[i], us))
			end(c, &c->open[i]);
}

/* Without printk's prefix a script's words may look like the kernel's. */
static bool is_sure(const struct console *c, const struct splat_kind *kind,
		    const struct gather_line *l, const struct gather *g)
{
	struct event_frame f;

	if (l->printk.n || kind->flags & SPLAT_BARE)
		return true;
	if (c->stamped)
		return false;
	return !(kind->flags & SPLAT_WEAK) || trace_find(l->message, &f) ||
	       (g && g->stage == GATHER_PRELUDE && g->prelude->sure);
}

static void on_headline(struct console *c, struct gather *g, const struct splat_kind *kind,
			const struct gather_line *l)
{
	if (g && g->stage == GATHER_PRELUDE) {
		gather_begin(g, kind, l);
		return;
	}
	if (g && gather_includes(g, kind, l) && gather_add(g, l))
		return;
	if (g)
		end(c, g);
	gather_begin(room(c), kind, l);
}

static void on_prelude(struct console *c, struct gather *g, const struct splat_prelude *p,
		       const struct gather_line *l)
{
	/* Some end with what others begin with. */
	bool own = g && g->stage == GATHER_BODY &&
		   (!p->sure || (g->in_trace == TRACE_NONE && g->kind->flags & SPLAT_BEFORE_CUT));

	if (own && gather_add(g, l))
		return;
	if (g)
		end(c, g);
	gather_prelude(room(c), p, l);
}

static void on_message(struct console *c, const struct gather_line *l)
{
	const struct splat_prelude *prelude = splat_prelude(l->message);
	const struct splat_kind *kind = splat_headline(l->message);
	struct gather *g;

	if (c->n_open && l->printk.us >= 0)
		end_silent(c, l->printk.us);
	g = speaker(c, l);
	if (kind && !is_sure(c, kind, l, g))
		kind = NULL;
	if (kind)
		on_headline(c, g, kind, l);
	else if (prelude && (l->printk.n || !c->stamped))
		on_prelude(c, g, prelude, l);
	else if (g && !gather_add(g, l))
		end(c, g);
}

/* A line that is looked at. */
static void on_line(struct console *c, struct str raw)
{
	struct gather_line l = {
		.whole = lex_clean(raw, c->clean),
		.number = c->line + 1,
		.program = c->line_program,
	};

	l.printk = printk_prefix(l.whole);
	c->stamped |= l.printk.n != 0;
	if (!l.printk.n)
		l.printk = printk_embedded(l.whole);
	l.message = str_from(l.whole, l.printk.n);
	if (str_starts(l.message, STR("kmemleak:  "))) /* one object, told on the console */
		l.message = str_from(l.message, strlen("kmemleak: "));
	l.whole = str_from(l.whole, l.printk.at);
	on_message(c, &l);
}

/* Must each line be looked at? */
static bool is_alert(const struct console *c)
{
	return c->n_open > 0;
}

static struct str bounded(const char *p, const char *line_end)
{
	size_t n = (size_t)(line_end - p);

	return str_n(p, n < TAP_LINE_MAX ? n : TAP_LINE_MAX);
}

static bool is_suspicious(struct str line)
{
	uint64_t newlines = 0;

	return scan_find(line.p, line.p + line.n, &newlines) < line.p + line.n;
}

/* Has a line that is not looked at the kernel's prefix? Each has a '[', or begins
 * with '<'. From the first one on what has none is a program's. */
static bool is_stamped(struct console *c, struct str line)
{
	if (!line.n || (line.p[0] != '<' && !memchr(line.p, '[', line.n)))
		return false;
	return printk_prefix(lex_clean(line, c->clean)).n != 0;
}

/* The same of whole lines: few have either byte. */
static bool any_stamped(struct console *c, const char *p, const char *end)
{
	static const char MARKS[] = { '[', '<' };

	for (size_t i = 0; i < sizeof(MARKS); i++) {
		const char *from = p, *hit, *line, *line_end;

		while ((hit = memchr(from, MARKS[i], (size_t)(end - from)))) {
			line = memrchr(from, '\n', (size_t)(hit - from));
			line = line ? line + 1 : from;
			line_end = memchr(hit, '\n', (size_t)(end - hit));
			if (is_stamped(c, bounded(line, line_end)))
				return true;
			from = line_end + 1;
		}
	}
	return false;
}

static void whole_line(struct console *c, struct str line)
{
	if (is_alert(c) || is_suspicious(line))
		on_line(c, line);
	else if (!c->stamped)
		c->stamped = is_stamped(c, line);
	c->line++;
	c->line_program = c->program;
}

/* Lines that are whole: @p is at the beginning of one, @end behind the last. */
static void whole_lines(struct console *c, const char *p, const char *end)
{
	while (p < end) {
		const char *hit, *from, *to;

		if (is_alert(c)) {
			to = memchr(p, '\n', (size_t)(end - p));
			whole_line(c, bounded(p, to));
			p = to + 1;
			continue;
		}
		hit = scan_find(p, end, &c->line);
		from = hit == end ? hit : memrchr(p, '\n', (size_t)(hit - p));
		from = !from ? p : hit == end ? hit : from + 1;
		if (!c->stamped)
			c->stamped = any_stamped(c, p, from);
		if (hit == end)
			return;
		to = memchr(hit, '\n', (size_t)(end - hit));
		/* Behind what is looked at of a line: as if it were not there. */
		if (hit + SCAN_WORD_MAX < from + TAP_LINE_MAX || is_suspicious(bounded(from, to)))
			on_line(c, bounded(from, to));
		c->line++;
		p = to + 1;
	}
}

static void hold(struct console *c, const char *p, size_t n)
{
	size_t free = TAP_LINE_MAX - c->n_hold;

	memcpy(c->hold + c->n_hold, p, n < free ? n : free);
	c->n_hold += n < free ? n : free;
	c->has_hold = true;
}

static void release(struct console *c)
{
	if (!c->has_hold)
		return;
	whole_line(c, str_n(c->hold, c->n_hold));
	c->n_hold = 0;
	c->has_hold = false;
}

void console_program(struct console *c, unsigned program)
{
	c->program = program;
	if (!c->has_hold)
		c->line_program = program;
}

void console_feed(struct console *c, const char *bytes, size_t n)
{
	const char *end = bytes + n, *last;

	if (c->has_hold) {
		const char *newline = memchr(bytes, '\n', n);

		hold(c, bytes, newline ? (size_t)(newline - bytes) : n);
		if (!newline)
			return;
		release(c);
		bytes = newline + 1;
	}
	last = memrchr(bytes, '\n', (size_t)(end - bytes));
	if (last) {
		whole_lines(c, bytes, last + 1);
		bytes = last + 1;
	}
	if (bytes < end)
		hold(c, bytes, (size_t)(end - bytes));
}

void console_end(struct console *c)
{
	struct gather *g;

	release(c);
	while ((g = oldest(c)))
		end(c, g);
}
