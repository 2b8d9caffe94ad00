/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-range.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

#define LIKE_MAX   10000 /* runs that are looked at for one that is like another */
#define SUITES_MAX 64

int run_range_find(struct store *s, struct run_range *x, struct err *err)
{
	const char *dots = strstr(x->spec, "..");
	_free_ char *first = dots ? xstrndup(x->spec, (size_t)(dots - x->spec)) : xstrdup(x->spec);
	int r = store_run_find(s, first, &x->first, err);

	x->last = x->first;
	if (r >= 0 && dots)
		r = store_run_find(s, dots + 2, &x->last, err);
	return r < 0 ? r : 0;
}

int run_range_place(struct run_range *x, const struct judge_run *runs, uint32_t n, struct err *err)
{
	uint32_t a = UINT32_MAX, b = UINT32_MAX;

	for (uint32_t i = 0; i < n; i++) {
		a = runs[i].id == x->first ? i : a;
		b = runs[i].id == x->last ? i : b;
	}
	if (a == UINT32_MAX || b == UINT32_MAX)
		return err_set(err, EINVAL, "'%s' is not of that branch", x->spec);
	if (a > b)
		return err_set(err, EINVAL, "'%s' begins after its end", x->spec);
	x->from = a;
	x->to = b + 1;
	return 0;
}

/* ---- "latest-N" beside another run ---- */

void run_lane_done(struct run_lane *l)
{
	free(l->branch);
	free(l->modes);
	free(l->machines);
	*l = (struct run_lane){};
}

void run_lane_tell(struct out *o, const struct run_lane *l)
{
	if (!l->modes)
		return;
	out_term(o, str_of(l->branch));
	out_str(o, l->branch[0] && l->modes[0] ? STR(" ") : STR(""));
	out_term(o, str_of(l->modes));
	out_str(o, l->machines[0] ? STR(" on ") : STR(""));
	out_term(o, str_of(l->machines));
	out_lit(o, ": ");
}

static int on_branch(void *ctx, const struct store_run *r)
{
	char **branch = ctx;

	*branch = xstrndup(r->branch.p, r->branch.n);
	return 0;
}

int run_range_branch(struct store *s, const struct run_range *a, const struct run_range *b,
		     char **ret, struct err *err)
{
	_free_ char *x = NULL, *y = NULL;
	int r = store_run_get(s, a->first, on_branch, &x, err);

	if (r >= 0)
		r = store_run_get(s, b->first, on_branch, &y, err);
	if (r >= 0 && x && y && *x && strcmp(x, y) == 0)
		*ret = TAKE(x);
	return r < 0 ? r : 0;
}

/* "latest" is 0, "latest-3" is 3. */
static bool is_latest(const char *spec, uint64_t *ret_back)
{
	struct str s = str_of(spec);

	*ret_back = 0;
	if (!str_starts(s, STR("latest")))
		return false;
	s = str_from(s, strlen("latest"));
	if (!s.n)
		return true;
	return s.p[0] == '-' && str_to_u64(str_from(s, 1), ret_back) && *ret_back <= LIKE_MAX;
}

struct suites {
	char *v[SUITES_MAX];
	size_t n;
};

static void suites_done(struct suites *s)
{
	while (s->n)
		free(s->v[--s->n]);
}

static bool has_suite(const struct suites *s, struct str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(name, str_of(s->v[i])))
			return true;
	return false;
}

static void on_program(void *ctx, const struct event *ev)
{
	struct suites *s = ctx;

	if (ev->type != EVENT_PROGRAM_BEGIN || s->n == SUITES_MAX || has_suite(s, ev->prog->suite))
		return;
	s->v[s->n++] = xstrndup(ev->prog->suite.p ? ev->prog->suite.p : "", ev->prog->suite.n);
}

struct like {
	const struct run_lane *lane;
	int64_t *v; /* ids of those like it, the newest first */
	size_t n, cap;
};

static int on_like(void *ctx, const struct store_run *r)
{
	struct like *l = ctx;

	if (!str_eq(r->branch, str_of(l->lane->branch)) ||
	    !str_eq(r->modes, str_of(l->lane->modes)) ||
	    !str_eq(r->machines, str_of(l->lane->machines)))
		return 0;
	ARRAY_GROW(l->v, l->n, l->cap);
	l->v[l->n++] = r->id;
	return 0;
}

static char *copy(struct str s)
{
	return xstrndup(s.p ? s.p : "", s.n);
}

static int on_lane(void *ctx, const struct store_run *r)
{
	struct run_lane *l = ctx;

	*l = (struct run_lane){ copy(r->branch), copy(r->modes), copy(r->machines) };
	return 0;
}

/* The run @back before @anchor of those that are like it. */
static int find_like(struct store *s, int64_t anchor, uint64_t back, const struct run_lane *lane,
		     int64_t *ret, struct err *err)
{
	_cleanup_(suites_done) struct suites mine = {};
	struct store_runs_filter f = { .before_id = anchor,
				       .limit = LIKE_MAX,
				       .branch = lane->branch[0] ? lane->branch : NULL };
	struct like like = { .lane = lane };
	bool one = back == 1;
	int r = store_replay(s, anchor, (struct event_sink){ on_program, &mine }, err);

	if (r == 0)
		r = store_runs(s, &f, on_like, &like, err);
	for (size_t i = 0; r == 0 && i < like.n && back; i++) {
		_cleanup_(suites_done) struct suites its = {};
		bool some = false;

		r = store_replay(s, like.v[i], (struct event_sink){ on_program, &its }, err);
		for (size_t k = 0; k < its.n; k++)
			some |= has_suite(&mine, str_of(its.v[k]));
		if (r == 0 && some && --back == 0)
			*ret = like.v[i];
	}
	free(like.v);
	if (r < 0 || !back)
		return r;
	return err_set(
		err, ENOENT,
		"there %s run%s before run %" PRId64 " that %s like it (%s%s%s on "
		"%s, the same suites): 'taproom runs' lists them, 'taproom diff A B' compares "
		"any two",
		one ? "is no" : "are not enough", one ? "" : "s", anchor, one ? "is" : "are",
		lane->branch, lane->branch[0] ? " " : "", lane->modes,
		lane->machines[0] ? lane->machines : "any machine");
}

static int on_id(void *ctx, const struct store_run *r)
{
	int64_t *id = ctx;

	*id = r->id;
	return 1;
}

/* "latest-N" of those that fit. */
static int find_latest(struct store *s, const char *spec, uint64_t back,
		       const struct run_pair_filter *f, int64_t *ret, struct err *err)
{
	struct store_runs_filter filter = { .branch = f->branch, .mode = f->mode, .limit = 1 };
	int r = 1;

	if (!f->branch && !f->mode)
		return store_run_find(s, spec, ret, err);
	for (uint64_t i = 0; r > 0 && i <= back; i++) {
		r = store_runs(s, &filter, on_id, &filter.before_id, err);
		if (r == 0)
			return err_set(err, ENOENT,
				       "no run '%s' of that branch and mode: 'taproom "
				       "runs' lists them",
				       spec);
	}
	*ret = filter.before_id;
	return r < 0 ? r : 0;
}

static int find_plain(struct store *s, struct run_range *x, bool latest, uint64_t back,
		      const struct run_pair_filter *f, struct err *err)
{
	int r = latest ? find_latest(s, x->spec, back, f, &x->first, err)
		       : run_range_find(s, x, err);

	if (latest)
		x->last = x->first;
	return r < 0 ? r : 0;
}

int run_range_pair(struct store *s, struct run_range *a, struct run_range *b,
		   const struct run_pair_filter *f, struct run_lane *ret_lane, struct err *err)
{
	uint64_t back[2];
	bool latest[2] = { is_latest(a->spec, &back[0]), is_latest(b->spec, &back[1]) };
	bool first = latest[0] && (!latest[1] || back[0] > back[1]);
	struct run_range *earlier = first ? a : b, *anchor = first ? b : a;
	uint64_t steps =
		first ? back[0] - (latest[1] ? back[1] : 0) : back[1] - (latest[0] ? back[0] : 0);
	bool range = strstr(anchor->spec, "..") != NULL;
	int r;

	*ret_lane = (struct run_lane){};
	/* Of a range it isn't known what is like it; "latest" itself is the latest. */
	if (range || !latest[!first] || !steps) {
		r = find_plain(s, a, latest[0], back[0], f, err);
		return r < 0 ? r : find_plain(s, b, latest[1], back[1], f, err);
	}
	r = find_plain(s, anchor, latest[first], back[first], f, err);
	if (r == 0)
		r = store_run_get(s, anchor->first, on_lane, ret_lane, err);
	if (r == 0)
		r = find_like(s, anchor->first, steps, ret_lane, &earlier->first, err);
	earlier->last = earlier->first;
	return r < 0 ? r : 0;
}
