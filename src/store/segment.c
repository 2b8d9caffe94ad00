/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/track.h"

#include "store/pack.h"

#define SEGMENT_MAX  (1u << 22) /* executions */
#define TIMELINE_MAX (1u << 30) /* bytes */

static int64_t minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

void segment_pack(const struct track_entry *v, size_t n, struct buf *ret, struct buf *times)
{
	int64_t run = 0, outcome = 0, time = 0;

	for (size_t i = 0; i < n;) {
		int64_t step = minus(v[i].run_id, run);
		size_t k = i + 1;

		while (k < n && minus(v[k].run_id, v[k - 1].run_id) == step &&
		       v[k].outcome_id == v[i].outcome_id && v[k].attempt == v[i].attempt)
			k++;
		pack_uint(ret, k - i - 1);
		pack_int(ret, step);
		pack_int(ret, minus(v[i].outcome_id, outcome));
		pack_uint(ret, v[i].attempt);
		run = v[k - 1].run_id;
		outcome = v[i].outcome_id;
		i = k;
	}
	for (size_t i = 0; i < n; i++) {
		pack_int(times, minus(v[i].duration_ms, time));
		time = v[i].duration_ms;
	}
}

static int take_times(struct str times, struct track_entry *v, size_t n)
{
	int64_t time = 0, step;

	for (size_t i = 0; i < n; i++) {
		if (!unpack_int(&times, &step))
			return -EBADMSG;
		v[i].duration_ms = time = plus(time, step);
	}
	return times.n ? -EBADMSG : 0;
}

int segment_unpack(struct str body, const struct str *times, struct track_entry **v, size_t *n,
		   size_t *cap)
{
	size_t before = *n;
	struct track_entry e = { .duration_ms = -1 };

	while (body.n) {
		uint64_t more, attempt;
		int64_t step, outcome;

		if (!unpack_uint(&body, &more) || !unpack_int(&body, &step) ||
		    !unpack_int(&body, &outcome) || !unpack_uint(&body, &attempt) ||
		    more > SEGMENT_MAX - (*n - before))
			return -EBADMSG;
		e.outcome_id = plus(e.outcome_id, outcome);
		e.attempt = (unsigned)attempt;
		for (uint64_t i = 0; i <= more; i++) {
			e.run_id = plus(e.run_id, step);
			ARRAY_GROW(*v, *n, *cap);
			(*v)[(*n)++] = e;
		}
	}
	return times ? take_times(*times, *v + before, *n - before) : 0;
}

/* ---- the timeline ---- */

static void pack_text(struct buf *b, struct str s)
{
	pack_uint(b, s.n);
	buf_add_str(b, s);
}

static int unpack_text(struct str *s, struct str *ret)
{
	uint64_t n;

	if (!unpack_uint(s, &n) || n > s->n)
		return 0;
	*ret = str_n(s->p, n);
	*s = str_from(*s, n);
	return 1;
}

static size_t branch_of(struct str **v, size_t *n, size_t *cap, struct str branch)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq((*v)[i], branch))
			return i;
	ARRAY_GROW(*v, *n, *cap);
	(*v)[*n] = branch;
	return (*n)++;
}

void timeline_pack(const struct tracked_run *v, size_t n, struct buf *ret)
{
	_cleanup_(buf_done) struct buf raw = {}, rows = {};
	_free_ struct str *branches = NULL;
	size_t n_branches = 0, cap = 0;
	int64_t id = 0, begin = 0;

	for (size_t i = 0; i < n; i++) {
		pack_int(&rows, minus(v[i].id, id));
		pack_int(&rows, minus(v[i].begin_ms, begin));
		pack_uint(&rows, branch_of(&branches, &n_branches, &cap, v[i].branch));
		pack_text(&rows, v[i].commit);
		id = v[i].id;
		begin = v[i].begin_ms;
	}
	pack_uint(&raw, n);
	pack_uint(&raw, n_branches);
	for (size_t i = 0; i < n_branches; i++)
		pack_text(&raw, branches[i]);
	buf_add_str(&raw, buf_str(&rows));
	pack_bytes(buf_str(&raw), ret);
}

static int unpack_runs(struct str rest, uint64_t n, const struct str *branches,
		       uint64_t n_branches, struct tracked_run *v)
{
	int64_t id = 0, begin = 0, a, b;
	uint64_t branch;

	for (uint64_t i = 0; i < n; i++) {
		struct str commit;

		if (!unpack_int(&rest, &a) || !unpack_int(&rest, &b) ||
		    !unpack_uint(&rest, &branch) || branch >= n_branches ||
		    !unpack_text(&rest, &commit))
			return -EBADMSG;
		id = plus(id, a);
		begin = plus(begin, b);
		v[i] = (struct tracked_run){ id, begin, branches[branch], commit, 0 };
	}
	return rest.n ? -EBADMSG : 0;
}

int timeline_unpack(struct str packed, struct arena *arena, struct tracked_run **v, size_t *n,
		    size_t *cap)
{
	_cleanup_(buf_done) struct buf raw = { .max = TIMELINE_MAX };
	_free_ struct str *branches = NULL;
	uint64_t runs, n_branches;
	struct str rest;
	int r;

	if (unpack_bytes(packed, TIMELINE_MAX, &raw) < 0)
		return -EBADMSG;
	rest = str_n(arena_strndup(arena, raw.p, raw.n), raw.n);
	if (!unpack_uint(&rest, &runs) || !unpack_uint(&rest, &n_branches) || runs > rest.n ||
	    n_branches > rest.n)
		return -EBADMSG;
	branches = xcalloc(n_branches, sizeof(*branches));
	for (uint64_t i = 0; i < n_branches; i++)
		if (!unpack_text(&rest, &branches[i]))
			return -EBADMSG;
	if (*n + runs > *cap) {
		*cap = *n + runs + *n / 2;
		*v = xrealloc(*v, *cap, sizeof(**v));
	}
	r = unpack_runs(rest, runs, branches, n_branches, *v + *n);
	if (r == 0)
		*n += runs;
	return r;
}
