/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/history.h"

#include <stdlib.h>

static int by_series(const void *a, const void *b)
{
	const struct judge_series *x = (*(const struct judge_event *const *)a)->series;
	const struct judge_series *y = (*(const struct judge_event *const *)b)->series;

	return (x > y) - (x < y);
}

static void index_changes(struct web_history *h)
{
	h->changes = xcalloc(h->events.n + 1, sizeof(struct judge_event *));
	for (size_t i = 0; i < h->events.n; i++) {
		const struct judge_event *e = &h->events.v[i];

		if (e->series && !e->suspect && e->what <= JUDGE_RATE_DOWN)
			h->changes[h->n_changes++] = e;
	}
	qsort(h->changes, h->n_changes, sizeof(struct judge_event *), by_series);
}

struct placed {
	int64_t id;
	uint32_t run;
};

static int by_id(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The order of time is another one: an imported past has other ids. */
static void index_runs(struct web_history *h)
{
	_free_ struct placed *v = xcalloc((size_t)h->n_runs + 1, sizeof(*v));
	bool sorted = true;

	for (uint32_t i = 0; i < h->n_runs; i++) {
		v[i] = (struct placed){ h->runs[i].id, i };
		sorted &= !i || v[i - 1].id < v[i].id;
	}
	if (!sorted)
		qsort(v, h->n_runs, sizeof(*v), by_id);
	h->by_id = xcalloc((size_t)h->n_runs + 1, sizeof(*h->by_id));
	for (uint32_t i = 0; i < h->n_runs; i++)
		h->by_id[i] = v[i].run;
}

int web_history_new(struct store *store, struct web_history **ret, struct err *err)
{
	const struct judge_changes_filter all = {};
	const struct judge_filter filter = { .scan.times = true };
	struct web_history *h = xcalloc(1, sizeof(*h));
	int r = judge_load(store, &filter, &h->judge, err);

	h->users = 1;
	if (r < 0) {
		web_history_free(h);
		return r;
	}
	h->runs = judge_runs(h->judge, &h->n_runs);
	index_runs(h);
	h->axes = judge_axes(h->judge, &h->n_axes);
	h->outages = xcalloc(h->n_axes + 1, sizeof(*h->outages));
	for (size_t i = 0; i < h->n_axes; i++)
		judge_outages(&h->axes[i], &h->outages[i]);
	judge_changes(h->judge, &all, &h->events);
	index_changes(h);
	web_tests_init(&h->tests, h->axes, h->n_axes, h->n_runs);
	*ret = h;
	return 0;
}

struct web_history *web_history_ref(struct web_history *h)
{
	h->users++;
	return h;
}

struct web_history *web_history_free(struct web_history *h)
{
	if (!h || --h->users)
		return NULL;
	for (size_t i = 0; h->outages && i < h->n_axes; i++)
		stat_outages_done(&h->outages[i]);
	free(h->outages);
	free(h->by_id);
	free(h->changes);
	judge_events_done(&h->events);
	web_tests_done(&h->tests);
	judge_free(h->judge);
	free(h);
	return NULL;
}

size_t web_history_changes(const struct web_history *h, const struct judge_series *s,
			   const struct judge_event *const **ret)
{
	size_t low = 0, high = h->n_changes, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (h->changes[mid]->series < s)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = h->changes + low;
	while (low + n < h->n_changes && h->changes[low + n]->series == s)
		n++;
	return n;
}

const struct stat_outage *web_history_outage(const struct web_history *h,
					     const struct judge_axis *a, uint32_t run)
{
	const struct stat_outages *o = &h->outages[a - h->axes];

	for (size_t i = 0; i < o->n; i++)
		if (a->run[o->v[i].first] <= run && run <= a->run[o->v[i].last])
			return &o->v[i];
	return NULL;
}

#define BEFORE_MAX 200 /* runs that are looked at for one like it */

/* On one axis; -1: none. */
static int64_t before_on(const struct judge_axis *a, uint32_t run)
{
	uint32_t place = judge_place(a, run), oldest = place > BEFORE_MAX ? place - BEFORE_MAX : 0;

	if (place == a->n || a->run[place] != run)
		return -1;
	for (uint32_t q = place; q-- > oldest;)
		for (size_t i = 0; i < a->n_lanes; i++)
			if (stat_spans_have(a->lanes[i].in, place) &&
			    stat_spans_have(a->lanes[i].suite_in, q))
				return a->run[q];
	return -1;
}

uint32_t web_history_before(const struct web_history *h, uint32_t run)
{
	int64_t best = -1;

	for (size_t i = 0; run < h->n_runs && i < h->n_axes; i++) {
		int64_t on = before_on(&h->axes[i], run);

		best = on > best ? on : best;
	}
	return best < 0 ? h->n_runs : (uint32_t)best;
}

size_t web_history_leaves(const struct web_history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->tests.n; i++)
		n += h->tests.v[i].parts[0]->leaf;
	return n;
}

uint64_t web_history_results(const struct web_history *h)
{
	uint64_t n = 0;

	for (size_t i = 0; i < h->tests.n; i++)
		for (size_t k = 0; k < h->tests.v[i].n_parts; k++) {
			const struct judge_series *s = h->tests.v[i].parts[k];

			for (unsigned c = 0; s->leaf && c < STATUS_N; c++)
				n += s->counts[c];
		}
	return n;
}

uint32_t web_history_run(const struct web_history *h, int64_t id)
{
	uint32_t low = 0, high = h->n_runs;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (h->runs[h->by_id[mid]].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < h->n_runs && h->runs[h->by_id[low]].id == id ? h->by_id[low] : h->n_runs;
}
