/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "cmd/known.h"
#include "cmd/run-range.h"
#include "judge/base.h"
#include "judge/diff.h"
#include "stat/mine.h"

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
		HISTORY_RUN_HELP "\n\n"
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

struct item {
	struct judge_difference d;
	struct stat_mine_test test;  /* JUDGE_FAILS */
	struct stat_mine mine;
};

/* One axis's failures together. */
struct joint {
	const struct judge_axis *axis;
	struct stat_mine_past past;
	struct stat_mine_joint j;
};

struct diff {
	struct run_range side[SIDES];
	const struct judge_run *runs;
	struct item *v;
	size_t n, cap;
	struct joint *joints;
	size_t n_joints, cap_joints;
	bool worse;                  /* what --exit-code tells */
	struct run_lane lane;        /* where one side was looked for by the other */
	struct plan *plan;           /* with the known issues */
	int64_t now_ms;
	struct judge_diff found;
};

static void diff_done(struct diff *d)
{
	free(d->v);
	free(d->joints);
	judge_diff_done(&d->found);
	run_lane_done(&d->lane);
	plan_free(d->plan);
}

/* A rule that excuses some failures by their logs is told, but excuses no test. */
static const struct plan_known *rule_of(const struct diff *d, const struct item *x)
{
	return x->d.what == JUDGE_FAILS ? known_of(d->plan, x->d.s, d->now_ms) : NULL;
}

/* The first place of the axis that is of B, and how many there are. */
static uint32_t mine_of(const struct diff *d, const struct judge_axis *a, uint32_t *ret_n)
{
	uint32_t first = a->n;

	*ret_n = 0;
	for (uint32_t i = 0; i < a->n; i++) {
		if (a->run[i] < d->side[SIDE_B].from || a->run[i] >= d->side[SIDE_B].to)
			continue;
		first = i < first ? i : first;
		++*ret_n;
	}
	return first;
}

static void judge_items(struct diff *d, const struct judge_axis *a, size_t from)
{
	_cleanup_(judge_base_done) struct judge_base base = {};
	_free_ struct stat_mine_test *tests = xcalloc(d->n - from + 1, sizeof(*tests));
	struct joint j = { .axis = a };
	uint32_t first = mine_of(d, a, &j.past.mine);
	size_t n = 0;

	judge_base_init(&base, a, first);
	for (size_t i = from; i < d->n; i++) {
		struct item *x = &d->v[i];
		const struct stat_rate *before = judge_base_of(&base, x->d.s);

		if (x->d.what != JUDGE_FAILS)
			continue;
		x->test = (struct stat_mine_test){
			.before = before ? *before : stat_rate(0, 0),
			.failed = x->d.t[SIDE_B].failed,
			.ran = judge_tally_n(&x->d.t[SIDE_B]),
		};
		if (x->test.before.n)
			x->test.peers = stat_mine_peers(base.rates, base.n, &x->test.before);
		x->mine = stat_mine(&x->test);
		tests[n++] = x->test;
	}
	if (n < 2)
		return;
	j.past.runs = first;
	for (size_t i = 0; i < base.outages.n; i++)
		if (base.outages.v[i].failures >= n)
			j.past.outages += base.outages.v[i].last - base.outages.v[i].first + 1;
	j.j = stat_mine_joint(tests, n, &j.past);
	ARRAY_GROW(d->joints, d->n_joints, d->cap_joints);
	d->joints[d->n_joints++] = j;
}

static void compare_axis(struct diff *d, const struct judge_axis *a)
{
	const struct judge_side side[SIDES] = {
		{ d->side[SIDE_A].from, d->side[SIDE_A].to },
		{ d->side[SIDE_B].from, d->side[SIDE_B].to },
	};
	size_t first = d->n;
	bool fails = false;

	judge_diff_axis(&d->found, a, side);
	for (size_t i = first; i < d->found.n; i++) {
		ARRAY_GROW(d->v, d->n, d->cap);
		d->v[d->n++] = (struct item){ .d = d->found.v[i] };
		fails |= d->found.v[i].what == JUDGE_FAILS;
	}
	if (fails)
		judge_items(d, a, first);
}

/* Hardly by chance first, then as they were found. */
static int by_kind(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->d.what != y->d.what)
		return (int)x->d.what - (int)y->d.what;
	if (x->d.what == JUDGE_FAILS && x->mine.says != y->mine.says)
		return (int)y->mine.says - (int)x->mine.says;
	if (x->d.s->lane->axis != y->d.s->lane->axis)
		return x->d.s->lane->axis < y->d.s->lane->axis ? -1 : 1;
	return x->d.s < y->d.s ? -1 : x->d.s > y->d.s;
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
	for (size_t i = 0; i < n; i++)
		compare_axis(d, &axes[i]);
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), by_kind);
	return 0;
}

static bool is_worse(const struct diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct plan_known *rule = rule_of(d, &d->v[i]);
		bool fails = d->v[i].d.what == JUDGE_FAILS;

		if ((fails && (!rule || rule->pattern)) || d->v[i].d.what == JUDGE_GONE)
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
static void tell_item(struct cmd *c, const struct diff *d, const struct item *x, bool machines,
		      struct buf *told)
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

static void tell_joint(struct cmd *c, const struct joint *j, bool machines)
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
	for (size_t i = 0; i < d->n; i++) {
		enum judge_differs kind = d->v[i].d.what;
		bool first = i == 0 || d->v[i - 1].d.what != kind;
		size_t n = 0;

		for (size_t k = i; first && k < d->n && d->v[k].d.what == kind; k++)
			n++;
		if (first) {
			history_colour(c, ANSI[kind]);
			out_printf(o, "%s: %zu\n", JUDGE_DIFFERS[kind].title, n);
			history_colour(c, NULL);
		}
		tell_item(c, d, &d->v[i], machines, &told);
		if (i + 1 < d->n && d->v[i + 1].d.what == kind)
			continue;
		for (size_t k = 0; kind == JUDGE_FAILS && k < d->n_joints; k++)
			tell_joint(c, &d->joints[k], machines);
	}
	for (size_t i = 0; i < d->found.n_apart; i++) {
		out_lit(o, "On one side only, not compared: ");
		judged_axis(o, d->found.apart[i], machines);
		out_char(o, '\n');
	}
	out_lit(o, "Unchanged:");
	for (unsigned i = JUDGE_DID_N; i-- > JUDGE_DID_ABSENT + 1;) {
		if (d->found.same[i])
			out_printf(o, "%s %" PRIu64 " %s", same ? "," : "", d->found.same[i],
				   JUDGE_DID_NAMES[i]);
		same += d->found.same[i];
	}
	out_str(o, same ? STR("\n") : STR(" nothing\n"));
}

/* ---- JSON ---- */

static const char *const SAYS[STAT_MINE_N] = {
	[STAT_MINE_NOTHING] = "nothing", [STAT_MINE_UNSEEN] = "unseen",
	[STAT_MINE_NEW] = "new", [STAT_MINE_USUAL] = "usual",
	[STAT_MINE_UNUSUAL] = "unusual", [STAT_MINE_UNLIKELY] = "unlikely",
};

static void json_side(struct json *j, const char *key, const struct diff *d, enum side i)
{
	json_key(j, key);
	json_object(j);
	judged_json_run(j, "first", &d->runs[d->side[i].from]);
	judged_json_run(j, "last", &d->runs[d->side[i].to - 1]);
	json_end(j);
}

static void json_tally(struct json *j, const char *key, const struct judge_tally *t)
{
	json_key(j, key);
	json_object(j);
	json_field_str(j, "did", str_of(JUDGE_DID_NAMES[t->did]));
	json_field_int(j, "failed", t->failed);
	json_field_int(j, "n", judge_tally_n(t));
	json_end(j);
}

static void json_item(struct json *j, const struct diff *d, const struct item *x)
{
	const struct plan_known *rule = rule_of(d, x);
	_cleanup_(buf_done) struct buf words = {};

	json_object(j);
	json_field_str(j, "what", str_of(JUDGE_DIFFERS[x->d.what].name));
	judged_json_axis(j, x->d.s->lane->axis);
	judged_json_series(j, x->d.s);
	json_tally(j, "a", &x->d.t[SIDE_A]);
	json_tally(j, "b", &x->d.t[SIDE_B]);
	if (rule)
		known_json(j, "known", rule);
	if (x->d.what == JUDGE_FAILS) {
		stat_mine_tell(&x->test, &x->mine, &words);
		json_key(j, "mine");
		json_object(j);
		json_field_str(j, "says", str_of(SAYS[x->mine.says]));
		json_field_real(j, "chance", x->mine.chance);
		if (x->mine.any > 0)
			json_field_real(j, "chance_any", x->mine.any);
		judged_json_rate(j, "before", &x->test.before);
		json_field_str(j, "words", buf_str(&words));
		json_end(j);
	}
	json_end(j);
}

static void print_json(struct cmd *c, const struct diff *d)
{
	struct json j;

	json_init(&j, c->out, false);
	json_object(&j);
	json_side(&j, "a", d, SIDE_A);
	json_side(&j, "b", d, SIDE_B);
	json_key(&j, "differences");
	json_array(&j);
	for (size_t i = 0; i < d->n; i++)
		json_item(&j, d, &d->v[i]);
	json_end(&j);
	json_key(&j, "together");
	json_array(&j);
	for (size_t i = 0; i < d->n_joints; i++) {
		json_object(&j);
		judged_json_axis(&j, d->joints[i].axis);
		json_field_str(&j, "says", str_of(SAYS[d->joints[i].j.says]));
		json_field_real(&j, "chance", d->joints[i].j.chance);
		json_field_int(&j, "failing", d->joints[i].j.failing);
		json_end(&j);
	}
	json_end(&j);
	json_key(&j, "unchanged");
	json_object(&j);
	for (unsigned i = JUDGE_DID_ABSENT + 1; i < JUDGE_DID_N; i++)
		json_field_int(&j, JUDGE_DID_NAMES[i], (int64_t)d->found.same[i]);
	json_end(&j);
	json_end(&j);
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
