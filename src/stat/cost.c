/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/cost.h"

#include <stdlib.h>

#include "base/mem.h"

/* The failures of a piece that are in the window, as a slice of its series. */
static struct stat_runs failures(const struct stat_piece *p, uint32_t from, uint32_t to)
{
	struct stat_runs bad = p->series->bad;
	uint32_t a = p->from > from ? p->from : from, b = p->to < to ? p->to : to;

	return (struct stat_runs){ bad.v + stat_runs_count(bad, 0, a), stat_runs_count(bad, a, b) };
}

/* How many failed in each run of the window; only those with in[i], if given. */
static void count(const struct stat_piece *pieces, size_t n, uint32_t from, uint32_t to,
		  const bool *in, uint32_t *failed)
{
	for (size_t i = 0; i < n; i++) {
		struct stat_runs bad = failures(&pieces[i], from, to);

		for (size_t k = 0; k < bad.n && (!in || in[i]); k++)
			failed[bad.v[k] - from]++;
	}
}

struct stat_costs stat_cost(const struct stat_piece *pieces, size_t n, uint32_t from, uint32_t to,
			    struct stat_cost *ret)
{
	struct stat_costs all = { .runs = from < to ? to - from : 0 };
	_free_ uint32_t *failed = xcalloc((size_t)all.runs + 1, sizeof(*failed));

	count(pieces, n, from, to, NULL, failed);
	for (uint32_t r = 0; r < all.runs; r++)
		all.red += failed[r] > 0;
	for (size_t i = 0; i < n; i++) {
		struct stat_runs bad = failures(&pieces[i], from, to);

		ret[i] = (struct stat_cost){ .red = (uint32_t)bad.n };
		for (size_t k = 0; k < bad.n; k++) {
			ret[i].alone += failed[bad.v[k] - from] == 1;
			ret[i].share += 1.0 / failed[bad.v[k] - from];
		}
	}
	return all;
}

uint32_t stat_cost_together(const struct stat_piece *pieces, size_t n, uint32_t from, uint32_t to,
			    const bool *in)
{
	uint32_t runs = from < to ? to - from : 0, green = 0;
	_free_ uint32_t *failed = xcalloc((size_t)runs + 1, sizeof(*failed));
	_free_ uint32_t *ours = xcalloc((size_t)runs + 1, sizeof(*ours));

	count(pieces, n, from, to, NULL, failed);
	count(pieces, n, from, to, in, ours);
	for (uint32_t r = 0; r < runs; r++)
		green += failed[r] > 0 && failed[r] == ours[r];
	return green;
}

int stat_cost_order(const struct stat_cost *a, const struct stat_cost *b)
{
	if (a->share != b->share)
		return a->share < b->share ? 1 : -1;
	return (a->alone < b->alone) - (a->alone > b->alone);
}
