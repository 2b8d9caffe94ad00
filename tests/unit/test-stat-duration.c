/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Durations: a published change, R's figures, outliers, and noise. */
#include "stat-history.h"
#include "stat/duration.h"

#define TIMES_MAX 3000

/* The flow of the Nile at Aswan, 1871 to 1970: the example of G. W. Cobb, "The
 * problem of the Nile: conditional solution to a changepoint problem",
 * Biometrika 65(2), 1978. The change is between 1898 and 1899. */
static const uint16_t NILE[] = {
	1120, 1160, 963, 1210, 1160, 1160, 813,	 1230, 1370, 1140, 995,	 935,  1110, 994,  1020,
	960,  1180, 799, 958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,
	874,  694,  940, 833,  701,  916,  692,	 1020, 1050, 969,  831,	 726,  456,  824,  702,
	1120, 1100, 832, 764,  821,  768,  845,	 864,  862,  698,  845,	 744,  796,  1040, 759,
	781,  865,  845, 944,  984,  897,  822,	 1010, 771,  676,  649,	 846,  812,  742,  801,
	1040, 860,  874, 848,  890,  744,  749,	 838,  1050, 918,  986,	 797,  923,  975,  815,
	1020, 906,  901, 1170, 912,  746,  919,	 718,  714,  740,
};

struct times {
	struct stat_time v[TIMES_MAX];
	uint32_t commit[TIMES_MAX];
	size_t n;
};

static void add(struct times *x, double ms)
{
	x->commit[x->n] = (uint32_t)x->n;
	x->v[x->n] = (struct stat_time){ (uint32_t)x->n, (uint32_t)(ms + 0.5) };
	x->n++;
}

static size_t paces(struct times *x, struct stat_pace *ret, size_t max)
{
	struct stat_axis axis;
	size_t n;

	stat_axis_init(&axis, x->commit, x->n);
	n = stat_paces(&axis, x->v, x->n, ret, max);
	stat_axis_done(&axis);
	return n;
}

static void test_nile(struct tap *t)
{
	struct times x = {};
	struct stat_pace p[4];
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(NILE); i++)
		add(&x, NILE[i]);
	n = paces(&x, p, ARRAY_SIZE(p));
	ok(t,
	   n == 1 && 1871 + p[0].last == 1898 && 1871 + p[0].run == 1899 &&
		   p[0].before_ms == 1130 && p[0].after_ms == 843,
	   "the Nile after 1898: %u to %u", p[0].before_ms, p[0].after_ms);
	/* R, with x the logarithms of Nile + 10 without their median, b0 the square of
	 * median(abs(diff(x))) / 0.9538726, and nl() the marginal likelihood:
	 * nl(x[1:28]) + nl(x[29:100]) - nl(x) */
	ok(t, n == 1 && near(p[0].gain, 21.86073554231883, 1e-9), "as likely as R says");
	for (size_t i = 20; i < 40; i++)
		x.commit[i] = 20; /* all of these are of one commit */
	n = paces(&x, p, ARRAY_SIZE(p));
	ok(t, n == 1 && (p[0].run <= 20 || p[0].run >= 40), "never inside of a commit: at %u",
	   p[0].run);
}

/* Stretches: so many values around a median, spread log-normally. */
static const struct {
	const char *name;
	struct {
		size_t n;
		double ms;
	} parts[3];
	double spread;	 /* sigma of the logarithm */
	unsigned spikes; /* every so many is a timeout; 0: none */
	size_t changes;
	uint32_t at[2], slack;
} ROWS[] = {
	{ "steady", { { 500, 3000 } }, 0.1, 0, 0, {}, 0 },
	{ "steady, with timeouts", { { 500, 3000 } }, 0.1, 17, 0, {}, 0 },
	{ "twice as slow", { { 300, 3000 }, { 200, 6000 } }, 0.1, 0, 1, { 300 }, 1 },
	{ "twice as slow, with timeouts",
	  { { 300, 3000 }, { 200, 6000 } },
	  0.1,
	  23,
	  1,
	  { 300 },
	  2 },
	{ "a fifth faster", { { 300, 5000 }, { 300, 4000 } }, 0.1, 0, 1, { 300 }, 6 },
	{ "a fifth faster, with timeouts",
	  { { 300, 5000 }, { 300, 4000 } },
	  0.1,
	  7,
	  1,
	  { 300 },
	  8 },
	{ "slow for a while",
	  { { 200, 900 }, { 40, 1800 }, { 200, 900 } },
	  0.15,
	  0,
	  2,
	  { 200, 240 },
	  3 },
	{ "the last three", { { 300, 900 }, { 3, 2700 } }, 0.1, 0, 1, { 300 }, 0 },
	{ "one may be anything", { { 300, 900 }, { 1, 60000 } }, 0.1, 0, 0, {}, 0 },
	{ "5 % is not told", { { 500, 5000 }, { 500, 5250 } }, 0.02, 0, 0, {}, 0 },
	{ "nor are 20 ms", { { 500, 20 }, { 500, 40 } }, 0.1, 0, 0, {}, 0 },
	{ "all the same", { { 500, 1000 } }, 0, 0, 0, {}, 0 },
	{ "a clean step", { { 50, 1000 }, { 50, 1500 } }, 0, 0, 1, { 50 }, 0 },
	{ "too few", { { 2, 1000 }, { 2, 9000 } }, 0, 0, 0, {}, 0 },
	{ "none", {}, 0, 0, 0, {}, 0 },
	{ "all zero", { { 100, 0 } }, 0, 0, 0, {}, 0 },
};

static double normal(uint64_t *seed) /* Box and Muller, 1958 */
{
	double u = draw_unit(seed) + 0x1p-60, v = draw_unit(seed);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static void test_rows(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		uint64_t seed = 42 + i;
		struct times x = {};
		struct stat_pace p[8];
		size_t n;
		bool good;

		for (size_t k = 0; k < ARRAY_SIZE(ROWS[i].parts); k++)
			for (size_t j = 0; j < ROWS[i].parts[k].n; j++)
				add(&x, ROWS[i].spikes && x.n % ROWS[i].spikes == 5
						? 300000
						: ROWS[i].parts[k].ms *
							  exp(ROWS[i].spread * normal(&seed)));
		n = paces(&x, p, ARRAY_SIZE(p));
		good = n == ROWS[i].changes;
		for (size_t k = 0; good && k < n; k++)
			good = p[k].run + ROWS[i].slack >= ROWS[i].at[k] &&
			       p[k].run <= ROWS[i].at[k] + ROWS[i].slack &&
			       fabs(log(p[k].before_ms / ROWS[i].parts[k].ms)) < 0.1 &&
			       fabs(log(p[k].after_ms / ROWS[i].parts[k + 1].ms)) < 0.1;
		if (!ok(t, good, "%s", ROWS[i].name))
			for (size_t k = 0; k < n; k++)
				printf("# at %u: %u to %u ms, gain %g\n", p[k].run, p[k].before_ms,
				       p[k].after_ms, p[k].gain);
	}
}

static void test_alarms(struct tap *t)
{
	unsigned alarms = 0;
	struct stat_pace p;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t s = seed;
		struct times x = {};

		for (size_t k = 0; k < 400; k++)
			add(&x, 2000 * exp(0.3 * normal(&s)));
		alarms += paces(&x, &p, 1) > 0;
	}
	ok(t, alarms <= 4, "%u of 200 steady series change", alarms);
}

static int by_ms(const void *a, const void *b)
{
	const struct stat_time *x = a, *y = b;

	return (x->ms > y->ms) - (x->ms < y->ms);
}

/* Beside a sort, of numbers that differ in each of their bytes, and of equal ones. */
static void test_median(struct tap *t)
{
	struct stat_time v[200];
	unsigned wrong = 0;
	uint32_t seed = 1;

	for (size_t n = 0; n < ARRAY_SIZE(v); n++)
		for (unsigned shift = 0; shift < 32; shift += 5) {
			uint32_t got;
			double want = 0;

			for (size_t i = 0; i < n; i++) {
				seed = seed * 1664525 + 1013904223;
				v[i] = (struct stat_time){ (uint32_t)i, seed >> shift };
			}
			got = stat_time_median(v, n);
			qsort(v, n, sizeof(*v), by_ms);
			if (n)
				want = n % 2 ? v[n / 2].ms
					     : ((double)v[n / 2 - 1].ms + v[n / 2].ms) / 2;
			wrong += got != (uint32_t)(want + 0.5);
		}
	is_int(t, wrong, 0, "a median is that of the sorted");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_nile(&t);
	test_rows(&t);
	test_alarms(&t);
	test_median(&t);
	return tap_done(&t);
}
