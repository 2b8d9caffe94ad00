/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/failures.h"

#include <stdlib.h>

#include "web/history.h"

/* ---- which ---- */

static bool is_failure(uint8_t status)
{
	return STATUS_INFO[status].bad || status == STATUS_FLAKY;
}

static int by_run(const void *a, const void *b)
{
	const struct web_failure *x = a, *y = b;

	if (x->run != y->run)
		return x->run > y->run ? -1 : 1;
	return (x->s->lane->axis > y->s->lane->axis) - (x->s->lane->axis < y->s->lane->axis);
}

static size_t collect(const struct web_test *test, struct web_failure **ret)
{
	struct web_failure *v = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < test->n_parts; i++) {
		const struct judge_series *s = test->parts[i];
		unsigned taken = 0;

		for (size_t k = s->n_exceptions; k > 0 && taken < WEB_FAILURES_MAX; k--) {
			const struct store_exception *e = &s->exceptions[k - 1];

			if (!is_failure(e->status))
				continue;
			ARRAY_GROW(v, n, cap);
			v[n++] = (struct web_failure){ .s = s, .run = s->lane->axis->run[e->at],
						       .status = (enum status)e->status };
			taken++;
		}
	}
	if (n)
		qsort(v, n, sizeof(*v), by_run);
	*ret = v;
	return n;
}

/* ---- what was told ---- */

/* What it is called, or was: an alias may have made one of several. */
struct name {
	struct str suite, program, key;
	unsigned nth;
	bool whole;
	int64_t id;
};

#define NAMES_MAX 16

struct names {
	struct name v[NAMES_MAX];
	unsigned n;
	struct arena *arena;
};

struct reading {
	struct web_failure *v; /* of one run */
	size_t n;
	const struct name *s;
	struct arena *arena;
	struct str mode, machine; /* of the job; in @names */
	struct arena names;
	struct web_nth nth;
};

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p ? s.p : "", s.n), s.n);
}

/* One that nothing was told of yet, or something that fits less. */
static struct web_failure *failure_of(struct reading *r, enum status status)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct judge_axis *a = r->v[i].s->lane->axis;

		if (str_eq(a->mode, r->mode) && str_eq(a->machine, r->machine) &&
		    (!r->v[i].told || r->v[i].status == status))
			return &r->v[i];
	}
	return NULL;
}

static void on_result(struct reading *r, const struct event *ev)
{
	const struct event_result *e = ev->result;
	struct web_failure *f;

	if (r->s->whole || web_nth(&r->nth, e->key) != r->s->nth || !is_failure(e->status) ||
	    !str_eq(e->key, r->s->key))
		return;
	f = failure_of(r, e->status);
	if (!f)
		return;
	f->told = true;
	f->job = ev->job;
	f->program = ev->program;
	f->from = e->line_from ? e->line_from : e->line_to;
	f->to = e->line ? e->line_to : 0;
	f->reason = keep(r->arena, e->reason);
}

static void on_program(struct reading *r, const struct event *ev)
{
	struct web_failure *f;

	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].told && r->v[i].program == ev->program)
			r->v[i].log = ev->prog->log_path.n > 0;
	if (!r->s->whole || !is_failure(ev->prog->status))
		return;
	f = failure_of(r, ev->prog->status);
	if (!f)
		return;
	f->told = true;
	f->job = ev->job;
	f->program = ev->program;
	f->log = ev->prog->log_path.n > 0;
	f->from = ev->prog->log_lines ? 1 : 0;
	f->to = ev->prog->log_lines;
	f->reason = keep(r->arena, ev->prog->reason);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct reading *r = ctx;

	switch (ev->type) {
	case EVENT_JOB_BEGIN:
		r->mode = keep(&r->names, ev->job_info->mode);
		r->machine = keep(&r->names, ev->job_info->machine);
		break;
	case EVENT_PROGRAM_BEGIN:
		free(r->nth.v);
		r->nth = (struct web_nth){};
		break;
	case EVENT_RESULT: on_result(r, ev); break;
	case EVENT_PROGRAM_END: on_program(r, ev); break;
	default: break;
	}
}

static int on_earlier(void *ctx, const struct store_test *t)
{
	struct names *x = ctx;
	bool is = false;

	for (unsigned i = 0; i < x->n; i++) {
		is |= t->into_id == x->v[i].id;
		if (t->id == x->v[i].id)
			return 0;
	}
	if (is && x->n < NAMES_MAX)
		x->v[x->n++] = (struct name){ keep(x->arena, t->suite), keep(x->arena, t->program),
					      keep(x->arena, t->key), t->nth, t->whole, t->id };
	return 0;
}

/* Those that it had before its alias, and those before these. */
static int find_earlier(struct store *store, struct names *x, struct err *err)
{
	const struct store_tests_filter all = {};
	unsigned before;
	int r;

	do {
		before = x->n;
		r = store_tests(store, &all, on_earlier, x, err);
	} while (r >= 0 && x->n > before);
	return r;
}

static bool all_told(const struct web_failure *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].told)
			return false;
	return true;
}

static int read_run(const struct web_site *site, const struct names *names,
		    struct web_failure *v, size_t n, struct arena *arena, struct err *err)
{
	int64_t run = site->history->runs[v->run].id;
	int r = 0;

	for (unsigned i = 0; i < names->n && r >= 0 && !all_told(v, n); i++) {
		const struct name *s = &names->v[i];
		struct reading x = { .v = v, .n = n, .s = s, .arena = arena };

		r = store_replay_program(site->store, run, s->suite, s->program,
					 (struct event_sink){ on_event, &x }, err);
		free(x.nth.v);
		arena_done(&x.names);
	}
	return r;
}

static int read_runs(const struct web_site *site, const struct names *names,
		     struct web_failure *v, size_t n, struct arena *arena, struct err *err)
{
	int r = 0;

	for (size_t i = 0, k; i < n && r >= 0; i = k) {
		for (k = i + 1; k < n && v[k].run == v[i].run;)
			k++;
		r = read_run(site, names, v + i, k - i, arena, err);
	}
	return r;
}

int web_failures(const struct web_site *site, const struct web_test *test, struct arena *arena,
		 struct web_failure *ret, struct err *err)
{
	_free_ struct web_failure *all = NULL;
	const struct judge_series *s = test->parts[0];
	struct names names = { .n = 1, .arena = arena };
	size_t n = collect(test, &all);
	int r;

	n = n < WEB_FAILURES_MAX ? n : WEB_FAILURES_MAX;
	if (n)
		memcpy(ret, all, n * sizeof(*ret));
	names.v[0] = (struct name){ s->lane->suite, s->lane->program, s->key, s->nth, s->whole,
				    s->id };
	r = read_runs(site, &names, ret, n, arena, err);
	/* Only where something is missing it is worth to look for other names. */
	if (r >= 0 && !all_told(ret, n)) {
		r = find_earlier(site->store, &names, err);
		if (r >= 0 && names.n > 1)
			r = read_runs(site, &names, ret, n, arena, err);
	}
	return r < 0 ? r : (int)n;
}
