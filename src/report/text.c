/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text, for a terminal: a line per finished program, below it what is not as it
 * should be, the conclusion last. 80 columns. A parsed stream has no programs:
 * its outermost parents take their place.
 */
#include "report/text-inside.h"

#include <stdlib.h>

#include "base/mem.h"

#define JOBS_MAX  4096 /* that are told behind names; as in tap/tally.c */

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
		if (!r->opt->summary && e->leaf && text_shown(r, e->status))
			text_result(r, p, e, r->opt->parsed != NULL);
		return;
	}
	if (!e->leaf) {
		text_program(r, p, e->status, e->path[0], e->reason, e->duration_ms, e->known);
	} else if (text_shown(r, e->status)) {
		text_line(r, r->out, 0, e->status, e->path[0], e->reason, e->duration_ms,
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
	text = text_escaped(buf_str(&line));
	text_wrap(r->out, buf_str(&text), 4, 0);
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
	text = text_escaped(buf_str(&line));
	text_wrap(r->out, buf_str(&text), 4, 0);
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
	case EVENT_PROGRAM_END: text_program_end(r, ev); break;
	case EVENT_RESULT: result(r, ev); break;
	case EVENT_PROBLEM:
		text_note(r, report_program_of(&r->programs, ev), "!",
			  str_of(PROBLEM_NAMES[ev->problem->what]), ev->problem->message,
			  ev->problem->line);
		break;
	case EVENT_SPLAT: text_splat(r, ev); break;
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
		struct buf name = text_escaped(str_of(opt->name));

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
		text_flush_below(r, r->programs.v[i]);
	}
	if (r->any)
		out_char(r->out, '\n');
	report_counts(r->out, r->opt->parsed ? r->opt->parsed->counts : r->tally.counts,
		      r->opt->colour);
	text_known_count(r->out, r->tally.known);
	out_char(r->out, '\n');
	if (r->opt->parsed)
		buf_printf(&r->conclusion, "%s%s",
			   REPORT_VERDICTS[report_verdict(r->opt->parsed)],
			   r->tally.splats ? ", but the kernel complained" :
			   r->tally.excused ? "; what the kernel complained of is ignored" : "");
	/* A stream without its end has no conclusion, whatever passed so far. */
	if (!r->conclusion.n)
		buf_printf(&r->conclusion, "Incomplete: the run did not come to its end");
	text = text_escaped(buf_str(&r->conclusion));
	text_wrap(r->out, buf_str(&text), 2, 0);
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
