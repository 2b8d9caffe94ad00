/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text, for a terminal: a line per finished program, below it what is not as it
 * should be, the conclusion last. 80 columns. A parsed stream has no programs:
 * its outermost parents take their place.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "report/formats.h"
#include "tap/tally.h"

#define WIDTH 80
#define LINES_MAX 200 /* below one program */
#define JOBS_MAX  4096 /* that are told behind names; as in tap/tally.c */

struct report {
	struct out *out;
	const struct report_options *opt;
	struct tally tally;
	struct event_sink count;
	struct report_programs programs;
	struct buf conclusion;
	char **jobs; /* "debug on qemu", where they are told; by number */
	size_t n_jobs, cap_jobs;
	bool any;
};

/* Columns of UTF-8, one for each character. */
static unsigned width(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static void paint(struct out *o, const struct report *r, const char *ansi, struct str s)
{
	if (r->opt->colour)
		out_printf(o, "\x1b[%sm", ansi);
	out_str(o, s);
	if (r->opt->colour)
		out_lit(o, "\x1b[0m");
}

/* Escaped for the terminal; the caller's buf_done(). */
static struct buf escaped(struct str s)
{
	struct buf b = {};
	struct out o;

	out_to_buf(&o, &b);
	out_term(&o, s);
	out_flush(&o);
	return b;
}

/* Wraps words at the width, from @column on; returns the column after them. */
static unsigned wrap(struct out *o, struct str text, unsigned indent, unsigned column)
{
	struct str rest = text;
	bool first = true;

	while (rest.p) {
		struct str word = str_cut(&rest, ' ');
		unsigned w = width(word);

		if (!first && column + 1 + w > WIDTH) {
			out_printf(o, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			out_char(o, ' ');
			column++;
		}
		out_str(o, word);
		column += w;
		first = false;
	}
	return column;
}

/* @right at the right edge, on a line of its own where there is no room. */
static void put_right(struct out *o, struct str right, unsigned column)
{
	unsigned w = width(right);

	if (right.n && column + 2 + w > WIDTH) {
		out_char(o, '\n');
		column = 0;
	}
	if (right.n)
		out_printf(o, "%*s%.*s", (int)(WIDTH - w - column), "", STR_FMT(right));
	out_char(o, '\n');
}

/* A line below the one it is of. */
static void put_reason(struct out *o, unsigned indent, struct str text)
{
	struct buf why = escaped(text);

	if (why.n) {
		out_printf(o, "%*s", (int)indent, "");
		wrap(o, buf_str(&why), indent, indent);
		out_char(o, '\n');
	}
	buf_done(&why);
}

static void put_known(struct out *o, unsigned indent, const struct event_excuse *known)
{
	_cleanup_(buf_done) struct buf b = {};

	if (!known)
		return;
	report_excuse(&b, "known", known);
	put_reason(o, indent, buf_str(&b));
}

/* "  ✗ name                                            1.2 s" and its reason. */
static void put_line(struct report *r, struct out *o, unsigned indent, enum status status,
		     struct str name, struct str reason, int64_t duration_ms,
		     const struct event_excuse *known)
{
	const struct status_info *info = &STATUS_INFO[status];
	const char *ansi = known ? STATUS_INFO[STATUS_FLAKY].ansi : info->ansi;
	struct buf n = escaped(name);
	char time[UNIT_TEXT_MAX] = "";
	unsigned column;

	if (duration_ms >= 0)
		duration_text(duration_ms, time);
	out_printf(o, "%*s", (int)indent, "");
	paint(o, r, ansi, str_of(info->mark));
	out_char(o, ' ');
	column = wrap(o, buf_str(&n), indent + 2, indent + 2);
	if (status != STATUS_PASS && status != STATUS_FAIL) {
		struct str label = str_of(info->name);

		if (column + 3 + width(label) > WIDTH) {
			out_printf(o, "\n%*s", (int)indent + 1, "");
			column = indent + 1;
		}
		out_char(o, ' ');
		paint(o, r, ansi, label);
		column += 1 + width(label);
	}
	put_right(o, str_of(time), column);
	put_reason(o, indent + 4, reason);
	put_known(o, indent + 4, known);
	buf_done(&n);
}

static bool shown(const struct report *r, enum status s)
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

static void below(struct report *r, struct report_program *p, const struct event_result *e,
		  unsigned from)
{
	struct buf name;
	struct out o;

	if (!room_for_more(p))
		return;
	name = joined(e, from);
	out_to_buf(&o, &p->text);
	put_line(r, &o, 4, e->status, buf_str(&name), e->reason, e->duration_ms, e->known);
	out_flush(&o);
	buf_done(&name);
}

static void note(struct report *r, struct report_program *p, const char *mark, struct str what,
		 struct str text, uint64_t line)
{
	struct buf b = {}, e;
	struct out o;

	if (!room_for_more(p))
		return;
	out_to_buf(&o, &p->text);
	out_printf(&o, "    ");
	paint(&o, r, "35", str_of(mark));
	buf_printf(&b, "%.*s: %.*s", STR_FMT(what), STR_FMT(text));
	if (line)
		buf_printf(&b, " (line %" PRIu64 ")", line);
	e = escaped(buf_str(&b));
	out_char(&o, ' ');
	wrap(&o, buf_str(&e), 6, 6);
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

/* What waited below a program's line. */
static void put_below(struct report *r, struct report_program *p)
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

/* Behind counts: of what failed. */
static void put_known_count(struct out *o, uint64_t n)
{
	if (n)
		out_printf(o, " (%" PRIu64 " known)", n);
}

/* "✓ mptcp/pm_netlink.sh  22 passed                     37.0 s" */
static void put_program(struct report *r, struct report_program *p, enum status status,
			struct str name, struct str reason, int64_t duration_ms,
			const struct event_excuse *known)
{
	const struct status_info *info = &STATUS_INFO[status];
	const char *ansi = known ? STATUS_INFO[STATUS_FLAKY].ansi : info->ansi;
	struct buf n = escaped(name), counts = {};
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
	put_known_count(&o, p->n_known);
	out_flush(&o);
	if (duration_ms >= 0)
		duration_text(duration_ms, time);
	r->any = true;
	paint(r->out, r, ansi, str_of(info->mark));
	out_char(r->out, ' ');
	column = wrap(r->out, buf_str(&n), 2, 2);
	w = width(buf_str(&counts));
	if (column + 2 + w + 10 > WIDTH) {
		out_lit(r->out, "\n ");
		column = 1;
	} else if (column < 38) {
		out_printf(r->out, "%*s", (int)(38 - column), "");
		column = 38;
	}
	out_lit(r->out, "  ");
	report_counts(r->out, p->counts, r->opt->colour);
	put_known_count(r->out, p->n_known);
	put_right(r->out, str_of(time), column + 2 + w);
	put_reason(r->out, 4, reason);
	/* Where it is known by what failed below, that says so. */
	if (!p->any_bad)
		put_known(r->out, 4, known);
	put_below(r, p);
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

static void program_end(struct report *r, const struct event *ev)
{
	struct report_program *p = report_program_of(&r->programs, ev);
	const struct event_program *e = ev->prog;
	struct buf name = {};

	program_name(r, p, &name);
	put_program(r, p, e->status, buf_str(&name), e->reason, e->duration_ms, e->known);
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

/* Of a program that has ended the line is written: this one names it. */
static void splat(struct report *r, const struct event *ev)
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
	note(r, p, "#", buf_str(&what), buf_str(&title), e->line);
	decoded(r, p, ev);
	buf_done(&what);
	buf_done(&title);
}

/* In a parsed stream the outermost results are what programs are in a run. */
static void result(struct report *r, const struct event *ev)
{
	struct report_program *p = report_program_of(&r->programs, ev);
	const struct event_result *e = ev->result;
	bool outermost = r->opt->parsed && e->depth == 1;

	if (!outermost) {
		p->counts[e->status] += e->leaf;
		p->n_known += e->leaf && e->known;
		p->any_bad |= e->leaf && STATUS_INFO[e->status].bad;
		if (!r->opt->summary && e->leaf && shown(r, e->status))
			below(r, p, e, r->opt->parsed != NULL);
		return;
	}
	if (!e->leaf) {
		put_program(r, p, e->status, e->path[0], e->reason, e->duration_ms, e->known);
	} else if (shown(r, e->status)) {
		put_line(r, r->out, 0, e->status, e->path[0], e->reason, e->duration_ms,
			 e->known);
		r->any = true;
	}
}

static void job_remember(struct report *r, const struct event *ev)
{
	const struct event_job *e = ev->job_info;

	if (!r->opt->jobs || ev->job >= JOBS_MAX)
		return;
	while (r->n_jobs <= ev->job) {
		ARRAY_GROW(r->jobs, r->n_jobs, r->cap_jobs);
		r->jobs[r->n_jobs++] = NULL;
	}
	if (!r->jobs[ev->job])
		r->jobs[ev->job] = xasprintf("%.*s, %.*s", STR_FMT(e->mode), STR_FMT(e->machine));
}

static void job_begin(struct report *r, const struct event *ev)
{
	const struct event_job *e = ev->job_info;
	struct buf line = {}, text;

	job_remember(r, ev);

	buf_printf(&line, "job %u: %.*s on %.*s%s%.*s", ev->job, STR_FMT(e->mode),
		   STR_FMT(e->machine), e->accel.n ? "/" : "", STR_FMT(e->accel));
	if (e->kernel.n)
		buf_printf(&line, ", kernel %.*s", STR_FMT(e->kernel));
	if (e->why.n && r->opt->verbose)
		buf_printf(&line, " (%.*s)", STR_FMT(e->why));
	text = escaped(buf_str(&line));
	wrap(r->out, buf_str(&text), 4, 0);
	out_char(r->out, '\n');
	buf_done(&line);
	buf_done(&text);
}

/* Only of one that did not end as it was asked to. */
static void job_end(struct report *r, const struct event *ev)
{
	const struct event_job *e = ev->job_info;
	struct buf line = {}, text;

	if (!e->reason.n)
		return;
	buf_printf(&line, "job %u ended: %.*s: %.*s", ev->job, STR_FMT(e->end),
		   STR_FMT(e->reason));
	text = escaped(buf_str(&line));
	wrap(r->out, buf_str(&text), 4, 0);
	out_char(r->out, '\n');
	buf_done(&line);
	buf_done(&text);
}

static void on_event(struct report *r, const struct event *ev)
{
	event_emit(&r->count, ev);
	switch (ev->type) {
	case EVENT_RUN_BEGIN: break;
	case EVENT_RUN_END:
		buf_clear(&r->conclusion);
		buf_add_str(&r->conclusion, ev->run->conclusion);
		break;
	case EVENT_JOB_BEGIN: job_begin(r, ev); break;
	case EVENT_JOB_END: job_end(r, ev); break;
	case EVENT_PROGRAM_BEGIN: report_program_begin(&r->programs, ev); break;
	case EVENT_PROGRAM_END: program_end(r, ev); break;
	case EVENT_RESULT: result(r, ev); break;
	case EVENT_PROBLEM:
		note(r, report_program_of(&r->programs, ev), "!",
		     str_of(PROBLEM_NAMES[ev->problem->what]), ev->problem->message,
		     ev->problem->line);
		break;
	case EVENT_SPLAT: splat(r, ev); break;
	case EVENT_ARTEFACT: break;
	}
	/* Live, a line is there when the program ends. */
	if (ev->type == EVENT_PROGRAM_END)
		out_flush(r->out);
}

static struct report *begin(struct out *out, const struct report_options *opt)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->out = out;
	r->opt = opt;
	r->count = tally_sink(&r->tally);
	if (opt->name) {
		struct buf name = escaped(str_of(opt->name));

		out_str(out, buf_str(&name));
		out_lit(out, ":\n");
		buf_done(&name);
	}
	return r;
}

static void end(struct report *r)
{
	struct buf text = {};

	/* What no program's end has taken: splats between, problems of parse. */
	for (unsigned i = 0; i < r->programs.n; i++) {
		r->any |= r->programs.v[i]->n > 0;
		put_below(r, r->programs.v[i]);
	}
	if (r->any)
		out_char(r->out, '\n');
	report_counts(r->out, r->opt->parsed ? r->opt->parsed->counts : r->tally.counts,
		      r->opt->colour);
	put_known_count(r->out, r->tally.known);
	out_char(r->out, '\n');
	if (r->opt->parsed)
		buf_printf(&r->conclusion, "%s%s",
			   REPORT_VERDICTS[report_verdict(r->opt->parsed)],
			   r->tally.splats ? ", but the kernel complained" :
			   r->tally.excused ? "; what the kernel complained of is ignored" : "");
	/* A stream without its end has no conclusion, whatever passed so far. */
	if (!r->conclusion.n)
		buf_printf(&r->conclusion, "Incomplete: the run did not come to its end");
	text = escaped(buf_str(&r->conclusion));
	wrap(r->out, buf_str(&text), 2, 0);
	out_char(r->out, '\n');
	buf_done(&text);
	buf_done(&r->conclusion);
	report_programs_done(&r->programs);
	tally_done(&r->tally);
	for (size_t i = 0; i < r->n_jobs; i++)
		free(r->jobs[i]);
	free(r->jobs);
	free(r);
}

const struct report_format report_text = {
	.name = "text",
	.summary = "for people: what is not as it should be, and the conclusion",
	.begin = begin,
	.event = on_event,
	.end = end,
};
