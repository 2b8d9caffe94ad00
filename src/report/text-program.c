/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program's line in a text, and what is told below it: results, problems, splats. */
#include "report/text-inside.h"

#include <string.h>

#include "base/mem.h"
#include "base/units.h"

#define LINES_MAX 200 /* below one program */

bool text_shown(const struct report *r, enum status s)
{
	return r->opt->verbose || STATUS_INFO[s].bad || s == STATUS_FLAKY || s == STATUS_XPASS;
}

static bool room_for_more(struct report_program *p)
{
	if (p->n++ < LINES_MAX)
		return true;
	p->hidden++;
	return false;
}

/* Path from @from on, with blanks around the slashes: names have their own. */
static struct buf joined(const struct event_result *e, unsigned from)
{
	struct buf b = {};

	for (unsigned i = from; i < e->depth; i++) {
		buf_add(&b, " / ", i > from ? 3 : 0);
		buf_add_str(&b, e->path[i]);
	}
	return b;
}

void text_result(struct report *r, struct report_program *p, const struct event_result *e,
		 unsigned from)
{
	struct buf name;
	struct out o;

	if (!room_for_more(p))
		return;
	name = joined(e, from);
	out_to_buf(&o, &p->text);
	text_line(r, &o, 4, e->status, buf_str(&name), e->reason, e->duration_ms, e->known);
	out_flush(&o);
	buf_done(&name);
}

void text_note(struct report *r, struct report_program *p, const char *mark, struct str what,
	       struct str text, uint64_t line)
{
	struct buf b = {}, e;
	struct out o;

	if (!room_for_more(p))
		return;
	out_to_buf(&o, &p->text);
	out_printf(&o, "    ");
	text_paint(&o, r, "35", str_of(mark));
	buf_printf(&b, "%.*s: %.*s", STR_FMT(what), STR_FMT(text));
	if (line)
		buf_printf(&b, " (line %" PRIu64 ")", line);
	e = text_escaped(buf_str(&b));
	out_char(&o, ' ');
	text_wrap(&o, buf_str(&e), 6, 6);
	out_char(&o, '\n');
	out_flush(&o);
	buf_done(&b);
	buf_done(&e);
}

/* After a splat: those like it that were not told each for itself. */
static void tell_same(struct report_program *p)
{
	if (p->n_same)
		buf_printf(&p->text, "      ... and %" PRIu64 " more like this\n", p->n_same);
	p->n_same = 0;
}

/* A kernel that leaks, or warns, may do so hundreds of times. */
static bool is_same(const struct report *r, struct report_program *p,
		    const struct event_splat *e)
{
	bool same = e->fingerprint.n && !r->opt->verbose && !r->opt->decode &&
		    str_eq(e->fingerprint, buf_str(&p->last));

	if (!same) {
		tell_same(p);
		buf_clear(&p->last);
		buf_add_str(&p->last, e->fingerprint);
	}
	p->n_same += same;
	return same;
}

void text_flush_below(struct report *r, struct report_program *p)
{
	tell_same(p);
	out_str(r->out, buf_str(&p->text));
	if (p->hidden)
		out_printf(r->out, "    ... and %" PRIu64 " more\n", p->hidden);
	buf_clear(&p->text);
	memset(p->counts, 0, sizeof(p->counts));
	p->n = p->hidden = p->n_known = 0;
	p->any_bad = false;
}

void text_program(struct report *r, struct report_program *p, enum status status,
		  struct str name, struct str reason, int64_t duration_ms,
		  const struct event_excuse *known)
{
	const struct status_info *info = &STATUS_INFO[status];
	const char *ansi = known ? STATUS_INFO[STATUS_FLAKY].ansi : info->ansi;
	struct buf n = text_escaped(name), counts = {};
	char time[UNIT_TEXT_MAX] = "";
	struct out o;
	unsigned column, w;

	/* A parsed stream's counts are of leaf results alone. */
	if (status_end_counts(r->opt->parsed ? STATUS_PASS : status, p->counts)) {
		p->counts[status]++;
		p->n_known += known != NULL;
	}
	out_to_buf(&o, &counts);
	report_counts(&o, p->counts, false);
	text_known_count(&o, p->n_known);
	out_flush(&o);
	if (duration_ms >= 0)
		duration_text(duration_ms, time);
	r->any = true;
	text_paint(r->out, r, ansi, str_of(info->mark));
	out_char(r->out, ' ');
	column = text_wrap(r->out, buf_str(&n), 2, 2);
	w = text_width(buf_str(&counts));
	if (column + 2 + w + 10 > WIDTH) {
		out_lit(r->out, "\n ");
		column = 1;
	} else if (column < 38) {
		out_printf(r->out, "%*s", (int)(38 - column), "");
		column = 38;
	}
	out_lit(r->out, "  ");
	report_counts(r->out, p->counts, r->opt->colour);
	text_known_count(r->out, p->n_known);
	text_right(r->out, str_of(time), column + 2 + w);
	text_reason(r->out, 4, reason);
	/* Where it is known by what failed below, that says so. */
	if (!p->any_bad)
		text_known(r->out, 4, known);
	text_flush_below(r, p);
	buf_done(&n);
	buf_done(&counts);
}

static void program_name(const struct report *r, const struct report_program *p,
			 struct buf *ret)
{
	const char *job = p->job < r->n_jobs ? r->jobs[p->job] : NULL;

	buf_printf(ret, "%.*s%s%.*s", STR_FMT(buf_str(&p->suite)), p->suite.n ? "/" : "",
		   STR_FMT(buf_str(&p->name)));
	if (job)
		buf_printf(ret, " (%s)", job);
	if (p->attempt > 1)
		buf_printf(ret, " (attempt %u)", p->attempt);
}

void text_program_end(struct report *r, const struct event *ev)
{
	struct report_program *p = report_program_of(&r->programs, ev);
	const struct event_program *e = ev->prog;
	struct buf name = {};

	program_name(r, p, &name);
	text_program(r, p, e->status, buf_str(&name), e->reason, e->duration_ms, e->known);
	report_program_end(p);
	buf_done(&name);
}

/* What the kernel said, with the places in its source. */
static void decoded(struct report *r, struct report_program *p, const struct event *ev)
{
	_cleanup_(buf_done) struct buf text = {};
	struct out o;

	if (!r->opt->decode || p->hidden || r->opt->decode(r->opt->decode_ctx, ev, &text) <= 0)
		return;
	out_to_buf(&o, &p->text);
	for (struct str rest = buf_str(&text); rest.n;) {
		out_lit(&o, "        ");
		out_term(&o, str_cut(&rest, '\n'));
		out_char(&o, '\n');
	}
	out_flush(&o);
}

/* "ip[77] on CPU 3" */
static void where(struct buf *b, const struct event_splat *e)
{
	if (e->task.n)
		buf_printf(b, ", %.*s", STR_FMT(e->task));
	if (e->task.n && e->pid >= 0)
		buf_printf(b, "[%" PRId64 "]", e->pid);
	if (e->cpu >= 0)
		buf_printf(b, "%s CPU %d", e->task.n ? " on" : ",", e->cpu);
	if (e->fatal)
		buf_printf(b, ", the kernel died of it");
}

void text_splat(struct report *r, const struct event *ev)
{
	struct report_program *p = report_program_of(&r->programs, ev);
	const struct event_splat *e = ev->splat;
	struct buf what = {}, title = {};

	if (is_same(r, p, e))
		return;
	if (p->ended)
		program_name(r, p, &what);
	buf_printf(&what, "%s%.*s", p->ended ? ": " : "", STR_FMT(e->kind));
	buf_add_str(&title, e->title);
	where(&title, e);
	if (e->excuse) {
		buf_add_str(&title, STR(", "));
		report_excuse(&title, "ignored", e->excuse);
	}
	text_note(r, p, "#", buf_str(&what), buf_str(&title), e->line);
	decoded(r, p, ev);
	buf_done(&what);
	buf_done(&title);
}
