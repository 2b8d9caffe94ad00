/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/base.h"

#include <stdlib.h>

#include "stat/changepoint.h"
#include "stat/window.h"

/* What @s was before @upto. */
static struct stat_series cut(struct arena *a, const struct stat_series *s, uint32_t upto)
{
	struct stat_series c = *s;
	struct stat_span *v;

	while (c.in.n && c.in.v[c.in.n - 1].from >= upto)
		c.in.n--;
	if (c.in.n && c.in.v[c.in.n - 1].to > upto) {
		v = arena_alloc(a, c.in.n * sizeof(*v));
		memcpy(v, c.in.v, c.in.n * sizeof(*v));
		v[c.in.n - 1].to = upto;
		c.in.v = v;
	}
	c.mute.n = stat_runs_count(c.mute, 0, upto);
	c.bad.n = stat_runs_count(c.bad, 0, upto);
	return c;
}

static size_t choose(struct judge_base *b, const struct judge_axis *a, struct stat_series *cuts,
		     uint32_t upto)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_lanes; i++) {
		for (size_t k = 0; k < a->lanes[i].n; k++) {
			const struct judge_series *s = &a->lanes[i].series[k];

			if (!s->leaf && !s->own.bad.n)
				continue;
			b->series[n] = s;
			cuts[n++] = cut(&b->arena, &s->own, upto);
		}
	}
	return n;
}

static void find_outages(struct judge_base *b, struct stat_finder *f,
			 const struct stat_series *cuts, uint32_t upto)
{
	struct stat_piece *v = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct stat_runs parts = stat_finder_parts(f, &cuts[i]);
		uint32_t from = 0;

		for (size_t k = 0; k <= parts.n; k++) {
			uint32_t to = k < parts.n ? parts.v[k] : upto;

			ARRAY_GROW(v, n, cap);
			v[n++] = (struct stat_piece){ &cuts[i], from, to };
			from = to;
		}
	}
	stat_outages_find(v, n, upto, &b->outages);
	free(v);
}

void judge_base_init(struct judge_base *b, const struct judge_axis *a, uint32_t upto)
{
	struct stat_finder *f = stat_finder_new(&a->stat, STAT_PRIOR_DEFAULT);
	struct stat_series_room room = {};
	_free_ struct stat_series *cuts = NULL;
	size_t most = 0;

	*b = (struct judge_base){};
	for (size_t i = 0; i < a->n_lanes; i++)
		most += a->lanes[i].n;
	b->series = xcalloc(most + 1, sizeof(*b->series));
	b->rates = xcalloc(most + 1, sizeof(*b->rates));
	cuts = xcalloc(most + 1, sizeof(*cuts));
	b->n = choose(b, a, cuts, upto);
	find_outages(b, f, cuts, upto);
	for (size_t i = 0; i < b->n; i++) {
		struct stat_series left;
		const struct stat_series *one = &left;
		struct stat_runs parts;

		stat_series_without(&cuts[i], stat_outages_runs(&b->outages), &room, &left);
		parts = stat_finder_parts(f, &left);
		b->rates[i] = stat_window(&one, 1, parts.n ? parts.v[parts.n - 1] : 0, upto, NULL,
					  STAT_OUTAGES_COUNT).rate;
	}
	stat_series_room_done(&room);
	stat_finder_free(f);
}

void judge_base_done(struct judge_base *b)
{
	free(b->series);
	free(b->rates);
	stat_outages_done(&b->outages);
	arena_done(&b->arena);
}

const struct stat_rate *judge_base_of(const struct judge_base *b, const struct judge_series *s)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->series[i] == s)
			return &b->rates[i];
	return NULL;
}
