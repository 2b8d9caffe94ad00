/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/out.h"
#include "base/units.h"
#include "tap/tally.h"

#define TICK_MS 500
#define RUNNING_MAX 64
#define JOBS_MAX    4096 /* whose setting is known; as in tap/tally.c */

struct running {
	unsigned program;
	int64_t begin_ms; /* monotonic */
	char expect[UNIT_TEXT_MAX + 1]; /* "/0:38", or empty */
	char name[96];
};

struct progress {
	struct loop_watch *tick;
	struct tally tally;
	struct event_sink count; /* the tally's */
	struct running running[RUNNING_MAX];
	const struct run_setting *settings;
	unsigned n_settings, n_jobs, cap_jobs;
	const struct run_setting **jobs; /* of each; NULL: unknown */
	size_t n_tests;
	unsigned n_running, done, columns;
	const char *note;
	bool terminal, colour, drawn;
	int64_t begin_ms;
};

void progress_clear(struct progress *p)
{
	static const char erase[] = "\r\x1b[K";

	if (p->drawn)
		(void)!write(STDERR_FILENO, erase, sizeof(erase) - 1);
	p->drawn = false;
}

static void add_counts(struct progress *p, struct out *o, unsigned *width)
{
	static const enum status SHOWN[] = { STATUS_PASS,    STATUS_SKIP, STATUS_FLAKY,
					     STATUS_MISSING, STATUS_FAIL, STATUS_TIMEOUT,
					     STATUS_ERROR,   STATUS_CRASH };

	for (size_t i = 0; i < ARRAY_SIZE(SHOWN); i++) {
		const struct status_info *info = &STATUS_INFO[SHOWN[i]];
		char text[64];
		int n;

		if (!p->tally.counts[SHOWN[i]])
			continue;
		n = snprintf(text, sizeof(text), "%" PRIu64 " %s", p->tally.counts[SHOWN[i]],
			     info->label);
		if (*width + 2 + (unsigned)n > p->columns - 1)
			return;
		out_lit(o, "  ");
		if (p->colour)
			out_printf(o, "\x1b[%sm%s\x1b[0m", info->ansi, text);
		else
			out_str(o, str_of(text));
		*width += 2 + (unsigned)n;
	}
}

/* The tests that run, as many as the line holds. */
static void add_running(struct progress *p, struct out *o, unsigned width)
{
	int64_t now = clock_mono_ms();
	char clock[UNIT_TEXT_MAX];

	for (unsigned i = 0; i < p->n_running; i++) {
		struct running *r = &p->running[i];
		char text[128];
		int n = snprintf(text, sizeof(text), "%s %s%s", r->name,
				 duration_clock(now - r->begin_ms, clock), r->expect);

		if (width + 2 + (unsigned)n > p->columns - 1)
			return;
		out_str(o, i ? STR(", ") : STR("  "));
		out_term(o, str_of(text));
		width += 2 + (unsigned)n;
	}
	if (p->n_running == 0 && width + 11 < p->columns)
		out_str(o, p->done < p->n_tests ? STR("  booting") : STR("  ending"));
}

void progress_draw(struct progress *p)
{
	char head[64], clock[UNIT_TEXT_MAX];
	unsigned width;
	struct out o;

	if (!p->terminal)
		return;
	out_to_fd(&o, STDERR_FILENO);
	out_lit(&o, "\r\x1b[K");
	width = (unsigned)snprintf(head, sizeof(head), "[%u/%zu] %s", p->done, p->n_tests,
				   duration_clock(clock_mono_ms() - p->begin_ms, clock));
	out_str(&o, str_of(head));
	if (p->note && width + 2 + strlen(p->note) < p->columns) {
		out_printf(&o, "  %s", p->note);
		width += 2 + (unsigned)strlen(p->note);
	}
	add_counts(p, &o, &width);
	add_running(p, &o, width);
	out_flush(&o);
	p->drawn = true;
}

void progress_note(struct progress *p, const char *note)
{
	p->note = note;
}

static void on_tick(void *ctx)
{
	struct progress *p = ctx;

	progress_draw(p);
	loop_timer_set(p->tick, TICK_MS);
}

static void job_began(struct progress *p, const struct event *ev)
{
	const struct event_job *j = ev->job_info;

	while (p->n_jobs <= ev->job && p->n_jobs < JOBS_MAX) {
		ARRAY_GROW(p->jobs, p->n_jobs, p->cap_jobs);
		p->jobs[p->n_jobs++] = NULL;
	}
	for (unsigned i = 0; i < p->n_settings && ev->job < p->n_jobs; i++)
		if (str_eq(j->mode, str_of(p->settings[i].mode)) &&
		    str_eq(j->machine, str_of(p->settings[i].machine)))
			p->jobs[ev->job] = &p->settings[i];
}

/* How long it took in the runs before. */
static void expectation(const struct run_setting *s, const struct event_program *prog,
			char text[static UNIT_TEXT_MAX + 1])
{
	text[0] = '\0';
	for (size_t i = 0; s && i < s->tests->n; i++) {
		const struct plan_test *t = &s->tests->v[i];

		if (t->expect_ms < 0 || !str_eq(prog->name, str_of(t->name)) ||
		    !str_eq(prog->suite, str_of(t->suite)))
			continue;
		text[0] = '/';
		duration_clock(t->expect_ms, text + 1);
	}
}

static void program_began(struct progress *p, const struct event *ev)
{
	const struct run_setting *s = ev->job < p->n_jobs ? p->jobs[ev->job] : NULL;
	struct running *r = &p->running[p->n_running];

	/* It is tried again: that is one more that ends. */
	if (ev->prog->attempt > 1 && p->done)
		p->done--;
	if (p->n_running == RUNNING_MAX)
		return;
	*r = (struct running){ .program = ev->program, .begin_ms = clock_mono_ms() };
	if (s && p->n_settings > 1)
		snprintf(r->name, sizeof(r->name), "%.20s:%.*s", s->mode, STR_FMT(ev->prog->name));
	else
		snprintf(r->name, sizeof(r->name), "%.*s", STR_FMT(ev->prog->name));
	expectation(s, ev->prog, r->expect);
	p->n_running++;
}

static void program_ended(struct progress *p, const struct event *ev)
{
	p->done++;
	for (unsigned i = 0; i < p->n_running; i++) {
		if (p->running[i].program != ev->program)
			continue;
		p->n_running--;
		memmove(&p->running[i], &p->running[i + 1],
			(p->n_running - i) * sizeof(p->running[0]));
		return;
	}
}

static void on_event(void *ctx, const struct event *ev)
{
	struct progress *p = ctx;

	event_emit(&p->count, ev);
	if (ev->type == EVENT_JOB_BEGIN)
		job_began(p, ev);
	else if (ev->type == EVENT_PROGRAM_BEGIN)
		program_began(p, ev);
	else if (ev->type == EVENT_PROGRAM_END)
		program_ended(p, ev);
}

struct progress *progress_new(struct loop *loop, bool terminal, bool colour, unsigned columns,
			      const struct run_setting *settings, unsigned n_settings)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	*p = (struct progress){
		.terminal = terminal,
		.colour = colour,
		.columns = columns < 20 ? 20 : columns,
		.settings = settings,
		.n_settings = n_settings,
		.begin_ms = clock_mono_ms(),
	};
	for (unsigned i = 0; i < n_settings; i++)
		p->n_tests += settings[i].tests->n;
	p->count = tally_sink(&p->tally);
	p->tick = loop_timer(loop, on_tick, p);
	if (terminal)
		loop_timer_set(p->tick, 0);
	return p;
}

struct event_sink progress_sink(struct progress *p)
{
	return (struct event_sink){ on_event, p };
}

struct progress *progress_free(struct progress *p)
{
	if (p) {
		progress_clear(p);
		loop_unwatch(p->tick);
		tally_done(&p->tally);
		free(p->jobs);
		free(p);
	}
	return NULL;
}
