/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a scan to axes. The scan tells lanes one by one, each with runs of its
 * own; which runs an axis has is known when all are: they are copied first.
 */
#include "judge/judge.h"
#include "judge/published.h"

#include <stdlib.h>

#include "base/mem.h"
#include "stat/rate.h"

struct raw_series {
	int64_t id;
	struct str path, key;
	bool whole, leaf;
	unsigned nth;
	const struct store_stretch *present;
	const struct store_exception *exceptions;
	size_t n_present, n_exceptions;
	uint64_t counts[STATUS_N];
	uint32_t lane;
};

struct raw_lane {
	struct str branch, mode, machine, suite, program;
	const uint32_t *runs;
	const int32_t *times;
	uint32_t n, machine_nth, axis;
	uint32_t *at;          /* [n]: places */
	uint32_t *breaks;      /* indexes whose place doesn't follow on the one before */
	uint32_t n_breaks;
	size_t first, count;   /* its series */
};

struct judge {
	struct arena arena;    /* all that lasts */
	struct judge_run *runs;
	uint32_t n_runs;
	struct judge_axis *axes;
	size_t n_axes, cap_axes;
};

struct load {
	struct judge *j;
	const struct judge_filter *f;
	struct arena arena;    /* gone when it is loaded, but for names */
	struct raw_lane *lanes;
	size_t n_lanes, cap_lanes;
	struct raw_series *series;
	size_t n_series, cap_series;
	struct str *machines;
	uint32_t n_machines;
	size_t cap_machines;
};

static struct str keep(struct judge *j, struct str s)
{
	return (struct str){ arena_strndup(&j->arena, s.p ? s.p : "", s.n), s.n };
}

static void *copy(struct arena *a, const void *p, size_t n, size_t size)
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
	x.runs = copy(&l->arena, b->runs, b->n, sizeof(*b->runs));
	if (b->times)
		x.times = copy(&l->arena, b->times, b->n, sizeof(*b->times));
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
	x.present = copy(&l->arena, s->present, s->n_present, sizeof(*s->present));
	x.exceptions = copy(&l->arena, s->exceptions, s->n_exceptions, sizeof(*s->exceptions));
	memcpy(x.counts, s->counts, sizeof(x.counts));
	x.lane = (uint32_t)l->n_lanes - 1;
	l->lanes[x.lane].count++;
	ARRAY_GROW(l->series, l->n_series, l->cap_series);
	l->series[l->n_series++] = x;
	return 0;
}

/* ---- axes ---- */

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

/* Marks become spans of what is marked. */
static struct stat_spans spans_of(struct judge *j, const uint8_t *mark, uint32_t n)
{
	struct stat_span *v;
	size_t count = 0, k = 0;

	for (uint32_t i = 0; i < n; i++)
		count += mark[i] && (i == 0 || !mark[i - 1]);
	v = arena_alloc(&j->arena, count * sizeof(*v));
	for (uint32_t i = 0; i < n; i++) {
		if (mark[i] && (i == 0 || !mark[i - 1]))
			v[k++] = (struct stat_span){ i, i + 1 };
		else if (mark[i])
			v[k - 1].to = i + 1;
	}
	return (struct stat_spans){ v, count };
}

/* Neighbours with the same commit; an unknown one is like no other. */
static void axis_commits(struct judge *j, struct judge_axis *a)
{
	_free_ uint32_t *commit = xcalloc((size_t)a->n + 1, sizeof(*commit));

	for (uint32_t i = 1; i < a->n; i++) {
		const struct judge_run *x = &j->runs[a->run[i - 1]], *y = &j->runs[a->run[i]];
		bool same = x == y || (y->commit.n && str_eq(x->commit, y->commit) &&
				       str_eq(x->branch, y->branch));

		commit[i] = commit[i - 1] + !same;
	}
	stat_axis_init(&a->stat, commit, a->n);
}

/* Which places the axis has, and where its lanes' runs are among them. */
static void axis_places(struct load *l, struct judge_axis *a, uint32_t nth)
{
	size_t m = l->n_machines, all = (size_t)l->j->n_runs * m;
	_free_ uint32_t *place = xcalloc(all + 1, sizeof(*place));
	uint32_t *run;

	for (size_t i = 0; i < l->n_lanes; i++)
		for (uint32_t k = 0; l->lanes[i].axis == nth && k < l->lanes[i].n; k++)
			place[l->lanes[i].runs[k] * m + l->lanes[i].machine_nth] = 1;
	for (size_t i = 0; i < all; i++)
		a->n += place[i];
	a->run = run = arena_raw(&l->j->arena, a->n * sizeof(*run));
	a->n = 0;
	for (size_t i = 0; i < all; i++) {
		if (!place[i])
			continue;
		run[a->n] = (uint32_t)(i / m);
		place[i] = a->n++;
	}
	for (size_t i = 0; i < l->n_lanes; i++) {
		struct raw_lane *x = &l->lanes[i];

		if (x->axis != nth)
			continue;
		x->at = arena_raw(&l->arena, x->n * sizeof(*x->at));
		for (uint32_t k = 0; k < x->n; k++) {
			x->at[k] = place[x->runs[k] * m + x->machine_nth];
			x->n_breaks += k && x->at[k] != x->at[k - 1] + 1;
		}
		x->breaks = arena_raw(&l->arena, x->n_breaks * sizeof(*x->breaks));
		for (uint32_t k = 1, b = 0; b < x->n_breaks; k++)
			if (x->at[k] != x->at[k - 1] + 1)
				x->breaks[b++] = k;
	}
	axis_commits(l->j, a);
}

/* ---- series on an axis ---- */

struct room {
	struct stat_span *spans;
	size_t n_spans, cap_spans;
	struct store_exception *exceptions;
	size_t n_exceptions, cap_exceptions;
	uint32_t *stamps, stamp; /* of places, for judge_series.own */
};

/* The first of the lane's breaks behind index @from. */
static uint32_t break_behind(const struct raw_lane *x, uint32_t from)
{
	uint32_t low = 0, high = x->n_breaks;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (x->breaks[mid] <= from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_span(struct room *r, uint32_t from, uint32_t to)
{
	ARRAY_GROW(r->spans, r->n_spans, r->cap_spans);
	r->spans[r->n_spans++] = (struct stat_span){ from, to };
}

static void add_raw(struct room *r, const struct raw_lane *x, const struct raw_series *s)
{
	for (size_t i = 0; i < s->n_present; i++) {
		uint32_t from = s->present[i].from, end = from + s->present[i].n;
		uint32_t b = break_behind(x, from);

		while (from < end) {
			uint32_t to = b < x->n_breaks && x->breaks[b] < end ? x->breaks[b] : end;

			add_span(r, x->at[from], x->at[to - 1] + 1);
			from = to;
			b++;
		}
	}
	for (size_t i = 0; i < s->n_exceptions; i++) {
		ARRAY_GROW(r->exceptions, r->n_exceptions, r->cap_exceptions);
		r->exceptions[r->n_exceptions++] = (struct store_exception){
			x->at[s->exceptions[i].at], s->exceptions[i].status };
	}
}

static int by_from(const void *a, const void *b)
{
	const struct stat_span *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static int by_at(const void *a, const void *b)
{
	const struct store_exception *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static void join_spans(struct room *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_spans; i++) {
		if (n && r->spans[n - 1].to >= r->spans[i].from)
			r->spans[n - 1].to = r->spans[i].to;
		else
			r->spans[n++] = r->spans[i];
	}
	r->n_spans = n;
}

static void set_said(struct judge *j, struct judge_series *s)
{
	size_t n = s->n_exceptions, n_mute = 0, n_bad = 0, n_skips = 0;
	uint32_t *mute, *bad, *skips;

	for (size_t i = 0; i < n; i++) {
		enum stat_say say = stat_says(s->exceptions[i].status);

		n_mute += say == STAT_NOTHING;
		n_bad += say == STAT_FAILED;
		n_skips += s->exceptions[i].status == STATUS_SKIP;
	}
	mute = arena_raw(&j->arena, n_mute * sizeof(*mute));
	bad = arena_raw(&j->arena, n_bad * sizeof(*bad));
	skips = arena_raw(&j->arena, n_skips * sizeof(*skips));
	s->said.mute = (struct stat_runs){ mute, n_mute };
	s->said.bad = (struct stat_runs){ bad, n_bad };
	s->skips = (struct stat_runs){ skips, n_skips };
	for (size_t i = 0; i < n; i++) {
		enum stat_say say = stat_says(s->exceptions[i].status);

		if (say == STAT_NOTHING)
			*mute++ = s->exceptions[i].at;
		else if (say == STAT_FAILED)
			*bad++ = s->exceptions[i].at;
		if (s->exceptions[i].status == STATUS_SKIP)
			*skips++ = s->exceptions[i].at;
	}
	s->own = s->said;
}

/* Several raw series of one test, of lanes that share the axis. */
static void make_series(struct load *l, struct room *r, const struct raw_series *const *v,
			size_t n, struct judge_series *to)
{
	const struct raw_series *newest = NULL;
	uint32_t last = 0;

	r->n_spans = r->n_exceptions = 0;
	for (size_t i = 0; i < n; i++) {
		const struct store_stretch *end = &v[i]->present[v[i]->n_present - 1];
		uint32_t at = l->lanes[v[i]->lane].at[end->from + end->n - 1];

		add_raw(r, &l->lanes[v[i]->lane], v[i]);
		if (!newest || at > last) {
			newest = v[i];
			last = at;
		}
		for (int k = 0; k < STATUS_N; k++)
			to->counts[k] += v[i]->counts[k];
	}
	if (n > 1) {
		qsort(r->spans, r->n_spans, sizeof(*r->spans), by_from);
		if (r->n_exceptions)
			qsort(r->exceptions, r->n_exceptions, sizeof(*r->exceptions), by_at);
	}
	join_spans(r);
	to->id = newest->id;
	to->path = newest->path;
	to->key = newest->key;
	to->whole = newest->whole;
	to->leaf = newest->leaf;
	to->nth = newest->nth;
	to->said.in = (struct stat_spans){
		copy(&l->j->arena, r->spans, r->n_spans, sizeof(*r->spans)), r->n_spans };
	to->exceptions = copy(&l->j->arena, r->exceptions, r->n_exceptions,
			      sizeof(*r->exceptions));
	to->n_exceptions = r->n_exceptions;
	set_said(l->j, to);
}

/* ---- what a program's failures are made of ---- */

static bool is_below(const struct judge_series *x, const struct judge_series *parent)
{
	if (!x->leaf || x == parent)
		return false;
	return parent->whole || (x->key.n > parent->key.n && x->key.p[parent->key.n] == '/' &&
				 str_starts(x->key, parent->key));
}

static void set_own(struct judge *j, struct room *r, const struct judge_lane *lane,
		    struct judge_series *s)
{
	uint32_t *v, n = 0;

	if (s->leaf || !s->said.bad.n)
		return;
	r->stamp++;
	for (size_t i = 0; i < lane->n; i++)
		for (size_t k = 0; is_below(&lane->series[i], s) &&
				   k < lane->series[i].said.bad.n; k++)
			r->stamps[lane->series[i].said.bad.v[k]] = r->stamp;
	v = arena_alloc(&j->arena, s->said.bad.n * sizeof(*v));
	for (size_t k = 0; k < s->said.bad.n; k++)
		if (r->stamps[s->said.bad.v[k]] != r->stamp)
			v[n++] = s->said.bad.v[k];
	s->own.bad = (struct stat_runs){ v, n };
}

/* ---- lanes on an axis ---- */

static int by_id(const void *a, const void *b)
{
	const struct raw_series *x = *(const struct raw_series *const *)a;
	const struct raw_series *y = *(const struct raw_series *const *)b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x > y) - (x < y);
}

static void set_times(struct load *l, struct judge_lane *to, const struct raw_lane *x)
{
	int32_t *ms = (int32_t *)(uintptr_t)to->ms;

	if (!ms) {
		to->ms = ms = arena_alloc(&l->j->arena, to->axis->n * sizeof(*ms));
		memset(ms, 0xff, to->axis->n * sizeof(*ms));
	}
	for (uint32_t k = 0; k < x->n; k++)
		ms[x->at[k]] = x->times[k];
}

/* @v[n]: raw lanes of one program on @a, in the order of the scan. */
static void make_lane(struct load *l, struct room *r, const struct judge_axis *a,
		      const struct raw_lane *const *v, size_t n, struct judge_lane *to)
{
	_free_ uint8_t *mark = xcalloc((size_t)a->n + 1, 1);
	_free_ const struct raw_series **raw = NULL;
	size_t n_raw = 0, k = 0;

	*to = (struct judge_lane){ .axis = a, .suite = v[0]->suite, .program = v[0]->program };
	for (size_t i = 0; i < n; i++) {
		for (uint32_t at = 0; at < v[i]->n; at++)
			mark[v[i]->at[at]] = 1;
		if (v[i]->times)
			set_times(l, to, v[i]);
		n_raw += v[i]->count;
	}
	to->in = spans_of(l->j, mark, a->n);
	raw = xcalloc(n_raw + 1, sizeof(*raw));
	for (size_t i = 0; i < n; i++)
		for (size_t x = 0; x < v[i]->count; x++)
			raw[k++] = &l->series[v[i]->first + x];
	if (n > 1)
		qsort(raw, n_raw, sizeof(*raw), by_id);
	to->series = arena_alloc(&l->j->arena, n_raw * sizeof(*to->series));
	for (size_t i = 0, e; i < n_raw; i = e) {
		for (e = i + 1; e < n_raw && raw[e]->id == raw[i]->id; e++)
			;
		to->series[to->n].lane = to;
		make_series(l, r, raw + i, e - i, &to->series[to->n++]);
	}
	published_mark(to, v[0]->machine);
	for (size_t i = 0; i < to->n; i++)
		set_own(l->j, r, to, &to->series[i]);
}

static void set_suites(struct judge *j, struct judge_axis *a)
{
	_free_ uint8_t *mark = xcalloc((size_t)a->n + 1, 1);

	for (size_t i = 0; i < a->n_lanes; i++) {
		struct judge_lane *x = &a->lanes[i];

		if (x->suite_in.n)
			continue;
		memset(mark, 0, a->n);
		for (size_t k = i; k < a->n_lanes; k++)
			for (size_t s = 0; str_eq(a->lanes[k].suite, x->suite) &&
					   s < a->lanes[k].in.n; s++)
				memset(mark + a->lanes[k].in.v[s].from, 1,
				       a->lanes[k].in.v[s].to - a->lanes[k].in.v[s].from);
		x->suite_in = spans_of(j, mark, a->n);
		for (size_t k = i + 1; k < a->n_lanes; k++)
			if (str_eq(a->lanes[k].suite, x->suite))
				a->lanes[k].suite_in = x->suite_in;
	}
}

static bool same_program(const struct raw_lane *a, const struct raw_lane *b)
{
	return str_eq(a->suite, b->suite) && str_eq(a->program, b->program);
}

static void make_axis(struct load *l, uint32_t nth)
{
	struct judge_axis *a = &l->j->axes[nth];
	_free_ const struct raw_lane **v = xcalloc(l->n_lanes + 1, sizeof(*v));
	struct room r = {};
	size_t n = 0;

	for (size_t i = 0; i < l->n_lanes; i++)
		if (l->lanes[i].axis == nth)
			v[n++] = &l->lanes[i];
	axis_places(l, a, nth);
	r.stamps = xcalloc((size_t)a->n + 1, sizeof(*r.stamps));
	a->lanes = arena_alloc(&l->j->arena, n * sizeof(*a->lanes));
	for (size_t i = 0, e; i < n; i = e) {
		for (e = i + 1; e < n && same_program(v[i], v[e]); e++)
			;
		make_lane(l, &r, a, v + i, e - i, &a->lanes[a->n_lanes++]);
	}
	set_suites(l->j, a);
	published_hold(&l->j->arena, a);
	free(r.spans);
	free(r.exceptions);
	free(r.stamps);
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
		make_axis(&l, i);
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
