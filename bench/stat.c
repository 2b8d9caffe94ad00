/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judgement over years: 2,000 series x 50,000 runs, nearly all passed. Prints
 * what each question costs in CPU time. Rates follow the MPTCP history: most
 * tests never fail, a few flake, some were broken for a while, and now and then
 * a run fails as a whole.
 *	stat [SERIES RUNS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "stat/changepoint.h"
#include "stat/cost.h"
#include "stat/outage.h"
#include "stat/presence.h"
#include "stat/window.h"

#define LATER 200 /* runs that come one by one */

struct column {
	uint32_t *bad;
	size_t n, cap;
	struct stat_span in;
	struct stat_series series;
	uint32_t quiet, since; /* passes that change nothing, those that came */
	double rates[3];       /* before, in, and behind a spell */
	uint32_t from, to;     /* the spell */
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
static double draw(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* 70 % of the series hardly ever fail, 22 % flake, 5 % got worse, 3 % were broken
 * for a while: 0.2 % of all results. */
static void column_init(struct column *c, uint32_t runs, uint64_t *seed)
{
	double kind = draw(seed);
	double rate = kind < 0.7 ? 2e-5 : 1e-3 * (0.2 + 6 * draw(seed));

	*c = (struct column){ .in = { 0, runs }, .rates = { rate, rate, rate } };
	if (kind > 0.97) {
		c->from = (uint32_t)(draw(seed) * runs);
		c->to = c->from + (uint32_t)(draw(seed) * 0.08 * runs);
		c->rates[1] = draw(seed) < 0.5 ? 0.95 : 0.06;
	} else if (kind > 0.92) {
		c->from = (uint32_t)(draw(seed) * runs);
		c->to = UINT32_MAX;
		c->rates[1] = rate * 5;
	}
}

static void column_run(struct column *c, uint32_t run, double more, uint64_t *seed)
{
	double rate = c->rates[run < c->from ? 0 : run < c->to ? 1 : 2];

	if (draw(seed) >= rate + more)
		return;
	ARRAY_GROW(c->bad, c->n, c->cap);
	c->bad[c->n++] = run;
}

static const struct stat_series *column_series(struct column *c, uint32_t runs)
{
	c->in.to = runs;
	c->series = (struct stat_series){ .in = { &c->in, 1 }, .bad = { c->bad, c->n } };
	while (c->series.bad.n && c->bad[c->series.bad.n - 1] >= runs)
		c->series.bad.n--;
	return &c->series;
}

static void say(const char *what, double ms, double per)
{
	printf("%-44s %10.2f ms  %8.3f us each\n", what, ms, ms * 1e3 / per);
}

/* All of them, then run by run only those that can have changed. */
static void bench_changes(struct column *cols, size_t n, const uint32_t *commit, uint32_t runs)
{
	struct stat_axis axis;
	struct stat_finder *f;
	size_t changes = 0, asked = 0, failures = 0;
	double t = now_ms(), worst = 0, begin;

	stat_axis_init(&axis, commit, runs);
	f = stat_finder_new(&axis, STAT_PRIOR_DEFAULT);
	say("tables", now_ms() - t, runs);
	t = now_ms();
	for (size_t i = 0; i < n; i++) {
		struct stat_changes c = stat_finder_run(f, column_series(&cols[i], runs));

		cols[i].quiet = c.quiet;
		cols[i].since = 0;
		changes += c.n;
		failures += cols[i].series.bad.n;
	}
	say("change points, all series", now_ms() - t, (double)n);
	printf("  %zu failures (%.3f %%), %zu changes\n", failures,
	       100.0 * (double)failures / ((double)n * runs), changes);
	f = stat_finder_free(f);
	stat_axis_done(&axis);
	begin = now_ms();
	for (uint32_t r = runs; r < runs + LATER; r++) {
		t = now_ms();
		stat_axis_init(&axis, commit, r + 1);
		f = stat_finder_new(&axis, STAT_PRIOR_DEFAULT);
		for (size_t i = 0; i < n; i++) {
			const struct stat_series *s = column_series(&cols[i], r + 1);
			bool failed = s->bad.n && s->bad.v[s->bad.n - 1] == r;

			if (!failed && ++cols[i].since <= cols[i].quiet)
				continue;
			cols[i].quiet = stat_finder_run(f, s).quiet;
			cols[i].since = 0;
			asked++;
		}
		f = stat_finder_free(f);
		stat_axis_done(&axis);
		worst = now_ms() - t > worst ? now_ms() - t : worst;
	}
	say("change points, one more run", (now_ms() - begin) / LATER, 1);
	printf("  the slowest of %d: %.2f ms; %.1f series looked at in each\n", LATER, worst,
	       (double)asked / LATER);
}

/* The other questions about everything. */
static void bench_rest(struct column *cols, size_t n, uint32_t runs)
{
	struct stat_piece *pieces = xcalloc(n, sizeof(*pieces));
	struct stat_cost *costs = xcalloc(n, sizeof(*costs));
	const struct stat_series **all = xcalloc(n, sizeof(*all));
	struct stat_spans unit = { &(struct stat_span){ 0, runs }, 1 };
	struct stat_outages out;
	struct stat_window w;
	struct stat_costs sum;
	size_t present = 0;
	double t = now_ms();

	for (size_t i = 0; i < n; i++) {
		all[i] = column_series(&cols[i], runs);
		pieces[i] = (struct stat_piece){ all[i], 0, runs };
	}
	stat_outages_find(pieces, n, runs, &out);
	say("outages", now_ms() - t, (double)n);
	printf("  %zu outages\n", out.n);
	t = now_ms();
	sum = stat_cost(pieces, n, 0, runs, costs);
	say("cost of each", now_ms() - t, (double)n);
	printf("  %u of %u runs are red\n", sum.red, sum.runs);
	t = now_ms();
	for (size_t i = 0; i < n; i++)
		stat_window(&all[i], 1, 0, runs, &out, STAT_OUTAGES_ONCE);
	say("rate and interval of each, outages once", now_ms() - t, (double)n);
	t = now_ms();
	w = stat_window(all, n, 0, runs, &out, STAT_OUTAGES_LEAVE);
	say("rate of all together, without outages", now_ms() - t, (double)n);
	printf("  %.4f %% [%.4f to %.4f]\n", 100 * w.rate.rate, 100 * w.rate.low,
	       100 * w.rate.high);
	t = now_ms();
	for (size_t i = 0; i < n; i++)
		present += stat_presence(unit, all[i]->in, runs, runs).kind == STAT_PRESENT;
	say("presence of each", now_ms() - t, (double)n);
	printf("  %zu are there\n", present);
	stat_outages_done(&out);
	free(pieces);
	free(costs);
	free(all);
}

int main(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[1], NULL, 10) : 2000;
	uint32_t runs = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 50000;
	struct column *cols = xcalloc(n, sizeof(*cols));
	uint32_t *commit = xcalloc(runs + LATER, sizeof(*commit));
	uint64_t seed = 1;

	for (size_t i = 0; i < n; i++)
		column_init(&cols[i], runs, &seed);
	for (uint32_t r = 0; r < runs + LATER; r++) {
		double more = draw(&seed) < 0.002 ? 0.02 : 0; /* an outage */

		commit[r] = r ? commit[r - 1] + (draw(&seed) < 0.7) : 0;
		for (size_t i = 0; i < n; i++)
			column_run(&cols[i], r, more, &seed);
	}
	printf("%zu series x %u runs = %.0f million results\n", n, runs, (double)n * runs / 1e6);
	bench_changes(cols, n, commit, runs);
	bench_rest(cols, n, runs);
	for (size_t i = 0; i < n; i++)
		free(cols[i].bad);
	free(cols);
	free(commit);
	return 0;
}
