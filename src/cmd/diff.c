/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "cmd/known.h"
#include "cmd/run-range.h"
#include "judge/compare.h"
#include "web/api.h"

struct diff_options {
	struct cmd_common common;
	struct known_options known;
	const char *branch, *mode;
	bool exit_code;
};

#define AT(field) .offset = offsetof(struct diff_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "branch", .arg = "B", AT(branch),
	  .help = "only runs of this branch, on both sides and before" },
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", AT(mode),
	  .help = "only this kernel configuration mode" },
	{ .type = OPT_TYPE_FLAG, .name = "exit-code", AT(exit_code),
	  .help = "exit with 1 when a test fails in B that did not in A and is no known issue, "
		  "or is gone" },
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct diff_options, known),
	OPT_GROUP("Common", CMD_COMMON, struct diff_options, common),
	OPT_END,
};

const struct opt_command cmd_diff_help = {
	.usage = "taproom diff [A [B]] [options]",
	.summary = "Compares two runs, or ranges of runs; says of what fails now: is it mine?",
	.text = "A and B are runs, or ranges FIRST..LAST of them in time. A alone is compared with "
		"the latest run; without any, the latest run with the one before that is like it. "
		"Here latest-1 is the run before the other side of the same branch, modes and "
		"machines that ran one of its suites. For each test that fails in B only: how "
		"often it failed before B, and the chance to fail so often without any change. "
		HISTORY_RUN_HELP "\n"
		"Exit status: 0 compared; with --exit-code: nothing fails that did not, or known "
		"issues only, 1 something does, 2 usage, 4 the history can't be read.",
	.opts = OPTS,
	.examples = "  taproom diff latest-1 latest\n"
		    "  taproom diff 100..120 121..125 --mode debug --exit-code\n",
};

/* ---- sides ---- */

enum side { SIDE_A = JUDGE_SIDE_A, SIDE_B = JUDGE_SIDE_B, SIDES = JUDGE_SIDES };

/* ---- differences ---- */

static const char *const ANSI[JUDGE_DIFFERS_N] = {
	[JUDGE_FAILS] = "31",   [JUDGE_PASSES] = "32",     [JUDGE_CAME] = "36",
	[JUDGE_GONE] = "33",    [JUDGE_SKIPPED] = "33",    [JUDGE_RUNS_AGAIN] = "36",
	[JUDGE_ERRORS] = "35",
};

struct diff {
	struct run_range side[SIDES];
	const struct judge_run *runs;
	struct judge_side places[SIDES];
	struct judge_compared c;
	bool worse;                  /* what --exit-code tells */
	struct run_lane lane;        /* where one side was looked for by the other */
	struct plan *plan;           /* with the known issues */
	int64_t now_ms;
};

static void diff_done(struct diff *d)
{
	judge_compared_done(&d->c);
	run_lane_done(&d->lane);
	plan_free(d->plan);
}

/* A rule that excuses some failures by their logs is told, but excuses no test. */
static const struct plan_known *rule_of(const struct diff *d, const struct judge_compared_test *x)
{
	return x->d.what == JUDGE_FAILS ? known_of(d->plan, x->d.s, d->now_ms) : NULL;
}

static int compare(struct diff *d, const struct judge *j, struct err *err)
{
	uint32_t n_runs;
	size_t n;
	const struct judge_axis *axes = judge_axes(j, &n);

	d->runs = judge_runs(j, &n_runs);
	for (int i = 0; i < SIDES; i++) {
		int r = run_range_place(&d->side[i], d->runs, n_runs, err);

		if (r < 0)
			return r;
	}
	for (int i = 0; i < SIDES; i++)
		d->places[i] = (struct judge_side){ d->side[i].from, d->side[i].to };
	judge_compare(&d->c, axes, n, d->places);
	return 0;
}

static bool is_worse(const struct diff *d)
{
	for (size_t i = 0; i < d->c.n; i++) {
		const struct plan_known *rule = rule_of(d, &d->c.v[i]);
		bool fails = d->c.v[i].d.what == JUDGE_FAILS;

		if ((fails && (!rule || rule->pattern)) || d->c.v[i].d.what == JUDGE_GONE)
			return true;
	}
	return false;
}

/* ---- text ---- */

static void tell_side(struct out *o, const struct diff *d, enum side i)
{
	const struct run_range *x = &d->side[i];

	judged_run(o, &d->runs[x->from]);
	if (x->to - x->from == 1)
		return;
	out_lit(o, " to ");
	judged_run(o, &d->runs[x->to - 1]);
}

/* "fail", or of several runs "fail 2/5". */
static void tell_did(struct out *o, const struct judge_tally *t)
{
	uint32_t n = judge_tally_n(t);

	out_printf(o, "%s", JUDGE_DID_NAMES[t->did]);
	if (t->failed && n > 1)
		out_printf(o, " %u/%u", t->failed, n);
}

/* @told: what was said of the one before. */
static void tell_item(struct cmd *c, const struct diff *d, const struct judge_compared_test *x,
		      bool machines, struct buf *told)
{
	_cleanup_(buf_done) struct buf name = {}, words = {};
	_free_ char *text = NULL;
	struct out *o = c->out;

	judge_name(&name, x->d.s);
	out_lit(o, "  ");
	history_cell(o, buf_str(&name), judged_width(c, 2), false);
	out_lit(o, "\n    ");
	judged_axis(o, x->d.s->lane->axis, machines);
	out_lit(o, ": ");
	tell_did(o, &x->d.t[SIDE_A]);
	out_lit(o, " -> ");
	tell_did(o, &x->d.t[SIDE_B]);
	out_char(o, '\n');
	if (x->d.what != JUDGE_FAILS)
		return;
	known_print(c, 4, rule_of(d, x));
	stat_mine_tell(&x->test, &x->mine, &words);
	out_lit(o, "    ");
	if (str_eq(buf_str(&words), buf_str(told))) {
		out_lit(o, "As the one above.\n");
		return;
	}
	buf_clear(told);
	buf_add_str(told, buf_str(&words));
	text = xstrndup(words.p, words.n);
	opt_wrap(o, text, 4, 4);
}

static void tell_joint(struct cmd *c, const struct judge_joint *j, bool machines)
{
	_cleanup_(buf_done) struct buf words = {};
	_free_ char *text = NULL;

	stat_mine_joint_tell(&j->j, &j->past, &words);
	text = xstrndup(words.p ? words.p : "", words.n);
	out_lit(c->out, "  All of ");
	judged_axis(c->out, j->axis, machines);
	out_lit(c->out, " together:\n    ");
	opt_wrap(c->out, text, 4, 4);
}

static void print_text(struct cmd *c, const struct diff *d, bool machines)
{
	_cleanup_(buf_done) struct buf told = {};
	struct out *o = c->out;
	uint64_t same = 0;

	run_lane_tell(o, &d->lane);
	tell_side(o, d, SIDE_A);
	out_lit(o, " -> ");
	tell_side(o, d, SIDE_B);
	out_char(o, '\n');
	for (size_t i = 0; i < d->c.n; i++) {
		enum judge_differs kind = d->c.v[i].d.what;
		bool first = i == 0 || d->c.v[i - 1].d.what != kind;
		size_t n = 0;

		for (size_t k = i; first && k < d->c.n && d->c.v[k].d.what == kind; k++)
			n++;
		if (first) {
			history_colour(c, ANSI[kind]);
			out_printf(o, "%s: %zu\n", JUDGE_DIFFERS[kind].title, n);
			history_colour(c, NULL);
		}
		tell_item(c, d, &d->c.v[i], machines, &told);
		if (i + 1 < d->c.n && d->c.v[i + 1].d.what == kind)
			continue;
		for (size_t k = 0; kind == JUDGE_FAILS && k < d->c.n_joints; k++)
			tell_joint(c, &d->c.joints[k], machines);
	}
	for (size_t i = 0; i < d->c.found.n_apart; i++) {
		out_lit(o, "On one side only, not compared: ");
		judged_axis(o, d->c.found.apart[i], machines);
		out_char(o, '\n');
	}
	out_lit(o, "Unchanged:");
	for (unsigned i = JUDGE_DID_N; i-- > JUDGE_DID_ABSENT + 1;) {
		if (d->c.found.same[i])
			out_printf(o, "%s %" PRIu64 " %s", same ? "," : "", d->c.found.same[i],
				   JUDGE_DID_NAMES[i]);
		same += d->c.found.same[i];
	}
	out_str(o, same ? STR("\n") : STR(" nothing\n"));
}

/* ---- JSON ---- */

static void print_json(struct cmd *c, const struct diff *d)
{
	const struct known_asked asked = { d->plan, d->now_ms };
	const struct api_known known = { known_api, &asked };
	struct json j;

	json_init(&j, c->out, false);
	api_diff(&j, &d->c, d->runs, d->places, &known);
}

/* ---- ---- */

static int diff_runs(struct cmd *c, const struct diff_options *o, struct diff *d, struct err *err)
{
	struct judge_filter f = { .scan = { .branch = o->branch, .mode = o->mode },
				  .pool_branches = true };
	struct run_pair_filter latest = { o->branch, o->mode };
	_free_ char *branch = NULL;
	struct judge *j = NULL;
	struct store *s = NULL;
	int r = store_open(o->common.store, STORE_READ, &s, err);

	if (r == 0)
		r = run_range_pair(s, &d->side[SIDE_A], &d->side[SIDE_B], &latest, &d->lane, err);
	if (r == 0 && !o->branch)
		r = run_range_branch(s, &d->side[SIDE_A], &d->side[SIDE_B], &branch, err);
	if (branch)
		f.scan.branch = branch;
	if (r == 0)
		r = judge_load(s, &f, &j, err);
	store_close(s);
	if (r < 0)
		return r;
	r = compare(d, j, err);
	if (r == 0 && o->common.json)
		print_json(c, d);
	else if (r == 0)
		print_text(c, d, judged_machines(j));
	d->worse = r == 0 && is_worse(d);
	judge_free(j);
	return r;
}

int cmd_diff_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_(diff_done) struct diff d = {};
	struct diff_options o = {};
	struct err err = {};
	int n, r, code = cmd_options(c, &cmd_diff_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n > 2) {
		err_set(&err, EINVAL, "diff takes two runs or ranges, not also '%s'", argv[3]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	d.side[SIDE_A].spec = n > 0 ? argv[1] : "latest-1";
	d.side[SIDE_B].spec = n > 1 ? argv[2] : "latest";
	d.now_ms = clock_wall_ms();
	r = known_load(&o.known, &d.plan, &err);
	if (r == 0)
		r = diff_runs(c, &o, &d, &err);
	if (r < 0)
		return history_fail(c, r, &err);
	return o.exit_code && d.worse ? EXIT_FAILED : EXIT_PASSED;
}
