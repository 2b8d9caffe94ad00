/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scan: tracks into lanes, lanes into series. Every execution is looked at once,
 * every exception twice; passes never.
 */
#include "store/scan.h"

#include <stdlib.h>

static void scan_done(struct scan *c)
{
	tracks_done(&c->tracks);
	free(c->run_nth);
	free(c->runs);
	map_done(&c->into);
	map_done(&c->roots);
	map_done(&c->locals_of);
	map_done(&c->shapes);
	free(c->locals);
	free(c->merged);
	free(c->lane.runs);
	free(c->lane.times);
	free(c->lane.cells);
	free(c->lane.stretches);
	free(c->lane.exceptions);
	free(c->items.v);
	free(c->items.ends);
	arena_done(&c->arena);
}

/* ---- aliases ---- */

int64_t scan_map_id(const struct map *m, int64_t id)
{
	/* A chain of renames; the database may hold a ring nevertheless. */
	for (int i = 0; i < 64; i++) {
		void *next = map_get(m, (uint64_t)id);

		if (!next)
			break;
		id = (int64_t)(intptr_t)next;
	}
	return id;
}

static int program_of(struct scan *c, int64_t series, int64_t *ret)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(c->s->db, SQL_SERIES_GET, &rows, c->err, DB_I(series));

	if (r == 0)
		r = db_next(&rows, c->err);
	*ret = r > 0 ? db_int(&rows, 0) : 0;
	return r < 0 ? r : 0;
}

static int read_aliases(struct scan *c)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(c->s->db, SQL_ALIASES, NULL, 0, &rows, c->err);

	while (r == 0 && (r = db_next(&rows, c->err)) > 0) {
		int64_t from = db_int(&rows, 0), to = db_int(&rows, 1), a, b;

		map_put(&c->into, (uint64_t)from, (void *)(intptr_t)to);
		r = program_of(c, from, &a);
		if (r == 0)
			r = program_of(c, to, &b);
		if (r < 0)
			return r;
		a = scan_map_id(&c->roots, a);
		b = scan_map_id(&c->roots, b);
		if (a != b)
			map_put(&c->roots, (uint64_t)a, (void *)(intptr_t)b);
	}
	return r;
}

/* ---- runs ---- */

static bool has_text(const char *want, struct str s)
{
	return !want || str_eq(s, str_of(want));
}

/* Equal, or a glob; runs beside each other often share the text. */
static bool is_branch(const char *want, struct str is, struct str *last, bool *last_fits)
{
	if (want && (is.p != last->p || is.n != last->n)) {
		_free_ char *name = xstrndup(is.p, is.n);

		*last = is;
		*last_fits = strcmp(want, name) == 0 || str_glob(want, name);
	}
	return !want || *last_fits;
}

static void choose_runs(struct scan *c)
{
	const struct store_scan_filter *f = c->f;
	const struct tracks *t = &c->tracks;
	size_t first = 0, n = 0;
	struct str branch = {};
	bool fits = false;

	c->run_nth = xcalloc(t->n_runs, sizeof(*c->run_nth));
	c->runs = xcalloc(t->n_runs, sizeof(*c->runs));
	for (size_t i = t->n_runs; i-- > 0;) {
		const struct tracked_run *r = &t->runs[i];
		bool good = r->begin_ms >= f->since_ms &&
			    (!f->until_ms || r->begin_ms < f->until_ms) &&
			    is_branch(f->branch, r->branch, &branch, &fits) &&
			    (!f->runs || n < f->runs);

		c->run_nth[i] = good ? 0 : UINT32_MAX;
		n += good;
		first = good ? i : first;
	}
	for (size_t i = first; i < t->n_runs; i++) {
		const struct tracked_run *r = &t->runs[i];

		if (c->run_nth[i] == UINT32_MAX)
			continue;
		c->run_nth[i] = c->n_runs;
		c->runs[c->n_runs++] = (struct store_scan_run){ r->id, r->begin_ms, r->branch,
								r->commit, r->branch_nth };
	}
}

/* ---- from tracks ---- */

static int by_run(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->x.run > y->x.run) - (x->x.run < y->x.run);
}

static size_t lane_nth(const struct scan *c, const struct tracked *x, size_t setting,
		       size_t n_settings)
{
	return c->runs[c->run_nth[x->run]].branch_nth * n_settings + setting;
}

static void room_for_items(struct items *i, size_t n, size_t n_lanes)
{
	if (n > i->cap) {
		i->cap = n * 2;
		free(i->v);
		i->v = xmalloc(i->cap * sizeof(*i->v));
	}
	if (n_lanes > i->cap_lanes) {
		i->cap_lanes = n_lanes * 2;
		i->ends = xrealloc(i->ends, i->cap_lanes, sizeof(*i->ends));
	}
	memset(i->ends, 0, n_lanes * sizeof(*i->ends));
	i->n_lanes = n_lanes;
}

/* Tracks are in the order of time: spread over their lanes they still are, but
 * for lanes that several tracks share. @nth: the setting of each, or SIZE_MAX. */
static void spread(struct scan *c, const struct track *v, const size_t *nth, size_t n)
{
	struct items *to = &c->items;
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += v[i].n;
	room_for_items(to, total, (c->tracks.n_branches ? c->tracks.n_branches : 1) * n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; nth[i] != SIZE_MAX && k < v[i].n; k++)
			if (c->run_nth[v[i].v[k].run] != UINT32_MAX)
				to->ends[lane_nth(c, &v[i].v[k], nth[i], n)]++;
	total = 0;
	for (size_t i = 0; i < to->n_lanes; i++) {
		size_t count = to->ends[i];

		to->ends[i] = total;
		total += count;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; nth[i] != SIZE_MAX && k < v[i].n; k++) {
			uint32_t run = c->run_nth[v[i].v[k].run];
			int64_t ms = c->tracks.times ? v[i].times[k] : -1;
			size_t lane;

			if (run == UINT32_MAX)
				continue;
			lane = lane_nth(c, &v[i].v[k], nth[i], n);
			to->v[to->ends[lane]++] = (struct item){
				.x = { run, v[i].v[k].attempt, v[i].v[k].outcome },
				.ms = ms > INT32_MAX ? INT32_MAX : (int32_t)ms,
			};
		}
	}
}

/* qsort() keeps equal ones in their order here: glibc's merges, as long as it
 * gets its memory; where it doesn't, only who of two neighbours is last may
 * change. */
static void order_lane(struct item *v, size_t n)
{
	bool sorted = true;

	for (size_t i = 1; sorted && i < n; i++)
		sorted = v[i - 1].x.run <= v[i].x.run;
	if (!sorted)
		qsort(v, n, sizeof(*v), by_run);
}

/* One lane's executions, those of a run together. */
static int take_lane(struct scan *c, const struct item *v, size_t n, store_scanned_fn fn,
		     void *ctx)
{
	struct tracked same[64];

	for (size_t i = 0; i < n;) {
		size_t k = 1;

		same[0] = v[i].x;
		/* More than so many retries of one run are told by their last ones. */
		for (; i + k < n && v[i + k].x.run == v[i].x.run; k++)
			same[k < ARRAY_SIZE(same) ? k : ARRAY_SIZE(same) - 1] = v[i + k].x;
		lane_add(c, same, k < ARRAY_SIZE(same) ? k : ARRAY_SIZE(same), v[i + k - 1].ms);
		i += k;
	}
	return lane_tell(c, fn, ctx);
}

/* The tracks of all programs that are told together. */
static int take_programs(struct scan *c, int64_t root, store_scanned_fn fn, void *ctx)
{
	const struct track *v = c->tracks.v;
	size_t n = c->tracks.n, n_settings = 0;
	_free_ const struct setting **settings = xcalloc(n, sizeof(*settings));
	_free_ size_t *nth = xcalloc(n, sizeof(*nth));
	const struct items *items = &c->items;
	struct program *p;
	int r = dict_program_get(&c->s->dict, root, &p, c->err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		nth[i] = SIZE_MAX;
		if (!has_text(c->f->mode, v[i].setting->mode) ||
		    !has_text(c->f->machine, v[i].setting->machine))
			continue;
		while (k < n_settings && settings[k] != v[i].setting)
			k++;
		if (k == n_settings)
			settings[n_settings++] = v[i].setting;
		nth[i] = k;
	}
	spread(c, v, nth, n);
	for (size_t i = 0, from = 0; r == 0 && i < items->n_lanes; from = items->ends[i++]) {
		const struct setting *s = settings[i % n];

		if (from == items->ends[i])
			continue;
		order_lane(items->v + from, items->ends[i] - from);
		c->lane.told = (struct store_lane){
			.branch = c->runs[items->v[from].x.run].branch,
			.mode = s->mode, .machine = s->machine,
			.suite = p->suite, .program = p->name,
		};
		r = take_lane(c, items->v + from, items->ends[i] - from, fn, ctx);
	}
	c->n_locals = 0;
	map_done(&c->locals_of);
	map_done(&c->shapes);
	arena_reset(&c->arena);
	return r;
}

/* A program to be told, and with which it is. */
struct rooted {
	int64_t program, root;
};

static int by_root(const void *a, const void *b)
{
	const struct rooted *x = a, *y = b;

	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	return (x->program > y->program) - (x->program < y->program);
}

/* Caller frees *ret. */
static int read_programs(struct scan *c, int64_t only, struct rooted **ret, size_t *ret_n)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	_free_ struct rooted *v = NULL;
	size_t n = 0, cap = 0;
	int r = db_query_args(c->s->db, SQL_PROGRAMS, NULL, 0, &rows, c->err);

	while (r == 0 && (r = db_next(&rows, c->err)) > 0) {
		struct rooted x = { .program = db_int(&rows, 0) };

		r = 0;
		x.root = scan_map_id(&c->roots, x.program);
		if (only && x.root != scan_map_id(&c->roots, only))
			continue;
		if (!only && x.root == x.program &&
		    !(has_text(c->f->suite, db_str(&rows, 1)) &&
		      has_text(c->f->program, db_str(&rows, 2))))
			x.root = 0; /* not asked for */
		ARRAY_GROW(v, n, cap);
		v[n++] = x;
	}
	if (r < 0)
		return r;
	if (n)
		qsort(v, n, sizeof(*v), by_root);
	*ret = TAKE(v);
	*ret_n = n;
	return 0;
}

static bool is_asked(const struct rooted *v, size_t n, int64_t root)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].program == root)
			return v[i].root == root;
	return false;
}

static int scan_all(struct scan *c, store_scan_runs_fn runs, store_scanned_fn series, void *ctx)
{
	_free_ struct rooted *v = NULL;
	int64_t only = 0;
	size_t n = 0;
	int r = read_aliases(c);

	if (r == 0 && c->f->series_id)
		r = program_of(c, scan_map_id(&c->into, c->f->series_id), &only);
	if (r == 0 && (only || !c->f->series_id))
		r = read_programs(c, only, &v, &n);
	if (r == 0)
		r = tracks_read(c->s, c->f->times, &c->tracks, c->err);
	if (r == 0 && !only && !c->f->program)
		r = dict_outcomes(&c->s->dict, c->err);
	if (r < 0)
		return r;
	choose_runs(c);
	r = runs(ctx, c->runs, c->n_runs);
	for (size_t i = 0, k; r == 0 && i < n; i = k) {
		tracks_clear(&c->tracks);
		for (k = i; r == 0 && k < n && v[k].root == v[i].root; k++)
			if (is_asked(v, n, v[i].root))
				r = tracks_add(c->s, v[k].program, &c->tracks, c->err);
		if (r == 0 && c->tracks.n)
			r = take_programs(c, v[i].root, series, ctx);
	}
	return r;
}

int store_scan(struct store *s, const struct store_scan_filter *f, store_scan_runs_fn runs,
	       store_scanned_fn series, void *ctx, struct err *err)
{
	_cleanup_(scan_done) struct scan c = { .s = s, .f = f, .err = err };
	int r = db_begin_read(s->db, err), e;

	if (r < 0)
		return r;
	r = scan_all(&c, runs, series, ctx);
	/* It wrote nothing: what matters is that it ends. */
	e = store_end(s, r < 0 ? r : 0, r < 0 ? NULL : err);
	return r ? r : e;
}

const struct store_exception *store_exception_at(const struct store_exception *v, size_t n,
						 uint32_t at)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && v[low].at == at ? &v[low] : NULL;
}

uint8_t store_scanned_at(const struct store_scanned *s, uint32_t at)
{
	const struct store_exception *x;
	size_t low = 0, high = s->n_present;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->present[mid].from + s->present[mid].n <= at)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->n_present || s->present[low].from > at)
		return STORE_CELL_ABSENT;
	x = store_exception_at(s->exceptions, s->n_exceptions, at);
	return x ? x->status : STATUS_PASS;
}
