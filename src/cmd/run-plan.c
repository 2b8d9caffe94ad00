/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-plan.h"

#include "base/mem.h"
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
		if (suite->target && str_starts(rest, str_of(suite->target)))
			return true;
		first = str_cut(&rest, '/');
		head = xstrndup(first.p, first.n);
		if (str_glob(head, suite->name))
			return true;
	}
	return !any;
}

/* Tests that skip, or pass without testing, for want of an option: say it first. */
static void warn_missing_config(const struct run_plan *p, const struct plan_suite *suite,
				const struct log *log)
{
	_cleanup_(buf_done) struct buf missing = {};
	struct str rest;

	if (kselftest_missing_config(suite, p->kernel.source, p->kernel.config,
				     kernel_config_value, &missing, NULL) <= 0)
		return;
	for (char *c = missing.p; *c; c++)
		if (*c == '\n')
			*c = ' ';
	rest = str_trim(buf_str(&missing));
	log_warn(log, "suite '%s': this kernel lacks %.*s; tests that need it may skip, or pass "
		      "without testing anything", suite->name, STR_FMT(rest));
}

static int list_suite(struct run_plan *p, const struct plan_suite *suite, const char *cache_dir,
		      const struct log *log, struct err *err)
{
	const struct suite_kind *kind = suite_kind_find(suite->kind, err);
	struct suite_context ctx = { .cache_dir = cache_dir, .log = log };
	int r;

	if (!kind)
		return -EINVAL;
	if (kind->needs_source && !p->kernel.source) {
		r = kernel_source(&p->kernel, cache_dir, log, err);
		if (r < 0)
			return r;
	}
	ctx.source = p->kernel.source;
	ctx.source_id = p->kernel.source_id;
	r = kind->list(suite, &ctx, &p->tests, err);
	if (r >= 0 && kind->needs_source)
		warn_missing_config(p, suite, log);
	return r < 0 ? r : 0;
}

static int list(struct run_plan *p, const char *const *selectors, size_t n,
		const char *cache_dir, const struct log *log, struct err *err)
{
	bool listed = false;
	int r;

	/* Where no suite fits all are listed, so that near names can be told. */
	for (int pass = 0; pass < 2 && !listed; pass++) {
		for (unsigned i = 0; i < p->plan->suites_count; i++) {
			const struct plan_suite *suite = &p->plan->suites[i];

			if (pass == 0 && !wanted(suite, selectors, n))
				continue;
			r = list_suite(p, suite, cache_dir, log, err);
			if (r < 0)
				return err_wrap(err, r, "suite '%s'", suite->name);
			listed = true;
		}
	}
	r = plan_select(&p->tests, selectors, n, err);
	if (r == 0 && p->tests.n == 0)
		r = err_set(err, ENOENT, "no test is left: the selectors exclude all");
	return r < 0 ? -EINVAL : 0; /* the user's word, whatever it was */
}

/* A host machine wants no kernel, unless tests are built from its source. */
static bool needs_kernel(const struct run_plan *p, const char *const *selectors, size_t n)
{
	if (strcmp(p->machine, "host") != 0)
		return true;
	for (unsigned i = 0; i < p->plan->suites_count; i++) {
		const struct suite_kind *kind = suite_kind_find(p->plan->suites[i].kind, NULL);

		if (kind && kind->needs_source && wanted(&p->plan->suites[i], selectors, n))
			return true;
	}
	return false;
}

int run_plan_make(struct machine_options *opt, const char *const *selectors, size_t n,
		  const char *cache_dir, const struct cmd *cmd, const struct log *log,
		  struct run_plan *ret, struct err *err)
{
	struct run_plan p = { .machine = machine_options_kind(opt) };
	const char *mode = opt->mode ? opt->mode : "normal";
	const char *file = NULL;
	int r = machine_options_file(opt, &file, err);

	if (r == 0 && plan_load(file, ".", &p.plan, err) < 0)
		r = -EINVAL;
	if (r == 0 && needs_kernel(&p, selectors, n))
		r = order_kernel(opt, p.plan, mode, p.machine, cache_dir, cmd, log, &p.kernel,
				 &p.mode, err);
	else if (r == 0 && plan_mode_find(p.plan, mode, &p.mode, err) < 0)
		r = -EINVAL;
	p.machine = r == 0 ? machine_options_settle(p.machine, &p.kernel) : NULL;
	if (r == 0)
		r = list(&p, selectors, n, cache_dir, log, err);
	if (r < 0) {
		run_plan_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void run_plan_done(struct run_plan *p)
{
	plan_tests_done(&p->tests);
	kernel_done(&p->kernel);
	plan_free(p->plan);
	*p = (struct run_plan){};
}
