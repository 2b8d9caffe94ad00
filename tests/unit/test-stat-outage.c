/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outages: found where one was made, not where none was; the Poisson tail is
 * never below the exact one. */
#include "stat-history.h"
#include "stat/dist.h"
#include "stat/outage.h"

#define SERIES 200
#define RUNS   1000

struct suite {
	struct history *h[SERIES];
	struct stat_piece pieces[SERIES];
};

struct plan {
	const char *name;
	double base, always; /* rates; @always: of every tenth series */
	uint32_t at[3];	     /* runs in which it breaks down; 0: none */
	unsigned failing;    /* so many of the series fail then */
	size_t outages;
	uint32_t first, last, failures; /* of the first outage */
};

static const struct plan PLANS[] = {
	{ "each on its own", 0.002, 0.002, {}, 0, 0, 0, 0, 0 },
	{ "a bad run", 0.001, 0.001, { 400 }, 15, 1, 400, 400, 15 },
	{ "two beside each other are one", 0.001, 0.001, { 400, 401 }, 15, 1, 400, 401, 30 },
	{ "two apart", 0.001, 0.001, { 400, 700 }, 12, 2, 400, 400, 12 },
	{ "the first run and the last", 0, 0, { 1, 999 }, 9, 2, 1, 1, 9 },
	{ "three failures where none ever was", 0, 0, { 500 }, 3, 1, 500, 500, 3 },
	{ "two can't be one", 0, 0, { 500 }, 2, 0, 0, 0, 0 },
	{ "20 that always fail surprise nobody", 0.0005, 1, {}, 0, 0, 0, 0, 0 },
	{ "nor hide what does", 0, 1, { 500 }, 15, 1, 500, 500, 13 },
};

static void suite_make(struct suite *s, const struct plan *p, uint64_t seed)
{
	for (size_t i = 0; i < SERIES; i++) {
		s->h[i] = history_new();
		for (uint32_t r = 0; r < RUNS; r++) {
			double rate = i % 10 == 0 ? p->always : p->base;
			bool bad = draw_unit(&seed) < rate;

			for (size_t k = 0; k < ARRAY_SIZE(p->at); k++)
				if (p->at[k] && p->at[k] == r)
					bad = i < p->failing || rate >= 0.5;
			history_say(s->h[i], bad ? 'x' : '.', r);
		}
		history_ready(s->h[i]);
		s->pieces[i] = (struct stat_piece){ &s->h[i]->series, 0, RUNS };
	}
}

static void suite_done(struct suite *s)
{
	for (size_t i = 0; i < SERIES; i++)
		history_freep(&s->h[i]);
}

static void test_plans(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(PLANS); i++) {
		const struct plan *p = &PLANS[i];
		struct stat_outages o;
		struct suite s;
		bool good;

		suite_make(&s, p, 5);
		stat_outages_find(s.pieces, SERIES, RUNS, &o);
		good = o.n == p->outages;
		if (good && o.n)
			good = o.v[0].first == p->first && o.v[0].last == p->last &&
			       o.v[0].failures == p->failures && o.v[0].chance < 1e-5 &&
			       stat_runs_have(stat_outages_runs(&o), p->first);
		if (!ok(t, good, "%s", p->name))
			for (size_t k = 0; k < o.n; k++)
				printf("# %u..%u: %u, expected %g, chance %g\n", o.v[k].first,
				       o.v[k].last, o.v[k].failures, o.v[k].expected,
				       o.v[k].chance);
		stat_outages_done(&o);
		suite_done(&s);
	}
}

static void test_alarms(struct tap *t)
{
	unsigned alarms = 0;

	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct stat_outages o;
		struct suite s;

		suite_make(&s, &(struct plan){ .base = 0.003, .always = 0.02 }, seed);
		stat_outages_find(s.pieces, SERIES, RUNS, &o);
		alarms += o.n > 0;
		stat_outages_done(&o);
		suite_done(&s);
	}
	ok(t, alarms <= 1, "%u of 10 histories without outages have one", alarms);
}

/* R: p <- c(rep(0.002, 1900), rep(0.05, 80), rep(0.3, 20)); d <- 1
 * for (q in p) d <- c(d * (1 - q), 0) + c(0, d * q); sum(d[(k + 1):length(d)]) */
static const struct {
	uint64_t k;
	double exact;
} TAILS[] = {
	{ 15, 0.40556682802196514 },
	{ 20, 0.053847486467607196 },
	{ 25, 0.0020150077234199924 },
	{ 30, 2.3951847974003659e-05 },
};

static void test_bound(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(TAILS); i++) {
		double bound = stat_poisson_tail(TAILS[i].k, 13.8);

		ok(t, bound >= TAILS[i].exact && bound < 5 * TAILS[i].exact,
		   "%" PRIu64 " of 2,000: %.3g, exact %.3g", TAILS[i].k, bound, TAILS[i].exact);
	}
}

/* Pieces with their own rates; presence; nothing at all. */
static void test_pieces(struct tap *t)
{
	struct suite s;
	struct stat_outages o;
	struct stat_piece two[2 * SERIES];
	struct stat_series_room room = {};
	struct stat_series without;

	suite_make(&s, &(struct plan){ .at = { 300 }, .failing = 20 }, 1);
	for (size_t i = 0; i < SERIES; i++) {
		two[2 * i] = (struct stat_piece){ &s.h[i]->series, 0, 300 };
		two[2 * i + 1] = (struct stat_piece){ &s.h[i]->series, 300, UINT32_MAX };
	}
	stat_outages_find(two, 2 * SERIES, RUNS, &o);
	ok(t, o.n == 1 && o.v[0].first == 300 && o.v[0].failures == 20, "series in two pieces");
	stat_series_without(&s.h[0]->series, stat_outages_runs(&o), &room, &without);
	ok(t, without.bad.n == 0 && stat_series_n(&without) == RUNS - 1,
	   "a series without the outage");
	stat_series_room_done(&room);
	stat_outages_done(&o);
	stat_outages_find(NULL, 0, 0, &o);
	ok(t, o.n == 0 && o.n_in == 0, "no run");
	stat_outages_done(&o);
	suite_done(&s);
}

/* Large outages raise base rates so much that a small one is hidden; until they
 * are taken out of them. */
static void test_rounds(struct tap *t)
{
	struct suite s;
	struct stat_outages o;
	bool found;

	for (size_t i = 0; i < SERIES; i++) {
		s.h[i] = history_new();
		for (uint32_t r = 0; r < RUNS; r++) {
			bool large = r % 16 == 3 && i < 100, small = r == 505 && i >= 50 && i < 59;

			history_say(s.h[i], large || small ? 'x' : '.', r);
		}
		history_ready(s.h[i]);
		s.pieces[i] = (struct stat_piece){ &s.h[i]->series, 0, RUNS };
	}
	stat_outages_find(s.pieces, SERIES, RUNS, &o);
	found = stat_runs_have(stat_outages_runs(&o), 505);
	ok(t, o.n == 64 && found, "63 large outages don't hide a small one");
	stat_outages_done(&o);
	suite_done(&s);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_plans(&t);
	test_alarms(&t);
	test_bound(&t);
	test_pieces(&t);
	test_rounds(&t);
	return tap_done(&t);
}
