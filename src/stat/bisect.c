/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/bisect.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stat/sequential.h"

#define MAX   STAT_BISECT_PASSES_MAX
/* What must fail and passes is looked at for longer: it costs only who is wrong. */
#define OTHER 10
#define FAILURES_AHEAD 16

/* ---- rates ---- */

static double rate_of(const struct stat_bisect *b, uint64_t k, uint64_t n)
{
	return stat_surely_more(k, n, b->config.error / 2);
}

/* In runs, of the commits to come that are good. */
static double cost(const struct stat_bisect *b, double rate)
{
	return (b->config.steps / 2.0 + 1) * (double)stat_passes(rate, b->share, MAX) +
	       (double)stat_passes(rate, b->config.error, MAX);
}

bool stat_bisect_measures(const struct stat_bisect *b, uint64_t k, uint64_t n)
{
	double now = cost(b, rate_of(b, k, n)), each = ((double)n + 1) / ((double)k + 0.5);

	/* So many failures more, each as far away as is known. */
	for (uint64_t i = 1; i <= FAILURES_AHEAD; i *= 2) {
		uint64_t more = (uint64_t)fmax(round((double)i * each), (double)i);

		if (now - cost(b, rate_of(b, k + i, n + more)) > (double)more)
			return true;
	}
	return false;
}

uint64_t stat_bisect_passes(const struct stat_bisect *b)
{
	return stat_passes(b->rate, b->config.error, MAX);
}

uint64_t stat_bisect_step_passes(const struct stat_bisect *b)
{
	return stat_passes(b->rate, b->share, MAX);
}

/* ---- commits ---- */

static size_t commit(struct stat_bisect *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->v[i].name, name) == 0)
			return i;
	ARRAY_GROW(b->v, b->n, b->cap);
	b->v[b->n] = (struct stat_bisect_commit){ .name = xstrdup(name) };
	return b->n++;
}

struct stat_bisect *stat_bisect_new(const struct stat_bisect_config *c)
{
	struct stat_bisect *b = xcalloc(1, sizeof(*b));

	*b = (struct stat_bisect){ .config = *c, .rate = c->rate };
	commit(b, c->bad);
	commit(b, c->good);
	assert(b->n == 2);
	b->share = fmin(STAT_BISECT_STEP, STAT_BISECT_TURN / (c->steps + 1.0));
	if (c->rate > 0 || c->k)
		b->wanted = stat_passes(c->rate > 0 ? c->rate : (double)c->k / (double)c->n,
					c->error / OTHER, MAX);
	else
		b->wanted = stat_passes(c->least, c->error, MAX);
	return b;
}

struct stat_bisect *stat_bisect_free(struct stat_bisect *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n; i++) {
		free(b->v[i].name);
		free(b->v[i].why);
	}
	free(b->v);
	free(b->parents);
	free(b);
	return NULL;
}

/* ---- checks ---- */

static void begin(struct stat_bisect *b, size_t at, double error)
{
	b->at = at;
	b->wanted = stat_passes(b->rate, error, MAX);
	b->v[at].now_passes = 0;
}

/* GOOD, or a step. */
static void begin_step(struct stat_bisect *b, size_t at)
{
	double share = fmin(b->share, (STAT_BISECT_TURN - b->spent) / 2);

	b->spent += share;
	begin(b, at, share);
}

/* Of those that are left to try; none: it is the earliest that failed. */
static int search(struct stat_bisect *b, struct err *err)
{
	_free_ char *name = NULL;
	int r = b->config.choose(b->config.ctx, b, &name, err);

	if (r < 0)
		return r;
	if (name) {
		b->phase = STAT_BISECT_SEARCH;
		b->step++;
		begin_step(b, commit(b, name));
		return 0;
	}
	b->phase = STAT_BISECT_CULPRIT;
	begin(b, b->bad, b->config.error / OTHER);
	return 0;
}

static int next_parent(struct stat_bisect *b)
{
	if (b->parent < b->n_parents) {
		begin(b, b->parents[b->parent++], b->config.error);
		return 0;
	}
	b->at = b->bad;
	b->phase = STAT_BISECT_FOUND;
	return 0;
}

static int find_parents(struct stat_bisect *b, struct err *err)
{
	char **names = NULL;
	int r = b->config.parents(b->config.ctx, b->v[b->bad].name, &names, err);
	size_t n = 0;

	if (r < 0)
		return r;
	while (names && names[n])
		n++;
	free(b->parents);
	b->parents = xcalloc(n + 1, sizeof(*b->parents));
	b->n_parents = b->parent = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = commit(b, names[i]);

		if (b->v[at].verdict != STAT_BISECT_SKIPPED)
			b->parents[b->n_parents++] = at;
		free(names[i]);
	}
	free(names);
	b->phase = STAT_BISECT_PARENTS;
	return next_parent(b);
}

/* ---- what follows when a check has ended, by its phase ---- */

static int after_bad(struct stat_bisect *b, struct err *err)
{
	const struct stat_bisect_commit *c = &b->v[0];

	if (c->verdict != STAT_BISECT_BAD) {
		b->phase = STAT_BISECT_NOT_BAD;
		return 0;
	}
	if (!(b->rate > 0)) {
		b->seen_k = b->config.k + c->failures;
		b->seen_n = b->config.n + c->runs;
		b->rate = rate_of(b, b->seen_k, b->seen_n);
	}
	b->phase = STAT_BISECT_AT_GOOD;
	begin_step(b, 1);
	return 0;
}

static int after_good(struct stat_bisect *b, struct err *err)
{
	if (b->v[1].verdict == STAT_BISECT_GOOD)
		return search(b, err);
	b->phase = STAT_BISECT_NOT_GOOD;
	return 0;
}

static int after_step(struct stat_bisect *b, struct err *err)
{
	if (b->v[b->at].verdict == STAT_BISECT_BAD)
		b->bad = b->at;
	return search(b, err);
}

static int after_culprit(struct stat_bisect *b, struct err *err)
{
	if (!b->v[b->at].now_passes)
		return find_parents(b, err);
	b->phase = STAT_BISECT_UNSURE;
	return 0;
}

/* One that was taken for good and is not: the search goes on before it. */
static int after_parent(struct stat_bisect *b, struct err *err)
{
	if (b->v[b->at].verdict != STAT_BISECT_BAD)
		return next_parent(b);
	if (b->at == 1) {
		b->phase = STAT_BISECT_NOT_GOOD;
		return 0;
	}
	return after_step(b, err);
}

int stat_bisect_next(struct stat_bisect *b, struct err *err)
{
	static int (*const AFTER[])(struct stat_bisect *b, struct err *err) = {
		[STAT_BISECT_AT_BAD] = after_bad,
		[STAT_BISECT_AT_GOOD] = after_good,
		[STAT_BISECT_SEARCH] = after_step,
		[STAT_BISECT_CULPRIT] = after_culprit,
		[STAT_BISECT_PARENTS] = after_parent,
	};
	int r;

	while (b->ended && b->phase < STAT_BISECT_FOUND) {
		b->ended = false;
		r = AFTER[b->phase](b, err);
		if (r < 0)
			return r;
	}
	return b->phase < STAT_BISECT_FOUND;
}

/* ---- how it went ---- */

/* Has BAD been looked at long enough? */
static bool is_measured(const struct stat_bisect *b)
{
	const struct stat_bisect_commit *c = &b->v[0];

	if (!c->failures || b->rate > 0)
		return c->failures;
	return !stat_bisect_measures(b, b->config.k + c->failures, b->config.n + c->runs);
}

void stat_bisect_ran(struct stat_bisect *b, bool failed)
{
	struct stat_bisect_commit *c = &b->v[b->at];

	c->runs++;
	c->failures += failed;
	c->now_passes = failed ? 0 : c->now_passes + 1;
	if (failed)
		c->verdict = STAT_BISECT_BAD;
	if (b->phase == STAT_BISECT_AT_BAD) {
		b->ended = is_measured(b) || (!c->failures && c->runs >= b->wanted);
		return;
	}
	b->ended = failed || c->now_passes >= b->wanted;
	if (b->ended && !failed && b->phase != STAT_BISECT_CULPRIT)
		c->verdict = STAT_BISECT_GOOD;
}

void stat_bisect_skip(struct stat_bisect *b, const char *why)
{
	struct stat_bisect_commit *c = &b->v[b->at];

	free(c->why);
	c->why = xstrdup(why);
	b->ended = true;
	if (b->phase == STAT_BISECT_AT_BAD || b->phase == STAT_BISECT_AT_GOOD)
		b->phase = STAT_BISECT_UNTESTED;
	else if (b->phase == STAT_BISECT_CULPRIT)
		b->phase = STAT_BISECT_UNSURE;
	else if (c->verdict == STAT_BISECT_OPEN)
		c->verdict = STAT_BISECT_SKIPPED;
}
