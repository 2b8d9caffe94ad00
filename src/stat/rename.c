/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/rename.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define BYTES 256
#define WORDS 32 /* of a name; further ones are not read */

struct words {
	struct str v[WORDS];
	size_t n;
};

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (unsigned char)c >= 0x80;
}

static void split(struct str s, struct words *w)
{
	w->n = 0;
	if (s.n > BYTES)
		s.n = BYTES;
	for (size_t i = 0; i < s.n && w->n < WORDS;) {
		size_t from = i;

		while (i < s.n && is_word(s.p[i]))
			i++;
		if (i > from)
			w->v[w->n++] = str_n(s.p + from, i - from);
		else
			i++;
	}
}

/* Whether the digits of both are the same, in order. */
static bool same_digits(struct str a, struct str b)
{
	for (size_t i = 0, k = 0;; i++, k++) {
		while (i < a.n && !(a.p[i] >= '0' && a.p[i] <= '9'))
			i++;
		while (k < b.n && !(b.p[k] >= '0' && b.p[k] <= '9'))
			k++;
		if (i >= a.n || k >= b.n)
			return i >= a.n && k >= b.n;
		if (a.p[i] != b.p[k])
			return false;
	}
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* What it costs to make one word the other: 0 to 1. */
static double word_cost(struct str a, struct str b)
{
	size_t least = a.n < b.n ? a.n : b.n, most = a.n < b.n ? b.n : a.n, head = 0, tail = 0;

	if (str_eq_nocase(a, b))
		return 0;
	if (!same_digits(a, b))
		return 1;
	while (head < least && lower(a.p[head]) == lower(b.p[head]))
		head++;
	while (tail < least - head && lower(a.p[a.n - 1 - tail]) == lower(b.p[b.n - 1 - tail]))
		tail++;
	return 1 - (double)(head + tail) / (double)most;
}

static double words_likeness(const struct words *a, const struct words *b)
{
	double row[WORDS + 1];
	size_t most = a->n < b->n ? b->n : a->n;

	if (most == 0)
		return 0;
	for (size_t k = 0; k <= b->n; k++)
		row[k] = (double)k;
	for (size_t i = 1; i <= a->n; i++) {
		double diagonal = row[0];

		row[0] = (double)i;
		for (size_t k = 1; k <= b->n; k++) {
			double change = diagonal + word_cost(a->v[i - 1], b->v[k - 1]);

			diagonal = row[k];
			row[k] = fmin(change, fmin(row[k - 1], row[k]) + 1);
		}
	}
	return 1 - row[b->n] / (double)most;
}

double stat_name_likeness(struct str a, struct str b)
{
	struct words x, y;

	split(a, &x);
	split(b, &y);
	return words_likeness(&x, &y);
}

struct evidence {
	double weight, sum;
};

static void weigh(struct evidence *e, double weight, double likeness)
{
	e->weight += weight;
	e->sum += weight * fmax(likeness, 0);
}

/* 0: can't be the same. */
static double score(const struct stat_name *gone, const struct words *gone_words,
		    const struct stat_name *came, const struct words *came_words, double *name)
{
	struct evidence e = {};
	double programs = 1;

	if (came->first <= gone->last || came->first - gone->last > STAT_RENAME_GAP)
		return 0;
	*name = words_likeness(gone_words, came_words);
	weigh(&e, 7, *name);
	if (gone->of && came->of) {
		double apart = (gone->place + 0.5) / gone->of - (came->place + 0.5) / came->of;

		weigh(&e, 2, 1 - 4 * fabs(apart));
	}
	if (gone->ms >= 0 && came->ms >= 0) /* 10 ms: what is shorter is all the same */
		weigh(&e, 1,
		      1 - fabs(log((double)(gone->ms + 10) / (double)(came->ms + 10))) / log(4));
	if (!str_eq(gone->program, came->program))
		programs = stat_name_likeness(gone->program, came->program);
	return programs * e.sum / e.weight;
}

static int by_score(const void *a, const void *b)
{
	const struct stat_rename *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	if (x->gone != y->gone)
		return x->gone < y->gone ? -1 : 1;
	return (x->came > y->came) - (x->came < y->came);
}

static struct words *split_all(const struct stat_name *v, size_t n)
{
	struct words *w = xcalloc(n + 1, sizeof(*w));

	for (size_t i = 0; i < n; i++)
		split(v[i].key, &w[i]);
	return w;
}

size_t stat_renames(const struct stat_name *gone, size_t n_gone, const struct stat_name *came,
		    size_t n_came, struct stat_rename *ret, size_t max)
{
	size_t n = n_gone < STAT_RENAME_MAX ? n_gone : STAT_RENAME_MAX;
	size_t m = n_came < STAT_RENAME_MAX ? n_came : STAT_RENAME_MAX, pairs = 0, cap = 0,
	       taken = 0;
	_free_ struct words *from = split_all(gone, n), *to = split_all(came, m);
	_free_ struct stat_rename *v = NULL;
	bool gone_taken[STAT_RENAME_MAX] = {}, came_taken[STAT_RENAME_MAX] = {};

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < m; k++) {
			struct stat_rename r = { .gone = i, .came = k };

			r.score = score(&gone[i], &from[i], &came[k], &to[k], &r.name);
			if (r.score < STAT_RENAME_GOOD)
				continue;
			ARRAY_GROW(v, pairs, cap);
			v[pairs++] = r;
		}
	}
	if (pairs)
		qsort(v, pairs, sizeof(*v), by_score);
	for (size_t i = 0; i < pairs && taken < max; i++) {
		if (gone_taken[v[i].gone] || came_taken[v[i].came])
			continue;
		gone_taken[v[i].gone] = came_taken[v[i].came] = true;
		ret[taken++] = v[i];
	}
	return taken;
}
