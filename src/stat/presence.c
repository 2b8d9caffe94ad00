/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/presence.h"

#include <math.h>

#include "stat/dist.h"

#define IMPROBABLE 1e-3

const char *const STAT_PRESENCE_NAMES[STAT_PRESENCE_N] = {
	[STAT_PRESENT] = "present",
	[STAT_NEW] = "new",
	[STAT_DID_NOT_RUN] = "did not run",
	[STAT_VANISHED] = "vanished",
	[STAT_SOMETIMES] = "sometimes",
	[STAT_UNIT_ABSENT] = "its program did not run",
	[STAT_NEVER] = "never",
};

/* The last run of @spans before @now; 0: none. */
static bool last_before(struct stat_spans spans, uint32_t now, uint32_t *ret)
{
	for (size_t i = spans.n; i-- > 0;) {
		if (spans.v[i].from >= now)
			continue;
		*ret = (spans.v[i].to < now ? spans.v[i].to : now) - 1;
		return true;
	}
	return false;
}

static uint32_t first_from(struct stat_spans spans, uint32_t run)
{
	for (size_t i = 0; i < spans.n; i++)
		if (spans.v[i].to > run)
			return spans.v[i].from > run ? spans.v[i].from : run;
	return UINT32_MAX;
}

static double absent_chance(uint32_t seen, uint32_t of, uint32_t missed)
{
	double a = seen + 0.5, b = of - seen + 0.5;

	return exp(stat_log_beta(a, b + missed) - stat_log_beta(a, b));
}

struct stat_presence stat_presence(struct stat_spans unit, struct stat_spans self, uint32_t now,
				   uint32_t new_since)
{
	struct stat_presence p = { .kind = STAT_NEVER, .missed_from = UINT32_MAX, .chance = 1 };

	if (!last_before(self, now, &p.last))
		return p;
	p.first = self.v[0].from;
	p.before = stat_spans_count(unit, 0, p.first);
	p.seen = stat_spans_count(self, p.first, p.last + 1);
	p.of = stat_spans_count(unit, p.first, p.last + 1);
	p.of = p.of > p.seen ? p.of : p.seen;
	p.missed = stat_spans_count(unit, p.last + 1, now);
	if (p.missed)
		p.missed_from = first_from(unit, p.last + 1);
	p.chance = absent_chance(p.seen, p.of, p.missed);
	if (p.last == now - 1)
		p.kind = p.before && p.first >= new_since ? STAT_NEW : STAT_PRESENT;
	else if (!stat_spans_have(unit, now - 1))
		p.kind = STAT_UNIT_ABSENT;
	else if (p.chance >= IMPROBABLE)
		p.kind = STAT_SOMETIMES;
	else
		p.kind = p.missed < STAT_GONE ? STAT_DID_NOT_RUN : STAT_VANISHED;
	return p;
}

int stat_skips_grow(struct stat_finder *f, struct stat_spans in, struct stat_runs skips,
		    struct stat_change *ret)
{
	struct stat_series s = { .in = in, .bad = skips };
	struct stat_changes c = stat_finder_run(f, &s);

	if (!c.n || c.v[c.n - 1].after.rate <= c.v[c.n - 1].before.rate)
		return 0;
	*ret = c.v[c.n - 1];
	return 1;
}
