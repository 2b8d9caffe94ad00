/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series: counting in ranges, against counting one by one. */
#include "stat-history.h"

static const struct {
	const char *text;
	uint32_t n;
	uint32_t runs[8]; /* of the observations */
} ROWS[] = {
	{ "", 0, {} },
	{ "---", 0, {} },
	{ "sss", 0, {} },
	{ "..x.", 4, { 0, 1, 2, 3 } },
	{ "--..s-x", 3, { 2, 3, 6 } },
	{ "s.s.ss-x-s", 3, { 1, 3, 7 } },
	{ ".-.-.-s", 3, { 0, 2, 4 } },
};

static void test_ranks(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		_cleanup_(history_freep) struct history *h = history_of(ROWS[i].text);
		struct stat_cursor c = {};
		uint32_t n = 0;
		bool same = stat_series_n(&h->series) == ROWS[i].n;

		for (uint32_t k = 0; k < ROWS[i].n; k++)
			same &= stat_series_run(&h->series, k) == ROWS[i].runs[k];
		for (uint32_t r = 0; r <= h->n; r++) {
			same &= stat_series_rank(&h->series, &c, r) == n;
			same &= stat_series_rank(&h->series, &(struct stat_cursor){}, r) == n;
			n += n < ROWS[i].n && ROWS[i].runs[n] == r;
		}
		ok(t, same, "'%s'", ROWS[i].text);
	}
}

static void test_counts(struct tap *t)
{
	_cleanup_(history_freep) struct history *h = history_of("x..x--xx.s--x");
	bool same = true;

	for (uint32_t from = 0; from <= h->n; from++) {
		uint32_t bad = 0, in = 0;

		for (uint32_t to = from; to <= h->n; to++) {
			same &= stat_runs_count(h->series.bad, from, to) == bad;
			same &= stat_spans_count(h->series.in, from, to) == in;
			bad += strchr("x", "x..x--xx.s--x."[to]) != NULL;
			in += "x..x--xx.s--x."[to] != '-';
		}
	}
	ok(t, same, "counts in every window");
	ok(t, stat_runs_count(h->series.bad, 5, 2) == 0, "an empty window");
	ok(t,
	   stat_runs_have(h->series.bad, 7) && !stat_runs_have(h->series.bad, 8) &&
		   !stat_runs_have(h->series.bad, 13),
	   "is it there");
	ok(t,
	   stat_spans_have(h->series.in, 9) && !stat_spans_have(h->series.in, 4) &&
		   !stat_spans_have(h->series.in, 13),
	   "was it there");
}

static void test_axis(struct tap *t)
{
	static const uint32_t COMMIT[] = { 7, 7, 3, 9, 9, 9 };
	static const uint32_t BEGIN[] = { 0, 0, 2, 3, 3, 3 }, END[] = { 2, 2, 3, 6, 6, 6 };
	struct stat_axis axis;

	stat_axis_init(&axis, COMMIT, ARRAY_SIZE(COMMIT));
	ok(t,
	   memcmp(axis.begin, BEGIN, sizeof(BEGIN)) == 0 && memcmp(axis.end, END, sizeof(END)) == 0,
	   "which runs are of a commit");
	stat_axis_done(&axis);
	stat_axis_init(&axis, NULL, 0);
	is_int(t, (int64_t)axis.n, 0, "no run");
	stat_axis_done(&axis);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_ranks(&t);
	test_counts(&t);
	test_axis(&t);
	return tap_done(&t);
}
