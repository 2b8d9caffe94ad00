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
#define CLOCK_MAX   (2 * UNIT_TEXT_MAX)
#define JOBS_MAX    4096 /* whose setting is known; as in tap/tally.c */

struct running {
	unsigned program;
	int64_t begin_ms; /* monotonic */
	int64_t expect_ms; /* -1: unknown */
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
	unsigned n_running, done, columns, machines;
	int64_t left_ms;  /* of the tests that did not end */
	unsigned unknown; /* tests of which no run before says how long they take */
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

/* "0:12", or "0:12/0:38" where the runs before say how long it takes. */
static const char *clock_of(int64_t ms, int64_t expect_ms, char ret[static CLOCK_MAX])
{
	char clock[UNIT_TEXT_MAX], expect[UNIT_TEXT_MAX];

	if (expect_ms < 0)
		snprintf(ret, CLOCK_MAX, "%s", duration_clock(ms, clock));
	else
		snprintf(ret, CLOCK_MAX, "%s/%s", duration_clock(ms, clock),
			 duration_clock(expect_ms, expect));
	return ret;
}

/* All of it, if nothing is in the way of the machines; -1: unknown. */
static int64_t expect_all(const struct progress *p, int64_t now)
{
	int64_t left = p->left_ms, most = 0;

	if (p->unknown || !p->machines)
		return -1;
	for (unsigned i = 0; i < p->n_running; i++) {
		int64_t took = now - p->running[i].begin_ms, expect = p->running[i].expect_ms;

		left -= took < expect ? took : expect;
		most = expect - took > most ? expect - took : most;
	}
	left /= p->machines;
	return now - p->begin_ms + (left > most ? left : most);
}

/* The tests that run, as many as the line holds. */
static void add_running(struct progress *p, struct out *o, unsigned width)
{
	int64_t now = clock_mono_ms();
	char clock[CLOCK_MAX];

	for (unsigned i = 0; i < p->n_running; i++) {
		struct running *r = &p->running[i];
		char text[128];
		int n = snprintf(text, sizeof(text), "%s %s", r->name,
				 clock_of(now - r->begin_ms, r->expect_ms, clock));

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
	char head[64], clock[CLOCK_MAX];
	int64_t now = clock_mono_ms();
	unsigned width;
	struct out o;

	if (!p->terminal)
		return;
	out_to_fd(&o, STDERR_FILENO);
	out_lit(&o, "\r\x1b[K");
	width = (unsigned)snprintf(head, sizeof(head), "[%u/%zu] %s", p->done, p->n_tests,
				   clock_of(now - p->begin_ms, expect_all(p, now), clock));
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

/* NULL: it is none of those to come, but of a run that goes on. */
static const struct plan_test *test_of(const struct progress *p, const struct event *ev)
{
	const struct run_setting *s = ev->job < p->n_jobs ? p->jobs[ev->job] : NULL;

	for (size_t i = 0; s && i < s->tests->n; i++) {
		const struct plan_test *t = &s->tests->v[i];

		if (str_eq(ev->prog->name, str_of(t->name)) &&
		    str_eq(ev->prog->suite, str_of(t->suite)))
			return t;
	}
	return NULL;
}

/* It ended: @sign 1, or is tried again: -1. */
static void count_end(struct progress *p, const struct plan_test *t, int sign)
{
	p->done += (unsigned)sign;
	if (!t)
		p->n_tests += (size_t)sign;
	else if (t->expect_ms < 0)
		p->unknown -= (unsigned)sign;
	else
		p->left_ms -= sign * t->expect_ms;
}

static void program_began(struct progress *p, const struct event *ev)
{
	const struct run_setting *s = ev->job < p->n_jobs ? p->jobs[ev->job] : NULL;
	const struct plan_test *t = test_of(p, ev);
	struct running *r = &p->running[p->n_running];

	/* That is one more that ends. */
	if (ev->prog->attempt > 1 && p->done)
		count_end(p, t, -1);
	if (p->n_running == RUNNING_MAX)
		return;
	*r = (struct running){ .program = ev->program, .begin_ms = clock_mono_ms(),
			       .expect_ms = t ? t->expect_ms : -1 };
	if (s && p->n_settings > 1)
		snprintf(r->name, sizeof(r->name), "%.20s:%.*s", s->mode, STR_FMT(ev->prog->name));
	else
		snprintf(r->name, sizeof(r->name), "%.*s", STR_FMT(ev->prog->name));
	p->n_running++;
}

static void program_ended(struct progress *p, const struct event *ev)
{
	count_end(p, test_of(p, ev), 1);
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

static void expect_setting(struct progress *p, const struct plan_tests *tests)
{
	p->n_tests += tests->n;
	for (size_t i = 0; i < tests->n; i++)
		if (tests->v[i].expect_ms >= 0)
			p->left_ms += tests->v[i].expect_ms;
		else
			p->unknown++;
}

struct progress *progress_new(struct loop *loop, bool terminal, bool colour, unsigned columns,
			      unsigned machines, const struct run_setting *settings,
			      unsigned n_settings)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	*p = (struct progress){
		.terminal = terminal,
		.colour = colour,
		.columns = columns < 20 ? 20 : columns,
		.machines = machines,
		.settings = settings,
		.n_settings = n_settings,
		.begin_ms = clock_mono_ms(),
	};
	for (unsigned i = 0; i < n_settings; i++)
		expect_setting(p, settings[i].tests);
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
