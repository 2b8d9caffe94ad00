/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "cmd/known.h"
#include "judge/flakes.h"
#include "web/api.h"

#define RUNS_DEFAULT 1000 /* also: of the newest so many --json tells each result */

struct flakes_options {
	struct cmd_common common;
	struct known_options known;
	const char *mode, *branch, *sort;
	int64_t since_ms;
	int limit;
};

#define AT(field) .offset = offsetof(struct flakes_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", AT(mode),
	  .help = "only this kernel configuration mode" },
	{ .type = OPT_TYPE_STR, .name = "branch", .arg = "B", AT(branch),
	  .help = "only runs of this branch; * and ? match" },
	{ .type = OPT_TYPE_DURATION, .name = "since", .arg = "TIME", AT(since_ms),
	  .positive = true,
	  .help = "only runs begun in this time before now: 14d, 12h [default: the last "
		  "1000 runs]" },
	{ .type = OPT_TYPE_STR, .name = "sort", .arg = "BY", AT(sort), .choices = JUDGE_SORTS,
	  .help = "rate: fails most often; flips: comes and goes most often; cost: makes most "
		  "runs red; recent: failed last; streak: fails the longest; name "
		  "[default: rate]" },
	{ .type = OPT_TYPE_INT, .letter = 'n', .name = "limit", .arg = "N", AT(limit),
	  .help = "how many tests [default: all]" },
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct flakes_options, known),
	OPT_GROUP("Common", CMD_COMMON, struct flakes_options, common),
	OPT_END,
};

const struct opt_command cmd_flakes_help = {
	.usage = "taproom flakes [options]",
	.summary = "Lists tests that fail sometimes: how often, how sure, at what cost.",
	.text = "The interval holds the true rate with 95 % (Jeffreys); n counts the runs "
		"in which the test said something: skipped, absent, and a harness error "
		"say nothing. A flaky failure is a failure; an outage is one. A test's "
		"cost is its share of the runs that failed: each is shared among the tests "
		"that failed in it. A program is listed for failures that none of its "
		"subtests had; --json has all.",
	.opts = OPTS,
	.examples = "  taproom flakes --mode debug --since 30d --sort cost\n",
};

/* ---- telling ---- */

struct telling {
	struct judge_flakes flakes;
	struct plan *plan; /* with the known issues */
	int64_t now_ms;
};

static void telling_done(struct telling *t)
{
	judge_flakes_done(&t->flakes);
	plan_free(t->plan);
}

/* Oldest left, as time goes. */
static void print_spark(struct cmd *c, const struct judge_flakes *f, const struct judge_flake *x)
{
	uint8_t cells[JUDGED_SPARK];
	unsigned n = 0;

	for (uint32_t i = f->n_runs; i > f->first && n < JUDGED_SPARK; i--) {
		cells[n] = judge_flake_cell(x, i - 1);
		n += cells[n] != JUDGE_CELL_NO_RUN;
	}
	out_lit(c->out, "        ");
	while (n > 0)
		judged_mark(c, cells[--n]);
	out_printf(c->out, "  red %u, alone %u, share %.1f\n", x->cost.red, x->cost.alone,
		   x->cost.share);
}

#define LEFT (7 + 2 + 12 + 2 + 9 + 2 + 10 + 2)

static void print_row(struct cmd *c, const struct judge_flakes *f, const struct judge_flake *x,
		      bool with_mode)
{
	const struct stat_rate *rate = &x->rate;
	_cleanup_(buf_done) struct buf name = {};
	_free_ char *share = NULL;
	char interval[64], date[UNIT_TEXT_MAX];

	share = xasprintf("%" PRIu64 "/%" PRIu64, rate->k, rate->n);
	if (with_mode)
		buf_printf(&name, "[%.*s] ", STR_FMT(x->s->lane->axis->mode));
	judge_name(&name, x->s);
	snprintf(interval, sizeof(interval), "%.2f-%.2f", rate->low * 100, rate->high * 100);
	out_printf(c->out, "%6.2f%%  %-12s  %9s  %.10s  ", rate->rate * 100, interval, share,
		   date_text(f->runs[x->last].begin_ms, date));
	history_cell(c->out, buf_str(&name), judged_width(c, LEFT), false);
	out_char(c->out, '\n');
}

static bool several_modes(const struct judge_flakes *f)
{
	for (size_t i = 1; i < f->n; i++)
		if (!str_eq(f->v[i].s->lane->axis->mode, f->v[0].s->lane->axis->mode))
			return true;
	return false;
}

static uint32_t runs_in(const struct judge_flakes *f)
{
	/* A mode that never ran makes no axis. */
	return f->n_axes ? f->n_runs - f->first : 0;
}

static void print_nothing(struct cmd *c, const struct judge_flakes *f, bool filtered)
{
	if (runs_in(f))
		out_printf(c->out, "Nothing failed in %u run%s.\n", runs_in(f),
			   runs_in(f) == 1 ? "" : "s");
	else if (filtered)
		out_lit(c->out, "No run fits; 'taproom runs' lists all.\n");
	else
		out_lit(c->out, "No runs to judge: 'taproom run' makes one, 'taproom runs' lists "
				"them.\n");
}

static bool any_at_least(const struct judge_flakes *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].s->lane->at_least)
			return true;
	return false;
}

static void print_table(struct cmd *c, const struct telling *t, size_t n, bool filtered)
{
	const struct judge_flakes *f = &t->flakes;
	bool terminal = isatty(STDOUT_FILENO), modes = several_modes(f);

	if (f->n == 0) {
		print_nothing(c, f, filtered);
		return;
	}
	history_colour(c, "1");
	out_printf(c->out, "%7s  %-12s  %9s  %-10s  %s\n", "RATE", "INTERVAL", "FAILED/N", "LAST",
		   "TEST");
	history_colour(c, NULL);
	for (size_t i = 0, shown = 0; i < f->n && shown < n; i++) {
		if (f->v[i].explained)
			continue;
		print_row(c, f, &f->v[i], modes);
		known_print(c, 8, known_of(t->plan, f->v[i].s, t->now_ms));
		if (terminal)
			print_spark(c, f, &f->v[i]);
		shown++;
	}
	if (any_at_least(f))
		out_lit(c->out, "Where only failures were published a rate is at least what is "
				"told here.\n");
	if (f->n_outages)
		out_printf(c->out, "%zu outage%s in these %u runs, each counted once; 'taproom "
			   "changes' lists them.\n", f->n_outages, f->n_outages == 1 ? "" : "s",
			   runs_in(f));
}

static void print_json(struct cmd *c, const struct telling *t, size_t n)
{
	const struct known_asked asked = { t->plan, t->now_ms };
	const struct api_known known = { known_api, &asked };
	const struct judge_flakes *f = &t->flakes;
	_free_ const struct judge_flake **v = xcalloc(f->n + 1, sizeof(*v));
	uint32_t runs[RUNS_DEFAULT], n_runs = 0;
	struct json j;

	for (size_t i = 0; i < f->n; i++)
		v[i] = &f->v[i];
	while (n_runs < RUNS_DEFAULT && n_runs < runs_in(f)) {
		runs[n_runs] = f->n_runs - 1 - n_runs;
		n_runs++;
	}
	json_init(&j, c->out, false);
	api_flakes(&j, f, v, n < f->n ? n : f->n, runs, n_runs, &known);
}

/* All of it, also where few runs are told: that a test failed once, is what tells that it
 * was there where only failures were published. */
static int load(struct store *s, const struct flakes_options *o, struct judge **ret,
		struct err *err)
{
	struct judge_filter filter = {
		.scan = { .branch = o->branch, .mode = o->mode, .times = o->common.json },
	};

	return judge_load(s, &filter, ret, err);
}

static enum judge_sort sort_of(const char *by)
{
	unsigned i = 0;

	while (by && strcmp(by, JUDGE_SORTS[i]) != 0)
		i++;
	return (enum judge_sort)i;
}

int cmd_flakes_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_(telling_done) struct telling t = {};
	struct judge_flakes_filter window = {};
	struct flakes_options o = {};
	struct store *s = NULL;
	struct judge *j = NULL;
	struct err err = {};
	size_t shown;
	int n, r, code = cmd_options(c, &cmd_flakes_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n > 0) {
		err_set(&err, EINVAL, "flakes takes no operand, not '%s'", argv[1]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	t.now_ms = clock_wall_ms();
	r = known_load(&o.known, &t.plan, &err);
	if (r == 0)
		r = history_open(&o.common, &s, &err);
	if (r > 0)
		r = load(s, &o, &j, &err);
	store_close(s);
	if (r < 0)
		return history_fail(c, r, &err);
	if (o.since_ms)
		window.since_ms = t.now_ms - o.since_ms;
	else
		window.newest = RUNS_DEFAULT;
	if (j)
		judge_flakes(j, &window, &t.flakes);
	judge_flakes_sort(&t.flakes, sort_of(o.sort));
	shown = o.limit ? (size_t)o.limit : SIZE_MAX;
	if (o.common.json)
		print_json(c, &t, shown);
	else
		print_table(c, &t, shown, o.mode || o.branch || o.since_ms);
	judge_free(j);
	return EXIT_PASSED;
}
