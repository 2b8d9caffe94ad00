/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "web/history.h"
#include "web/pages.h"

static struct str keep(struct web_site *s, struct str v)
{
	return str_n(arena_strndup(&s->arena, v.p ? v.p : "", v.n), v.n);
}

/* Of several machines the newest run. Strings are the history's. */
static void add_choice(struct web_site *s, const struct judge_axis *a)
{
	struct web_choice x = { a->branch, a->mode, a->n ? a->run[a->n - 1] : 0, 0 };

	for (unsigned i = 0; i < s->n_choices; i++) {
		struct web_choice *c = &s->choices[i];

		if (!str_eq(c->branch, x.branch) || !str_eq(c->mode, x.mode))
			continue;
		c->last = x.last > c->last ? x.last : c->last;
		return;
	}
	if (s->n_choices < WEB_CHOICES_MAX)
		s->choices[s->n_choices++] = x;
}

static int on_run(void *ctx, const struct store_run *run)
{
	struct web_site *s = ctx;

	ARRAY_GROW(s->runs, s->n_runs, s->cap_runs);
	s->runs[s->n_runs++] = (struct web_run){
		.id = run->id,
		.begin_ms = run->begin_ms,
		.commit = keep(s, run->commit),
		.conclusion = keep(s, run->conclusion),
		.state = run->state,
		.exit_code = run->exit_code,
		.tests = run->tests,
		.ended = run->ended,
		.running = keep(s, run->running),
	};
	if (s->n_runs == 1)
		s->date_ms = run->end_ms ? run->end_ms : run->begin_ms;
	return 0;
}

static int on_splat(void *ctx, const struct store_fingerprint *f)
{
	struct web_site *s = ctx;

	ARRAY_GROW(s->splats, s->n_splats, s->cap_splats);
	s->splats[s->n_splats++] = (struct web_splat){
		.fingerprint = keep(s, f->fingerprint),
		.kind = keep(s, f->kind),
		.title = keep(s, f->title),
		.first_ms = f->first_ms,
		.first_run = f->first_run,
		.last_ms = f->last_ms,
		.last_run = f->last_run,
		.n = f->n,
	};
	return 0;
}

static int order(struct str a, struct str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

/* A menu that does not change its order with every run. */
static int by_choice(const void *a, const void *b)
{
	const struct web_choice *x = a, *y = b;
	int c = order(x->branch, y->branch);

	return c ? c : order(x->mode, y->mode);
}

static void branches_last(struct web_site *s)
{
	for (unsigned i = 0; i < s->n_choices; i++)
		for (unsigned k = 0; k < s->n_choices; k++)
			if (str_eq(s->choices[i].branch, s->choices[k].branch) &&
			    s->choices[k].last > s->choices[i].branch_last)
				s->choices[i].branch_last = s->choices[k].last;
}

static int by_id(const void *a, const void *b)
{
	int64_t x = (*(const struct web_run *const *)a)->id;
	int64_t y = (*(const struct web_run *const *)b)->id;

	return x < y ? -1 : x > y;
}

/* Newest first is by time; an imported past has other ids than its order. */
static void index_by_id(struct web_site *s)
{
	s->by_id = xmalloc(s->n_runs * sizeof(struct web_run *));
	for (unsigned i = 0; i < s->n_runs; i++)
		s->by_id[i] = &s->runs[i];
	qsort(s->by_id, s->n_runs, sizeof(struct web_run *), by_id);
}

static int on_latest(void *ctx, const struct store_run *run)
{
	struct web_choice *c = ctx;

	c->state = run->state;
	c->exit_code = run->exit_code;
	return 0;
}

/* How the newest run of each branch and mode went. One that was removed since then is lost. */
static int latest(struct web_site *s, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < s->n_choices && r >= 0; i++) {
		struct web_choice *c = &s->choices[i];

		c->state = STORE_RUN_LOST;
		if (c->last < s->history->n_runs)
			r = store_run_get(s->store, s->history->runs[c->last].id, on_latest, c,
					  err);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

int web_site_new(struct store *store, const char *version, unsigned window,
		 struct web_site **ret, struct err *err)
{
	struct web_history *h;
	int r = web_history_new(store, &h, err);

	if (r < 0)
		return r;
	r = web_site_with(store, version, window, h, ret, err);
	web_history_free(h);
	return r;
}

int web_site_with(struct store *store, const char *version, unsigned window,
		  struct web_history *history, struct web_site **ret, struct err *err)
{
	struct web_site *s = xcalloc(1, sizeof(*s));
	struct store_runs_filter f = {};
	int r;

	s->store = store;
	s->version = version;
	s->window = window ? window : WEB_RUNS_DEFAULT;
	if (s->window > WEB_RUNS_MAX)
		s->window = WEB_RUNS_MAX;
	f.limit = s->window;
	s->history = web_history_ref(history);
	r = store_runs(store, &f, on_run, s, err);
	if (r >= 0)
		r = store_fingerprints(store, WEB_SPLATS_MAX, on_splat, s, err);
	for (size_t i = 0; i < s->history->n_axes; i++)
		add_choice(s, &s->history->axes[i]);
	if (r >= 0)
		r = latest(s, err);
	if (r < 0) {
		web_site_free(s);
		return r;
	}
	index_by_id(s);
	qsort(s->choices, s->n_choices, sizeof(*s->choices), by_choice);
	branches_last(s);
	*ret = s;
	return 0;
}

struct web_site *web_site_free(struct web_site *s)
{
	if (!s)
		return NULL;
	web_history_free(s->history);
	arena_done(&s->arena);
	free(s->runs);
	free(s->by_id);
	free(s->splats);
	free(s);
	return NULL;
}

const struct web_run *web_site_run(const struct web_site *s, int64_t id)
{
	unsigned low = 0, high = s->n_runs;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (s->by_id[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n_runs && s->by_id[low]->id == id ? s->by_id[low] : NULL;
}

bool web_site_has_run(const struct web_site *s, int64_t id)
{
	return s->live || web_site_run(s, id);
}

const struct web_splat *web_site_splat(const struct web_site *s, struct str fingerprint)
{
	for (unsigned i = 0; i < s->n_splats; i++)
		if (str_eq(s->splats[i].fingerprint, fingerprint))
			return &s->splats[i];
	return NULL;
}
