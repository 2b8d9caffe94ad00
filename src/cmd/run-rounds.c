/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-rounds.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "judge/words.h"
#include "stat/sequential.h"

#define JOBS_MAX 4096 /* of a run; as in tap/tally.c */

struct tried {
	char *name;           /* "mptcp/diag.sh (debug, uml)" */
	uint64_t k, n;
	enum stat_say now;    /* of this run */
};

struct rounds {
	struct tried *v;
	size_t n, cap;
	char **jobs;          /* "debug, uml", by number */
	size_t n_jobs, cap_jobs;
	uint64_t runs, failed;
};

struct rounds *rounds_new(void)
{
	return xcalloc(1, sizeof(struct rounds));
}

static void jobs_clear(struct rounds *r)
{
	while (r->n_jobs)
		free(r->jobs[--r->n_jobs]);
}

struct rounds *rounds_free(struct rounds *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].name);
	jobs_clear(r);
	free(r->jobs);
	free(r->v);
	free(r);
	return NULL;
}

static void job_begin(struct rounds *r, const struct event *ev)
{
	const struct event_job *j = ev->job_info;

	while (r->n_jobs <= ev->job && r->n_jobs < JOBS_MAX) {
		ARRAY_GROW(r->jobs, r->n_jobs, r->cap_jobs);
		r->jobs[r->n_jobs++] = NULL;
	}
	if (ev->job < r->n_jobs && !r->jobs[ev->job])
		r->jobs[ev->job] = xasprintf("%.*s, %.*s", STR_FMT(j->mode), STR_FMT(j->machine));
}

static void program_end(struct rounds *r, const struct event *ev)
{
	const struct event_program *e = ev->prog;
	const char *job = ev->job < r->n_jobs ? r->jobs[ev->job] : NULL;
	_free_ char *name = xasprintf("%.*s/%.*s (%s)", STR_FMT(e->suite), STR_FMT(e->name),
				      job ? job : "");
	enum stat_say say = stat_says((uint8_t)e->status);
	struct tried *t = NULL;

	for (size_t i = 0; i < r->n && !t; i++)
		if (strcmp(r->v[i].name, name) == 0)
			t = &r->v[i];
	if (!t) {
		ARRAY_GROW(r->v, r->n, r->cap);
		t = &r->v[r->n++];
		*t = (struct tried){ .name = TAKE(name) };
	}
	t->now = say > t->now ? say : t->now;
}

static void run_end(struct rounds *r, const struct event_run *run)
{
	bool failed = false;

	for (size_t i = 0; i < r->n; i++) {
		struct tried *t = &r->v[i];

		t->n += t->now != STAT_NOTHING;
		t->k += t->now == STAT_FAILED;
		failed |= t->now == STAT_FAILED;
		t->now = STAT_NOTHING;
	}
	/* What was cut short is no run of its tests all. */
	r->runs += !run->stopped || failed;
	r->failed += failed;
	jobs_clear(r);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct rounds *r = ctx;

	if (ev->type == EVENT_JOB_BEGIN)
		job_begin(r, ev);
	else if (ev->type == EVENT_PROGRAM_END)
		program_end(r, ev);
	else if (ev->type == EVENT_RUN_END)
		run_end(r, ev->run);
}

struct event_sink rounds_sink(struct rounds *r)
{
	return (struct event_sink){ on_event, r };
}

#define ROUND ", round "

char *rounds_title(const char *of, int n)
{
	return xasprintf("%s" ROUND "%d", of, n);
}

int rounds_title_read(const char *title)
{
	const char *last = NULL;
	uint64_t n;

	for (const char *p = title; (p = strstr(p, ROUND)); p++)
		last = p + strlen(ROUND);
	return last && str_to_u64(str_of(last), &n) && n < INT32_MAX ? (int)n : 0;
}

struct stat_rate rounds_rate(const struct rounds *r)
{
	return stat_rate(r->failed, r->runs);
}

/* Each has its part of the error (Bonferroni). */
static int sure(const struct rounds *r, const struct tried *t, double rate, double error)
{
	return stat_sure(t->k, t->n, rate, error / (double)r->n);
}

bool rounds_sure(const struct rounds *r, double rate, double error)
{
	for (size_t i = 0; i < r->n; i++)
		if (!sure(r, &r->v[i], rate, error))
			return false;
	return r->n > 0;
}

static int worst_first(const void *a, const void *b)
{
	const struct tried *x = a, *y = b;
	struct stat_rate p = stat_rate(x->k, x->n), q = stat_rate(y->k, y->n);
	int c = stat_rate_order(&p, &q);

	return c ? c : strcmp(x->name, y->name);
}

static void print_sure(struct out *out, int is, double rate)
{
	static const char *const words[] = { "surely less than ", "not surely above or below ",
					     "surely more than " };

	out_lit(out, ", ");
	out_str(out, str_of(words[is + 1]));
	judge_percent(out, rate);
	out_lit(out, " %");
}

void rounds_print(struct rounds *r, double rate, double error, struct out *out)
{
	uint64_t never = 0, n = 0;
	int open = -1;

	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), worst_first);
	out_printf(out, "\nOver %" PRIu64 " runs:\n", r->runs);
	for (size_t i = 0; i < r->n; i++) {
		const struct tried *t = &r->v[i];
		struct stat_rate s = stat_rate(t->k, t->n);
		int is = rate > 0 ? sure(r, t, rate, error) : 0;

		if (!t->k) {
			n = !never++ || t->n < n ? t->n : n;
			open = is > open ? is : open;
			continue;
		}
		out_lit(out, "  ");
		out_term(out, str_of(t->name));
		out_printf(out, "\n    failed %" PRIu64 ": ", t->k);
		judge_rate(out, &s);
		if (rate > 0)
			print_sure(out, is, rate);
		out_lit(out, "\n");
	}
	if (!never)
		return;
	out_printf(out, "  %s%" PRIu64 " test%s never failed", r->n > never ? "the other " : "",
		   never, never == 1 ? "" : "s");
	if (n) {
		struct stat_rate s = stat_rate(0, n);

		out_lit(out, ": ");
		judge_rate(out, &s);
	}
	if (rate > 0)
		print_sure(out, open, rate);
	out_lit(out, "\n");
}
