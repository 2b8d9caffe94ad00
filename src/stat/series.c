/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/series.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void stat_axis_init(struct stat_axis *axis, const uint32_t *commit, size_t n)
{
	assert(n <= STAT_RUNS_MAX);
	*axis = (struct stat_axis){ .n = n };
	axis->begin = xcalloc(n + 1, sizeof(*axis->begin));
	axis->end = xcalloc(n + 1, sizeof(*axis->end));
	for (size_t r = 0; r < n; r++)
		axis->begin[r] = r && commit[r] == commit[r - 1] ? axis->begin[r - 1] : (uint32_t)r;
	for (size_t r = n; r-- > 0;)
		axis->end[r] = r + 1 < n && commit[r] == commit[r + 1] ? axis->end[r + 1]
								       : (uint32_t)r + 1;
}

void stat_axis_done(struct stat_axis *axis)
{
	freep(&axis->begin);
	freep(&axis->end);
	*axis = (struct stat_axis){};
}

uint32_t stat_series_rank(const struct stat_series *s, struct stat_cursor *c, uint32_t run)
{
	const struct stat_span *in = s->in.v;
	const uint32_t *mute = s->mute.v;
	uint32_t n;

	while (c->span < s->in.n && in[c->span].to <= run) {
		uint32_t from = in[c->span].from, to = in[c->span].to;

		c->before += to - from;
		for (; c->mute < s->mute.n && mute[c->mute] < to; c->mute++)
			c->muted += mute[c->mute] >= from;
		c->span++;
	}
	n = c->before;
	if (c->span < s->in.n && in[c->span].from < run) {
		uint32_t from = in[c->span].from;

		for (; c->mute < s->mute.n && mute[c->mute] < run; c->mute++)
			c->muted += mute[c->mute] >= from;
		n += run - from;
	}
	return n - c->muted;
}

uint32_t stat_series_run(const struct stat_series *s, uint32_t i)
{
	size_t m = 0;

	for (size_t k = 0; k < s->in.n; k++) {
		uint32_t at = s->in.v[k].from, to = s->in.v[k].to;

		while (m < s->mute.n && s->mute.v[m] < at)
			m++;
		for (; m < s->mute.n && s->mute.v[m] < to; m++) {
			uint32_t said = s->mute.v[m] - at;

			if (i < said)
				return at + i;
			i -= said;
			at = s->mute.v[m] + 1;
		}
		if (i < to - at)
			return at + i;
		i -= to - at;
	}
	assert(!"an observation that there is");
	return 0;
}

uint32_t stat_series_n(const struct stat_series *s)
{
	struct stat_cursor c = {};

	return stat_series_rank(s, &c, UINT32_MAX);
}

/* The first index whose run is >= @run. The newest are asked for most: from there it
 * is looked in twice as far each time. */
static size_t lower_bound(struct stat_runs runs, uint32_t run)
{
	size_t low = 0, high = runs.n;

	for (size_t step = 1; step <= runs.n; step *= 2) {
		if (runs.v[runs.n - step] < run) {
			low = runs.n - step + 1;
			break;
		}
		high = runs.n - step;
	}
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (runs.v[mid] < run)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t stat_runs_count(struct stat_runs runs, uint32_t from, uint32_t to)
{
	return from < to ? lower_bound(runs, to) - lower_bound(runs, from) : 0;
}

bool stat_runs_have(struct stat_runs runs, uint32_t run)
{
	size_t i = lower_bound(runs, run);

	return i < runs.n && runs.v[i] == run;
}

bool stat_spans_have(struct stat_spans spans, uint32_t run)
{
	size_t low = 0, high = spans.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (spans.v[mid].to <= run)
			low = mid + 1;
		else
			high = mid;
	}
	return low < spans.n && spans.v[low].from <= run;
}

uint32_t stat_spans_count(struct stat_spans spans, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (size_t i = 0; i < spans.n && spans.v[i].from < to; i++) {
		uint32_t a = spans.v[i].from > from ? spans.v[i].from : from;
		uint32_t b = spans.v[i].to < to ? spans.v[i].to : to;

		n += a < b ? b - a : 0;
	}
	return n;
}

static void room_for(uint32_t **v, size_t *cap, size_t n)
{
	if (n <= *cap)
		return;
	*v = xrealloc(*v, n, sizeof(**v));
	*cap = n;
}

void stat_series_without(const struct stat_series *s, struct stat_runs out,
			 struct stat_series_room *room, struct stat_series *ret)
{
	size_t n_bad = 0, n_mute = 0, o = 0, m = 0;

	room_for(&room->bad, &room->cap_bad, s->bad.n);
	room_for(&room->mute, &room->cap_mute, s->mute.n + out.n);
	for (size_t i = 0; i < s->bad.n; i++) {
		while (o < out.n && out.v[o] < s->bad.v[i])
			o++;
		if (o == out.n || out.v[o] != s->bad.v[i])
			room->bad[n_bad++] = s->bad.v[i];
	}
	/* Both rise: merged, equal ones once. */
	for (o = 0; m < s->mute.n || o < out.n;) {
		uint32_t a = m < s->mute.n ? s->mute.v[m] : UINT32_MAX;
		uint32_t b = o < out.n ? out.v[o] : UINT32_MAX;

		room->mute[n_mute++] = a < b ? a : b;
		m += a <= b;
		o += b <= a;
	}
	*ret = (struct stat_series){
		.in = s->in,
		.mute = { room->mute, n_mute },
		.bad = { room->bad, n_bad },
	};
}

void stat_series_room_done(struct stat_series_room *room)
{
	free(room->bad);
	free(room->mute);
	*room = (struct stat_series_room){};
}
