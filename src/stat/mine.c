/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/mine.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "stat/dist.h"

#define USUAL	0.05
#define UNUSUAL 1e-3
#define MANY	3 /* failures that may be an outage: as outage.c has it */

static const char *const WORDS[STAT_MINE_N] = {
	[STAT_MINE_NOTHING] = "It did not run.",
	[STAT_MINE_UNSEEN] = "That it did not fail here says no more than that.",
	[STAT_MINE_NEW] = "It has no history to compare with.",
	[STAT_MINE_USUAL] = "It fails like this without a change.",
	[STAT_MINE_UNUSUAL] = "Chance or change: more runs would tell.",
	[STAT_MINE_UNLIKELY] = "Hardly by chance.",
};

static enum stat_mine_says by_chance(double chance)
{
	if (chance >= USUAL)
		return STAT_MINE_USUAL;
	return chance >= UNUSUAL ? STAT_MINE_UNUSUAL : STAT_MINE_UNLIKELY;
}

static double by_itself(const struct stat_mine_test *t)
{
	return stat_beta_binomial_tail(t->failed, t->ran, (double)t->before.k + 0.5,
				       (double)(t->before.n - t->before.k) + 0.5);
}

struct stat_mine stat_mine(const struct stat_mine_test *t)
{
	struct stat_mine m = { .chance = 1, .mine = stat_rate(t->failed, t->ran) };

	assert(t->failed <= t->ran && t->before.k <= t->before.n);
	if (t->ran == 0)
		return m;
	m.says = STAT_MINE_UNSEEN;
	if (t->failed == 0)
		return m;
	m.says = STAT_MINE_NEW;
	if (t->before.n == 0)
		return m;
	m.chance = by_itself(t);
	/* Any failure of a peer, in any of my runs: only fair to what failed once. */
	if (t->peers > 0 && t->failed == 1)
		m.any = -expm1(-t->peers * t->ran);
	m.says = by_chance(fmax(m.chance, m.any));
	return m;
}

/* ---- words ---- */

/* Two digits of what is small: 0.32 %, 5.1 %, 96 %. */
static void add_percent(struct buf *b, double share)
{
	double percent = 100 * share;

	if (percent > 0 && percent < 0.01)
		buf_printf(b, "%.2g %%", percent);
	else
		buf_printf(b, "%.*f %%",
			   percent == 0 || (percent >= 10 && percent < 99) ? 0
			   : percent >= 1				   ? 1
			   : percent >= 0.1				   ? 2
									   : 3,
			   percent);
}

/* "1 in 28,000", with two digits that mean something. */
static void add_chance(struct buf *b, double chance)
{
	double in = 1 / chance, scale = 1;

	if (!(chance > 1e-12)) {
		buf_printf(b, "less than 1 in 1,000,000,000,000");
		return;
	}
	if (in < 2) {
		add_percent(b, chance);
		return;
	}
	while (in / scale >= 100)
		scale *= 10;
	in = round(in / scale) * scale;
	buf_printf(b, "1 in ");
	if (in >= 1e9)
		buf_printf(b, "%.0f,%03.0f,%03.0f,%03.0f", floor(in / 1e9),
			   fmod(floor(in / 1e6), 1e3), fmod(floor(in / 1e3), 1e3), fmod(in, 1e3));
	else if (in >= 1e6)
		buf_printf(b, "%.0f,%03.0f,%03.0f", floor(in / 1e6), fmod(floor(in / 1e3), 1e3),
			   fmod(in, 1e3));
	else if (in >= 1e3)
		buf_printf(b, "%.0f,%03.0f", floor(in / 1e3), fmod(in, 1e3));
	else
		buf_printf(b, "%.0f", in);
}

static void add_before(struct buf *b, const struct stat_rate *r)
{
	if (r->n == 0) {
		buf_printf(b, " before: never run.");
		return;
	}
	if (r->k == 0) {
		buf_printf(b, " before: never in %" PRIu64 ", so its rate is up to ", r->n);
		add_percent(b, stat_rate(0, r->n).high);
		buf_printf(b, ".");
		return;
	}
	buf_printf(b, " before: %" PRIu64 " of %" PRIu64 ", ", r->k, r->n);
	add_percent(b, (double)r->k / (double)r->n);
	buf_printf(b, " [");
	add_percent(b, stat_rate(r->k, r->n).low);
	buf_printf(b, " to ");
	add_percent(b, stat_rate(r->k, r->n).high);
	buf_printf(b, "].");
}

void stat_mine_tell(const struct stat_mine_test *t, const struct stat_mine *m, struct buf *b)
{
	if (m->says == STAT_MINE_NOTHING) {
		buf_printf(b, "%s", WORDS[m->says]);
		return;
	}
	buf_printf(b, "Failed in %u of %u %s;", t->failed, t->ran, t->ran == 1 ? "run" : "runs");
	add_before(b, &t->before);
	if (m->says >= STAT_MINE_USUAL) {
		buf_printf(b, " The chance to fail so often anyway is ");
		add_chance(b, m->chance);
		if (m->any > m->chance) {
			buf_printf(b, ", that any test as steady as this fails ");
			add_chance(b, m->any);
		}
		buf_printf(b, ".");
	}
	if (t->failed == 0 && t->ran) {
		buf_printf(b, " With none of %u its rate may still be ", t->ran);
		add_percent(b, m->mine.high);
		buf_printf(b, ".");
	}
	buf_printf(b, " %s", WORDS[m->says]);
}

/* ---- together ---- */

double stat_mine_peers(const struct stat_rate *all, size_t n, const struct stat_rate *of)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		/* k / n <= of->k / of->n, without dividing by nothing. */
		if (all[i].n == 0 ||
		    (double)all[i].k * (double)of->n > (double)of->k * (double)all[i].n)
			continue;
		sum += ((double)all[i].k + 0.05) / ((double)all[i].n + 0.55);
	}
	return sum;
}

struct stat_mine_joint stat_mine_joint(const struct stat_mine_test *tests, size_t n,
				       const struct stat_mine_past *past)
{
	struct stat_mine_joint j = { .says = STAT_MINE_NOTHING, .apart = 1, .chance = 1 };
	double q = (past->outages + 0.5) / (past->runs + 1.0), widest = 0;
	bool failed = false, ran = false;

	for (size_t i = 0; i < n; i++) {
		ran |= tests[i].ran > 0;
		failed |= tests[i].failed > 0;
		if (!tests[i].failed || !tests[i].before.n)
			continue;
		j.failing++;
		j.apart *= by_itself(&tests[i]);
		widest = fmax(widest, stat_mine(&tests[i]).any);
	}
	if (j.failing == 0) {
		j.says = failed ? STAT_MINE_NEW : ran ? STAT_MINE_UNSEEN : STAT_MINE_NOTHING;
		return j;
	}
	if (j.failing >= MANY)
		j.outage = -expm1(past->mine * log1p(-fmin(q, 1 - 1e-9)));
	j.chance = fmin(j.apart + j.outage, 1);
	/* One alone is told as one alone. */
	j.says = by_chance(j.failing == 1 ? fmax(j.chance, widest) : j.chance);
	return j;
}

void stat_mine_joint_tell(const struct stat_mine_joint *j, const struct stat_mine_past *past,
			  struct buf *b)
{
	if (j->failing == 0) {
		buf_printf(b, "%s",
			   j->says == STAT_MINE_NEW ? "What failed has no history to compare with."
			   : j->says == STAT_MINE_UNSEEN ? "Nothing failed."
							 : "Nothing ran.");
		return;
	}
	buf_printf(b,
		   "%u %s with a history failed. That each did by chance, on its own: ", j->failing,
		   j->failing == 1 ? "test" : "tests");
	add_chance(b, j->apart);
	buf_printf(b, ".");
	if (j->failing >= MANY) {
		buf_printf(b, " That %s an outage like those before (%u of %u runs): ",
			   past->mine == 1 ? "this run is in" : "one of these runs is in",
			   past->outages, past->runs);
		add_chance(b, j->outage);
		buf_printf(b, ".");
	}
	buf_printf(b, " %s",
		   j->says == STAT_MINE_USUAL	  ? "They may well have failed anyway."
		   : j->says == STAT_MINE_UNUSUAL ? "Chance or change: more runs would tell."
						  : "Hardly by chance.");
}
