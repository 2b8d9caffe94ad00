/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a scan to axes. The scan tells lanes one by one, each with runs of its
 * own; which runs an axis has is known when all are: they are copied first.
 */
#include "judge/load.h"

#include <stdlib.h>

static struct str keep(struct judge *j, struct str s)
{
	return (struct str){ arena_strndup(&j->arena, s.p ? s.p : "", s.n), s.n };
}

void *load_copy(struct arena *a, const void *p, size_t n, size_t size)
{
	void *to = arena_raw(a, n * size);

	return n ? memcpy(to, p, n * size) : to;
}

static int on_runs(void *ctx, const struct store_scan_run *runs, uint32_t n)
{
	struct load *l = ctx;
	struct judge *j = l->j;
	const struct store_scan_run *before = NULL;

	j->runs = arena_alloc(&j->arena, n * sizeof(*j->runs));
	j->n_runs = n;
	for (uint32_t i = 0; i < n; before = &runs[i++]) {
		bool same = before && str_eq(before->branch, runs[i].branch);

		j->runs[i] = (struct judge_run){
			.id = runs[i].id,
			.begin_ms = runs[i].begin_ms,
			.branch = same ? j->runs[i - 1].branch : keep(j, runs[i].branch),
			.commit = keep(j, runs[i].commit),
		};
	}
	return 0;
}

static uint32_t machine_nth(struct load *l, struct str name)
{
	for (uint32_t i = 0; i < l->n_machines; i++)
		if (str_eq(l->machines[i], name))
			return i;
	ARRAY_GROW(l->machines, l->n_machines, l->cap_machines);
	l->machines[l->n_machines] = name;
	return l->n_machines++;
}

static bool same_lane(const struct raw_lane *a, const struct store_lane *b)
{
	return str_eq(a->branch, b->branch) && str_eq(a->mode, b->mode) &&
	       str_eq(a->machine, b->machine) && str_eq(a->suite, b->suite) &&
	       str_eq(a->program, b->program);
}

static void lane_begin(struct load *l, const struct store_lane *b)
{
	struct raw_lane x = {
		.branch = keep(l->j, b->branch), .mode = keep(l->j, b->mode),
		.machine = keep(l->j, b->machine), .suite = keep(l->j, b->suite),
		.program = keep(l->j, b->program), .n = b->n, .first = l->n_series,
	};

	x.machine_nth = machine_nth(l, x.machine);
	x.runs = load_copy(&l->arena, b->runs, b->n, sizeof(*b->runs));
	if (b->times)
		x.times = load_copy(&l->arena, b->times, b->n, sizeof(*b->times));
	ARRAY_GROW(l->lanes, l->n_lanes, l->cap_lanes);
	l->lanes[l->n_lanes++] = x;
}

static int on_series(void *ctx, const struct store_scanned *s)
{
	struct load *l = ctx;
	struct raw_series x = {
		.id = s->id, .whole = s->whole, .leaf = s->leaf, .nth = s->nth,
		.path = keep(l->j, s->path), .key = keep(l->j, s->key),
		.n_present = s->n_present, .n_exceptions = s->n_exceptions,
	};

	if (!l->n_lanes || !same_lane(&l->lanes[l->n_lanes - 1], s->lane))
		lane_begin(l, s->lane);
	x.present = load_copy(&l->arena, s->present, s->n_present, sizeof(*s->present));
	x.exceptions = load_copy(&l->arena, s->exceptions, s->n_exceptions, sizeof(*s->exceptions));
	memcpy(x.counts, s->counts, sizeof(x.counts));
	x.lane = (uint32_t)l->n_lanes - 1;
	l->lanes[x.lane].count++;
	ARRAY_GROW(l->series, l->n_series, l->cap_series);
	l->series[l->n_series++] = x;
	return 0;
}

static uint32_t axis_of(struct load *l, const struct raw_lane *x)
{
	struct judge_axis a = {
		.branch = l->f->pool_branches ? STR("") : x->branch,
		.mode = x->mode,
		.machine = l->f->pool_machines ? STR("") : x->machine,
	};
	struct judge *j = l->j;

	for (uint32_t i = 0; i < j->n_axes; i++)
		if (str_eq(j->axes[i].branch, a.branch) && str_eq(j->axes[i].mode, a.mode) &&
		    str_eq(j->axes[i].machine, a.machine))
			return i;
	ARRAY_GROW(j->axes, j->n_axes, j->cap_axes);
	j->axes[j->n_axes] = a;
	return (uint32_t)j->n_axes++;
}

static void load_done(struct load *l)
{
	free(l->lanes);
	free(l->series);
	free(l->machines);
	arena_done(&l->arena);
}

int judge_load(struct store *s, const struct judge_filter *f, struct judge **ret,
	       struct err *err)
{
	struct judge *j = xcalloc(1, sizeof(*j));
	_cleanup_(load_done) struct load l = { .j = j, .f = f };
	int r;

	mem_heap_huge();
	r = store_scan(s, &f->scan, on_runs, on_series, &l, err);
	if (r < 0) {
		judge_free(j);
		return r;
	}
	for (size_t i = 0; i < l.n_lanes; i++)
		l.lanes[i].axis = axis_of(&l, &l.lanes[i]);
	/* Lanes point to their axes, which stay where they are from here on. */
	for (uint32_t i = 0; i < j->n_axes; i++)
		load_axis(&l, i);
	*ret = j;
	return 0;
}

struct judge *judge_free(struct judge *j)
{
	if (!j)
		return NULL;
	for (size_t i = 0; i < j->n_axes; i++)
		stat_axis_done(&j->axes[i].stat);
	free(j->axes);
	arena_done(&j->arena);
	free(j);
	return NULL;
}

const struct judge_run *judge_runs(const struct judge *j, uint32_t *ret_n)
{
	*ret_n = j->n_runs;
	return j->runs;
}

const struct judge_axis *judge_axes(const struct judge *j, size_t *ret_n)
{
	*ret_n = j->n_axes;
	return j->axes;
}

uint8_t judge_cell(const struct judge_series *s, uint32_t place)
{
	const struct store_exception *x;

	if (!stat_spans_have(s->said.in, place))
		return STORE_CELL_ABSENT;
	x = store_exception_at(s->exceptions, s->n_exceptions, place);
	return x ? x->status : s->lane->at_least ? STORE_CELL_ABSENT : STATUS_PASS;
}

uint8_t judge_cell_or_unknown(const struct judge_series *s, uint32_t place)
{
	uint8_t cell = judge_cell(s, place);

	return cell == STORE_CELL_ABSENT && s->lane->at_least &&
	       stat_spans_have(s->said.in, place) ? JUDGE_CELL_UNKNOWN : cell;
}
