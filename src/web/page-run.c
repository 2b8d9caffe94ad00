/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run: how it ended, what it ran on, how to run it again, and its programs
 * with what did not pass open. Walks over the stored events, so that none of them
 * has to be kept: jobs, splats, programs.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "judge/diff.h"
#include "web/history.h"
#include "web/run-splats.h"

#define EXCERPTS 24  /* log excerpts on one page */
#define JOBS     64

#define KINDS    8   /* files of a machine */
#define DOUBTS   20  /* told above the tests */

struct job {
	unsigned id;
	struct str mode, machine, accel, why, kernel, host;
	struct str end, reason; /* how it ended */
	unsigned cpus;
	uint64_t memory;
	bool console;
	struct str kinds[KINDS];
	unsigned n_kinds;
};

/* A sign that passes can't be trusted, and of which programs. */
struct doubt {
	struct str message, programs;
	unsigned n;
};

struct walk {
	struct web_html *h;
	int64_t run;
	struct job jobs[JOBS];
	unsigned n_jobs, more_jobs;
	struct doubt doubts[DOUBTS];
	unsigned n_doubts, more_doubts;
	struct str program;       /* of the events that come */
	struct arena arena;
};

static struct str keep(struct walk *w, struct str s)
{
	return str_n(arena_strndup(&w->arena, s.p ? s.p : "", s.n), s.n);
}

static struct job *job_find(struct walk *w, unsigned id)
{
	for (unsigned i = 0; i < w->n_jobs; i++)
		if (w->jobs[i].id == id)
			return &w->jobs[i];
	return NULL;
}

static void job_add(struct walk *w, const struct event *ev)
{
	const struct event_job *e = ev->job_info;

	if (w->n_jobs == JOBS) {
		w->more_jobs++;
		return;
	}
	w->jobs[w->n_jobs++] = (struct job){
		.id = ev->job,
		.mode = keep(w, e->mode),
		.machine = keep(w, e->machine),
		.accel = keep(w, e->accel),
		.why = keep(w, e->why),
		.kernel = keep(w, e->kernel),
		.host = keep(w, e->host),
		.cpus = e->cpus,
		.memory = e->memory,
	};
}

/* The same may be in doubt of many. */
static void add_doubt(struct walk *w, struct str message)
{
	unsigned i = 0;
	_free_ char *more = NULL;

	while (i < w->n_doubts && !str_eq(w->doubts[i].message, message))
		i++;
	if (i == DOUBTS) {
		w->more_doubts++;
		return;
	}
	if (i == w->n_doubts)
		w->doubts[w->n_doubts++] = (struct doubt){ keep(w, message), w->program, 1 };
	else if (str_find(w->doubts[i].programs, w->program) < 0 && ++w->doubts[i].n <= 10) {
		more = xasprintf("%.*s, %.*s", STR_FMT(w->doubts[i].programs),
				 STR_FMT(w->program));
		w->doubts[i].programs = keep(w, str_of(more));
	}
}

static void on_job(void *ctx, const struct event *ev)
{
	struct walk *w = ctx;
	struct job *j = job_find(w, ev->job);

	if (ev->type == EVENT_JOB_BEGIN)
		job_add(w, ev);
	else if (ev->type == EVENT_PROGRAM_BEGIN)
		w->program = keep(w, ev->prog->name);
	else if (ev->type == EVENT_PROBLEM && ev->problem->what == PROBLEM_DEGRADED)
		add_doubt(w, ev->problem->message);
	if (!j)
		return;
	if (ev->type == EVENT_ARTEFACT && ev->artefact->path.n && j->n_kinds < KINDS)
		j->kinds[j->n_kinds++] = keep(w, ev->artefact->kind);
	if (ev->type != EVENT_JOB_END)
		return;
	j->console = ev->job_info->console_path.n > 0;
	j->end = keep(w, ev->job_info->end);
	j->reason = keep(w, ev->job_info->reason);
}

/* ---- the head ---- */

static void fact_list(struct web_html *h, const char *name, struct str s)
{
	if (!s.n)
		return;
	html_fact(h, name);
	html_list(h, s);
	html_fact_end(h);
}

static void facts(struct web_html *h, const struct store_run *run)
{
	out_lit(h->out, "<dl class=\"facts\">\n");
	html_fact_text(h, "Asked for", run->title);
	html_fact(h, "Began");
	html_time(h, run->begin_ms);
	html_fact_end(h);
	if (run->end_ms > run->begin_ms) { /* else nobody told */
		html_fact(h, "Took");
		html_duration(h, run->end_ms - run->begin_ms);
		html_fact_end(h);
	}
	html_fact_text(h, "Branch", run->branch);
	if (run->commit.n) {
		html_fact(h, "Commit");
		html_commit(h, run->commit);
		html_fact_end(h);
	}
	fact_list(h, "Kernel", run->kernel);
	fact_list(h, "Mode", run->modes);
	if (run->state == STORE_RUN_DONE) {
		html_fact(h, "Exit code");
		out_printf(h->out, "%d", run->exit_code);
		html_fact_end(h);
	}
	html_fact_text(h, "Id", run->uid);
	out_lit(h->out, "</dl>\n");
}

/* What differs from the run before that is like it: in a sentence, and all of it. */
static void compared(struct web_html *h, int64_t id)
{
	const struct web_history *w = h->site->history;
	uint32_t now = web_history_run(w, id), before = web_history_before(w, now);
	const struct judge_side side[JUDGE_SIDES] = { { before, before + 1 }, { now, now + 1 } };
	_cleanup_(judge_diff_done) struct judge_diff d = {};
	struct web_args args = { .run = id };
	size_t n[JUDGE_DIFFERS_N] = {}, new = 0;

	if (before == w->n_runs || !web_site_has_run(h->site, id))
		return;
	for (size_t i = 0; i < w->n_axes; i++)
		judge_diff_axis(&d, &w->axes[i], side);
	for (size_t i = 0; i < d.n; i++) {
		n[d.v[i].what]++;
		new += d.v[i].what == JUDGE_FAILS &&
		       d.v[i].t[JUDGE_SIDE_A].did == JUDGE_DID_ABSENT;
	}
	n[JUDGE_FAILS] -= new;
	out_lit(h->out, "<p>Compared with ");
	html_run_link(h, w->runs[before].id, "run ");
	out_lit(h->out, " before it, ");
	if (n[JUDGE_FAILS] || n[JUDGE_PASSES])
		out_printf(h->out, "%zu fail%s that did not, and %zu fail%s no more",
			   n[JUDGE_FAILS],
			   n[JUDGE_FAILS] == 1 ? "s" : "", n[JUDGE_PASSES],
			   n[JUDGE_PASSES] == 1 ? "s" : "");
	else
		out_lit(h->out, "no test fails that did not, and none stopped failing");
	if (new)
		out_printf(h->out, "; %zu fail%s that it did not have", new,
			   new == 1 ? "s" : "");
	out_lit(h->out, ": <a");
	html_href(h, WEB_DIFF, &args);
	out_lit(h->out, ">all that differs</a>.</p>\n");
}

static int head(void *ctx, const struct store_run *run)
{
	struct web_html *h = ctx;
	struct out *o = h->out;
	char events[32];

	html_crumbs(h, 0);
	out_printf(o, "run %" PRId64 "</p>\n<h1>", run->id);
	html_run_mark(h, run->state, run->exit_code);
	out_printf(o, " Run %" PRId64 "</h1>\n", run->id);
	out_lit(o, "<div class=\"verdict\">\n<p class=\"says\">");
	if (run->state == STORE_RUN_LOST)
		out_lit(o, "Lost: what recorded it ended without a word. Here is what had come "
			   "to its end by then.");
	else
		out_html(o, run->conclusion.n ? run->conclusion
					      : str_of(web_run_word(run->state, run->exit_code)));
	out_lit(o, "</p>\n");
	html_bar(h, run->counts);
	html_counts(h, run->counts, true);
	if (run->state != STORE_RUN_DONE && run->tests) {
		out_lit(o, "\n<p class=\"far\">");
		html_progress(h, run->id, run->ended, run->tests);
		out_lit(o, "</p>");
	}
	out_lit(o, "\n");
	html_running(h, run->running);
	out_lit(o, "</div>\n");
	if (run->state == STORE_RUN_RUNNING) {
		snprintf(events, sizeof(events), "%" PRId64 "/events", run->id);
		html_live(h, events);
	}
	facts(h, run);
	compared(h, run->id);
	if (run->command.n) {
		out_lit(o, "<h2>Run it again</h2>\n"
			   "<pre class=\"command\" tabindex=\"0\"><code>");
		out_html(o, run->command);
		out_lit(o, "</code></pre>\n");
	}
	return 0;
}

/* ---- machines ---- */

/* In the units of --memory. */
static void memory(struct out *o, uint64_t bytes)
{
	uint64_t mib = bytes >> 20;

	if (mib && mib % 1024 == 0)
		out_printf(o, "%" PRIu64 " GiB", mib / 1024);
	else if (mib)
		out_printf(o, "%" PRIu64 " MiB", mib);
}

static void job_files(struct walk *w, const struct job *j)
{
	struct web_args args = { .run = w->run, .job = j->id };
	struct out *o = w->h->out;

	if (j->console) {
		out_lit(o, "<a");
		html_href(w->h, WEB_CONSOLE, &args);
		out_lit(o, ">console</a>");
	}
	for (unsigned i = 0; i < j->n_kinds; i++) {
		snprintf(args.kind, sizeof(args.kind), "%.*s", STR_FMT(j->kinds[i]));
		out_str(o, i || j->console ? STR(" · <a") : STR("<a"));
		html_href(w->h, WEB_ARTEFACT, &args);
		out_lit(o, ">");
		out_html(o, j->kinds[i]);
		out_lit(o, "</a>");
	}
}

/* The same of several machines is told with the first of them. */
static bool told_before(const struct walk *w, const struct job *j)
{
	return j > w->jobs && str_eq(j[-1].why, j->why) && str_eq(j[-1].machine, j->machine) &&
	       str_eq(j[-1].accel, j->accel) && str_eq(j[-1].mode, j->mode);
}

static void job_why(struct walk *w, const struct job *j)
{
	bool why = j->why.n && !told_before(w, j);
	struct out *o = w->h->out;

	if (!why && !j->reason.n)
		return;
	out_lit(o, "<tr class=\"why\"><td colspan=\"7\">");
	if (j->reason.n) {
		out_lit(o, "Ended: ");
		out_html(o, j->reason);
		out_str(o, why ? STR(". ") : STR(""));
	}
	if (why) {
		out_lit(o, "Why this one: ");
		out_html(o, j->why);
	}
	out_lit(o, "</td></tr>\n");
}

static void job_row(struct walk *w, const struct job *j)
{
	struct out *o = w->h->out;
	bool well = !j->end.n || str_eq(j->end, STR("stopped"));

	out_lit(o, "<tr><th scope=\"row\">");
	out_html(o, j->machine);
	if (j->accel.n) {
		out_lit(o, " <span class=\"quiet\">");
		out_html(o, j->accel);
		out_lit(o, "</span>");
	}
	out_lit(o, "</th><td>");
	out_html(o, j->mode);
	out_lit(o, "</td><td>");
	out_html(o, j->kernel);
	out_lit(o, "</td><td>");
	if (j->cpus)
		out_printf(o, "%u CPU%s, ", j->cpus, j->cpus == 1 ? "" : "s");
	memory(o, j->memory);
	out_lit(o, "</td><td>");
	out_html(o, j->host);
	out_lit(o, "</td><td>");
	if (!well) {
		html_mark(w->h, STATUS_CRASH, false);
		out_lit(o, " ");
	}
	out_html(o, j->end);
	out_lit(o, "</td><td>");
	job_files(w, j);
	out_lit(o, "</td></tr>\n");
	job_why(w, j);
}

static void machines(struct walk *w)
{
	struct out *o = w->h->out;

	if (!w->n_jobs)
		return;
	out_lit(o, "<h2>Machines</h2>\n<div class=\"scroll\" role=\"region\" "
		   "aria-label=\"Machines\" tabindex=\"0\">\n"
		   "<table class=\"plain machines\">\n<thead>\n<tr>"
		   "<th scope=\"col\">Machine</th><th scope=\"col\">Mode</th>"
		   "<th scope=\"col\">Kernel</th><th scope=\"col\">Size</th>"
		   "<th scope=\"col\">Host</th><th scope=\"col\">Ended</th>"
		   "<th scope=\"col\">Files</th></tr>\n</thead>\n<tbody>\n");
	for (unsigned i = 0; i < w->n_jobs; i++)
		job_row(w, &w->jobs[i]);
	out_lit(o, "</tbody>\n</table>\n</div>\n");
	if (w->more_jobs)
		out_printf(o, "<p>and %u more machines</p>\n", w->more_jobs);
}

/* ---- what is in doubt ---- */

static void doubts(struct walk *w)
{
	struct out *o = w->h->out;

	if (!w->n_doubts)
		return;
	out_lit(o, "<h2>Passes that prove little</h2>\n<ul class=\"problems\">\n");
	for (unsigned i = 0; i < w->n_doubts; i++) {
		const struct doubt *d = &w->doubts[i];

		out_lit(o, "<li>");
		out_html(o, d->message);
		out_lit(o, " <span class=\"quiet\">— ");
		out_html(o, d->programs);
		if (d->n > 10)
			out_printf(o, " and %u more", d->n - 10);
		out_lit(o, "</span></li>\n");
	}
	if (w->more_doubts)
		out_printf(o, "<li>and %u more</li>\n", w->more_doubts);
	out_lit(o, "</ul>\n");
}

/* ---- the page ---- */

static bool several_modes(const struct walk *w)
{
	for (unsigned i = 1; i < w->n_jobs; i++)
		if (!str_eq(w->jobs[i].mode, w->jobs[0].mode))
			return true;
	return false;
}

static int programs(struct walk *w, struct err *err)
{
	struct web_programs *p = programs_new(w->h, w->run, several_modes(w), EXCERPTS);
	int r;

	out_lit(w->h->out, "<h2>Tests</h2>\n<div class=\"programs\">\n");
	r = store_replay(w->h->site->store, w->run, programs_sink(p), err);
	programs_free(p);
	out_lit(w->h->out, "</div>\n");
	return r;
}

struct head_of {
	struct web_html *h;
	uint64_t splats;
};

static int on_run(void *ctx, const struct store_run *run)
{
	struct head_of *of = ctx;

	of->splats = run->splats;
	return head(of->h, run);
}

WEB_RENDER(web_run_page)
{
	struct web_html h = { site, out, WEB_RUN, args };
	struct walk *w = xcalloc(1, sizeof(*w));
	struct head_of of = { .h = &h };
	char title[32];
	int r;

	w->h = &h;
	w->run = args->run;
	snprintf(title, sizeof(title), "Run %" PRId64, args->run);
	html_begin(&h, str_of(title));
	r = store_run_get(site->store, args->run, on_run, &of, err);
	if (r >= 0)
		r = store_replay(site->store, args->run, (struct event_sink){ on_job, w }, err);
	if (r >= 0) {
		doubts(w);
		r = of.splats ? run_splats(&h, args->run, err) : 0;
	}
	if (r >= 0)
		r = programs(w, err);
	if (r >= 0) {
		machines(w);
		html_end(&h);
	}
	arena_done(&w->arena);
	free(w);
	return r < 0 ? r : 0;
}
