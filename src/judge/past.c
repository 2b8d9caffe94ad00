/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/past.h"

#include <stdlib.h>

#include "base/mem.h"

size_t judge_times(const struct judge_series *s, uint32_t from, uint32_t to,
		   struct stat_time *v)
{
	const int32_t *ms = s->lane->ms;
	size_t n = 0;

	for (uint32_t i = from; ms && s->whole && i < to; i++)
		if (ms[i] >= 0)
			v[n++] = (struct stat_time){ i, (uint32_t)ms[i] };
	return n;
}

uint32_t judge_median(const struct judge_series *s, uint32_t from, uint32_t to, size_t *ret_n)
{
	_free_ struct stat_time *v = xcalloc((size_t)(to - from) + 1, sizeof(*v));

	*ret_n = judge_times(s, from, to, v);
	return stat_time_median(v, *ret_n);
}

static void find_paces(struct judge_past *p)
{
	_free_ struct stat_time *v = NULL;

	if (!p->s->whole || !p->s->lane->ms)
		return;
	v = xcalloc((size_t)p->axis->n + 1, sizeof(*v));
	p->n_paces = stat_paces(&p->axis->stat, v, judge_times(p->s, 0, p->axis->n, v), p->paces,
				JUDGE_PACES_MAX);
}

static void find_changes(struct judge_past *p)
{
	struct stat_finder *f;
	struct stat_changes c;

	if (!p->said.bad.n)
		return;
	f = stat_finder_new(&p->axis->stat, STAT_PRIOR_DEFAULT);
	c = stat_finder_run(f, &p->said);
	p->changes = xcalloc(c.n + 1, sizeof(*p->changes));
	if (c.n)
		memcpy(p->changes, c.v, c.n * sizeof(*c.v));
	p->n_changes = c.n;
	stat_finder_free(f);
}

void judge_past_init(struct judge_past *p, const struct judge_series *s,
		     const struct stat_series *said, struct stat_runs outages, bool steady)
{
	const struct stat_spans *in = &s->said.in;

	*p = (struct judge_past){ .s = s, .axis = s->lane->axis, .said = *said };
	if (outages.n && said->bad.n) {
		stat_series_without(said, outages, &p->room, &p->said);
		p->n_left = said->bad.n - p->said.bad.n;
	}
	if (!steady)
		find_changes(p);
	find_paces(p);
	p->first = in->v[0].from;
	p->last = in->v[in->n - 1].to - 1;
}

void judge_past_done(struct judge_past *p)
{
	free(p->changes);
	stat_series_room_done(&p->room);
}

struct judge_segment judge_past_segment(const struct judge_past *p, size_t i)
{
	struct judge_segment s = { p->first, p->last + 1, {}, NULL };
	struct stat_cursor c = {}, all = {};
	uint32_t n, before;
	uint64_t k = 0;

	if (i > 0) {
		s.begin = &p->changes[i - 1];
		s.from = s.begin->run;
	}
	if (i < p->n_changes)
		s.to = p->changes[i].run;
	n = stat_series_rank(&p->said, &all, s.from);
	n = stat_series_rank(&p->said, &all, s.to) - n;
	/* Bad runs outside of the spans say nothing. */
	for (size_t b = 0; b < p->said.bad.n; b++) {
		uint32_t run = p->said.bad.v[b];

		if (run < s.from || run >= s.to)
			continue;
		before = stat_series_rank(&p->said, &c, run);
		k += stat_series_rank(&p->said, &c, run + 1) - before;
	}
	s.rate = stat_rate(k < n ? k : n, n);
	return s;
}
