/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Histories for the tests of judgement: written as text, or drawn with a fixed
 * seed. One letter is a run: '.' passed, 'x' failed, 's' skipped, '-' not
 * there; a blank begins the next commit. Without a blank, each run is one.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stat/series.h"
#include "tap.h"

struct history {
	uint32_t *commit, *bad, *mute;
	struct stat_span *in;
	size_t n, cap, cap_bad, cap_mute, cap_in;
	struct stat_axis axis;
	struct stat_series series;
};

static inline void history_say(struct history *h, char what, uint32_t commit)
{
	uint32_t r = (uint32_t)h->n;
	struct stat_series *s = &h->series;

	ARRAY_GROW(h->commit, h->n, h->cap);
	h->commit[h->n++] = commit;
	if (what == '-')
		return;
	if (s->in.n && h->in[s->in.n - 1].to == r) {
		h->in[s->in.n - 1].to++;
	} else {
		ARRAY_GROW(h->in, s->in.n, h->cap_in);
		h->in[s->in.n++] = (struct stat_span){ r, r + 1 };
		s->in.v = h->in;
	}
	if (what == 'x') {
		ARRAY_GROW(h->bad, s->bad.n, h->cap_bad);
		h->bad[s->bad.n++] = r;
		s->bad.v = h->bad;
	}
	if (what == 's') {
		ARRAY_GROW(h->mute, s->mute.n, h->cap_mute);
		h->mute[s->mute.n++] = r;
		s->mute.v = h->mute;
	}
}

static inline struct history *history_new(void)
{
	return xcalloc(1, sizeof(struct history));
}

static inline struct history *history_ready(struct history *h)
{
	stat_axis_init(&h->axis, h->commit, h->n);
	return h;
}

static inline struct history *history_of(const char *text)
{
	struct history *h = history_new();
	bool grouped = strchr(text, ' ');
	uint32_t commit = 0;

	for (const char *p = text; *p; p++) {
		if (*p == ' ') {
			commit++;
			continue;
		}
		history_say(h, *p, commit);
		commit += !grouped;
	}
	return history_ready(h);
}

static inline void history_freep(struct history **h)
{
	if (*h) {
		stat_axis_done(&(*h)->axis);
		free((*h)->commit);
		free((*h)->bad);
		free((*h)->mute);
		free((*h)->in);
	}
	free(*h);
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014): the same everywhere. */
static inline uint64_t draw(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline double draw_unit(uint64_t *seed)
{
	return (double)(draw(seed) >> 11) * 0x1p-53;
}

static inline void history_draw(struct history *h, size_t n, double rate, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++)
		history_say(h, draw_unit(seed) < rate ? 'x' : '.', (uint32_t)h->n);
}

static inline bool near(double got, double want, double relative)
{
	if (got == want || fabs(got - want) <= relative * fabs(want))
		return true;
	printf("#  got: %.17g\n# want: %.17g\n", got, want);
	return false;
}
