/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics, OpenMetrics 1.0: how the newest run of each branch and mode went, and
 * how often tests failed in the newest runs. A test that never failed has none.
 */
#include <inttypes.h>

#include "web/history.h"
#include "web/pages.h"

#define RUNS_MAX  1000 /* the newest, that rates are of */
#define TESTS_MAX 1000 /* those that make most runs red */

static void label(struct out *o, const char *name, struct str value, bool first)
{
	out_printf(o, "%s%s=\"", first ? "{" : ",", name);
	out_metrics(o, value);
	out_char(o, '"');
}

static void family(struct out *o, const char *name, const char *unit, const char *help)
{
	out_printf(o, "# TYPE taproom_%s gauge\n", name);
	if (unit)
		out_printf(o, "# UNIT taproom_%s %s\n", name, unit);
	out_printf(o, "# HELP taproom_%s %s\n", name, help);
}

enum of_run { RUN_PASSED, RUN_BEGAN };

static void newest_runs(const struct web_site *site, enum of_run what, const char *name,
			struct out *o)
{
	for (unsigned i = 0; i < site->n_choices; i++) {
		const struct web_choice *c = &site->choices[i];
		const struct judge_run *r;

		if (c->last >= site->history->n_runs)
			continue;
		r = &site->history->runs[c->last];
		out_printf(o, "taproom_%s", name);
		label(o, "branch", c->branch, true);
		label(o, "mode", c->mode, false);
		if (what == RUN_PASSED)
			out_printf(o, "} %d\n", c->state == STORE_RUN_DONE && !c->exit_code);
		else
			out_printf(o, "} %" PRId64 ".%03d\n", r->begin_ms / 1000,
				   (int)(r->begin_ms % 1000));
	}
}

static void test_labels(struct out *o, const char *name, const struct judge_flake *x)
{
	const struct judge_lane *l = x->s->lane;

	out_printf(o, "taproom_%s", name);
	label(o, "mode", l->axis->mode, true);
	label(o, "suite", l->suite, false);
	label(o, "program", l->program, false);
	label(o, "test", x->s->whole ? STR("") : x->s->path, false);
	out_lit(o, "} ");
}

static void tests(const struct web_site *site, struct out *o)
{
	const struct judge_flakes_filter filter = { .newest = RUNS_MAX,
						    .outages = site->history->outages };
	struct judge_flakes f;
	size_t n;

	judge_flakes(site->history->judge, &filter, &f);
	judge_flakes_sort(&f, JUDGE_SORT_COST);
	n = f.n < TESTS_MAX ? f.n : TESTS_MAX;
	family(o, "test_failures", NULL, "Runs in which the test failed, of the newest 1000; "
	       "of an outage one.");
	for (size_t i = 0; i < n; i++) {
		test_labels(o, "test_failures", &f.v[i]);
		out_printf(o, "%" PRIu64 "\n", f.v[i].rate.k);
	}
	family(o, "test_runs", NULL, "Runs in which the test said something, of the newest 1000.");
	for (size_t i = 0; i < n; i++) {
		test_labels(o, "test_runs", &f.v[i]);
		out_printf(o, "%" PRIu64 "\n", f.v[i].rate.n);
	}
	family(o, "outages", NULL, "Outages in the newest 1000 runs.");
	out_printf(o, "taproom_outages %zu\n", f.n_outages);
	judge_flakes_done(&f);
}

static int splat(void *ctx, const struct store_fingerprint *f)
{
	struct out *o = ctx;

	out_lit(o, "taproom_splats");
	label(o, "fingerprint", f->fingerprint, true);
	label(o, "title", f->title, false);
	out_printf(o, "} %" PRIu64 "\n", f->n);
	return 0;
}

int web_metrics(const struct web_site *site, const struct web_args *args, struct out *o,
		struct err *err)
{
	int r;

	family(o, "runs", NULL, "Runs that are kept.");
	out_printf(o, "taproom_runs %" PRIu32 "\n", site->history->n_runs);
	family(o, "run_passed", NULL, "1: the newest run with that mode passed.");
	newest_runs(site, RUN_PASSED, "run_passed", o);
	family(o, "run_begin_seconds", "seconds", "When it began, since 1970.");
	newest_runs(site, RUN_BEGAN, "run_begin_seconds", o);
	tests(site, o);
	family(o, "splats", NULL, "How often a kernel splat was seen, the 100 seen last.");
	r = store_fingerprints(site->store, 100, splat, o, err);
	out_lit(o, "# EOF\n");
	return r;
}
