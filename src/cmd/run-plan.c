/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-plan.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/run-hooks.h"
#include "cmd/run-preflight.h"
#include "cmd/run-suites.h"
#include "kernel/build.h"
#include "suite/suite.h"

struct run_kernel {
	char *mode, *kind;
	struct kernel kernel;
	struct plan_mode_all all;
	uint64_t memory;        /* the mode's; 0: as usual */
	char *why_not;
};

/* Machines with the same kernels. */
static const char *kind_of_kernel(const char *machine)
{
	return strcmp(machine, "uml") == 0 || strcmp(machine, "host") == 0 ? machine : "auto";
}

static struct run_kernel *kernel_had(struct run_plan *p, const char *mode, const char *kind)
{
	for (unsigned i = 0; i < p->n_kernels; i++)
		if (strcmp(p->kernels[i].mode, mode) == 0 &&
		    strcmp(p->kernels[i].kind, kind) == 0)
			return &p->kernels[i];
	return NULL;
}

/* A worktree that is ours already, so that a commit is not checked out twice. */
static const char *source_had(const struct run_plan *p)
{
	for (unsigned i = 0; i < p->n_kernels; i++)
		if (p->kernels[i].kernel.held && p->kernels[i].kernel.source)
			return p->kernels[i].kernel.source;
	return NULL;
}

/* A job whose kernel is to be built. */
struct unbuilt {
	struct run_plan *plan;
	const struct plan_job *job;
	const struct run_wish *wish;
	const struct run_kernel *kernel;
};

/* A word that means no test is told before a kernel is built for it. What else is wrong
 * with the tests is told when it comes to them. */
static int check_words(void *ctx, const struct kernel *source, struct err *err)
{
	const struct unbuilt *u = ctx;
	struct kernel kernel = *source;
	struct run_part part = { .kernel = &kernel, .mode = u->kernel->all, .alone = true };
	int r;

	if (!u->wish->n_selectors)
		return 0;
	part.machine = machine_options_settle(u->job->machine, &kernel);
	r = run_suites_list(u->plan, &part, u->job, u->wish, err);
	plan_tests_done(&part.tests);
	return r == -EINVAL || r == -EINTR ? r : 0;
}

static int kernel_get(struct run_plan *p, const struct plan_job *job, const struct run_wish *w,
		      struct run_kernel **ret, struct err *err)
{
	struct machine_options o = *w->machine;
	const char *kind = kind_of_kernel(job->machine), *had = source_had(p);
	bool said = w->machine->mode || p->plan->run.modes_count || job->only;
	struct run_kernel *k = kernel_had(p, job->mode, kind);
	struct unbuilt unbuilt = { p, job, w, NULL };
	const char *spec;
	int r;

	*ret = k;
	if (k)
		return 0;
	o.machine = job->machine; /* which may be one of several, or the configuration's */
	k = *ret = &p->kernels[p->n_kernels++];
	*k = (struct run_kernel){ .mode = xstrdup(job->mode), .kind = xstrdup(kind) };
	if (!o.kernel && w->source)
		o.kernel = w->source->kernel;
	if (had)
		o.kernel = had;
	o.mode = said && strcmp(kind, "host") != 0 ? job->mode : w->machine->mode;
	spec = order_spec(&o, p->plan);
	if (w->dry && order_builds(&o, spec)) {
		r = plan_mode_find(p->plan, job->mode, &k->all, err);
		return r < 0 ? r : kernel_build_source(spec, w->cache_dir, w->log, &k->kernel, err);
	}
	unbuilt.kernel = k;
	r = order_kernel(&o, p->plan, job->mode, kind, w->cache_dir, w->cmd, w->log,
			 &(struct order_before){ check_words, &unbuilt }, &k->kernel, &k->all, err);
	k->memory = o.memory;
	return r;
}

/* One of several that can't be built: its tests are told as such. They are listed by
 * the source, which is there. */
static int kernel_failed(struct run_plan *p, const struct plan_job *job,
			 const struct run_wish *w, struct run_kernel *k, struct err *err)
{
	struct machine_options o = *w->machine;
	const char *had = source_had(p);

	o.machine = job->machine;
	k->why_not = xasprintf("no kernel of mode '%s': %s", job->mode, err->text);
	log_warn(w->log, "%s; the other jobs go on", k->why_not);
	if (!o.kernel && w->source)
		o.kernel = w->source->kernel;
	return kernel_build_source(had ? had : order_spec(&o, p->plan), w->cache_dir, w->log,
				   &k->kernel, err);
}

/* A host machine wants no kernel, unless tests are built from its source. */
static bool needs_kernel(const struct run_plan *p, const struct plan_job *job,
			 const struct run_wish *w)
{
	if (strcmp(job->machine, "host") != 0 || w->source_wanted)
		return true;
	return run_suites_need_source(p, job, w);
}

/* What one machine takes of the host. */
static void need(const struct run_part *part, struct run_setting *s)
{
	s->cpus = part->config.cpus ? part->config.cpus : 1;
	s->memory = part->config.memory ? part->config.memory : (uint64_t)1 << 30;
}

/* The running kernel's leaks and counters are not this run's. */
static void afterwards(const struct run_part *part, struct run_setting *s)
{
	unsigned n = 0;

	if (!part->kernel || !part->kernel->image || strcmp(part->machine, "host") == 0)
		return;
	if (kernel_config_value(part->kernel->config, "DEBUG_KMEMLEAK") == 'y')
		s->after[n++] = &RUN_AFTER_LEAKS;
	if (part->kernel->counters)
		s->after[n++] = &RUN_AFTER_COVERAGE;
}

static int make_part(struct run_plan *p, const struct plan_job *job, const struct run_wish *w,
		     bool alone, struct err *err)
{
	struct run_part *part = &p->parts[p->n_parts];
	struct run_setting *s = &p->settings[p->n_parts++];
	struct machine_options *o = w->machine;
	uint64_t memory = o->memory;
	struct run_kernel *k = NULL;
	int r;

	part->machine = job->machine;
	part->alone = alone;
	if (needs_kernel(p, job, w))
		r = kernel_get(p, job, w, &k, err);
	else
		r = plan_mode_find(p->plan, job->mode, &part->mode, err) < 0 ? -EINVAL : 0;
	if (r < 0 && k && !alone && r != -EINVAL && r != -EINTR)
		r = kernel_failed(p, job, w, k, err);
	if (r < 0)
		return r;
	if (k) {
		part->kernel = &k->kernel;
		part->mode = k->all;
	}
	part->why_not = k && k->why_not ? xstrdup(k->why_not) : NULL;
	part->machine = machine_options_settle(job->machine, part->kernel);
	/* The list of jobs goes, the words of a machine stay. */
	for (unsigned i = 0; i < MACHINE_KINDS_N; i++)
		if (strcmp(part->machine, MACHINE_KINDS[i].name) == 0)
			part->machine = MACHINE_KINDS[i].name;
	/* With what takes the tests' place none is listed. */
	r = p->plan->hooks.run && !run_suites_named(w) ? 0 : run_suites_list(p, part, job, w, err);
	if (r == 0)
		run_hooks_make(p->plan, part, run_suites_named(w));
	if (r == 0)
		r = run_preflight(p->plan, part, w->log, err);
	if (r < 0)
		return r;
	if (k && k->memory)
		o->memory = k->memory;
	r = machine_options_config(o, part->kernel && part->kernel->image ? part->kernel : NULL,
				   w->cache_dir, &part->config, err);
	o->memory = memory;
	*s = (struct run_setting){
		.machine = part->machine,
		.config = part->config,
		.mode = part->mode.name,
		.identity = part->kernel ? part->kernel->identity : NULL,
		.kernel_config = part->kernel ? part->kernel->config : NULL,
		.tests = &part->tests,
		.pre = run_hook(part, "pre"),
		.post = run_hook(part, "post"),
		.why_not = part->why_not,
	};
	need(part, s);
	afterwards(part, s);
	return r;
}

/* A job whose tests are all excluded is none. */
static void drop_empty(struct run_plan *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_parts; i++) {
		if (!p->parts[i].tests.n) {
			plan_tests_done(&p->parts[i].tests);
			plan_tests_done(&p->parts[i].hooks);
			free(p->parts[i].why_not);
			continue;
		}
		p->parts[n] = p->parts[i];
		p->settings[n] = p->settings[i];
		p->settings[n].tests = &p->parts[n].tests;
		n++;
	}
	p->n_parts = n;
}

int run_plan_load(const struct machine_options *o, struct plan **ret, struct err *err)
{
	const char *file = NULL;
	int r = machine_options_file(o, &file, err);

	return r < 0 || plan_load(file, ".", ret, err) < 0 ? -EINVAL : 0;
}

/* Of a run on several kinds of machines an option may be for one of them. What a kernel
 * need not be built for is told before: without @p. */
static int check_options(const struct run_plan *p, const struct plan_jobs *jobs,
			 const struct machine_options *o, struct err *err)
{
	size_t n = p ? p->n_parts : jobs->n;
	_free_ const char **kinds = xcalloc(n, sizeof(*kinds));

	for (size_t i = 0; i < n; i++)
		kinds[i] = p ? p->parts[i].machine : jobs->v[i].machine;
	return machine_options_fit(o, kinds, n, err);
}

int run_plan_make(struct plan *plan, const struct run_wish *w, struct run_plan *ret,
		  struct err *err)
{
	struct run_plan p = { .plan = plan };
	_cleanup_(plan_jobs_done) struct plan_jobs jobs = {};
	int r = plan_jobs_make(plan, w->machine->mode, w->machine->machine, &jobs, err);

	if (r == 0 && w->machine->gdb && jobs.n > 1)
		r = err_set(err, EINVAL, "--gdb is for one mode on one kind of machine");
	if (r == 0)
		r = check_options(NULL, &jobs, w->machine, err);
	p.parts = xcalloc(jobs.n, sizeof(*p.parts));
	p.settings = xcalloc(jobs.n, sizeof(*p.settings));
	p.kernels = xcalloc(jobs.n, sizeof(*p.kernels));
	for (size_t i = 0; i < jobs.n && r == 0; i++)
		r = make_part(&p, &jobs.v[i], w, jobs.n == 1, err);
	if (r == 0)
		drop_empty(&p);
	if (r == 0 && !p.n_parts)
		r = err_set(err, EINVAL, "no test is left: the selectors, or the configuration's "
			    "'exclude', exclude all");
	if (r == 0)
		r = check_options(&p, NULL, w->machine, err);
	if (r < 0) {
		run_plan_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void run_plan_done(struct run_plan *p)
{
	for (unsigned i = 0; i < p->n_parts; i++) {
		plan_tests_done(&p->parts[i].tests);
		plan_tests_done(&p->parts[i].hooks);
		free(p->parts[i].why_not);
	}
	for (unsigned i = 0; i < p->n_kernels; i++) {
		free(p->kernels[i].mode);
		free(p->kernels[i].kind);
		free(p->kernels[i].why_not);
		kernel_done(&p->kernels[i].kernel);
	}
	free(p->parts);
	free(p->settings);
	free(p->kernels);
	plan_free(p->plan);
	*p = (struct run_plan){};
}

const struct kernel *run_plan_kernel(const struct run_plan *p)
{
	for (unsigned i = 0; i < p->n_kernels; i++)
		if (!p->kernels[i].why_not)
			return &p->kernels[i].kernel;
	return NULL;
}

size_t run_plan_tests(const struct run_plan *p)
{
	size_t n = 0;

	for (unsigned i = 0; i < p->n_parts; i++)
		n += p->parts[i].tests.n;
	return n;
}
