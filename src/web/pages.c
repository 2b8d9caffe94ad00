/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/pages.h"

#include <inttypes.h>

#define HTML "text/html; charset=utf-8"
#define TEXT "text/plain; charset=utf-8"

/* What the view of a flakes page is made of. */
#define TAKES_FLAKES                                                                           \
	(WEB_TAKES(BRANCH) | WEB_TAKES(MODE) | WEB_TAKES(MACHINE) | WEB_TAKES(SUITE) |         \
	 WEB_TAKES(NAME) | WEB_TAKES(STATUS) | WEB_TAKES(FLIPS) | WEB_TAKES(DAYS) |            \
	 WEB_TAKES(KNOWN) | WEB_TAKES(SORT) | WEB_TAKES(BEFORE) | WEB_TAKES(SKIP))
#define TAKES_RUNS (WEB_TAKES(BRANCH) | WEB_TAKES(MODE) | WEB_TAKES(BEFORE))

#define TAKES_CHANGES                                                                          \
	(WEB_TAKES(BRANCH) | WEB_TAKES(MODE) | WEB_TAKES(MACHINE) | WEB_TAKES(SUITE) |         \
	 WEB_TAKES(NAME) | WEB_TAKES(DAYS))
#define TAKES_MATRIX (WEB_TAKES(MACHINE) | WEB_TAKES(DAYS))
#define TAKES_TESTS (WEB_TAKES(SUITE) | WEB_TAKES(NAME) | WEB_TAKES(SKIP))
#define TAKES_DIFF (WEB_TAKES(A) | WEB_TAKES(B))
#define TAKES_LOG  (WEB_TAKES(FIND) | WEB_TAKES(LINE))
#define TAKES_NIPA                                                                             \
	(WEB_TAKES(BRANCHES) | WEB_TAKES(BRANCH_NAME) | WEB_TAKES(BR_PFX) |                    \
	 WEB_TAKES(REMOTE) | WEB_TAKES(FORMAT))
#define JSON "application/json"

const struct web_page WEB_PAGES[WEB_PAGE_N] = {
	[WEB_STYLE] = { "style-{hash}.css", NULL, "text/css; charset=utf-8", web_style, NULL },
	[WEB_SCRIPT] = { "site-{hash}.js", NULL, "text/javascript; charset=utf-8",
			 web_script, NULL },
	[WEB_LIVE_SCRIPT] = { "live-{hash}.js", NULL, "text/javascript; charset=utf-8",
			      web_live_script, NULL, 0, true },
	[WEB_SPLAT] = { "splat/{splat}.html", NULL, HTML, web_splat_page, web_each_splat },
	[WEB_LOG_RAW] = { "run/{run}/log-{program}.txt", NULL, TEXT, web_log_raw,
			  web_each_log },
	[WEB_CONSOLE_RAW] = { "run/{run}/console-{job}.txt", NULL, TEXT, web_console_raw,
			      web_each_console },
	[WEB_ARTEFACT] = { "run/{run}/file-{kind}-{job}.txt", NULL, TEXT, web_artefact,
			   web_each_artefact },
	[WEB_LOG] = { "run/{run}/log-{program}.html", NULL, HTML, web_log_page, web_each_log,
		      TAKES_LOG },
	[WEB_CONSOLE] = { "run/{run}/console-{job}.html", NULL, HTML, web_console_page,
			  web_each_console, TAKES_LOG },
	[WEB_DIFF] = { "run/{run}/diff.html", NULL, HTML, web_diff_page, web_each_diff },
	[WEB_RUN] = { "run/{run}.html", NULL, HTML, web_run_page, web_each_run },
	[WEB_TEST] = { "test/{test}.html", NULL, HTML, web_test_page, web_each_test },
	[WEB_ABOUT] = { "about.html", NULL, HTML, web_about_page, NULL },
	[WEB_SPLATS] = { "splats.html", "Splats", HTML, web_splats_page, NULL },
	[WEB_MATRIX_SUITE] = { "matrix/{suite}.html", NULL, HTML, web_matrix_page,
			       web_each_suite, TAKES_MATRIX },
	[WEB_MATRIX] = { "matrix.html", "Matrix", HTML, web_matrix_page, NULL, TAKES_MATRIX },
	[WEB_FLAKES_BRANCH_MODE_OLDER] = { "flakes/branch-mode-older/{branch}/{mode}/{before}.html",
					   NULL, HTML, web_flakes_page,
					   web_each_branch_mode_older, TAKES_FLAKES, false,
					   WEB_FLAKES },
	[WEB_FLAKES_BRANCH_OLDER] = { "flakes/branch-older/{branch}/{before}.html", NULL, HTML,
				      web_flakes_page, web_each_branch_older, TAKES_FLAKES, false,
				      WEB_FLAKES },
	[WEB_FLAKES_MODE_OLDER] = { "flakes/mode-older/{mode}/{before}.html", NULL, HTML,
				    web_flakes_page, web_each_mode_older, TAKES_FLAKES, false,
				    WEB_FLAKES },
	[WEB_FLAKES_OLDER] = { "flakes/older/{before}.html", NULL, HTML, web_flakes_page,
			       web_each_older, TAKES_FLAKES, false,
			       WEB_FLAKES },
	[WEB_FLAKES_BRANCH_MODE] = { "flakes/branch/{branch}/{mode}.html", NULL, HTML,
				     web_flakes_page, web_each_branch_mode, TAKES_FLAKES, false,
				     WEB_FLAKES },
	[WEB_FLAKES_BRANCH] = { "flakes/branch/{branch}.html", NULL, HTML, web_flakes_page,
				web_each_branch, TAKES_FLAKES, false,
				WEB_FLAKES },
	[WEB_FLAKES_MODE] = { "flakes/mode/{mode}.html", NULL, HTML, web_flakes_page,
			      web_each_mode, TAKES_FLAKES, false,
			      WEB_FLAKES },
	[WEB_FLAKES] = { "flakes.html", "Flakes", HTML, web_flakes_page, NULL, TAKES_FLAKES },
	[WEB_BADGE] = { "badge/{branch}/{mode}.svg", NULL, "image/svg+xml", web_badge,
			web_each_branch_mode },
	[WEB_ATOM] = { "changes.atom", NULL, "application/atom+xml", web_atom, NULL },
	[WEB_JSON_FEED] = { "changes.json", NULL, "application/feed+json", web_json_feed, NULL },
	[WEB_METRICS] = { "metrics", NULL,
			  "application/openmetrics-text; version=1.0.0; charset=utf-8",
			  web_metrics, NULL },
	[WEB_NIPA_RESULTS] = { "nipa/query/results", NULL, JSON, web_nipa_results, NULL,
			       TAKES_NIPA },
	[WEB_NIPA_REMOTES] = { "nipa/query/remotes", NULL, JSON, web_nipa_remotes, NULL },
	[WEB_NIPA_FILTERS] = { "nipa/contest/filters.json", NULL, JSON, web_nipa_filters, NULL },
	[WEB_DIFF_ANY] = { "diff.html", NULL, HTML, web_diff_page, NULL, TAKES_DIFF, true },
	[WEB_API_OVERVIEW] = { "api/v1/overview", NULL, JSON, web_api_overview, NULL, 0, true },
	[WEB_API_RUN] = { "api/v1/runs/{run}", NULL, JSON, web_api_run, NULL, 0, true },
	[WEB_API_RUNS] = { "api/v1/runs", NULL, JSON, web_api_runs, NULL, TAKES_RUNS, true },
	[WEB_API_FLAKES] = { "api/v1/flakes", NULL, JSON, web_api_flakes, NULL, TAKES_FLAKES,
			     true },
	[WEB_API_CHANGES] = { "api/v1/changes", NULL, JSON, web_api_changes, NULL,
			      TAKES_CHANGES, true },
	[WEB_API_DIFF] = { "api/v1/diff", NULL, JSON, web_api_diff, NULL, TAKES_DIFF, true },
	[WEB_API_TEST] = { "api/v1/tests/{test}", NULL, JSON, web_api_test, NULL, 0, true },
	[WEB_API_TESTS] = { "api/v1/tests", NULL, JSON, web_api_tests, NULL, TAKES_TESTS, true },
	[WEB_API_SPLATS] = { "api/v1/splats", NULL, JSON, web_api_splats, NULL, 0, true },
	[WEB_API_MATRIX] = { "api/v1/matrix", NULL, JSON, web_api_matrix, NULL,
			     WEB_TAKES(SUITE) | TAKES_MATRIX, true },
	[WEB_API_ABOUT] = { "api/v1/about", NULL, JSON, web_api_about, NULL, 0, true },
	[WEB_RUNS_BEFORE] = { "runs/before-{before}.html", NULL, HTML, web_runs_page,
			      web_each_runs_before, TAKES_RUNS, false, WEB_RUNS },
	[WEB_RUNS] = { "runs.html", "Runs", HTML, web_runs_page, NULL, TAKES_RUNS },
	[WEB_INDEX] = { "index.html", "Overview", HTML, web_overview_page, NULL },
};

uint32_t web_hash(struct str s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

#define SLUG_MAX 80

void web_slug(struct out *out, struct str s)
{
	bool changed = s.n == 0 || s.n > SLUG_MAX;

	for (size_t i = 0; i < s.n && i < SLUG_MAX; i++) {
		char c = s.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
			    (c == '.' && i > 0);

		out_char(out, good ? c : '-');
		changed |= !good;
	}
	if (changed)
		out_printf(out, "-%08" PRIx32, web_hash(s));
}

static void test_slug(struct out *out, const struct web_test *t)
{
	web_slug(out, t->parts[0]->lane->program);
	out_printf(out, "-%016" PRIx64, t->hash);
}

static void field(struct str name, enum web_page_id page, const struct web_args *a,
		  struct out *out)
{
	if (str_eq(name, STR("run")))
		out_printf(out, "%" PRId64, a->run);
	else if (str_eq(name, STR("program")))
		out_printf(out, "%u", a->program);
	else if (str_eq(name, STR("job")))
		out_printf(out, "%u", a->job);
	else if (str_eq(name, STR("kind")))
		out_str(out, str_of(a->kind));
	else if (str_eq(name, STR("before")))
		out_printf(out, "%" PRId64, a->q.before);
	else if (str_eq(name, STR("test")))
		test_slug(out, a->test);
	else if (str_eq(name, STR("splat")))
		web_slug(out, a->splat->fingerprint);
	else if (str_eq(name, STR("branch")))
		web_slug(out, a->q.branch);
	else if (str_eq(name, STR("mode")))
		web_slug(out, a->q.mode);
	else if (str_eq(name, STR("suite")))
		web_slug(out, a->q.suite);
	else
		out_printf(out, "%08" PRIx32, web_asset_hash(page));
}

void web_path(enum web_page_id page, const struct web_args *args, struct out *out)
{
	struct str rest = str_of(WEB_PAGES[page].path);

	for (;;) {
		out_str(out, str_cut(&rest, '{'));
		if (!rest.p)
			return;
		field(str_cut(&rest, '}'), page, args, out);
	}
}
