/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-plan.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cmd/run-hooks.h"
#include "cmd/run-preflight.h"
#include "kernel/build.h"
#include "kernel/kunit.h"
#include "machine/accel.h"
#include "machine/vmlinux.h"
#include "suite/suite.h"

/* May one of the selectors mean this suite? Building tests costs time. */
static bool wanted(const struct plan_suite *suite, const char *const *selectors, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct str rest = str_of(selectors[i]), first;
		_free_ char *head = NULL;

		if (str_starts(rest, STR("!")))
			continue;
		any = true;
		/* "net/mptcp:diag.sh", or all of "net/mptcp", as kselftest has it */
		if (suite->target && strcmp(suite->kind, "kselftest") == 0 &&
		    str_starts(rest, str_of(suite->target)))
			return true;
		first = str_cut(&rest, '/');
		head = xstrndup(first.p, first.n);
		if (str_glob(head, suite->name))
			return true;
	}
	return !any;
}

/* Translated, instead of run by a processor. */
static bool is_slow(const struct run_part *part, const struct run_wish *w)
{
	const char *accel = w->machine->accel;
	char why[256];
	bool fresh;

	if (strcmp(part->machine, "qemu") != 0)
		return false;
	if (accel && strcmp(accel, "auto") != 0)
		return strcmp(accel, "tcg") == 0;
	return !accel_kvm(w->cache_dir, why, sizeof(why), &fresh);
}

/* What the plan calls slow is no part of the default choice of a slow machine. */
static void leave_slow(struct run_part *part, const struct plan_suite *suite, size_t first,
		       const struct run_wish *w)
{
	_cleanup_(buf_done) struct buf names = {};
	bool slow = suite->slow_count && is_slow(part, w);

	for (size_t i = first; i < part->tests.n && slow; i++) {
		struct plan_test *t = &part->tests.v[i];

		if (!t->by_default ||
		    !plan_globs_match(suite->slow, suite->slow_count, t->name))
			continue;
		t->by_default = false;
		buf_printf(&names, names.n ? ", %s" : "%s", t->name);
	}
	if (names.n && !w->n_selectors)
		log_info(w->log, "suite '%s': not by default on a machine that is translated: "
			 "%.*s; '%s/*' runs them too", suite->name, STR_FMT(buf_str(&names)),
			 suite->name);
}

/* Of the kernel that will run. @kunit is kept for as long as @ctx. */
static int describe_kernel(const struct run_part *part, const struct suite_kind *kind,
			   struct suite_context *ctx, struct buf *kunit, struct err *err)
{
	struct kernel *k = part->kernel;
	int r;

	ctx->machine = part->machine;
	ctx->value = kernel_config_value;
	ctx->vmlinux = vmlinux_open;
	if (!k)
		return 0;
	ctx->source = k->source;
	ctx->source_id = k->source_id;
	ctx->image = k->image;
	ctx->config = k->config;
	if (!kind->needs_kunit || !k->image)
		return 0;
	r = kernel_kunit(k, kunit, err);
	ctx->kunit = r > 0 ? buf_str(kunit).p : NULL;
	return r < 0 ? r : 0;
}

static int list_suite(struct run_part *part, const struct plan_suite *suite,
		      const struct run_wish *w, struct err *err)
{
	const struct suite_kind *kind = suite_kind_find(suite->kind, err);
	struct suite_context ctx = { .cache_dir = w->cache_dir, .log = w->log };
	_cleanup_(buf_done) struct buf kunit = {};
	size_t first = part->tests.n;
	int r;

	if (!kind)
		return -EINVAL;
	if (kind->needs_source && !part->kernel->source) {
		r = kernel_source(part->kernel, w->cache_dir, w->log, err);
		if (r < 0)
			return r;
	}
	r = describe_kernel(part, kind, &ctx, &kunit, err);
	if (r == 0)
		r = kind->list(suite, &ctx, &part->tests, err);
	if (r >= 0)
		leave_slow(part, suite, first, w);
	return r < 0 ? r : 0;
}

/* The words that choose: the command line's, else the job's own, else the plan's. */
static const char *const *selectors_of(const struct run_plan *p, const struct plan_job *job,
				       const struct run_wish *w, size_t *ret_n)
{
	*ret_n = w->n_selectors;
	if (w->n_selectors)
		return w->selectors;
	*ret_n = job->only ? job->only->tests_count : p->plan->run.tests_count;
	return (const char *const *)(job->only ? job->only->tests : p->plan->run.tests);
}

/* What `exclude` has, unless somebody asked for tests by name. */
static void leave_out(const struct run_plan *p, const struct run_wish *w, struct run_part *part)
{
	struct plan_tests *t = &part->tests, gone = {};
	size_t n = 0;

	for (size_t i = 0; i < t->n && !w->n_selectors; i++) {
		if (plan_test_fits(p->plan, part->mode.name, part->machine, &t->v[i]))
			t->v[n++] = t->v[i];
		else
			*plan_tests_add(&gone) = t->v[i];
	}
	if (!w->n_selectors)
		t->n = n;
	plan_tests_done(&gone);
}

static bool names_any(const struct run_wish *w)
{
	for (size_t i = 0; i < w->n_selectors; i++)
		if (w->selectors[i][0] != '!')
			return true;
	return false;
}

/* Some suites are of the default plan only in some modes; who names one has it in any. */
static bool by_default(const struct run_part *part, const struct plan_suite *suite,
		       const struct run_wish *w)
{
	return !suite->default_modes_count || names_any(w) ||
	       plan_globs_match(suite->default_modes, suite->default_modes_count,
				part->mode.name);
}

/* Who asks for tests that can't run here is told so, instead of skips. */
static int check_able(const struct run_part *part, const struct run_wish *w, struct err *err)
{
	const struct plan_tests *t = &part->tests;

	for (size_t i = 0; i < t->n; i++)
		if (!t->v[i].unable)
			return 0;
	if (!t->n || !part->alone || !names_any(w))
		return 0;
	return err_set(err, EINVAL, "%s/%s: %s", t->v[0].suite, t->v[0].name, t->v[0].unable);
}

/* Is it about suites that run in other jobs alone? Then it is no mistake in this one. */
static bool is_elsewhere(const struct run_plan *p, const struct run_part *part,
			 const char *selector)
{
	const char *bare = selector + (selector[0] == '!');
	bool elsewhere = false;

	for (unsigned i = 0; i < p->plan->suites_count; i++) {
		const struct plan_suite *suite = &p->plan->suites[i];

		if (!wanted(suite, &bare, 1))
			continue;
		if (plan_suite_fits(suite, part->mode.name, part->machine))
			return false;
		elsewhere = true;
	}
	return elsewhere;
}

static int list(struct run_plan *p, struct run_part *part, const struct plan_job *job,
		const struct run_wish *w, struct err *err)
{
	_cleanup_(opt_list_done) struct opt_list own = {};
	bool listed = false, fits = false, chosen = false;
	const char *const *selectors;
	size_t n, left = 0;
	int r;

	selectors = selectors_of(p, job, w, &n);
	for (size_t i = 0; i < n; i++) {
		if (is_elsewhere(p, part, selectors[i])) {
			left += selectors[i][0] != '!';
			continue;
		}
		chosen |= selectors[i][0] != '!';
		opt_list_add(&own, selectors[i]);
	}
	if (left && !chosen)
		return 0;
	selectors = own.v;
	n = own.n;

	/* Where no suite fits all are listed, so that near names can be told. */
	for (int pass = 0; pass < 2 && !listed; pass++) {
		for (unsigned i = 0; i < p->plan->suites_count; i++) {
			const struct plan_suite *suite = &p->plan->suites[i];

			if (!plan_suite_fits(suite, part->mode.name, part->machine))
				continue;
			fits = true;
			if (!by_default(part, suite, w) ||
			    (pass == 0 && !wanted(suite, selectors, n)))
				continue;
			r = list_suite(part, suite, w, err);
			if (r < 0)
				return err_wrap(err, r, "suite '%s'", suite->name);
			listed = true;
		}
	}
	if (!fits)
		return 0;
	r = plan_select(&part->tests, selectors, n, err);
	if (r < 0)
		return -EINVAL; /* the user's word, whatever it was */
	leave_out(p, w, part);
	return check_able(part, w, err);
}

/* ---- kernels ---- */

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

static int kernel_get(struct run_plan *p, const struct plan_job *job, const struct run_wish *w,
		      struct run_kernel **ret, struct err *err)
{
	struct machine_options o = *w->machine;
	const char *kind = kind_of_kernel(job->machine), *had = source_had(p);
	bool said = w->machine->mode || p->plan->run.modes_count || job->only;
	struct run_kernel *k = kernel_had(p, job->mode, kind);
	const char *spec;
	int r;

	*ret = k;
	if (k)
		return 0;
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
	r = order_kernel(&o, p->plan, job->mode, kind, w->cache_dir, w->cmd, w->log, &k->kernel,
			 &k->all, err);
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
	size_t n;
	const char *const *selectors = selectors_of(p, job, w, &n);

	if (strcmp(job->machine, "host") != 0 || w->source_wanted)
		return true;
	for (unsigned i = 0; i < p->plan->suites_count; i++) {
		const struct suite_kind *kind = suite_kind_find(p->plan->suites[i].kind, NULL);

		if (kind && kind->needs_source && wanted(&p->plan->suites[i], selectors, n))
			return true;
	}
	return false;
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
	r = p->plan->hooks.run && !names_any(w) ? 0 : list(p, part, job, w, err);
	if (r == 0)
		run_hooks_make(p->plan, part, names_any(w));
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

int run_plan_make(struct plan *plan, const struct run_wish *w, struct run_plan *ret,
		  struct err *err)
{
	struct run_plan p = { .plan = plan };
	_cleanup_(plan_jobs_done) struct plan_jobs jobs = {};
	int r = plan_jobs_make(plan, w->machine->mode, w->machine->machine, &jobs, err);

	if (r == 0 && w->machine->gdb && jobs.n > 1)
		r = err_set(err, EINVAL, "--gdb is for one mode on one kind of machine");
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
