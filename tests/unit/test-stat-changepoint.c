/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Change points: against LUCI's own cases, R, a search that looks everywhere,
 * and series drawn with fixed seeds.
 */
#include "stat-history.h"
#include "stat/changepoint.h"

/* R: L <- function(x, n) lbeta(x + 0.05, n - x + 0.5) - lbeta(0.05, 0.5)
 * The last four: luci-go, sequence_likelihood_test.go, with Beta(0.3, 0.5). */
static const struct {
	uint64_t k, n;
	double a, b, want;
} LIKELIHOODS[] = {
	{ 0, 0, 0.05, 0.5, 0 },
	{ 0, 622, 0.05, 0.5, -0.41398310642745795 },
	{ 43, 45, 0.05, 0.5, -12.225329854849321 },
	{ 0, 1183, 0.05, 0.5, -0.4461255881218551 },
	{ 43, 1850, 0.05, 0.5, -208.46078672401472 },
	{ 1, 50000, 0.05, 0.5, -14.448823583949187 },
	{ 1, 1, 0.3, 0.5, -0.9808292530117262 }, /* ln 0.375 */
	{ 2, 2, 0.3, 0.5, -1.3062516534463542 }, /* ln 0.2708333333333333 */
	{ 1, 4, 0.3, 0.5, -3.3046277424049695 }, /* ln (0.14685150375939848 / 4) */
	{ 3, 3, 0.3, 0.5, -1.5029619476924083 }, /* ln 0.2224702380952381 */
};

static void test_likelihood(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(LIKELIHOODS); i++) {
		struct stat_prior prior = { LIKELIHOODS[i].a, LIKELIHOODS[i].b, 1e-4 };
		double got = stat_log_likelihood(&prior, LIKELIHOODS[i].k, LIKELIHOODS[i].n);

		ok(t, near(got, LIKELIHOODS[i].want, 1e-9), "likelihood of %" PRIu64 " in %" PRIu64,
		   LIKELIHOODS[i].k, LIKELIHOODS[i].n);
	}
}

/* luci-go, bayesian_test.go: those without retries; there the threshold is 0.01. */
static const struct {
	const char *name, *text;
	uint32_t at[2];
	size_t n;
} LUCI[] = {
	{ "pass to fail 1", ".. .. . x xx xx", { 5 }, 1 },
	{ "pass to fail 2", ".. .. x x xx xx", { 4 }, 1 },
	{ "pass to flake, inside of a commit's runs", "...... .xxxxxxxx", { 6 }, 1 },
	{ "pass to fail to pass", ".. .. ... .. ... x x xx xx xxx xx xxx .. ..", { 12, 26 }, 2 },
	{ "pass to flake", ".. .. .. .. .. .. .x .x .x .x .x .x .x .x .x .x", { 12 }, 1 },
	{ "flake to fail", ".x .x .x .x .x .x .x .x xx xx xx xx xx xx xx xx xx xx", { 16 }, 1 },
	{ "pass", ".. .. .. .. .. .. .. ..", {}, 0 },
	{ "fail", "xx xx xx xx xx xx xx xx", {}, 0 },
	{ "flake", ".x .. .x .. .. .x .. xx", {}, 0 },
};

static void test_luci(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(LUCI); i++) {
		_cleanup_(history_freep) struct history *h = history_of(LUCI[i].text);
		struct stat_finder *f =
			stat_finder_new(&h->axis, (struct stat_prior){ 0.05, 0.5, 0.01 });
		struct stat_changes c = stat_finder_run(f, &h->series);
		struct stat_runs parts = stat_finder_parts(f, &h->series);
		bool same = c.n == LUCI[i].n && parts.n == c.n;

		for (size_t k = 0; same && k < c.n; k++)
			same = c.v[k].run == LUCI[i].at[k] && parts.v[k] == c.v[k].run;
		if (!ok(t, same, "LUCI: %s", LUCI[i].name))
			for (size_t k = 0; k < c.n; k++)
				printf("# %u: gain %g\n", c.v[k].run, c.v[k].gain);
		stat_finder_free(f);
	}
}

/* One cut, looked for at each place between commits, with sums instead of stretches. */
struct plain {
	double gain;
	uint32_t at, low, high;
};

static struct plain plainly(const struct history *h)
{
	const struct stat_prior prior = STAT_PRIOR_DEFAULT;
	struct plain best = { .gain = -INFINITY };
	uint32_t n = 0, k = 0, all_n = 0, all_k = 0, last = 0;
	double *w = xcalloc(h->n, sizeof(*w)), sum = 0, part = 0;

	for (uint32_t r = 0; r < h->n; r++) {
		all_n += stat_spans_have(h->series.in, r) && !stat_runs_have(h->series.mute, r);
		all_k += stat_runs_have(h->series.bad, r);
	}
	for (uint32_t r = 0; r < h->n; r++) {
		if (!stat_spans_have(h->series.in, r) || stat_runs_have(h->series.mute, r))
			continue;
		if (n && h->commit[r] != h->commit[last]) {
			double gain = stat_log_likelihood(&prior, k, n) +
				      stat_log_likelihood(&prior, all_k - k, all_n - n) -
				      stat_log_likelihood(&prior, all_k, all_n);

			if (gain > best.gain) {
				best.gain = gain;
				best.at = r;
			}
			sum += w[r] = exp(gain);
		}
		last = r;
		n++;
		k += stat_runs_have(h->series.bad, r);
	}
	best.high = UINT32_MAX;
	for (uint32_t r = 0; r < h->n; r++) {
		part += w[r];
		if (w[r] > 0 && part >= 0.005 * sum && !best.low)
			best.low = r;
		if (part >= 0.995 * sum && best.high == UINT32_MAX)
			best.high = r;
	}
	free(w);
	return best;
}

/* Any shape: several runs per commit, gaps, skips, two rates. */
static struct history *any(uint64_t *seed)
{
	static const double RATES[] = { 0.002, 0.05, 0.3, 0.9, 1 };
	struct history *h = history_new();
	size_t n = 100 + draw(seed) % 400, cut = draw(seed) % n;
	double before = RATES[draw(seed) % 5], after = RATES[draw(seed) % 5];
	double skip = draw(seed) % 2 * 0.1, away = draw(seed) % 2 * 0.1,
	       more = draw(seed) % 2 * 0.5;
	uint32_t commit = 0;

	for (size_t i = 0; i < n; i++) {
		char c = draw_unit(seed) < (i < cut ? before : after) ? 'x' : '.';

		c = draw_unit(seed) < skip ? 's' : c;
		c = draw_unit(seed) < away ? '-' : c;
		history_say(h, c, commit += draw_unit(seed) >= more);
	}
	return history_ready(h);
}

static void test_plainly(struct tap *t)
{
	uint64_t seed = 1;
	unsigned same = 0, single = 0, ranges = 0, same_gain = 0;

	for (unsigned i = 0; i < 300; i++) {
		_cleanup_(history_freep) struct history *h = any(&seed);
		struct stat_finder *f = stat_finder_new(&h->axis, STAT_PRIOR_DEFAULT);
		struct stat_changes c = stat_finder_run(f, &h->series);
		struct plain want = plainly(h);

		if (c.n == 1) {
			single++;
			same += c.v[0].run == want.at;
			same_gain += near(c.v[0].gain, want.gain, 1e-8);
			ranges += c.v[0].low == want.low && c.v[0].high == want.high;
		} else if (c.n == 0 && want.gain > -log(1e-4)) {
			printf("# %u: missed a cut that gains %g\n", i, want.gain);
			single++;
		}
		stat_finder_free(f);
	}
	ok(t, single > 100, "%u of 300 series have one change", single);
	is_int(t, same, single, "all where looking everywhere finds it");
	is_int(t, same_gain, single, "with the same likelihood ratio");
	is_int(t, ranges, single, "and the same range of 99 %");
}

/* Several rates: in the end no cut is better elsewhere between its neighbours, and
 * each is worth it. */
static void test_settled(struct tap *t)
{
	static const double RATES[] = { 0.005, 0.05, 0.3, 0.8 };
	const struct stat_prior prior = STAT_PRIOR_DEFAULT;
	uint64_t seed = 11;
	unsigned cuts = 0, best = 0, worth = 0;

	for (unsigned i = 0; i < 150; i++) {
		_cleanup_(history_freep) struct history *h = history_new();
		struct stat_finder *f;
		struct stat_changes c;

		for (unsigned k = 0; k < 6; k++)
			history_draw(h, 20 + draw(&seed) % 150, RATES[draw(&seed) % 4], &seed);
		history_ready(h);
		f = stat_finder_new(&h->axis, STAT_PRIOR_DEFAULT);
		c = stat_finder_run(f, &h->series);
		for (size_t k = 0; k < c.n; k++) {
			uint32_t from = k ? c.v[k - 1].run : 0;
			uint32_t to = k + 1 < c.n ? c.v[k + 1].run : (uint32_t)h->n;
			size_t all = stat_runs_count(h->series.bad, from, to);
			double most = -INFINITY;

			for (uint32_t r = from + 1; r < to; r++) {
				size_t left = stat_runs_count(h->series.bad, from, r);

				most = fmax(most, stat_log_likelihood(&prior, left, r - from) +
							  stat_log_likelihood(&prior, all - left,
									      to - r));
			}
			most -= stat_log_likelihood(&prior, all, to - from);
			cuts++;
			best += fabs(c.v[k].gain - most) < 1e-7;
			worth += c.v[k].gain > -log(prior.threshold);
		}
		stat_finder_free(f);
	}
	ok(t, cuts > 300, "%u cuts in 150 series with six rates", cuts);
	is_int(t, best, cuts, "each is where it is best");
	is_int(t, worth, cuts, "and worth it");
}

/* What it says: "x0,n" runs of letters. */
static const struct {
	const char *name, *text; /* "622. 45x": so many of each */
	enum stat_change_kind kinds[3];
	uint64_t k[4], n[4];
	size_t changes;
} SAYS[] = {
	{ "broken, then fixed",
	  "622. 30x 1. 12x 1183.",
	  { STAT_REGRESSION, STAT_FIX },
	  { 0, 42, 0 },
	  { 622, 43, 1183 },
	  2 },
	{ "a burst of three in the middle",
	  "900. 3x 900.",
	  { STAT_REGRESSION, STAT_FIX },
	  { 0, 3, 0 },
	  { 900, 3, 900 },
	  2 },
	{ "two in a row are not enough", "900. 2x 900.", {}, {}, {}, 0 },
	{ "one failure is never a change", "1999. 1x", {}, {}, {}, 0 },
	{ "not after years either", "19000. 1x", {}, {}, {}, 0 },
	{ "nor with a pass behind it", "19000. 1x 900.", {}, {}, {}, 0 },
	{ "two in a row at the end are", "900. 2x", { STAT_REGRESSION }, { 0, 2 }, { 900, 2 }, 1 },
	{ "a pass in a test that always fails", "400x 1. 400x", {}, {}, {}, 0 },
	{ "a spell of passes there",
	  "400x 20. 400x",
	  { STAT_FIX, STAT_REGRESSION },
	  { 400, 0, 400 },
	  { 400, 20, 400 },
	  2 },
	{ "no run", "", {}, {}, {}, 0 },
	{ "one run", "1x", {}, {}, {}, 0 },
	{ "skips are not seen",
	  "400. 9s 3x 9s 3x 9s 3x",
	  { STAT_REGRESSION },
	  { 0, 9 },
	  { 400, 9 },
	  1 },
};

static struct history *repeated(const char *text)
{
	struct history *h = history_new();
	char *end;

	for (const char *p = text; *p; p = *end == ' ' ? end + 1 : end) {
		size_t n = strtoul(p, &end, 10);
		char c = *end++;

		while (n--)
			history_say(h, c, (uint32_t)h->n);
	}
	return history_ready(h);
}

static void test_says(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SAYS); i++) {
		_cleanup_(history_freep) struct history *h = repeated(SAYS[i].text);
		struct stat_finder *f = stat_finder_new(&h->axis, STAT_PRIOR_DEFAULT);
		struct stat_changes c = stat_finder_run(f, &h->series);
		bool same = c.n == SAYS[i].changes;

		for (size_t k = 0; same && k < c.n; k++)
			same = c.v[k].kind == SAYS[i].kinds[k] && c.v[k].before.k == SAYS[i].k[k] &&
			       c.v[k].before.n == SAYS[i].n[k] &&
			       c.v[k].after.k == SAYS[i].k[k + 1] &&
			       c.v[k].after.n == SAYS[i].n[k + 1] && c.v[k].low <= c.v[k].run &&
			       c.v[k].run <= c.v[k].high && c.v[k].last < c.v[k].run;
		if (!ok(t, same, "%s", SAYS[i].name))
			for (size_t k = 0; k < c.n; k++)
				printf("# %s at %u, gain %g\n", STAT_CHANGE_NAMES[c.v[k].kind],
				       c.v[k].run, c.v[k].gain);
		stat_finder_free(f);
	}
}

/* As long as it is quiet, passes at the end change nothing. */
static void test_quiet(struct tap *t)
{
	uint64_t seed = 7;
	unsigned held = 0, asked = 0, long_ones = 0;

	for (unsigned i = 0; i < 200; i++) {
		_cleanup_(history_freep) struct history *h = any(&seed);
		struct stat_finder *f = stat_finder_new(&h->axis, STAT_PRIOR_DEFAULT);
		struct stat_changes c = stat_finder_run(f, &h->series);
		uint32_t runs[8], more = c.quiet < 2000 ? c.quiet : 2000;
		size_t n = c.n;
		bool same = n <= ARRAY_SIZE(runs);

		for (size_t k = 0; same && k < n; k++)
			runs[k] = c.v[k].run;
		stat_finder_free(f);
		stat_axis_done(&h->axis);
		for (uint32_t k = 0; k < more; k++)
			history_say(h, '.', 100000 + k);
		history_ready(h);
		f = stat_finder_new(&h->axis, STAT_PRIOR_DEFAULT);
		c = stat_finder_run(f, &h->series);
		same &= c.n == n;
		for (size_t k = 0; same && k < n; k++)
			same = c.v[k].run == runs[k];
		stat_finder_free(f);
		asked += more > 0;
		held += more > 0 && same;
		long_ones += more >= 5;
	}
	ok(t, long_ones > 50, "%u of 200 are quiet for 5 passes and more", long_ones);
	is_int(t, held, asked, "and nothing changes until then");
}

/* Power and false alarms. The seeds are fixed; the bounds leave the figures room. */
static const struct {
	const char *name;
	size_t before, after;
	double p, q;
	unsigned series;
	double least, most; /* share of series in which a change is found */
	bool suspects;
} DRAWN[] = {
	{ "0.1 % over 2,000 runs", 2000, 0, 0.001, 0, 400, 0, 0.01 },
	{ "1 % over 2,000 runs", 2000, 0, 0.01, 0, 400, 0, 0.01 },
	{ "20 % over 2,000 runs", 2000, 0, 0.2, 0, 200, 0, 0.02 },
	{ "0.2 % over 20,000 runs", 20000, 0, 0.002, 0, 40, 0, 0.05 },
	{ "0.1 % to 50 % after 10 runs", 1000, 10, 0.001, 0.5, 150, 0.9, 1 },
	{ "0 to 5 % after 100 runs", 1000, 100, 0, 0.05, 150, 0.65, 0.9 },
	{ "0.8 % to 5.1 % after 500 runs", 900, 500, 0.008, 0.051, 150, 0.45, 0.7 },
	{ "1 % to 2 % after 500 runs: too little", 900, 500, 0.01, 0.02, 150, 0, 0.1 },
	{ "all to none after 5 runs", 30, 5, 1, 0, 20, 1, 1 },
	{ "suspects at 0.5 % over 1,400 runs", 1400, 0, 0.005, 0, 600, 0.001, 0.05, true },
	{ "suspects: 0.8 % to 5.1 % after 500 runs", 900, 500, 0.008, 0.051, 150, 0.8, 1, true },
};

static void test_drawn(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(DRAWN); i++) {
		uint64_t seed = 1000 + i;
		unsigned found = 0, covered = 0, single = 0;
		double share;

		for (unsigned k = 0; k < DRAWN[i].series; k++) {
			_cleanup_(history_freep) struct history *h = history_new();
			struct stat_finder *f;
			struct stat_changes c;

			history_draw(h, DRAWN[i].before, DRAWN[i].p, &seed);
			history_draw(h, DRAWN[i].after, DRAWN[i].q, &seed);
			history_ready(h);
			f = stat_finder_new(&h->axis, DRAWN[i].suspects ? STAT_PRIOR_SUSPECT
									: STAT_PRIOR_DEFAULT);
			c = stat_finder_run(f, &h->series);
			found += c.n > 0;
			single += c.n == 1;
			covered += c.n == 1 && c.v[0].low <= DRAWN[i].before &&
				   DRAWN[i].before <= c.v[0].high;
			stat_finder_free(f);
		}
		share = found / (double)DRAWN[i].series;
		ok(t, share >= DRAWN[i].least && share <= DRAWN[i].most, "%s: %u of %u change",
		   DRAWN[i].name, found, DRAWN[i].series);
		if (DRAWN[i].after && DRAWN[i].least > 0)
			ok(t, covered >= 0.97 * single, "the 99 %% hold the place in %u of %u",
			   covered, single);
	}
}

/*
 * Real ones: the MPTCP CI, branches export and export-net, March 2024 to
 * December 2025, 1,372 runs with a date. Which runs a test of mptcp_join.sh
 * failed in; "absent" is passed or not run there.
 */
#define CI_RUNS 1372

static const uint16_t FASTCLOSE[] = {
	/* normal: all of 623 to 667 but these two */
	625,
	634,
};

static const uint16_t INFINITE_MAP[] = {
	/* debug */
	126,  128,  137,  172,	208,  260,  670,  898,	920,  938,  940,  989,	994,
	1041, 1082, 1118, 1130, 1135, 1161, 1256, 1260, 1335, 1336, 1338, 1341, 1361,
};

static struct history *ci(const uint16_t *bad, size_t n, bool inverted, uint32_t from, uint32_t to)
{
	struct history *h = history_new();

	for (uint32_t r = 0; r < CI_RUNS; r++) {
		bool listed = false;

		for (size_t i = 0; i < n; i++)
			listed |= bad[i] == r;
		history_say(h, r >= from && r < to && listed != inverted ? 'x' : '.', r);
	}
	return history_ready(h);
}

static void test_ci(struct tap *t)
{
	_cleanup_(history_freep) struct history *h =
		ci(FASTCLOSE, ARRAY_SIZE(FASTCLOSE), true, 623, 668);
	_cleanup_(history_freep) struct history *map =
		ci(INFINITE_MAP, ARRAY_SIZE(INFINITE_MAP), false, 0, CI_RUNS);
	struct stat_finder *f = stat_finder_new(&h->axis, STAT_PRIOR_DEFAULT);
	struct stat_changes c = stat_finder_run(f, &h->series);

	ok(t,
	   c.n == 2 && c.v[0].kind == STAT_REGRESSION && c.v[0].run == 623 && c.v[0].low == 622 &&
		   c.v[0].high == 623 && c.v[0].before.n == 623,
	   "fastclose test breaks on 11 January 2025, with 99 %% at that run or the one before");
	ok(t,
	   c.n == 2 && c.v[1].kind == STAT_FIX && c.v[1].run == 668 && c.v[1].low == 668 &&
		   c.v[1].high == 669 && c.v[1].before.k == 43 && c.v[1].before.n == 45 &&
		   c.v[1].after.k == 0 && c.v[1].after.n == 704,
	   "and is fixed on 29 January, after 43 of 45");
	is_int(t, (int64_t)stat_finder_run(f, &map->series).n, 0,
	       "Infinite map: not beyond doubt in these runs");
	stat_finder_free(f);
	f = stat_finder_new(&map->axis, STAT_PRIOR_SUSPECT);
	c = stat_finder_run(f, &map->series);
	ok(t,
	   c.n == 1 && c.v[0].kind == STAT_RATE_UP && c.v[0].run == 898 && c.v[0].before.k == 7 &&
		   c.v[0].before.n == 898 && c.v[0].after.k == 19 && c.v[0].after.n == 474,
	   "but a suspect: 0.8 %% to 4 %% on 22 May 2025");
	stat_finder_free(f);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_likelihood(&t);
	test_luci(&t);
	test_plainly(&t);
	test_settled(&t);
	test_says(&t);
	test_quiet(&t);
	test_drawn(&t);
	test_ci(&t);
	return tap_done(&t);
}
