/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/shell-word.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "cmd/known.h"
#include "judge/together.h"
#include "web/api.h"

#define LIMIT_DEFAULT 20
#define NAMES_MAX 5 /* of tests that came or went together */

struct changes_options {
	struct cmd_common common;
	struct known_options known;
	const char *branch, *mode, *suite;
	int64_t since_ms;
	int limit;
	bool suspects, pool;
};

#define AT(field) .offset = offsetof(struct changes_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_DURATION, .name = "since", .arg = "TIME", AT(since_ms),
	  .positive = true,
	  .help = "only what changed in this time before now: 14d, 12h; rates before it are of "
		  "all runs" },
	{ .type = OPT_TYPE_STR, .name = "branch", .arg = "B", AT(branch),
	  .help = "only runs of this branch; * and ? match" },
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", AT(mode),
	  .help = "only this kernel configuration mode" },
	{ .type = OPT_TYPE_STR, .name = "suite", .arg = "S", AT(suite),
	  .help = "only tests of this suite" },
	{ .type = OPT_TYPE_FLAG, .name = "pool", AT(pool),
	  .help = "branches and machines together: what is too rare to be seen on one" },
	{ .type = OPT_TYPE_FLAG, .name = "suspects", AT(suspects),
	  .help = "also what may be chance" },
	{ .type = OPT_TYPE_INT, .letter = 'n', .name = "limit", .arg = "N", AT(limit),
	  .help = "how many; 0: all [default: 20]" },
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct changes_options, known),
	OPT_GROUP("Common", CMD_COMMON, struct changes_options, common),
	OPT_END,
};

const struct opt_command cmd_changes_help = {
	.usage = "taproom changes [options]",
	.summary = "Lists what changed, newest first: regressions, fixes, tests that came or went.",
	.text = "Each change of a failure rate is listed with the rate before and after it, "
		"its 95 % interval, and the commits in which it lies: most likely, and "
		"with 99 %. It is claimed where chance explains it in 1 of 5,000 steady "
		"tests; a suspect, listed on demand and marked '?', in 1 of 55. Runs in "
		"which so much failed at once that one cause is likelier than many are "
		"one outage, and in no rate. A test that is gone and one like it that "
		"came are suggested as a rename, with the command that makes them one history. "
		"Tests of a program that are skipped more from one run on stand together. "
		"Known issues are marked; 'taproom known' tells what became of them.",
	.opts = OPTS,
	.examples = "  taproom changes --since 30d\n"
		    "  taproom changes --branch export --mode debug --json\n",
};

/* ---- the table ---- */

#define LEFT 26
#define INDENT "            "

struct telling {
	struct cmd *c;
	const struct judge_run *runs;
	bool machines;
	size_t suspects; /* that are not told */
	bool filtered;
	const struct plan *plan;
	int64_t now_ms;
	unsigned care;   /* rules that need it */
};

static const struct judge_run *run_at(const struct telling *t, const struct judge_event *e,
				      uint32_t place)
{
	return judge_run_at(t->runs, e->axis, place);
}

static const char *const ANSI[JUDGE_WHAT_N] = {
	[JUDGE_REGRESSION] = "31", [JUDGE_FIX] = "32", [JUDGE_RATE_UP] = "33",
	[JUDGE_RATE_DOWN] = "32", [JUDGE_DID_NOT_RUN] = "33", [JUDGE_VANISHED] = "33",
	[JUDGE_OUTAGE] = "35", [JUDGE_SKIPS] = "33",
};

static void tell_head(struct telling *t, const struct judge_event *e, struct str name)
{
	struct out *o = t->c->out;
	char date[UNIT_TEXT_MAX];
	char what[32];

	snprintf(what, sizeof(what), "%s%s", JUDGE_WHAT_NAMES[e->what], e->suspect ? "?" : "");
	out_printf(o, "%.10s  ", date_text(e->ms, date));
	history_colour(t->c, ANSI[e->what]);
	out_printf(o, "%-12s", what);
	history_colour(t->c, NULL);
	out_lit(o, "  ");
	history_cell(o, name, judged_width(t->c, LEFT), false);
	out_char(o, '\n');
}

static void tell_range(struct telling *t, const struct judge_event *e)
{
	struct out *o = t->c->out;

	out_lit(o, INDENT "after ");
	judged_run(o, run_at(t, e, e->last));
	out_lit(o, ", up to ");
	judged_run(o, run_at(t, e, e->run));
	out_char(o, '\n');
	if (e->low_last == e->last && e->high == e->run)
		return;
	out_lit(o, INDENT "with 99 %: after ");
	judged_run(o, run_at(t, e, e->low_last));
	out_lit(o, ", up to ");
	judged_run(o, run_at(t, e, e->high));
	out_char(o, '\n');
}

static void tell_rate(struct telling *t, const struct judge_group *g)
{
	const struct judge_event *e = g->v;
	_cleanup_(buf_done) struct buf name = {};
	struct out *o = t->c->out;
	/* What came behind it shows best what became of it. */
	uint32_t end = e->run + JUDGED_SPARK / 2;

	judge_name(&name, e->series);
	tell_head(t, e, buf_str(&name));
	out_lit(o, INDENT);
	judge_rate(o, &e->before);
	out_lit(o, " -> ");
	judge_rate(o, &e->after);
	out_lit(o, "; ");
	judged_axis(o, e->axis, t->machines);
	out_str(o, e->suspect ? STR("; a suspect\n") : STR("\n"));
	tell_range(t, e);
	known_print(t->c, sizeof(INDENT) - 1, known_of(t->plan, e->series, t->now_ms));
	if (!isatty(STDOUT_FILENO))
		return;
	out_lit(o, INDENT);
	judged_spark(t->c, e->series, end < e->axis->n ? end : e->axis->n);
	out_char(o, '\n');
}

static void tell_axes(struct telling *t, const struct judge_group *g)
{
	struct out *o = t->c->out;

	for (size_t i = 0; i < g->n; i++) {
		bool known = false;

		for (size_t k = 0; k < i && !known; k++)
			known = g->v[k].axis == g->v[i].axis;
		if (known)
			continue;
		if (i)
			out_lit(o, ", ");
		judged_axis(o, g->v[i].axis, t->machines);
	}
}

/* Each test of the group once, up to @max; returns how many there are. */
static size_t tell_names(struct telling *t, const struct judge_group *g, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		bool known = false;

		for (size_t k = 0; k < i && !known; k++)
			known = g->v[k].series->id == g->v[i].series->id;
		if (known || n++ >= max)
			continue;
		out_lit(t->c->out, INDENT "  ");
		history_cell(t->c->out, g->v[i].series->path, judged_width(t->c, 14), false);
		out_char(t->c->out, '\n');
	}
	return n;
}

static void tell_presence(struct telling *t, const struct judge_group *g)
{
	const struct judge_event *e = g->v;
	_cleanup_(buf_done) struct buf name = {};
	struct out *o = t->c->out;
	size_t n = tell_names(t, g, 0);

	if (n == 1)
		judge_name(&name, e->series);
	else
		buf_printf(&name, "%zu tests of %.*s/%.*s", n, STR_FMT(e->series->lane->suite),
			   STR_FMT(e->series->lane->program));
	tell_head(t, e, buf_str(&name));
	if (n > 1 && tell_names(t, g, NAMES_MAX) > NAMES_MAX)
		out_printf(o, INDENT "  and %zu more\n", n - NAMES_MAX);
	out_lit(o, INDENT);
	if (e->what != JUDGE_NEW)
		out_printf(o, "missed in %u %s of its %s; ", e->missed,
			   e->missed == 1 ? "run" : "runs",
			   e->series->whole ? "suite" : "program");
	tell_axes(t, g);
	out_char(o, '\n');
	tell_range(t, e);
}

/* How often the first of them is skipped stands for all. */
static void tell_skips(struct telling *t, const struct judge_group *g)
{
	const struct judge_event *e = g->v;
	_cleanup_(buf_done) struct buf name = {};
	struct out *o = t->c->out;
	size_t n = tell_names(t, g, 0);

	if (n == 1) {
		tell_rate(t, g);
		return;
	}
	buf_printf(&name, "%zu tests of %.*s/%.*s", n, STR_FMT(e->series->lane->suite),
		   STR_FMT(e->series->lane->program));
	tell_head(t, e, buf_str(&name));
	if (tell_names(t, g, NAMES_MAX) > NAMES_MAX)
		out_printf(o, INDENT "  and %zu more\n", n - NAMES_MAX);
	out_lit(o, INDENT "the first: skipped ");
	judge_rate(o, &e->before);
	out_lit(o, " -> ");
	judge_rate(o, &e->after);
	out_lit(o, "; ");
	judged_axis(o, e->axis, t->machines);
	out_char(o, '\n');
	tell_range(t, e);
}

static void tell_renamed(struct telling *t, const struct judge_group *g)
{
	const struct judge_event *e = g->v;
	_cleanup_(buf_done) struct buf old = {}, new = {}, confirm = {};
	struct out *o = t->c->out;

	judge_name(&old, e->series);
	judge_name(&new, e->came);
	judge_rename_command(e, &confirm);
	tell_head(t, e, buf_str(&old));
	out_lit(o, INDENT "into        ");
	out_lit(o, "  ");
	history_cell(o, buf_str(&new), judged_width(t->c, LEFT), false);
	out_printf(o, "\n" INDENT "likeness %.2f; tests %" PRId64 " and %" PRId64 "; ", e->score,
		   e->series->id, e->came->id);
	tell_axes(t, g);
	out_char(o, '\n');
	tell_range(t, e);
	out_lit(o, INDENT "to confirm: ");
	out_term(o, buf_str(&confirm));
	out_char(o, '\n');
}

static void tell_outage(struct telling *t, const struct judge_group *g)
{
	const struct judge_event *e = g->v;
	_cleanup_(buf_done) struct buf what = {};
	struct out *o = t->c->out;

	buf_printf(&what, "%u failures at once, %.1f expected", e->failures, e->expected);
	tell_head(t, e, buf_str(&what));
	out_lit(o, INDENT);
	judged_axis(o, e->axis, t->machines);
	out_lit(o, "; ");
	judged_run(o, run_at(t, e, e->last));
	if (e->last != e->run) {
		out_lit(o, " to ");
		judged_run(o, run_at(t, e, e->run));
	}
	out_char(o, '\n');
}

static void (*const TELL[JUDGE_WHAT_N])(struct telling *, const struct judge_group *) = {
	[JUDGE_REGRESSION] = tell_rate,	 [JUDGE_FIX] = tell_rate,
	[JUDGE_RATE_UP] = tell_rate,	 [JUDGE_RATE_DOWN] = tell_rate,
	[JUDGE_SKIPS] = tell_skips,	 [JUDGE_NEW] = tell_presence,
	[JUDGE_VANISHED] = tell_presence, [JUDGE_DID_NOT_RUN] = tell_presence,
	[JUDGE_RENAMED] = tell_renamed,	 [JUDGE_OUTAGE] = tell_outage,
};

static void print_table(struct telling *t, const struct judge_events *e, size_t max,
			uint32_t n_runs)
{
	size_t i = 0, more = 0;

	for (size_t told = 0; i < e->n; told++) {
		struct judge_group g = judge_group_next(e, i);

		i += g.n;
		if (told < max)
			TELL[g.v->what](t, &g);
		else
			more++;
	}
	if (more)
		out_printf(t->c->out, "%zu older; -n 0 lists all.\n", more);
	if (t->suspects)
		out_printf(t->c->out, "%zu suspect%s: --suspects lists %s.\n", t->suspects,
			   t->suspects == 1 ? "" : "s", t->suspects == 1 ? "it" : "them");
	if (t->care)
		out_printf(t->c->out, "%u known issue%s care: 'taproom known' lists %s.\n",
			   t->care, t->care == 1 ? " needs" : "s need",
			   t->care == 1 ? "it" : "them");
	if (!e->n && n_runs)
		out_printf(t->c->out, "Nothing changed in %u run%s.\n", n_runs,
			   n_runs == 1 ? "" : "s");
	else if (!e->n && t->filtered)
		out_lit(t->c->out, "No run fits; 'taproom runs' lists all.\n");
	else if (!e->n)
		out_lit(t->c->out, "No runs to judge: 'taproom run' makes one, 'taproom runs' "
				   "lists them.\n");
}

/* ---- JSON ---- */

static void print_json(const struct telling *t, const struct judge_events *e, size_t max)
{
	const struct known_asked asked = { t->plan, t->now_ms };
	const struct api_known known = { known_api, &asked };
	struct json j;

	json_init(&j, t->c->out, false);
	api_changes(&j, e, t->runs, max, &known);
}

/* ---- ---- */

/* Of thousands of tests so many have one by chance that they would hide the rest. */
static size_t drop_suspects(struct judge_events *e)
{
	size_t n = 0, all = e->n;

	for (size_t i = 0; i < all; i++)
		if (!e->v[i].suspect)
			e->v[n++] = e->v[i];
	e->n = n;
	return all - n;
}

static void tell(struct cmd *c, const struct judge *j, const struct changes_options *o,
		 const struct plan *plan)
{
	struct judge_changes_filter f = { .suite = o->suite };
	struct telling t = { .c = c, .machines = judged_machines(j), .plan = plan,
			     .filtered = o->branch || o->mode,
			     .now_ms = clock_wall_ms() };
	_cleanup_(judge_events_done) struct judge_events e = {};
	size_t max = o->limit ? (size_t)o->limit : SIZE_MAX;
	uint32_t n_runs;

	if (o->since_ms)
		f.since_ms = t.now_ms - o->since_ms;
	/* Of a part of the history it is not known what matches nothing. */
	if (!o->branch && !o->mode && !o->suite)
		t.care = known_needing_care(plan, j, t.now_ms);
	t.runs = judge_runs(j, &n_runs);
	judge_changes(j, &f, &e);
	if (!o->suspects)
		t.suspects = drop_suspects(&e);
	if (o->common.json)
		print_json(&t, &e, max);
	else
		print_table(&t, &e, max, n_runs);
}

int cmd_changes_run(struct cmd *c, int argc, char **argv)
{
	struct changes_options o = { .limit = LIMIT_DEFAULT };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct judge *j = NULL;
	struct judge_filter f;
	struct store *s = NULL;
	struct err err = {};
	int n, r, code = cmd_options(c, &cmd_changes_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n > 0) {
		err_set(&err, EINVAL, "changes takes no operand; 'taproom history %s' is about "
			"one test", argv[1]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	/* All suites: what an outage is, depends on all that failed. */
	f = (struct judge_filter){ .scan = { .branch = o.branch, .mode = o.mode },
				   .pool_branches = o.pool, .pool_machines = o.pool };
	r = known_load(&o.known, &plan, &err);
	if (r == 0)
		r = history_open(&o.common, &s, &err);
	if (r < 0)
		return history_fail(c, r, &err);
	if (r == 0) {
		out_str(c->out, o.common.json ? STR("{\"changes\":[]}\n") :
			STR("No runs to judge: 'taproom run' makes one, 'taproom runs' lists "
			    "them.\n"));
		return EXIT_PASSED;
	}
	r = judge_load(s, &f, &j, &err);
	store_close(s);
	if (r < 0)
		return history_fail(c, r, &err);
	tell(c, j, &o, plan);
	judge_free(j);
	return EXIT_PASSED;
}
