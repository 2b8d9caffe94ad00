/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/tests.h"

#include <stdlib.h>

#include "base/mem.h"

uint64_t web_test_hash(struct str suite, struct str program, struct str key, unsigned nth)
{
	const struct str zero = { "", 1 };
	uint64_t h = str_hash(zero, str_hash(suite, STR_HASH_INIT));

	h = str_hash(key, str_hash(zero, str_hash(program, h)));
	/* The first of a key is what others of that key can't push away. */
	for (unsigned i = 1; i < nth; i++)
		h = str_hash(zero, h);
	return h;
}

static uint64_t hash_of(const struct judge_series *s)
{
	return web_test_hash(s->lane->suite, s->lane->program, s->whole ? STR("") : s->key,
			     s->whole ? 1 : s->nth);
}

/* ---- which tests there are ---- */

static int by_id(const void *a, const void *b)
{
	const struct judge_series *x = *(const struct judge_series *const *)a;
	const struct judge_series *y = *(const struct judge_series *const *)b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	/* Of one judge: its axes are one array. */
	return (x->lane->axis > y->lane->axis) - (x->lane->axis < y->lane->axis);
}

/* The series of a lower id keeps the place that both would have. */
static int by_hash(const void *a, const void *b)
{
	const struct web_test *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->parts > y->parts) - (x->parts < y->parts);
}

static size_t collect(struct web_tests *t, const struct judge_axis *axes, size_t n_axes)
{
	size_t n = 0;

	for (size_t i = 0; i < n_axes; i++)
		for (size_t k = 0; k < axes[i].n_lanes; k++)
			n += axes[i].lanes[k].n;
	t->parts = xcalloc(n + 1, sizeof(struct judge_series *));
	n = 0;
	for (size_t i = 0; i < n_axes; i++)
		for (size_t k = 0; k < axes[i].n_lanes; k++)
			for (size_t s = 0; s < axes[i].lanes[k].n; s++) {
				const struct judge_series *x = &axes[i].lanes[k].series[s];

				if (x->leaf || x->whole)
					t->parts[n++] = x;
			}
	qsort(t->parts, n, sizeof(struct judge_series *), by_id);
	return n;
}

static void group(struct web_tests *t, size_t n_parts)
{
	size_t cap = 0, kept = 0;

	for (size_t i = 0; i < n_parts;) {
		size_t n = 1;

		while (i + n < n_parts && t->parts[i + n]->id == t->parts[i]->id)
			n++;
		ARRAY_GROW(t->v, t->n, cap);
		t->v[t->n++] = (struct web_test){ .hash = hash_of(t->parts[i]),
						  .parts = t->parts + i, .n_parts = n };
		i += n;
	}
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), by_hash);
	for (size_t i = 0; i < t->n; i++)
		if (!kept || t->v[kept - 1].hash != t->v[i].hash)
			t->v[kept++] = t->v[i];
	t->n = kept;
}

/* ---- which have a page among files ---- */

/* What failed last comes first, then what was no pass last. 0: always passed. */
static uint32_t rank(const struct web_test *x, uint32_t n_runs)
{
	uint32_t best = 0;

	for (size_t i = 0; i < x->n_parts; i++) {
		const struct judge_series *s = x->parts[i];
		const uint32_t *run = s->lane->axis->run;

		if (s->said.bad.n) {
			uint32_t r = n_runs + 1 + run[s->said.bad.v[s->said.bad.n - 1]];

			best = r > best ? r : best;
		}
		if (s->n_exceptions) {
			uint32_t r = 1 + run[s->exceptions[s->n_exceptions - 1].at];

			best = r > best ? r : best;
		}
	}
	return best;
}

struct ranked {
	uint32_t rank;
	size_t test;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return (x->test > y->test) - (x->test < y->test);
}

static void choose(struct web_tests *t, uint32_t n_runs)
{
	_free_ struct ranked *v = xcalloc(t->n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		v[n] = (struct ranked){ rank(&t->v[i], n_runs), i };
		n += v[n].rank > 0;
	}
	if (n > WEB_TESTS_MAX)
		qsort(v, n, sizeof(*v), by_rank);
	t->n_pages = n < WEB_TESTS_MAX ? n : WEB_TESTS_MAX;
	for (size_t i = 0; i < t->n_pages; i++)
		t->v[v[i].test].page = true;
}

void web_tests_init(struct web_tests *t, const struct judge_axis *axes, size_t n_axes,
		    uint32_t n_runs)
{
	*t = (struct web_tests){};
	group(t, collect(t, axes, n_axes));
	choose(t, n_runs);
}

void web_tests_done(struct web_tests *t)
{
	free(t->v);
	free(t->parts);
}

const struct web_test *web_tests_find(const struct web_tests *t, uint64_t hash)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->v[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n && t->v[low].hash == hash ? &t->v[low] : NULL;
}

const struct web_test *web_test_of(const struct web_tests *t, const struct judge_series *s)
{
	const struct web_test *x = web_tests_find(t, hash_of(s));

	/* Two names of one hash: the other has no page. */
	return x && x->parts[0]->id == s->id ? x : NULL;
}

/* ---- the n-th of a key ---- */

static struct web_nth_slot *slot(struct web_nth_slot *v, size_t cap, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (v[i].n && v[i].hash != hash)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static void grow(struct web_nth *n)
{
	size_t cap = n->cap ? n->cap * 2 : 64;
	struct web_nth_slot *v = xcalloc(cap, sizeof(*v));

	for (size_t i = 0; i < n->cap; i++)
		if (n->v[i].n)
			*slot(v, cap, n->v[i].hash) = n->v[i];
	free(n->v);
	n->v = v;
	n->cap = cap;
}

unsigned web_nth(struct web_nth *n, struct str key)
{
	uint64_t hash = str_hash(key, STR_HASH_INIT);
	struct web_nth_slot *s;

	if (n->n * 2 >= n->cap)
		grow(n);
	s = slot(n->v, n->cap, hash);
	n->n += !s->n;
	s->hash = hash;
	return ++s->n;
}
