/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/flakes.h"

#include <stdlib.h>

#include "judge/changes.h"
#include "stat/duration.h"
#include "stat/window.h"

uint32_t judge_place(const struct judge_axis *a, uint32_t run)
{
	uint32_t low = 0, high = a->n;

	/* The newest are asked for most. */
	for (uint64_t step = 1; step <= a->n; step *= 2) {
		uint32_t at = a->n - (uint32_t)step;

		if (a->run[at] < run) {
			low = at + 1;
			break;
		}
		high = at;
	}
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (a->run[mid] < run)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* ---- what is looked at ---- */

static bool fits(struct str want, struct str is)
{
	return !want.n || str_eq(want, is);
}

static void choose_axes(struct judge_flakes *r, const struct judge_flakes_filter *f)
{
	for (size_t i = 0; i < r->n_axes; i++) {
		const struct judge_axis *a = &r->axes[i];

		r->asked[i] = a->n && fits(f->branch, a->branch) && fits(f->mode, a->mode) &&
			      fits(f->machine, a->machine);
	}
}

/* The newest runs of the axes that are asked for, begun since then. */
static void choose_runs(struct judge_flakes *r, const struct judge_flakes_filter *f)
{
	_free_ bool *in = xcalloc((size_t)r->n_runs + 1, sizeof(*in));
	uint32_t n = 0;

	for (size_t i = 0; i < r->n_axes; i++)
		for (uint32_t k = 0; r->asked[i] && k < r->axes[i].n; k++)
			in[r->axes[i].run[k]] = true;
	r->first = r->n_runs;
	while (r->first && r->runs[r->first - 1].begin_ms >= f->since_ms) {
		n += in[r->first - 1];
		if (f->newest && n > f->newest)
			break;
		r->first--;
	}
}

/* The program's usual duration, in the places that are looked at. -1: unknown. */
static int64_t usual_ms(const struct judge_lane *l, uint32_t from)
{
	_free_ struct stat_time *v = NULL;
	size_t n = 0;

	if (!l->ms)
		return -1;
	v = xcalloc((size_t)l->axis->n - from + 1, sizeof(*v));
	for (uint32_t i = from; i < l->axis->n; i++)
		if (l->ms[i] >= 0)
			v[n++] = (struct stat_time){ i, (uint32_t)l->ms[i] };
	return n ? (int64_t)stat_time_median(v, n) : -1;
}

/* What failed in each run: leaves, and what failed without them. */
static void add_axis(struct judge_flakes *r, const struct judge_flakes_filter *f, size_t nth)
{
	const struct judge_axis *a = &r->axes[nth];
	uint32_t from = judge_place(a, r->first);
	_free_ struct stat_piece *pieces = NULL;
	_free_ struct stat_cost *costs = NULL;
	size_t all = 0, n = 0;

	for (size_t i = 0; i < a->n_lanes; i++)
		all += a->lanes[i].n;
	pieces = xcalloc(all + 1, sizeof(*pieces));
	costs = xcalloc(all + 1, sizeof(*costs));
	for (size_t i = 0; i < a->n_lanes; i++)
		for (size_t k = 0; k < a->lanes[i].n; k++)
			pieces[n++] = (struct stat_piece){ &a->lanes[i].series[k].own, from, a->n };
	stat_cost(pieces, n, from, a->n, costs);
	n = 0;
	for (size_t i = 0; i < a->n_lanes; i++) {
		const struct judge_lane *l = &a->lanes[i];

		for (size_t k = 0; k < l->n; k++, n++) {
			const struct judge_series *s = &l->series[k];

			if (!fits(f->suite, l->suite) || !s->said.in.n ||
			    s->said.in.v[s->said.in.n - 1].to <= from)
				continue;
			r->parts[r->n_parts++] = (struct judge_part){
				.s = s, .from = from, .cost = costs[n],
				.outages = &r->outages[nth],
			};
		}
	}
}

/* ---- one flake ---- */

static int by_mode(const void *a, const void *b)
{
	const struct judge_axis *x = *(const struct judge_axis *const *)a;
	const struct judge_axis *y = *(const struct judge_axis *const *)b;
	int c = judge_str_order(x->mode, y->mode);

	return c ? c : (x > y) - (x < y);
}

/* Parts of all axes that are asked for, those of one mode together. */
static void add_axes(struct judge_flakes *r, const struct judge_flakes_filter *f)
{
	_free_ const struct judge_axis **v = xcalloc(r->n_axes + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < r->n_axes; i++)
		if (r->asked[i])
			v[n++] = &r->axes[i];
	qsort(v, n, sizeof(*v), by_mode);
	for (size_t i = 0; i < n; i++)
		add_axis(r, f, (size_t)(v[i] - r->axes));
}

#define DIGIT 11 /* bits */

/* By test, and otherwise as they are: a place for each digit of its number, the lowest
 * first. There are tens of thousands, of some thousand tests. */
static void sort_parts(struct judge_flakes *r)
{
	struct judge_part *from = r->parts, *to = xcalloc(r->n_parts + 1, sizeof(*to)), *swap;
	uint64_t all = 0;

	for (size_t i = 0; i < r->n_parts; i++)
		all |= (uint64_t)from[i].s->id;
	for (unsigned shift = 0; shift < 64 && all >> shift; shift += DIGIT) {
		size_t at[1 << DIGIT] = {}, sum = 0;

		for (size_t i = 0; i < r->n_parts; i++)
			at[(uint64_t)from[i].s->id >> shift & ((1 << DIGIT) - 1)]++;
		for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
			size_t n = at[i];

			at[i] = sum;
			sum += n;
		}
		for (size_t i = 0; i < r->n_parts; i++)
			to[at[(uint64_t)from[i].s->id >> shift & ((1 << DIGIT) - 1)]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	free(to);
	r->parts = from;
}

/* Of what its subtests explain nothing is left: that is told as it was. */
static const struct stat_series *said_of(const struct judge_flake *x, const struct judge_part *p)
{
	return x->explained ? &p->s->said : &p->s->own;
}

static void add_counts(struct judge_flake *x, const struct judge_part *p)
{
	uint64_t n = 0, other = 0;

	for (size_t i = 0; i < p->s->said.in.n; i++) {
		const struct stat_span *in = &p->s->said.in.v[i];

		if (in->to > p->from)
			n += in->to - (in->from > p->from ? in->from : p->from);
	}
	for (size_t i = p->s->n_exceptions; i-- > 0 && p->s->exceptions[i].at >= p->from;) {
		x->counts[p->s->exceptions[i].status]++;
		other++;
	}
	if (!p->s->lane->at_least && n > other)
		x->counts[STATUS_PASS] += n - other;
}

/* Failures that stand beside each other are one burst, with a flip at each end
 * but those of the history. */
static void add_flips(struct judge_flake *x, const struct judge_part *p,
		      const struct stat_series *said, int32_t *ret_streak)
{
	struct stat_cursor c = {};
	uint32_t start = stat_series_rank(said, &c, p->from), before = 0, first = 0;
	uint32_t n = stat_series_n(said), bursts = 0, row = 0;

	for (size_t i = 0; i < said->bad.n; i++) {
		uint32_t rank;

		if (said->bad.v[i] < p->from)
			continue;
		rank = stat_series_rank(said, &c, said->bad.v[i]);
		row = bursts && rank == before + 1 ? row + 1 : 1;
		bursts += row == 1;
		first = bursts == 1 && row == 1 ? rank : first;
		before = rank;
	}
	if (bursts)
		x->flips += 2 * bursts - (first == start) - (before + 1 == n);
	*ret_streak = bursts && before + 1 == n ? (int32_t)row
		      : -(int32_t)(n - (bursts ? before + 1 : start));
}

static void add_part(struct judge_flake *x, const struct judge_part *p)
{
	const struct stat_series *said = said_of(x, p);
	int32_t streak = 0;
	bool failed;

	add_counts(x, p);
	add_flips(x, p, said, &streak);
	x->cost.red += p->cost.red;
	x->cost.alone += p->cost.alone;
	x->cost.share += p->cost.share;
	failed = said->bad.n && said->bad.v[said->bad.n - 1] >= p->from;
	if (failed) {
		uint32_t run = p->s->lane->axis->run[said->bad.v[said->bad.n - 1]];

		if (x->last != UINT32_MAX && run <= x->last)
			return;
		x->last = run;
	} else if (x->s) {
		return;
	}
	x->s = p->s;
	x->streak = streak;
}

/* Tests of a program ran as often, and many of them fail as rarely: each interval
 * that was computed last stands for those with the same numbers. */
#define RATES_N 4096

static struct stat_rate rate_of(struct stat_rate *rates, uint64_t failed, uint64_t of)
{
	struct stat_rate *x = &rates[(failed * 257 + of) % RATES_N];

	if (x->k != failed || x->n != of || !of)
		*x = stat_rate(failed, of);
	return *x;
}

/* What flakes share: found for the first of them. */
struct shared {
	struct stat_rate *rates; /* RATES_N */
	int64_t *usual;          /* of each lane; UNASKED */
	size_t *lanes;           /* of each axis: where its lanes begin in it */
};

#define UNASKED INT64_MIN

static void shared_init(struct shared *s, const struct judge_flakes *r)
{
	size_t n = 0;

	s->rates = xcalloc(RATES_N, sizeof(*s->rates));
	s->lanes = xcalloc(r->n_axes + 1, sizeof(*s->lanes));
	for (size_t i = 0; i < r->n_axes; i++) {
		s->lanes[i] = n;
		n += r->axes[i].n_lanes;
	}
	s->usual = xcalloc(n + 1, sizeof(*s->usual));
	for (size_t i = 0; i < n; i++)
		s->usual[i] = UNASKED;
}

static void shared_done(struct shared *s)
{
	free(s->rates);
	free(s->usual);
	free(s->lanes);
}

static int64_t usual_of(const struct judge_flakes *r, struct shared *s, const struct judge_part *p)
{
	const struct judge_lane *l = p->s->lane;
	int64_t *ms = &s->usual[s->lanes[l->axis - r->axes] + (size_t)(l - l->axis->lanes)];

	if (*ms == UNASKED)
		*ms = usual_ms(l, p->from);
	return *ms;
}

static void add_flake(struct judge_flakes *r, const struct judge_part *parts, size_t n,
		      struct shared *shared)
{
	struct judge_flake x = { .parts = parts, .n_parts = n, .explained = true,
				 .last = UINT32_MAX, .cost_ms = -1 };
	uint64_t failed = 0, of = 0;
	int64_t ms = -1;

	for (size_t i = 0; i < n; i++) {
		const struct stat_runs *own = &parts[i].s->own.bad;

		x.explained = x.explained && !(own->n && own->v[own->n - 1] >= parts[i].from);
	}
	for (size_t i = 0; i < n; i++) {
		const struct judge_part *p = &parts[i];
		const struct stat_series *said = said_of(&x, p);
		struct stat_window w = stat_window_counts(&said, 1, p->from, p->s->lane->axis->n,
						   p->outages, STAT_OUTAGES_ONCE);

		failed += w.rate.k;
		of += w.rate.n;
		x.outages += w.outages;
		add_part(&x, p);
		ms = ms < 0 ? usual_of(r, shared, p) : ms;
	}
	x.explained = x.explained && x.last != UINT32_MAX;
	x.rate = rate_of(shared->rates, failed, of);
	if (ms >= 0)
		x.cost_ms = ms * (int64_t)failed;
	ARRAY_GROW(r->v, r->n, r->cap);
	r->v[r->n++] = x;
}

static bool is_same(const struct judge_part *a, const struct judge_part *b)
{
	return a->s->id == b->s->id &&
	       str_eq(a->s->lane->axis->mode, b->s->lane->axis->mode);
}

static bool has_failed(const struct judge_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct stat_runs *bad = &parts[i].s->said.bad;

		if (bad->n && bad->v[bad->n - 1] >= parts[i].from)
			return true;
	}
	return false;
}

static void find_outages(struct judge_flakes *r, const struct judge_flakes_filter *f)
{
	if (!f->outages) {
		r->own_outages = xcalloc(r->n_axes + 1, sizeof(*r->own_outages));
		for (size_t i = 0; i < r->n_axes; i++)
			if (r->asked[i])
				judge_outages(&r->axes[i], &r->own_outages[i]);
	}
	r->outages = f->outages ? f->outages : r->own_outages;
	for (size_t i = 0; i < r->n_axes; i++)
		for (size_t k = 0; r->asked[i] && k < r->outages[i].n; k++)
			r->n_outages +=
				r->axes[i].run[r->outages[i].v[k].last] >= r->first;
}

void judge_flakes(const struct judge *j, const struct judge_flakes_filter *f,
		  struct judge_flakes *ret)
{
	_cleanup_(shared_done) struct shared shared = {};
	size_t most = 0;

	*ret = (struct judge_flakes){};
	ret->runs = judge_runs(j, &ret->n_runs);
	ret->axes = judge_axes(j, &ret->n_axes);
	ret->asked = xcalloc(ret->n_axes + 1, sizeof(*ret->asked));
	choose_axes(ret, f);
	choose_runs(ret, f);
	find_outages(ret, f);
	shared_init(&shared, ret);
	for (size_t i = 0; i < ret->n_axes; i++)
		for (size_t k = 0; ret->asked[i] && k < ret->axes[i].n_lanes; k++)
			most += ret->axes[i].lanes[k].n;
	ret->parts = xcalloc(most + 1, sizeof(*ret->parts));
	add_axes(ret, f);
	sort_parts(ret);
	for (size_t i = 0, e; i < ret->n_parts; i = e) {
		const struct judge_part *p = &ret->parts[i];

		for (e = i + 1; e < ret->n_parts && is_same(p, &ret->parts[e]); e++)
			;
		ret->tests += p->s->leaf;
		if (f->steady || has_failed(p, e - i))
			add_flake(ret, p, e - i, &shared);
	}
}

void judge_flakes_done(struct judge_flakes *f)
{
	for (size_t i = 0; f->own_outages && i < f->n_axes; i++)
		stat_outages_done(&f->own_outages[i]);
	free(f->own_outages);
	free(f->asked);
	free(f->parts);
	free(f->v);
	*f = (struct judge_flakes){};
}

/* ---- cells ---- */

/* What is told of a run that has several: a status before that nothing is known,
 * that before absent; of statuses the worst. */
static bool is_worse(uint8_t cell, uint8_t than)
{
	bool told = cell < STATUS_N, than_told = than < STATUS_N;

	if (told != than_told)
		return told;
	return told ? cell > than : cell == JUDGE_CELL_UNKNOWN || than == JUDGE_CELL_NO_RUN;
}

uint8_t judge_flake_cell(const struct judge_flake *x, uint32_t run)
{
	uint8_t worst = JUDGE_CELL_NO_RUN;

	for (size_t i = 0; i < x->n_parts; i++) {
		const struct judge_axis *a = x->parts[i].s->lane->axis;

		for (uint32_t at = judge_place(a, run); at < a->n && a->run[at] == run; at++) {
			uint8_t cell = judge_cell_or_unknown(x->parts[i].s, at);

			worst = is_worse(cell, worst) ? cell : worst;
		}
	}
	return worst;
}
