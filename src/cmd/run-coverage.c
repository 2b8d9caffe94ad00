/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-coverage.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/coverage.h"

/* A kernel that counts, and what its machines counted. */
struct counted {
	const char *counters, *mode, *machine;
	char **files;
	size_t n, cap;
	unsigned job;       /* the first; 0: none yet */
	char *tracefile;    /* NULL: there is none */
};

struct run_coverage {
	struct event_sink next;
	const struct log *log;
	const char *work, *out;
	struct counted *v;
	unsigned n;
	unsigned *jobs;     /* whose is job i + 1: index in v; UINT32_MAX: nobody's */
	size_t n_jobs, cap_jobs;
};

struct run_coverage *run_coverage_new(const struct run_plan *plan, const char *work,
				      const char *out, const struct log *log)
{
	struct run_coverage *c;
	unsigned n = 0;

	for (unsigned i = 0; i < plan->n_parts; i++)
		n += plan->parts[i].kernel && plan->parts[i].kernel->counters;
	if (!n)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	*c = (struct run_coverage){ .log = log, .work = work, .out = out };
	c->v = xcalloc(n, sizeof(*c->v));
	for (unsigned i = 0; i < plan->n_parts; i++) {
		const struct run_part *p = &plan->parts[i];

		if (p->kernel && p->kernel->counters)
			c->v[c->n++] = (struct counted){ .counters = p->kernel->counters,
							 .mode = p->mode.name,
							 .machine = p->machine };
	}
	return c;
}

struct run_coverage *run_coverage_free(struct run_coverage *c)
{
	if (!c)
		return NULL;
	for (unsigned i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->v[i].n; k++)
			free(c->v[i].files[k]);
		free(c->v[i].files);
		free(c->v[i].tracefile);
	}
	free(c->v);
	free(c->jobs);
	free(c);
	return NULL;
}

static void job_begin(struct run_coverage *c, const struct event *ev)
{
	while (c->n_jobs < ev->job) {
		ARRAY_GROW(c->jobs, c->n_jobs, c->cap_jobs);
		c->jobs[c->n_jobs++] = UINT32_MAX;
	}
	for (unsigned i = 0; i < c->n; i++)
		if (str_eq(ev->job_info->mode, str_of(c->v[i].mode)) &&
		    str_eq(ev->job_info->machine, str_of(c->v[i].machine)))
			c->jobs[ev->job - 1] = i;
}

static struct counted *counted_of(struct run_coverage *c, unsigned job)
{
	return job && job <= c->n_jobs && c->jobs[job - 1] < c->n ? &c->v[c->jobs[job - 1]] : NULL;
}

static void add_file(struct run_coverage *c, const struct event *ev)
{
	struct counted *x = counted_of(c, ev->job);

	if (!x)
		return;
	if (!x->job)
		x->job = ev->job;
	ARRAY_GROW(x->files, x->n, x->cap);
	x->files[x->n++] = xstrndup(ev->artefact->path.p, ev->artefact->path.n);
}

static void tell_part(struct buf *b, const char *what, struct coverage_part p)
{
	if (p.found)
		buf_printf(b, "%s%.1f %% of %" PRIu64 " %s", b->n ? ", " : "",
			   100.0 * (double)p.hit / (double)p.found, p.found, what);
}

static void tell(struct run_coverage *c, const char *of, const char *file, const char *where)
{
	_cleanup_(buf_done) struct buf b = {};
	struct coverage total;
	struct err err = {};

	if (coverage_read(file, &total, &err) < 0) {
		log_warn(c->log, "coverage: %s", err.text);
		return;
	}
	tell_part(&b, "lines", total.lines);
	tell_part(&b, "functions", total.functions);
	tell_part(&b, "branches", total.branches);
	log_info(c->log, "coverage%s: %.*s%s%s", of, STR_FMT(buf_str(&b)), where ? ": " : "",
		 where ? where : "");
}

/* What one kernel's machines counted, for the history. */
static int capture(struct run_coverage *c, struct counted *x, struct err *err)
{
	_free_ char *work = xasprintf("%s/coverage-%u", c->work, x->job);
	_free_ char *to = xasprintf("%s/coverage-%u.info", c->out ? c->out : c->work, x->job);
	_free_ char *of = xasprintf(" in mode %s", x->mode);
	struct event_artefact a = { .kind = STR("coverage"), .path = str_of(to) };
	int r = dir_make(work, err);

	if (r == 0)
		r = coverage_capture(x->counters, (const char *const *)x->files, x->n, work, to,
				     err);
	dir_remove(work, NULL);
	if (r < 0)
		return r;
	event_emit(&c->next, &(struct event){ .type = EVENT_ARTEFACT, .job = x->job,
					      .artefact = &a });
	x->tracefile = TAKE(to);
	if (c->n > 1)
		tell(c, of, x->tracefile, NULL);
	return 0;
}

static int sum_up(struct run_coverage *c, struct err *err)
{
	const char **all = xcalloc(c->n, sizeof(*all));
	_free_ char *merged = path_join(c->work, "coverage.info");
	_free_ char *pages = c->out ? path_join(c->out, "coverage") : NULL;
	_free_ char *index = pages ? path_join(pages, "index.html") : NULL;
	const char *total = merged;
	size_t n = 0;
	int r = 0;

	for (unsigned i = 0; i < c->n; i++)
		if (c->v[i].tracefile)
			all[n++] = c->v[i].tracefile;
	if (n == 1)
		total = all[0];
	else if (n)
		r = coverage_merge(all, n, merged, err);
	if (r == 0 && n && pages)
		r = coverage_pages(total, "coverage", pages, err);
	if (r == 0 && n)
		tell(c, "", total, index);
	free(all);
	return r;
}

static void finish(struct run_coverage *c)
{
	struct err err = {};

	for (unsigned i = 0; i < c->n; i++)
		if (c->v[i].n && capture(c, &c->v[i], &err) < 0)
			log_warn(c->log, "coverage of mode %s: %s", c->v[i].mode, err.text);
	if (sum_up(c, &err) < 0)
		log_warn(c->log, "coverage: %s", err.text);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct run_coverage *c = ctx;

	if (ev->type == EVENT_JOB_BEGIN)
		job_begin(c, ev);
	if (ev->type == EVENT_ARTEFACT && str_eq(ev->artefact->kind, STR("gcov"))) {
		add_file(c, ev);
		return;
	}
	/* All machines are gone: nobody waits for us meanwhile. */
	if (ev->type == EVENT_RUN_END)
		finish(c);
	event_emit(&c->next, ev);
}

struct event_sink run_coverage_sink(struct run_coverage *c, struct event_sink next)
{
	c->next = next;
	return (struct event_sink){ on_event, c };
}
