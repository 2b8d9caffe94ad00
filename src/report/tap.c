/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TAP version 14: a clean log. Subtests are indented by 4, named before and
 * after, plans last. What the language has no word for is written so that our
 * reader gets the same tree back: "# CRASH", "# MISSING", "# IGNORE".
 */
#include <stdlib.h>

#include "base/mem.h"
#include "report/formats.h"
#include "tap/parse.h"

#define TEXT_MAX (32u << 20) /* of one running program */

struct level {
	struct buf name; /* of the block; [0] has none */
	uint64_t n;      /* results written in it */
};

/* One stream of nested blocks: of a program, or of what was parsed. */
struct stream {
	struct level levels[TAP_DEPTH_MAX + 2];
	unsigned depth;  /* of the open block; 0: the outermost */
	unsigned indent; /* steps before all of it */
};

struct slot { /* a program that runs */
	struct report_program *p;
	struct stream s;
};

struct report {
	struct out *out;
	const struct report_options *opt;
	struct report_programs programs;
	struct slot **slots;
	unsigned n_slots, cap_slots;
	struct stream top;
	uint64_t n; /* programs written */
};

struct word {
	bool ok;
	struct str directive;
};

static const struct word WORDS[STATUS_N] = {
	[STATUS_PASS] = { true, STR("") },
	[STATUS_SKIP] = { true, STR("SKIP") },
	[STATUS_XPASS] = { true, STR("TODO") },
	[STATUS_FLAKY] = { true, STR("IGNORE") },
	[STATUS_XFAIL] = { false, STR("TODO") },
	[STATUS_FAIL] = { false, STR("") },
	[STATUS_TIMEOUT] = { false, STR("TIMEOUT") },
	[STATUS_ERROR] = { false, STR("ERROR") },
	[STATUS_CRASH] = { false, STR("CRASH") },
	[STATUS_MISSING] = { false, STR("MISSING") },
};

static void put_indent(struct out *o, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++)
		out_lit(o, "    ");
}

/* TAP version 14, "Escaping"; controls and invalid bytes as \xXX. */
static void put_escaped(struct out *o, struct str s)
{
	while (s.n) {
		size_t n = 0;

		while (n < s.n && s.p[n] != '\\' && s.p[n] != '#')
			n++;
		out_term(o, str_n(s.p, n));
		if (n < s.n) {
			out_char(o, '\\');
			out_char(o, s.p[n++]);
		}
		s = str_from(s, n);
	}
}

/* As it was printed: without the " #2" that made it unique. */
static struct str printed(struct str name, unsigned ordinal)
{
	if (ordinal > 1)
		while (name.n && name.p[--name.n] != ' ')
			;
	return name;
}

static void put_result(struct out *o, unsigned indent, uint64_t number, enum status status,
		       struct str name, struct str reason, int64_t duration_ms, int exit_code,
		       const struct event_excuse *known)
{
	/* A known issue is what TODO says: it fails, and does not count. */
	const struct word *w = &WORDS[known ? STATUS_XFAIL : status];
	_cleanup_(buf_done) struct buf why = {};

	if (known) {
		report_excuse(&why, "known", known);
		if (reason.n)
			buf_printf(&why, "; %.*s", STR_FMT(reason));
		reason = buf_str(&why);
	}
	put_indent(o, indent);
	out_printf(o, "%s %" PRIu64 " - ", w->ok ? "ok" : "not ok", number);
	put_escaped(o, name);
	if (w->directive.n || reason.n || duration_ms >= 0 || exit_code >= 0)
		out_lit(o, " #");
	if (w->directive.n)
		out_printf(o, " %.*s", STR_FMT(w->directive));
	if (reason.n) {
		out_char(o, ' ');
		/* Words that a test told, and that would say another status here. */
		if (!w->directive.n && tap_is_directive(reason, w->ok))
			out_lit(o, "- ");
		put_escaped(o, reason);
	}
	if (duration_ms >= 0)
		out_printf(o, " time=%" PRId64 "ms", duration_ms);
	if (exit_code >= 0)
		out_printf(o, " exit=%d", exit_code);
	out_char(o, '\n');
}

static void open_block(struct out *o, struct stream *s, struct str name)
{
	struct level *l = &s->levels[++s->depth];

	put_indent(o, s->indent + s->depth - 1);
	out_lit(o, "# Subtest: ");
	out_term(o, name);
	out_char(o, '\n');
	buf_clear(&l->name);
	buf_add_str(&l->name, name);
	l->n = 0;
}

static void close_block(struct out *o, struct stream *s)
{
	put_indent(o, s->indent + s->depth);
	out_printf(o, "1..%" PRIu64 "\n", s->levels[s->depth--].n);
}

static void stream_result(struct out *o, struct stream *s, const struct event_result *r)
{
	unsigned want = r->depth - 1;
	struct str name = r->path[want];

	if (r->depth > TAP_DEPTH_MAX + 1)
		return;
	/* The block of these children, unless it is open: the last ones' own. */
	while (s->depth > r->depth)
		close_block(o, s);
	while (s->depth < want)
		open_block(o, s, r->path[s->depth]);
	/* A block was named by its children's path: its line has the same name. */
	if (s->depth == r->depth)
		close_block(o, s);
	else
		name = printed(name, r->ordinal);
	put_result(o, s->indent + want, ++s->levels[want].n, r->status, name, r->reason,
		   r->duration_ms, r->exit_code, r->known);
}

static void stream_end(struct out *o, struct stream *s)
{
	while (s->depth)
		close_block(o, s);
}

static void stream_done(struct stream *s)
{
	for (unsigned i = 0; i <= TAP_DEPTH_MAX + 1; i++)
		buf_done(&s->levels[i].name);
}

static struct slot *slot_of(struct report *r, const struct event *ev)
{
	struct report_program *p = report_program_of(&r->programs, ev);
	struct slot *s;

	for (unsigned i = 0; i < r->n_slots; i++)
		if (r->slots[i]->p == p)
			return r->slots[i];
	s = xcalloc(1, sizeof(*s));
	s->p = p;
	s->s.indent = 1;
	ARRAY_GROW(r->slots, r->n_slots, r->cap_slots);
	r->slots[r->n_slots++] = s;
	return s;
}

static void slot_free(struct report *r, struct slot *s)
{
	for (unsigned i = 0; i < r->n_slots; i++)
		if (r->slots[i] == s)
			r->slots[i] = r->slots[--r->n_slots];
	report_program_end(s->p);
	stream_done(&s->s);
	free(s);
}

/* Results of a running program wait in its text. */
static void slot_result(struct report *r, const struct event *ev)
{
	struct slot *s = slot_of(r, ev);
	struct out o;

	if (s->p->text.n > TEXT_MAX) {
		s->p->hidden++;
		return;
	}
	out_to_buf(&o, &s->p->text);
	stream_result(&o, &s->s, ev->result);
	out_flush(&o);
}

static void program_end(struct report *r, const struct event *ev)
{
	struct slot *s = slot_of(r, ev);
	const struct event_program *e = ev->prog;
	struct report_program *p = s->p;
	struct buf name = {};

	buf_printf(&name, "%.*s%s%.*s", STR_FMT(buf_str(&p->suite)), p->suite.n ? "/" : "",
		   STR_FMT(buf_str(&p->name)));
	if (p->text.n && !r->opt->summary) {
		out_lit(r->out, "# Subtest: ");
		out_term(r->out, buf_str(&name));
		out_char(r->out, '\n');
		out_str(r->out, buf_str(&p->text));
		stream_end(r->out, &s->s);
		if (p->hidden)
			out_printf(r->out, "    # %" PRIu64 " results more\n", p->hidden);
		out_printf(r->out, "    1..%" PRIu64 "\n", s->s.levels[0].n);
	}
	put_result(r->out, 0, ++r->n, e->status, buf_str(&name), e->reason, e->duration_ms,
		   e->exit_code > 0 ? e->exit_code : -1, e->known);
	buf_done(&name);
	slot_free(r, s);
}

static void problem(struct report *r, const struct event_problem *e)
{
	if (e->what == PROBLEM_BAIL_OUT && r->opt->parsed) {
		out_term(r->out, e->message);
		out_char(r->out, '\n');
		return;
	}
	out_printf(r->out, "# %s: ", PROBLEM_NAMES[e->what]);
	out_term(r->out, e->message);
	if (e->line)
		out_printf(r->out, " (line %" PRIu64 ")", e->line);
	out_char(r->out, '\n');
}

static void splat(struct report *r, const struct event_splat *e)
{
	out_lit(r->out, "# splat: ");
	out_term(r->out, e->title);
	out_printf(r->out, " (line %" PRIu64 ")", e->line);
	if (e->excuse) {
		out_lit(r->out, ", ignored: ");
		out_term(r->out, e->excuse->reason);
	}
	out_char(r->out, '\n');
}

static void on_event(struct report *r, const struct event *ev)
{
	switch (ev->type) {
	case EVENT_PROGRAM_BEGIN: report_program_begin(&r->programs, ev); break;
	case EVENT_PROGRAM_END: program_end(r, ev); break;
	case EVENT_RESULT:
		if (!r->opt->parsed)
			slot_result(r, ev);
		else if (!r->opt->summary || ev->result->depth == 1)
			stream_result(r->out, &r->top, ev->result);
		break;
	case EVENT_PROBLEM: problem(r, ev->problem); break;
	case EVENT_SPLAT: splat(r, ev->splat); break;
	case EVENT_RUN_BEGIN:
	case EVENT_RUN_END:
	case EVENT_JOB_BEGIN:
	case EVENT_JOB_END:
	case EVENT_ARTEFACT: break;
	}
}

static struct report *begin(struct out *out, const struct report_options *opt)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->out = out;
	r->opt = opt;
	out_lit(out, "TAP version 14\n");
	return r;
}

static void end(struct report *r)
{
	stream_end(r->out, &r->top);
	out_printf(r->out, "1..%" PRIu64 "\n", r->n + r->top.levels[0].n);
	while (r->n_slots)
		slot_free(r, r->slots[0]);
	free(r->slots);
	report_programs_done(&r->programs);
	stream_done(&r->top);
	free(r);
}

const struct report_format report_tap = {
	.name = "tap",
	.every_result = true,
	.summary = "TAP version 14, clean and nested",
	.begin = begin,
	.event = on_event,
	.end = end,
};
