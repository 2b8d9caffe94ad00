/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outages of one axis on another that has fewer places. */
#include "judge/judge.h"

#include "base/mem.h"

/* What happened in the order of time. */
static int by_run(const struct judge_run *x, const struct judge_run *y)
{
	if (x->begin_ms != y->begin_ms)
		return x->begin_ms < y->begin_ms ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static const struct judge_axis *axis_like(const struct judge *j, const struct judge_axis *like)
{
	size_t n;
	const struct judge_axis *axes = judge_axes(j, &n);

	for (size_t i = 0; i < n; i++)
		if (str_eq(axes[i].branch, like->branch) && str_eq(axes[i].mode, like->mode) &&
		    str_eq(axes[i].machine, like->machine))
			return &axes[i];
	return NULL;
}

struct stat_runs judge_outages_from(const struct judge *everything, const struct judge_axis *a,
				    const struct judge_run *a_runs)
{
	const struct judge_axis *all = axis_like(everything, a);
	uint32_t *v, n = 0, place = 0, n_runs;
	const struct judge_run *runs = judge_runs(everything, &n_runs);
	struct stat_outages o;

	if (!all)
		return (struct stat_runs){};
	judge_outages(all, &o);
	v = xcalloc(o.n_in + 1, sizeof(*v));
	for (size_t i = 0; i < o.n_in; i++) {
		const struct judge_run *run = judge_run_at(runs, all, o.in[i]);

		while (place < a->n && by_run(judge_run_at(a_runs, a, place), run) < 0)
			place++;
		if (place < a->n && judge_run_at(a_runs, a, place)->id == run->id)
			v[n++] = place;
	}
	stat_outages_done(&o);
	return (struct stat_runs){ v, n };
}
