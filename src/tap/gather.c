/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/gather.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tap/fingerprint.h"
#include "tap/parse.h"
#include "tap/place.h"

#define SILENCE_US      1000000  /* of the kernel: what has no end that is known is over */
#define SILENCE_LONG_US 10000000 /* the end is known, or other CPUs are asked */
#define HEAD_LINES      8        /* from the headline on it may say so again */

void gather_done(struct gather *g)
{
	buf_done(&g->text);
	buf_done(&g->title);
}

bool gather_hears(const struct gather *g, const struct gather_line *l)
{
	if (g->stage == GATHER_FREE || g->stamped != (l->printk.n != 0))
		return false;
	if (g->caller == l->printk.caller)
		return true;
	return g->nmi && g->stage == GATHER_BODY && l->printk.caller >= PRINTK_CPU;
}

static void start(struct gather *g, const struct gather_line *l)
{
	struct buf text = g->text, title = g->title;

	buf_clear(&text);
	buf_clear(&title);
	text.max = GATHER_TEXT_MAX;
	/* Not the traces' names: they are large, and nothing is in them. */
	g->kind = NULL;
	g->prelude = NULL;
	g->program = l->program;
	g->first = g->last = l->number;
	g->n = 0;
	g->last_us = l->printk.us;
	g->caller = l->printk.caller;
	g->stamped = l->printk.n != 0;
	g->fatal = g->nmi = g->wants_lock = false;
	g->in_trace = TRACE_NONE;
	g->head_n = 0;
	g->task[0] = g->victim[0] = g->taint[0] = '\0';
	g->pid = g->cpu = -1;
	g->access = "";
	g->place_n = 0;
	trace_clear(&g->trace);
	g->text = text;
	g->title = title;
}

static void add_text(struct gather *g, const struct gather_line *l)
{
	if (buf_add_str(&g->text, l->whole) == 0)
		buf_add(&g->text, "\n", 1);
	g->last = l->number;
	g->n++;
	if (l->printk.us >= 0)
		g->last_us = l->printk.us;
}

void gather_prelude(struct gather *g, const struct splat_prelude *p,
		    const struct gather_line *l)
{
	start(g, l);
	g->stage = GATHER_PRELUDE;
	g->prelude = p;
	add_text(g, l);
	place_facts(g, l->message);
}

void gather_begin(struct gather *g, const struct splat_kind *kind, const struct gather_line *l)
{
	if (g->stage != GATHER_PRELUDE)
		start(g, l);
	g->stage = kind->flags & SPLAT_ONE_LINE ? GATHER_TAIL : GATHER_BODY;
	g->kind = kind;
	g->fatal = kind->flags & SPLAT_FATAL;
	g->head_n = l->message.n < GATHER_HEAD_MAX ? l->message.n : GATHER_HEAD_MAX;
	memcpy(g->head, l->message.p, g->head_n);
	if (kind->flags & SPLAT_TRACE_NOW)
		g->in_trace = TRACE_RUNS;
	place_in_headline(g, l->message);
	add_text(g, l);
	place_facts(g, l->message);
}

bool gather_includes(const struct gather *g, const struct splat_kind *kind,
		     const struct gather_line *l)
{
	if (splat_is_consequence(l->message))
		return g->stage == GATHER_BODY || g->stage == GATHER_TAIL;
	if (g->stage != GATHER_BODY || (g->fatal && !(kind->flags & SPLAT_FATAL)))
		return false;
	if (strcmp(g->kind->kind, "netdev-unregister") == 0 &&
	    strcmp(kind->kind, "ref-tracker") == 0)
		return true;
	return g->in_trace == TRACE_NONE && l->number - g->first <= HEAD_LINES &&
	       kind != g->kind;
}

static bool is_register(struct str line)
{
	return splat_is_tail(line) || str_starts(line, STR("R08:")) ||
	       str_starts(line, STR("ORIG_RAX:"));
}

/* Some architectures' traces begin with the instruction, told before. */
static bool is_said(const struct trace *t, const struct event_frame *f)
{
	return t->n == 1 && !f->unsure && t->frames[0].offset == f->offset &&
	       str_eq(t->frames[0].function, f->function);
}

/* A line while the trace runs. */
static void follow_trace(struct gather *g, struct str line)
{
	struct event_frame f;

	if (trace_frame(line, &f)) {
		if (!is_said(&g->trace, &f))
			trace_add(&g->trace, &f);
	} else if (str_starts(line, STR(" </TASK>"))) {
		g->in_trace = TRACE_OVER;
	} else if (str_starts(line, STR("RIP: "))) { /* where the interrupt came */
		if (trace_find(line, &f) && f.size)
			trace_add(&g->trace, &f);
	} else if (!is_register(line) && !str_starts(line, STR(" <")) && g->trace.n) {
		g->in_trace = TRACE_OVER;
	}
}

/* The instruction that did it, before the trace of its callers. */
static void note_instruction(struct gather *g, struct str line)
{
	static const struct str HEADS[] = { STR("RIP: "), STR("pc : "), STR("epc : "),
					    STR("EIP: "), STR("NIP [") };
	struct event_frame f;

	for (size_t i = 0; i < ARRAY_SIZE(HEADS); i++)
		if (str_starts(line, HEADS[i]) && trace_find(line, &f) && f.size && !g->trace.n)
			trace_add(&g->trace, &f);
}

static void note_trace(struct gather *g, struct str line)
{
	bool leak = strcmp(g->kind->kind, "kmemleak") == 0;

	if (g->in_trace == TRACE_RUNS)
		follow_trace(g, line);
	else if (g->in_trace == TRACE_NONE && g->stage == GATHER_BODY)
		note_instruction(g, line);
	if (g->in_trace == TRACE_NONE &&
	    (str_starts(line, STR("Call Trace:")) || str_starts(line, STR("Call trace:")) ||
	     (leak && str_starts(str_trim(line), STR("backtrace")))))
		g->in_trace = TRACE_RUNS;
}

static bool is_last(const struct gather *g, struct str line)
{
	if (str_starts(line, STR("---[ end ")))
		return true;
	return g->kind->last.n && g->n > 1 && str_find(line, g->kind->last) >= 0;
}

static bool add_prelude(struct gather *g, const struct gather_line *l)
{
	if (l->number - g->first > g->prelude->reach)
		return false;
	add_text(g, l);
	place_facts(g, l->message);
	note_instruction(g, l->message);
	return true;
}

bool gather_add(struct gather *g, const struct gather_line *l)
{
	struct str line = l->message;
	bool ran = g->in_trace == TRACE_RUNS;

	if (g->stage == GATHER_PRELUDE)
		return add_prelude(g, l);
	if (g->stage == GATHER_TAIL && !splat_is_tail(line))
		return false;
	/* Nobody says who speaks: at least what is of something else is known. */
	if (l->printk.caller < 0 && splat_is_foreign(line))
		return true;
	if (str_starts(line, STR("Sending NMI from CPU")))
		g->nmi = true;
	if (g->stage == GATHER_BODY) {
		note_trace(g, line);
		place_facts(g, line);
	}
	if (splat_is_consequence(line)) {
		g->fatal = true;
		g->stage = GATHER_BODY;
		/* The trace of the panic says the same, and less. */
		g->in_trace = g->trace.n ? TRACE_OVER : TRACE_NONE;
		add_text(g, l);
		return true;
	}
	/* What stands behind the trace of one that ends with it. */
	if (ran && g->in_trace == TRACE_OVER && g->kind->flags & SPLAT_TRACE_ENDS) {
		g->stage = GATHER_TAIL;
		if (!splat_is_tail(line) && !str_starts(line, STR(" </")))
			return false;
	}
	add_text(g, l);
	if (is_last(g, line))
		g->stage = GATHER_TAIL;
	return g->n < GATHER_LINES_MAX;
}

bool gather_is_silent(const struct gather *g, int64_t us)
{
	bool waits = g->stage == GATHER_BODY && (g->kind->last.n || g->nmi || g->fatal ||
						 g->in_trace == TRACE_RUNS);

	return us >= 0 && g->last_us >= 0 &&
	       us - g->last_us > (waits ? SILENCE_LONG_US : SILENCE_US);
}

void gather_end(struct gather *g, const struct event_sink *sink)
{
	struct event_splat s = {
		.kind = g->kind ? str_of(g->kind->kind) : STR(""),
		.text = buf_str(&g->text),
		.line = g->first,
		.lines = g->last - g->first + 1,
		.task = str_of(g->task),
		.pid = g->pid,
		.cpu = g->cpu,
		.taint = str_of(g->taint),
		.fatal = g->fatal,
		.frames = g->trace.frames,
		.n_frames = g->trace.n,
	};
	struct event ev = { .type = EVENT_SPLAT, .program = g->program, .splat = &s };
	enum gather_stage stage = g->stage;
	char print[FINGERPRINT_SIZE];

	g->stage = GATHER_FREE;
	if (stage != GATHER_BODY && stage != GATHER_TAIL)
		return;
	splat_title(&g->title, g->kind, str_n(g->head, g->head_n), place_find(g), g->access);
	if (g->victim[0]) {
		buf_printf(&g->title, ": killed ");
		tap_key_append(&g->title, str_of(g->victim));
	}
	s.title = buf_str(&g->title);
	fingerprint(s.kind, s.title, s.frames, g->kind->flags & SPLAT_LOOSE ? 0 : s.n_frames,
		    g->kind->skip, print);
	s.fingerprint = str_of(print);
	event_emit(sink, &ev);
}
