/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Is it mine?": chances against R, and what is said of them. */
#include "stat-history.h"
#include "stat/mine.h"

/* R: bbt <- function(x, m, k, n) { j <- x:m; a <- k + .5; b <- n - k + .5
 *	sum(exp(lchoose(m, j) + lbeta(a + j, b + m - j) - lbeta(a, b))) } */
static const struct {
	const char *name;
	uint64_t k, n;
	uint32_t failed, ran;
	double peers, chance;
	enum stat_mine_says says;
	const char *text;
} ROWS[] = {
	{ "nothing known of it", 0, 0, 1, 1, 0, 1, STAT_MINE_NEW,
	  "Failed in 1 of 1 run; before: never run. It has no history to compare with." },
	{ "0 of 20 is not much", 0, 20, 1, 1, 0, 0.02380952380952381, STAT_MINE_UNUSUAL,
	  "Failed in 1 of 1 run; before: never in 20, so its rate is up to 12 %. "
	  "The chance to fail so often anyway is 1 in 42. Chance or change: more runs would "
	  "tell." },
	{ "did not fail", 3, 1000, 0, 20, 0, 1, STAT_MINE_UNSEEN,
	  "Failed in 0 of 20 runs; before: 3 of 1000, 0.30 % [0.085 % to 0.80 %]. With none of 20 "
	  "its "
	  "rate may still be 12 %. That it did not fail here says no more than that." },
	{ "did not run", 3, 1000, 0, 0, 0, 1, STAT_MINE_NOTHING, "It did not run." },
	{ "a flake", 43, 450, 1, 3, 0, 0.2618231836614861, STAT_MINE_USUAL,
	  "Failed in 1 of 3 runs; before: 43 of 450, 9.6 % [7.1 % to 13 %]. The chance to fail so "
	  "often anyway is 1 in 4. It fails like this without a change." },
	{ "rare, twice", 6, 1886, 2, 3, 0, 4.092768872641758e-05, STAT_MINE_UNLIKELY,
	  "Failed in 2 of 3 runs; before: 6 of 1886, 0.32 % [0.13 % to 0.65 %]. The chance to fail "
	  "so "
	  "often anyway is 1 in 24,000. Hardly by chance." },
	{ "never, then always", 0, 622, 3, 3, 0, 7.717002099024573e-09, STAT_MINE_UNLIKELY,
	  "Failed in 3 of 3 runs; before: never in 622, so its rate is up to 0.40 %. The chance to "
	  "fail so often anyway is 1 in 130,000,000. Hardly by chance." },
	{ "once, among many that never do", 0, 1886, 1, 1, 0.0504, 0.0002649708532061478,
	  STAT_MINE_UNUSUAL,
	  "Failed in 1 of 1 run; before: never in 1886, so its rate is up to 0.13 %. The chance to "
	  "fail so often anyway is 1 in 3,800, that any test as steady as this fails 1 in 20. "
	  "Chance or change: more runs would tell." },
};

static void test_rows(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct stat_mine_test test = { .before = { .k = ROWS[i].k, .n = ROWS[i].n },
					       .failed = ROWS[i].failed,
					       .ran = ROWS[i].ran,
					       .peers = ROWS[i].peers };
		struct stat_mine m = stat_mine(&test);
		_cleanup_(buf_done) struct buf b = {};

		stat_mine_tell(&test, &m, &b);
		ok(t, near(m.chance, ROWS[i].chance, 1e-9) && m.says == ROWS[i].says, "%s",
		   ROWS[i].name);
		is_str(t, b.p, ROWS[i].text, "and it says so");
	}
}

/* However many passes: nothing is ever called steady, or not flaky. */
static void test_never(struct tap *t)
{
	bool good = true;

	for (uint32_t n = 1; n <= 5000; n += 37) {
		struct stat_mine_test test = { .before = { .n = n }, .ran = 20 };
		struct stat_mine m = stat_mine(&test);
		_cleanup_(buf_done) struct buf b = {};

		stat_mine_tell(&test, &m, &b);
		good &= m.says == STAT_MINE_UNSEEN && m.mine.high > 0.11;
		good &= str_find(buf_str(&b), STR("not flaky")) < 0;
		good &= str_find(buf_str(&b), STR("may still be 12 %")) > 0;
	}
	ok(t, good, "0 of 20 leaves 12 %% open");
}

static const struct {
	const char *name;
	struct stat_mine_test tests[4];
	size_t n;
	struct stat_mine_past past;
	enum stat_mine_says says;
	double apart, outage;
	const char *text;
} JOINTS[] = {
	{ "two rare ones",
	  { { { .k = 6, .n = 1886 }, 1, 1, 0 }, { { .k = 2, .n = 1886 }, 1, 1, 0 } },
	  2,
	  { 1886, 9, 1 },
	  STAT_MINE_UNLIKELY,
	  6.5 / 1887 * 2.5 / 1887,
	  0,
	  "2 tests with a history failed. That each did by chance, on its own: 1 in 220,000. "
	  "Hardly by chance." },
	{ "three: an outage is likelier",
	  { { { .k = 6, .n = 1886 }, 1, 1, 0 },
	    { { .k = 2, .n = 1886 }, 1, 1, 0 },
	    { { .k = 0, .n = 1886 }, 1, 1, 0 } },
	  3,
	  { 1886, 9, 1 },
	  STAT_MINE_UNUSUAL,
	  6.5 / 1887 * 2.5 / 1887 * 0.5 / 1887,
	  9.5 / 1887,
	  "3 tests with a history failed. That each did by chance, on its own: 1 in "
	  "830,000,000. That this run is in an outage like those before (9 of 1886 runs): 1 in "
	  "200. "
	  "Chance or change: more runs would tell." },
	{ "one that often does, one new",
	  { { { .k = 40, .n = 100 }, 1, 1, 0 }, { {}, 1, 1, 0 } },
	  2,
	  { 100, 0, 1 },
	  STAT_MINE_USUAL,
	  40.5 / 101,
	  0,
	  "1 test with a history failed. That each did by chance, on its own: 1 in 2. "
	  "They may well have failed anyway." },
	{ "only what is new",
	  { { {}, 1, 1, 0 } },
	  1,
	  { 100, 0, 1 },
	  STAT_MINE_NEW,
	  1,
	  0,
	  "What failed has no history to compare with." },
	{ "nothing",
	  { { { .n = 10 }, 0, 1, 0 } },
	  1,
	  { 100, 0, 1 },
	  STAT_MINE_UNSEEN,
	  1,
	  0,
	  "Nothing failed." },
	{ "no test", {}, 0, { 100, 0, 1 }, STAT_MINE_NOTHING, 1, 0, "Nothing ran." },
};

static void test_joint(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(JOINTS); i++) {
		struct stat_mine_joint j =
			stat_mine_joint(JOINTS[i].tests, JOINTS[i].n, &JOINTS[i].past);
		_cleanup_(buf_done) struct buf b = {};

		stat_mine_joint_tell(&j, &JOINTS[i].past, &b);
		ok(t,
		   near(j.apart, JOINTS[i].apart, 1e-9) && near(j.outage, JOINTS[i].outage, 1e-9) &&
			   j.says == JOINTS[i].says,
		   "%s", JOINTS[i].name);
		is_str(t, b.p, JOINTS[i].text, "and it says so");
	}
}

static void test_peers(struct tap *t)
{
	static const struct stat_rate ALL[] = {
		{ .k = 0, .n = 1000 },	 { .k = 0, .n = 500 }, { .k = 1, .n = 1000 },
		{ .k = 300, .n = 1000 }, { .k = 0, .n = 0 },
	};

	ok(t,
	   near(stat_mine_peers(ALL, ARRAY_SIZE(ALL), &ALL[0]), 0.05 / 1000.55 + 0.05 / 500.55,
		1e-12),
	   "those that never failed either");
	ok(t,
	   near(stat_mine_peers(ALL, ARRAY_SIZE(ALL), &ALL[2]),
		0.05 / 1000.55 + 0.05 / 500.55 + 1.05 / 1000.55, 1e-12),
	   "and those that hardly ever did");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_rows(&t);
	test_never(&t);
	test_joint(&t);
	test_peers(&t);
	return tap_done(&t);
}
