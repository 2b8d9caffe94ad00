/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/mine.h"

#include <stdlib.h>

#include "base/mem.h"

struct tally {
	uint64_t ran, failed;
};

static struct tally count(const struct judge_series *s, uint32_t from, uint32_t to)
{
	struct stat_cursor before = {}, at = {};

	if (from >= to)
		return (struct tally){};
	return (struct tally){
		stat_series_rank(&s->own, &at, to) - stat_series_rank(&s->own, &before, from),
		stat_runs_count(s->own.bad, from, to),
	};
}

static uint32_t since(const struct web_mine *m, const struct judge_series *s)
{
	const struct judge_event *const *v;
	size_t n = web_history_changes(m->history, s, &v);
	uint32_t from = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i]->run < m->place && v[i]->run > from)
			from = v[i]->run;
	return from;
}

static struct stat_rate before(const struct web_mine *m, const struct judge_series *s)
{
	const struct stat_outages *o = &m->history->outages[m->axis - m->history->axes];
	uint32_t from = since(m, s);
	struct tally t = count(s, from, m->place);

	for (size_t i = 0; i < o->n; i++) {
		uint32_t first = o->v[i].first > from ? o->v[i].first : from;
		uint32_t end = o->v[i].last + 1 < m->place ? o->v[i].last + 1 : m->place;
		struct tally out = count(s, first, end);

		t.ran -= out.ran;
		t.failed -= out.failed;
	}
	return stat_rate(t.failed < t.ran ? t.failed : t.ran, t.ran);
}

void web_mine_init(struct web_mine *m, const struct web_history *h, const struct judge_axis *a,
		   uint32_t place)
{
	size_t cap = 0;

	*m = (struct web_mine){ .history = h, .axis = a, .place = place };
	for (size_t i = 0; i < a->n_lanes; i++) {
		for (size_t k = 0; k < a->lanes[i].n; k++) {
			const struct judge_series *s = &a->lanes[i].series[k];
			struct stat_rate r;

			if (!s->leaf && !s->own.bad.n)
				continue;
			r = before(m, s);
			if (!r.n)
				continue;
			ARRAY_GROW(m->rates, m->n, cap);
			m->rates[m->n++] = r;
		}
	}
}

void web_mine_done(struct web_mine *m)
{
	free(m->rates);
}

struct stat_mine_test web_mine_test(const struct web_mine *m, const struct judge_series *s,
				    uint32_t failed, uint32_t ran)
{
	struct stat_mine_test t = { .before = before(m, s), .failed = failed, .ran = ran };

	if (t.before.n)
		t.peers = stat_mine_peers(m->rates, m->n, &t.before);
	return t;
}

struct stat_mine_past web_mine_past(const struct web_mine *m, size_t failures)
{
	const struct stat_outages *o = &m->history->outages[m->axis - m->history->axes];
	struct stat_mine_past p = { .runs = m->place, .mine = 1 };

	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].failures >= failures && o->v[i].last < m->place)
			p.outages += o->v[i].last - o->v[i].first + 1;
	return p;
}
