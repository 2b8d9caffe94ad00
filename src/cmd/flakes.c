/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/history.h"
#include "stat/rate.h"

#define RUNS_DEFAULT 1000
#define SPARK 30 /* newest runs drawn in a row */

struct flakes_options {
	struct cmd_common common;
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
	  .help = "rate: fails most often; cost: takes most time by failing; recent: failed "
		  "last [default: rate]" },
	{ .type = OPT_TYPE_INT, .letter = 'n', .name = "limit", .arg = "N", AT(limit),
	  .help = "how many tests [default: all]" },
	OPT_GROUP("Common", CMD_COMMON, struct flakes_options, common),
	OPT_END,
};

const struct opt_command cmd_flakes_help = {
	.usage = "taproom flakes [options]",
	.summary = "Lists tests that fail sometimes: how often, how sure, at what cost.",
	.text = "The interval holds the true rate with 95 % (Jeffreys); n counts the runs in which "
		"the test said something: skipped, absent, and a harness error say nothing. A "
		"flaky failure is a failure. A failure costs its program's usual duration. A "
		"program is listed where it failed without any of its subtests failing; --json "
		"has all.",
	.opts = OPTS,
	.examples = "  taproom flakes --mode debug --since 30d --sort cost\n",
};

/* ---- collecting ---- */

struct flake {
	char *suite, *program, *path, *mode;
	bool leaf, explained;
	struct stat_rate rate;
	uint64_t flaky;      /* of rate.k: may fail, or passed in a retry */
	int64_t last_run, last_ms;
	int64_t cost_ms;     /* -1: unknown */
	uint8_t *cells;      /* n_cells, newest first */
	unsigned n_cells;
};

struct flakes {
	struct store *s;
	struct flake *v;
	size_t n, cap;
	int64_t *runs;
	unsigned n_runs;
};

static void flakes_done(struct flakes *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].suite);
		free(f->v[i].program);
		free(f->v[i].path);
		free(f->v[i].mode);
		free(f->v[i].cells);
	}
	free(f->v);
	free(f->runs);
}

static int on_head(void *ctx, const int64_t *runs, unsigned n)
{
	struct flakes *f = ctx;

	f->runs = xcalloc(n, sizeof(*runs));
	for (unsigned i = 0; i < n; i++)
		f->runs[i] = runs[i];
	f->n_runs = n;
	return 0;
}

static bool is_failure(uint8_t cell)
{
	return stat_says(cell) == STAT_FAILED;
}

static int on_row(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	struct flakes *f = ctx;
	uint64_t flaky = 0;
	int64_t last = 0;

	if (!stat_failed(cells, n))
		return 0;
	for (unsigned i = n; i > 0; i--) {
		flaky += cells[i - 1] == STATUS_FLAKY;
		if (is_failure(cells[i - 1]))
			last = f->runs[i - 1];
	}
	ARRAY_GROW(f->v, f->n, f->cap);
	f->v[f->n++] = (struct flake){
		.suite = xstrndup(s->suite.p, s->suite.n),
		.program = xstrndup(s->program.p, s->program.n),
		.path = xstrndup(s->path.p, s->path.n),
		.mode = xstrndup(s->mode.p, s->mode.n),
		.leaf = s->leaf,
		.rate = stat_rate_of(cells, n),
		.flaky = flaky,
		.last_run = last,
		.cost_ms = -1,
		.cells = memcpy(xmalloc(n), cells, n),
		.n_cells = n,
	};
	return 0;
}

static int on_last(void *ctx, const struct store_run *r)
{
	int64_t *ms = ctx;

	*ms = r->begin_ms;
	return 0;
}

/* Is @x what @parent is made of? */
static bool is_below(const struct flake *x, const struct flake *parent)
{
	size_t n = strlen(parent->path);

	return x->leaf && strcmp(x->suite, parent->suite) == 0 &&
	       strcmp(x->program, parent->program) == 0 && strcmp(x->mode, parent->mode) == 0 &&
	       (n == 0 || (strncmp(x->path, parent->path, n) == 0 && x->path[n] == '/'));
}

/* A program fails with its subtests. It is worth a line of its own where it
 * failed without any of them: it crashed, or took too long. */
static bool is_explained(const struct flakes *f, const struct flake *parent)
{
	for (unsigned run = 0; run < parent->n_cells; run++) {
		bool below = !is_failure(parent->cells[run]);

		for (size_t i = 0; i < f->n && !below; i++)
			below = is_failure(f->v[i].cells[run]) && is_below(&f->v[i], parent);
		if (!below)
			return false;
	}
	return true;
}

/* What one row needs beyond the grid: when it failed, what a failure costs. */
static int complete(struct flakes *f, struct err *err)
{
	for (size_t i = 0; i < f->n; i++) {
		struct flake *x = &f->v[i];
		int64_t ms;
		int r = store_run_get(f->s, x->last_run, on_last, &x->last_ms, err);

		if (r == 0)
			r = store_expect_ms(f->s, x->suite, x->program, x->mode, &ms, err);
		if (r < 0)
			return r;
		if (ms >= 0)
			x->cost_ms = ms * (int64_t)x->rate.k;
		x->explained = !x->leaf && is_explained(f, x);
	}
	return 0;
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
	int c = (x->cost_ms < y->cost_ms) - (x->cost_ms > y->cost_ms);

	return c ? c : by_rate(a, b);
}

static int by_recent(const void *a, const void *b)
{
	const struct flake *x = a, *y = b;
	int c = (x->last_ms < y->last_ms) - (x->last_ms > y->last_ms);

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

static char *name_of(const struct flake *x)
{
	return *x->path ? xasprintf("%s/%s/%s", x->suite, x->program, x->path)
			: xasprintf("%s/%s", x->suite, x->program);
}

/* Oldest left, as time goes; a dot is absent, never a pass. */
static void print_spark(struct cmd *c, const struct flake *x)
{
	unsigned n = x->n_cells < SPARK ? x->n_cells : SPARK;

	out_lit(c->out, "        ");
	for (unsigned i = n; i > 0; i--) {
		uint8_t cell = x->cells[i - 1];

		if (cell == STORE_CELL_ABSENT) {
			out_lit(c->out, "·");
			continue;
		}
		history_colour(c, STATUS_INFO[cell].ansi);
		out_str(c->out, str_of(STATUS_INFO[cell].mark));
		history_colour(c, NULL);
	}
	out_char(c->out, '\n');
}

#define LEFT (7 + 2 + 12 + 2 + 9 + 2 + 10 + 2)

static void print_row(struct cmd *c, const struct flake *x, bool with_mode, unsigned width)
{
	_free_ char *name = name_of(x), *share = NULL, *titled = NULL;
	char interval[64], date[UNIT_TEXT_MAX];

	share = xasprintf("%" PRIu64 "/%" PRIu64, x->rate.k, x->rate.n);
	titled = with_mode ? xasprintf("[%s] %s", x->mode, name) : TAKE(name);
	snprintf(interval, sizeof(interval), "%.2f-%.2f", x->rate.low * 100, x->rate.high * 100);
	out_printf(c->out, "%6.2f%%  %-12s  %9s  %.10s  ", x->rate.rate * 100, interval, share,
		   date_text(x->last_ms, date));
	history_cell(c->out, str_of(titled), width - LEFT, false);
	out_char(c->out, '\n');
}

static bool several_modes(const struct flakes *f)
{
	for (size_t i = 1; i < f->n; i++)
		if (strcmp(f->v[i].mode, f->v[0].mode) != 0)
			return true;
	return false;
}

static void print_table(struct cmd *c, const struct flakes *f, size_t n, bool filtered)
{
	bool terminal = isatty(STDOUT_FILENO);
	/* In a pipe a name that is cut can't be looked for. */
	unsigned width = !terminal ? 1024 : c->columns > LEFT + 25 ? c->columns : LEFT + 25;

	if (f->n == 0 && f->n_runs)
		out_printf(c->out, "Nothing failed in %u run%s.\n", f->n_runs,
			   f->n_runs == 1 ? "" : "s");
	else if (f->n == 0 && filtered)
		out_lit(c->out, "No run fits; 'taproom runs' lists all.\n");
	else if (f->n == 0)
		out_lit(c->out, "No runs to judge: 'taproom run' makes one, 'taproom runs' lists "
				"them.\n");
	if (f->n == 0)
		return;
	history_colour(c, "1");
	out_printf(c->out, "%7s  %-12s  %9s  %-10s  %s\n", "RATE", "INTERVAL", "FAILED/N", "LAST",
		   "TEST");
	history_colour(c, NULL);
	for (size_t i = 0, shown = 0; i < f->n && shown < n; i++) {
		if (f->v[i].explained)
			continue;
		print_row(c, &f->v[i], several_modes(f), width);
		if (terminal)
			print_spark(c, &f->v[i]);
		shown++;
	}
}

static void json_flake(struct json *j, const struct flake *x)
{
	char date[UNIT_TEXT_MAX];

	json_object(j);
	json_field_str(j, "suite", str_of(x->suite));
	json_field_str(j, "program", str_of(x->program));
	json_field_str(j, "path", str_of(x->path));
	json_field_bool(j, "leaf", x->leaf);
	json_field_bool(j, "explained", x->explained);
	json_field_str(j, "mode", str_of(x->mode));
	json_field_real(j, "rate", x->rate.rate);
	json_field_real(j, "low", x->rate.low);
	json_field_real(j, "high", x->rate.high);
	json_field_int(j, "failed", (int64_t)x->rate.k);
	json_field_int(j, "flaky", (int64_t)x->flaky);
	json_field_int(j, "n", (int64_t)x->rate.n);
	json_field_int(j, "last_run", x->last_run);
	json_field_str(j, "last", str_of(date_rfc3339(x->last_ms, date)));
	if (x->cost_ms >= 0)
		json_field_int(j, "cost_ms", x->cost_ms);
	json_key(j, "runs");
	json_array(j);
	for (unsigned i = 0; i < x->n_cells; i++) {
		if (x->cells[i] == STORE_CELL_ABSENT)
			json_null(j);
		else
			json_str(j, str_of(STATUS_INFO[x->cells[i]].name));
	}
	json_end(j);
	json_end(j);
}

static void print_json(struct cmd *c, const struct flakes *f, size_t n)
{
	struct json j;

	json_init(&j, c->out, false);
	json_object(&j);
	json_key(&j, "runs");
	json_array(&j);
	for (unsigned i = 0; i < f->n_runs; i++)
		json_int(&j, f->runs[i]);
	json_end(&j);
	json_key(&j, "flakes");
	json_array(&j);
	for (size_t i = 0; i < f->n && i < n; i++)
		json_flake(&j, &f->v[i]);
	json_end(&j);
	json_end(&j);
}

static int collect(struct flakes *f, const struct flakes_options *o, struct err *err)
{
	struct store_grid_filter filter = { .branch = o->branch, .mode = o->mode,
					    .runs = RUNS_DEFAULT };
	int r;

	if (o->since_ms) {
		filter.since_ms = clock_wall_ms() - o->since_ms;
		filter.runs = UINT32_MAX;
	}
	r = store_grid(f->s, &filter, on_head, on_row, f, err);
	return r < 0 ? r : complete(f, err);
}

int cmd_flakes_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_(flakes_done) struct flakes f = {};
	struct flakes_options o = {};
	struct err err = {};
	size_t shown;
	int n, r, code = cmd_options(c, &cmd_flakes_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n > 0) {
		err_set(&err, EINVAL, "flakes takes no operand, not '%s'", argv[1]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	r = history_open(&o.common, &f.s, &err);
	if (r > 0)
		r = collect(&f, &o, &err);
	f.s = store_close(f.s);
	if (r < 0)
		return history_fail(c, r, &err);
	sort(&f, o.sort);
	shown = o.limit ? (size_t)o.limit : SIZE_MAX;
	if (o.common.json)
		print_json(c, &f, shown);
	else
		print_table(c, &f, shown, o.mode || o.branch || o.since_ms);
	return EXIT_PASSED;
}
