/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "cmd/known.h"
#include "stat/cost.h"
#include "stat/duration.h"
#include "stat/window.h"

#define RUNS_DEFAULT 1000 /* also: of the newest so many --json tells each result */

struct flakes_options {
	struct cmd_common common;
	struct known_options known;
	const char *mode, *branch, *sort;
	int64_t since_ms;
	int limit;
};

#define AT(field) .offset = offsetof(struct flakes_options, field)

static const char *const SORTS[] = { "rate", "cost", "recent", NULL };

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", AT(mode),
	  .help = "only this kernel configuration mode" },
	{ .type = OPT_TYPE_STR, .name = "branch", .arg = "B", AT(branch),
	  .help = "only runs of this branch" },
	{ .type = OPT_TYPE_DURATION, .name = "since", .arg = "TIME", AT(since_ms),
	  .positive = true,
	  .help = "only runs begun in this time before now: 14d, 12h [default: the last "
		  "1000 runs]" },
	{ .type = OPT_TYPE_STR, .name = "sort", .arg = "BY", AT(sort), .choices = SORTS,
	  .help = "rate: fails most often; cost: makes most runs red; recent: failed last "
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
		"say nothing. A flaky failure is a failure; an outage is one. A red run "
		"is shared among those that failed in it: that is a test's cost. A "
		"program is listed for what failed without any of its subtests; --json "
		"has all.",
	.opts = OPTS,
	.examples = "  taproom flakes --mode debug --since 30d --sort cost\n",
};

/* ---- collecting ---- */

/* A test on one axis. */
struct part {
	const struct judge_series *s;
	struct stat_cost cost;
	const struct stat_outages *outages;
};

/* A test in one mode, on all branches and machines. */
struct flake {
	const struct part *parts;
	size_t n_parts;
	const struct judge_series *s; /* of the newest failure */
	bool explained;
	struct stat_rate rate;
	uint64_t flaky;
	uint32_t outages;    /* that it failed in */
	struct stat_cost cost;
	uint32_t last;       /* run */
	int64_t cost_ms;     /* -1: unknown */
};

struct flakes {
	const struct judge_run *runs;
	uint32_t n_runs;
	struct part *parts;
	size_t n_parts;
	struct flake *v;
	size_t n, cap;
	struct stat_outages *outages; /* of each axis */
	size_t n_axes, n_outages;
	struct plan *plan;            /* with the known issues */
	int64_t now_ms;
};

static void flakes_done(struct flakes *f)
{
	for (size_t i = 0; i < f->n_axes; i++)
		stat_outages_done(&f->outages[i]);
	plan_free(f->plan);
	free(f->outages);
	free(f->parts);
	free(f->v);
}

/* The program's usual duration. -1: unknown. */
static int64_t usual_ms(const struct judge_lane *l)
{
	_free_ struct stat_time *v = xcalloc((size_t)l->axis->n + 1, sizeof(*v));
	size_t n = 0;

	for (uint32_t i = 0; l->ms && i < l->axis->n; i++)
		if (l->ms[i] >= 0)
			v[n++] = (struct stat_time){ i, (uint32_t)l->ms[i] };
	return n ? (int64_t)stat_time_median(v, n) : -1;
}

/* What failed in each run: leaves, and what failed without them. */
static void add_axis(struct flakes *f, const struct judge_axis *a,
		     const struct stat_outages *outages)
{
	struct part *first = f->parts + f->n_parts;
	_free_ struct stat_piece *pieces = NULL;
	_free_ struct stat_cost *costs = NULL;
	size_t n = 0;

	for (size_t i = 0; i < a->n_lanes; i++)
		for (size_t k = 0; k < a->lanes[i].n; k++)
			first[n++] = (struct part){ .s = &a->lanes[i].series[k],
						    .outages = outages };
	pieces = xcalloc(n + 1, sizeof(*pieces));
	costs = xcalloc(n + 1, sizeof(*costs));
	for (size_t i = 0; i < n; i++)
		pieces[i] = (struct stat_piece){ &first[i].s->own, 0, a->n };
	stat_cost(pieces, n, 0, a->n, costs);
	for (size_t i = 0; i < n; i++)
		first[i].cost = costs[i];
	f->n_parts += n;
}

static int by_test(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	struct str i = x->s->lane->axis->mode, k = y->s->lane->axis->mode;
	int c;

	if (x->s->id != y->s->id)
		return x->s->id < y->s->id ? -1 : 1;
	c = memcmp(i.p, k.p, i.n < k.n ? i.n : k.n);
	if (c || i.n != k.n)
		return c ? c : i.n < k.n ? -1 : 1;
	return x->s->lane->axis < y->s->lane->axis ? -1 : x->s->lane->axis > y->s->lane->axis;
}

/* Where it failed last. */
static void add_last(struct flake *x, const struct part *p, const struct stat_runs *bad)
{
	uint32_t run = p->s->lane->axis->run[bad->v[bad->n - 1]];

	if (x->s && run <= x->last)
		return;
	x->last = run;
	x->s = p->s;
}

static void add_flake(struct flakes *f, const struct part *parts, size_t n)
{
	struct flake x = { .parts = parts, .n_parts = n, .explained = true, .cost_ms = -1 };
	uint64_t failed = 0, of = 0;
	int64_t ms = -1;

	for (size_t i = 0; i < n; i++)
		x.explained = x.explained && !parts[i].s->own.bad.n;
	for (size_t i = 0; i < n; i++) {
		const struct part *p = &parts[i];
		/* Of what its subtests explain nothing is left: that is told as it was. */
		const struct stat_series *said = x.explained ? &p->s->said : &p->s->own;
		struct stat_window w = stat_window(&said, 1, 0, p->s->lane->axis->n, p->outages,
						   STAT_OUTAGES_ONCE);

		failed += w.rate.k;
		of += w.rate.n;
		x.outages += w.outages;
		x.flaky += p->s->counts[STATUS_FLAKY];
		x.cost.red += p->cost.red;
		x.cost.alone += p->cost.alone;
		x.cost.share += p->cost.share;
		if (said->bad.n)
			add_last(&x, p, &said->bad);
		ms = ms < 0 ? usual_ms(p->s->lane) : ms;
	}
	x.rate = stat_rate(failed, of);
	if (ms >= 0)
		x.cost_ms = ms * (int64_t)failed;
	ARRAY_GROW(f->v, f->n, f->cap);
	f->v[f->n++] = x;
}

static bool is_same(const struct part *a, const struct part *b)
{
	return a->s->id == b->s->id &&
	       str_eq(a->s->lane->axis->mode, b->s->lane->axis->mode);
}

static bool has_failed(const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].s->said.bad.n)
			return true;
	return false;
}

static void collect(struct flakes *f, const struct judge *j)
{
	const struct judge_axis *axes = judge_axes(j, &f->n_axes);
	size_t most = 0;

	f->runs = judge_runs(j, &f->n_runs);
	f->outages = xcalloc(f->n_axes + 1, sizeof(*f->outages));
	for (size_t i = 0; i < f->n_axes; i++)
		for (size_t k = 0; k < axes[i].n_lanes; k++)
			most += axes[i].lanes[k].n;
	f->parts = xcalloc(most + 1, sizeof(*f->parts));
	for (size_t i = 0; i < f->n_axes; i++) {
		judge_outages(&axes[i], &f->outages[i]);
		f->n_outages += f->outages[i].n;
		add_axis(f, &axes[i], &f->outages[i]);
	}
	if (f->n_parts)
		qsort(f->parts, f->n_parts, sizeof(*f->parts), by_test);
	for (size_t i = 0, e; i < f->n_parts; i = e) {
		const struct part *p = &f->parts[i];

		for (e = i + 1; e < f->n_parts && is_same(p, &f->parts[e]); e++)
			;
		if (has_failed(p, e - i))
			add_flake(f, p, e - i);
	}
	/* A mode that never ran makes no axis. */
	f->n_runs = f->n_axes ? f->n_runs : 0;
}

/* The first place of @run, or where it would be. */
static uint32_t place_of(const struct judge_axis *a, uint32_t run)
{
	uint32_t low = 0, high = a->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (a->run[mid] < run)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* What it said in a run, on several machines the worst; false: none of its axes
 * has that run. */
static bool cell_of(const struct flake *x, uint32_t run, uint8_t *ret)
{
	bool some = false;

	*ret = STORE_CELL_ABSENT;
	for (size_t i = 0; i < x->n_parts; i++) {
		const struct judge_axis *a = x->parts[i].s->lane->axis;
		uint32_t at = place_of(a, run);
		uint8_t cell;

		if (at == a->n || a->run[at] != run)
			continue;
		some = true;
		cell = judge_cell(x->parts[i].s, at);
		if (cell != STORE_CELL_ABSENT && (*ret == STORE_CELL_ABSENT || cell > *ret))
			*ret = cell;
	}
	return some;
}

/* ---- order ---- */

static int by_rate(const void *a, const void *b)
{
	const struct flake *x = a, *y = b;

	return stat_rate_order(&x->rate, &y->rate);
}

static int by_cost(const void *a, const void *b)
{
	const struct flake *x = a, *y = b;
	int c = stat_cost_order(&x->cost, &y->cost);

	return c ? c : by_rate(a, b);
}

static int by_recent(const void *a, const void *b)
{
	const struct flake *x = a, *y = b;
	int c = (x->last < y->last) - (x->last > y->last);

	return c ? c : by_rate(a, b);
}

static const struct {
	const char *name;
	int (*compare)(const void *, const void *);
} ORDERS[] = {
	{ "rate", by_rate },
	{ "cost", by_cost },
	{ "recent", by_recent },
};

static void sort(struct flakes *f, const char *by)
{
	for (size_t i = 0; i < ARRAY_SIZE(ORDERS); i++)
		if (f->n && strcmp(by ? by : "rate", ORDERS[i].name) == 0)
			qsort(f->v, f->n, sizeof(*f->v), ORDERS[i].compare);
}

/* ---- telling ---- */

/* Oldest left, as time goes. */
static void print_spark(struct cmd *c, const struct flakes *f, const struct flake *x)
{
	uint8_t cells[JUDGED_SPARK];
	unsigned n = 0;

	for (uint32_t i = f->n_runs; i > 0 && n < JUDGED_SPARK; i--)
		n += cell_of(x, i - 1, &cells[n]);
	out_lit(c->out, "        ");
	while (n > 0)
		judged_mark(c, cells[--n]);
	out_printf(c->out, "  red %u, alone %u, share %.1f\n", x->cost.red, x->cost.alone,
		   x->cost.share);
}

#define LEFT (7 + 2 + 12 + 2 + 9 + 2 + 10 + 2)

static void print_row(struct cmd *c, const struct flakes *f, const struct flake *x,
		      bool with_mode)
{
	const struct stat_rate *rate = &x->rate;
	_cleanup_(buf_done) struct buf name = {};
	_free_ char *share = NULL;
	char interval[64], date[UNIT_TEXT_MAX];

	share = xasprintf("%" PRIu64 "/%" PRIu64, rate->k, rate->n);
	if (with_mode)
		buf_printf(&name, "[%.*s] ", STR_FMT(x->s->lane->axis->mode));
	judged_name(&name, x->s);
	snprintf(interval, sizeof(interval), "%.2f-%.2f", rate->low * 100, rate->high * 100);
	out_printf(c->out, "%6.2f%%  %-12s  %9s  %.10s  ", rate->rate * 100, interval, share,
		   date_text(f->runs[x->last].begin_ms, date));
	history_cell(c->out, buf_str(&name), judged_width(c, LEFT), false);
	out_char(c->out, '\n');
}

static bool several_modes(const struct flakes *f)
{
	for (size_t i = 1; i < f->n; i++)
		if (!str_eq(f->v[i].s->lane->axis->mode, f->v[0].s->lane->axis->mode))
			return true;
	return false;
}

static void print_nothing(struct cmd *c, const struct flakes *f, bool filtered)
{
	if (f->n_runs)
		out_printf(c->out, "Nothing failed in %u run%s.\n", f->n_runs,
			   f->n_runs == 1 ? "" : "s");
	else if (filtered)
		out_lit(c->out, "No run fits; 'taproom runs' lists all.\n");
	else
		out_lit(c->out, "No runs to judge: 'taproom run' makes one, 'taproom runs' lists "
				"them.\n");
}

static bool any_at_least(const struct flakes *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].s->lane->at_least)
			return true;
	return false;
}

static void print_table(struct cmd *c, const struct flakes *f, size_t n, bool filtered)
{
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
		known_print(c, 8, known_of(f->plan, f->v[i].s, f->now_ms));
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
			   f->n_runs);
}

static void json_cells(struct json *j, const struct flakes *f, const struct flake *x)
{
	json_key(j, "runs");
	json_array(j);
	for (uint32_t i = f->n_runs; i > 0 && f->n_runs - i < RUNS_DEFAULT; i--) {
		uint8_t cell;

		cell_of(x, i - 1, &cell);
		if (cell == STORE_CELL_ABSENT)
			json_null(j);
		else
			json_str(j, str_of(STATUS_INFO[cell].name));
	}
	json_end(j);
}

static void json_flake(struct json *j, const struct flakes *f, const struct flake *x)
{
	const struct plan_known *rule = known_of(f->plan, x->s, f->now_ms);
	const struct judge_lane *l = x->s->lane;
	char date[UNIT_TEXT_MAX];

	json_object(j);
	json_field_str(j, "suite", l->suite);
	json_field_str(j, "program", l->program);
	json_field_str(j, "path", x->s->path);
	json_field_bool(j, "leaf", x->s->leaf);
	json_field_bool(j, "explained", x->explained);
	json_field_str(j, "mode", l->axis->mode);
	json_field_real(j, "rate", x->rate.rate);
	json_field_real(j, "low", x->rate.low);
	json_field_real(j, "high", x->rate.high);
	json_field_int(j, "failed", (int64_t)x->rate.k);
	json_field_int(j, "flaky", (int64_t)x->flaky);
	json_field_int(j, "n", (int64_t)x->rate.n);
	if (l->at_least)
		json_field_bool(j, "at_least", true);
	json_field_int(j, "outages", x->outages);
	json_field_int(j, "last_run", f->runs[x->last].id);
	json_field_str(j, "last", str_of(date_rfc3339(f->runs[x->last].begin_ms, date)));
	json_field_int(j, "red", x->cost.red);
	json_field_int(j, "alone", x->cost.alone);
	json_field_real(j, "share", x->cost.share);
	if (x->cost_ms >= 0)
		json_field_int(j, "cost_ms", x->cost_ms);
	json_field_int(j, "test", x->s->id);
	json_field_str(j, "key", x->s->key);
	if (rule)
		known_json(j, "known", rule);
	json_cells(j, f, x);
	json_end(j);
}

static void print_json(struct cmd *c, const struct flakes *f, size_t n)
{
	struct json j;

	json_init(&j, c->out, false);
	json_object(&j);
	json_key(&j, "runs");
	json_array(&j);
	for (uint32_t i = f->n_runs; i > 0 && f->n_runs - i < RUNS_DEFAULT; i--)
		json_int(&j, f->runs[i - 1].id);
	json_end(&j);
	json_field_int(&j, "outages", (int64_t)f->n_outages);
	json_key(&j, "flakes");
	json_array(&j);
	for (size_t i = 0; i < f->n && i < n; i++)
		json_flake(&j, f, &f->v[i]);
	json_end(&j);
	json_end(&j);
}

static int load(struct store *s, const struct flakes_options *o, struct judge **ret,
		struct err *err)
{
	struct judge_filter filter = {
		.scan = { .branch = o->branch, .mode = o->mode, .runs = RUNS_DEFAULT,
			  .times = o->common.json },
	};

	if (o->since_ms) {
		filter.scan.since_ms = clock_wall_ms() - o->since_ms;
		filter.scan.runs = 0;
	}
	return judge_load(s, &filter, ret, err);
}

int cmd_flakes_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_(flakes_done) struct flakes f = {};
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
	f.now_ms = clock_wall_ms();
	r = known_load(&o.known, &f.plan, &err);
	if (r == 0)
		r = history_open(&o.common, &s, &err);
	if (r > 0)
		r = load(s, &o, &j, &err);
	store_close(s);
	if (r < 0)
		return history_fail(c, r, &err);
	if (j)
		collect(&f, j);
	sort(&f, o.sort);
	shown = o.limit ? (size_t)o.limit : SIZE_MAX;
	if (o.common.json)
		print_json(c, &f, shown);
	else
		print_table(c, &f, shown, o.mode || o.branch || o.since_ms);
	judge_free(j);
	return EXIT_PASSED;
}
