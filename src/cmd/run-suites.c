/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-suites.h"

#include <stdlib.h>

#include "base/mem.h"
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
	/* A machine 'host' has none when nothing that was asked for needs one: this is
	 * a search for what is spelt alike, among the rest. */
	if (kind->needs_source && !part->kernel)
		return 0;
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

bool run_suites_named(const struct run_wish *w)
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
	return !suite->default_modes_count || run_suites_named(w) ||
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
	if (!t->n || !part->alone || !run_suites_named(w))
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

/* Where a word means no suite all are listed: it may be a test's name, and if not, near
 * ones can be told. */
static bool all_mean_suites(const struct run_plan *p, const char *const *selectors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool any = selectors[i][0] == '!';

		for (unsigned k = 0; k < p->plan->suites_count && !any; k++)
			any = wanted(&p->plan->suites[k], &selectors[i], 1);
		if (!any)
			return false;
	}
	return true;
}

int run_suites_list(struct run_plan *p, struct run_part *part, const struct plan_job *job,
		    const struct run_wish *w, struct err *err)
{
	_cleanup_(opt_list_done) struct opt_list own = {};
	bool all, fits = false, chosen = false;
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

	all = !all_mean_suites(p, selectors, n);
	for (unsigned i = 0; i < p->plan->suites_count; i++) {
		const struct plan_suite *suite = &p->plan->suites[i];

		if (!plan_suite_fits(suite, part->mode.name, part->machine))
			continue;
		fits = true;
		if (!by_default(part, suite, w) || (!all && !wanted(suite, selectors, n)))
			continue;
		r = list_suite(part, suite, w, err);
		if (r < 0)
			return err_wrap(err, r, "suite '%s'", suite->name);
	}
	if (!fits)
		return 0;
	r = plan_select(&part->tests, selectors, n, err);
	if (r < 0)
		return -EINVAL; /* the user's word, whatever it was */
	leave_out(p, w, part);
	return check_able(part, w, err);
}

bool run_suites_need_source(const struct run_plan *p, const struct plan_job *job,
			    const struct run_wish *w)
{
	size_t n;
	const char *const *selectors = selectors_of(p, job, w, &n);

	for (unsigned i = 0; i < p->plan->suites_count; i++) {
		const struct suite_kind *kind = suite_kind_find(p->plan->suites[i].kind, NULL);

		if (kind && kind->needs_source && wanted(&p->plan->suites[i], selectors, n))
			return true;
	}
	return false;
}
