/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/published.h"

/* As import/mptcp-results.c records them, taproom-import(1). */
#define MACHINE   STR("mptcp-results")
#define COMPLETED STR("completed")

void published_mark(struct judge_lane *l, struct str machine)
{
	uint64_t passes = 0;

	for (size_t i = 0; i < l->n; i++)
		passes += l->series[i].counts[STATUS_PASS];
	l->failures_only = !passes;
	l->at_least = str_eq(machine, MACHINE) && !str_eq(l->program, COMPLETED);
}

static const struct judge_lane *completed_of(const struct judge_axis *a,
					     const struct judge_lane *l)
{
	for (size_t i = 0; i < a->n_lanes; i++)
		if (str_eq(a->lanes[i].suite, l->suite) &&
		    str_eq(a->lanes[i].program, COMPLETED))
			return &a->lanes[i];
	return NULL;
}

/* What a run that broke did not tell isn't known at all. */
static struct stat_runs broken(struct arena *arena, const struct judge_lane *completed)
{
	for (size_t i = 0; i < completed->n; i++) {
		const struct judge_series *s = &completed->series[i];
		uint32_t *v, n = 0;

		if (!s->whole)
			continue;
		v = arena_alloc(arena, s->n_exceptions * sizeof(*v));
		for (size_t k = 0; k < s->n_exceptions; k++)
			if (s->exceptions[k].status >= STATUS_TIMEOUT)
				v[n++] = s->exceptions[k].at;
		return (struct stat_runs){ v, n };
	}
	return (struct stat_runs){};
}

/* The union of what said nothing and of the broken runs in which it was not. */
static struct stat_runs mute_of(struct arena *arena, const struct judge_series *s,
				struct stat_runs broke)
{
	uint32_t *v = arena_alloc(arena, (s->said.mute.n + broke.n) * sizeof(*v));
	size_t n = 0, i = 0;

	for (size_t k = 0; k < broke.n; k++) {
		while (i < s->said.mute.n && s->said.mute.v[i] < broke.v[k])
			v[n++] = s->said.mute.v[i++];
		if (i < s->said.mute.n && s->said.mute.v[i] == broke.v[k])
			i++;
		else if (stat_spans_have(s->said.in, broke.v[k]))
			continue;
		v[n++] = broke.v[k];
	}
	while (i < s->said.mute.n)
		v[n++] = s->said.mute.v[i++];
	return (struct stat_runs){ v, n };
}

void published_hold(struct arena *arena, struct judge_axis *a)
{
	for (size_t i = 0; i < a->n_lanes; i++) {
		struct judge_lane *l = &a->lanes[i];
		const struct judge_lane *completed;
		struct stat_runs broke;

		if (!l->at_least)
			continue;
		completed = completed_of(a, l);
		if (!completed)
			continue;
		broke = broken(arena, completed);
		for (size_t k = 0; k < l->n; k++) {
			struct judge_series *s = &l->series[k];

			s->said.mute = s->own.mute = mute_of(arena, s, broke);
			s->said.in = s->own.in = l->suite_in;
		}
	}
}
