/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/verdict.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/judged.h"
#include "judge/base.h"

#define FAILURES_MAX 1000 /* looked up */
#define SHOWN_MAX    3    /* rates in the words */
#define JOBS_MAX     4096 /* as tap/tally.c */

struct job {
	char *mode, *machine;
};

struct program {
	unsigned id, job, attempt;
	char *suite, *name;
	size_t failed; /* of its results */
	bool known;    /* some result of it is excused */
	bool open;
};

struct failure {
	size_t program; /* index */
	char *key;      /* NULL: the program itself */
};

struct verdict {
	char *branch;
	struct job *jobs;
	size_t n_jobs, cap_jobs;
	struct program *programs;
	size_t n_programs, cap_programs;
	struct failure *v;
	size_t n, cap;
};

struct verdict *verdict_new(void)
{
	return xcalloc(1, sizeof(struct verdict));
}

struct verdict *verdict_free(struct verdict *v)
{
	if (!v)
		return NULL;
	for (size_t i = 0; i < v->n_jobs; i++) {
		free(v->jobs[i].mode);
		free(v->jobs[i].machine);
	}
	for (size_t i = 0; i < v->n_programs; i++) {
		free(v->programs[i].suite);
		free(v->programs[i].name);
	}
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i].key);
	free(v->branch);
	free(v->jobs);
	free(v->programs);
	free(v->v);
	free(v);
	return NULL;
}

/* ---- collecting ---- */

static char *copy(struct str s)
{
	return xstrndup(s.p ? s.p : "", s.n);
}

static void job_begin(struct verdict *v, const struct event *ev)
{
	if (ev->job >= JOBS_MAX)
		return;
	while (v->n_jobs <= ev->job) {
		ARRAY_GROW(v->jobs, v->n_jobs, v->cap_jobs);
		v->jobs[v->n_jobs++] = (struct job){};
	}
	free(v->jobs[ev->job].mode);
	free(v->jobs[ev->job].machine);
	v->jobs[ev->job] = (struct job){ copy(ev->job_info->mode), copy(ev->job_info->machine) };
}

static const char *mode_of(const struct verdict *v, const struct program *p)
{
	return p->job < v->n_jobs && v->jobs[p->job].mode ? v->jobs[p->job].mode : "";
}

static const char *machine_of(const struct verdict *v, const struct program *p)
{
	return p->job < v->n_jobs && v->jobs[p->job].machine ? v->jobs[p->job].machine : "";
}

/* A retry: what the attempt before it said is not the run's word. */
static void take_back(struct verdict *v, const struct program *again)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct program *p = &v->programs[v->v[i].program];

		if (strcmp(p->suite, again->suite) == 0 && strcmp(p->name, again->name) == 0 &&
		    strcmp(mode_of(v, p), mode_of(v, again)) == 0)
			free(v->v[i].key);
		else
			v->v[kept++] = v->v[i];
	}
	v->n = kept;
}

static void program_begin(struct verdict *v, const struct event *ev)
{
	struct program p = {
		.id = ev->program, .job = ev->job, .attempt = ev->prog->attempt, .open = true,
		.suite = copy(ev->prog->suite), .name = copy(ev->prog->name),
	};

	if (p.attempt > 1)
		take_back(v, &p);
	ARRAY_GROW(v->programs, v->n_programs, v->cap_programs);
	v->programs[v->n_programs++] = p;
}

static struct program *find(struct verdict *v, unsigned id)
{
	for (size_t i = v->n_programs; i-- > 0;)
		if (v->programs[i].open && v->programs[i].id == id)
			return &v->programs[i];
	return NULL;
}

static void add(struct verdict *v, const struct program *p, char *key)
{
	if (v->n == FAILURES_MAX) {
		free(key);
		return;
	}
	ARRAY_GROW(v->v, v->n, v->cap);
	v->v[v->n++] = (struct failure){ (size_t)(p - v->programs), key };
}

/* That the harness failed is not the test's. */
static bool is_failure(enum status s)
{
	return STATUS_INFO[s].bad && stat_says((uint8_t)s) == STAT_FAILED;
}

static void on_event(void *ctx, const struct event *ev)
{
	struct verdict *v = ctx;
	struct program *p;

	if (ev->type == EVENT_RUN_BEGIN) {
		free(v->branch);
		v->branch = copy(ev->run->branch);
	} else if (ev->type == EVENT_JOB_BEGIN) {
		job_begin(v, ev);
	} else if (ev->type == EVENT_PROGRAM_BEGIN) {
		program_begin(v, ev);
	} else if (ev->type == EVENT_RESULT && ev->result->leaf && is_failure(ev->result->status)) {
		p = find(v, ev->program);
		if (!p)
			return;
		p->known |= ev->result->known != NULL;
		if (ev->result->known)
			return;
		p->failed++;
		add(v, p, copy(ev->result->key));
	} else if (ev->type == EVENT_PROGRAM_END) {
		p = find(v, ev->program);
		if (!p)
			return;
		p->open = false;
		if (!p->failed && !p->known && !ev->prog->known && is_failure(ev->prog->status))
			add(v, p, NULL);
	}
}

struct event_sink verdict_sink(struct verdict *v)
{
	return (struct event_sink){ on_event, v };
}

size_t verdict_failed(const struct verdict *v)
{
	return v->n;
}

/* ---- looking up ---- */

static const struct judge_lane *lane_of(const struct judge_axis *a, const struct program *p)
{
	for (size_t i = 0; i < a->n_lanes; i++)
		if (str_eq(a->lanes[i].suite, str_of(p->suite)) &&
		    str_eq(a->lanes[i].program, str_of(p->name)))
			return &a->lanes[i];
	return NULL;
}

static const struct judge_series *series_of(const struct judge_lane *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct judge_series *s = &l->series[i];

		if (key ? !s->whole && s->nth == 1 && str_eq(s->key, str_of(key)) : s->whole)
			return s;
	}
	return NULL;
}

/* It ran before @upto, and never failed on its own. */
static struct stat_rate never_failed(const struct judge_series *s, uint32_t upto)
{
	return stat_rate(0, stat_spans_count(s->said.in, 0, upto) -
				    stat_runs_count(s->said.mute, 0, upto));
}

struct judged_failures {
	const struct verdict *v;
	const struct judge_run *runs;
	int64_t run_id;
	struct stat_rate *rates; /* of each failure; n 0: no history */
};

static void look_on_axis(struct judged_failures *f, const struct judge_axis *a)
{
	_cleanup_(judge_base_done) struct judge_base base = {};
	uint32_t upto = 0;
	bool made = false;

	while (upto < a->n && judge_run_at(f->runs, a, upto)->id != f->run_id)
		upto++;
	for (size_t i = 0; i < f->v->n; i++) {
		const struct program *p = &f->v->programs[f->v->v[i].program];
		const struct judge_series *s;
		const struct judge_lane *l;
		const struct stat_rate *r;

		if (!str_eq(a->mode, str_of(mode_of(f->v, p))) ||
		    !str_eq(a->machine, str_of(machine_of(f->v, p))))
			continue;
		l = lane_of(a, p);
		s = l ? series_of(l, f->v->v[i].key) : NULL;
		if (!s)
			continue;
		if (!made)
			judge_base_init(&base, a, upto);
		made = true;
		r = judge_base_of(&base, s);
		f->rates[i] = r ? *r : never_failed(s, upto);
	}
}

/* ---- words ---- */

enum kind { FLAKY, BROKEN, NEW, UNKNOWN, KINDS };

static const char *const WORDS[KINDS] = {
	[FLAKY] = "known flaky", [BROKEN] = "failing before", [NEW] = "new",
	[UNKNOWN] = "without history",
};

static enum kind kind_of(const struct stat_rate *r)
{
	if (!r->n)
		return UNKNOWN;
	if (!r->k)
		return NEW;
	/* Without a pass in between it never flaked, however few the runs. */
	return r->low > 0.5 || r->k == r->n ? BROKEN : FLAKY;
}

static void tell_rate(struct out *o, enum kind kind, const struct stat_rate *r)
{
	/* That it never failed is as much as the runs are: a rate of 0 is not said. */
	if (kind == NEW) {
		out_printf(o, "0/%" PRIu64, r->n);
		return;
	}
	judge_percent(o, r->rate);
	out_lit(o, " % [");
	judge_percent(o, r->low);
	out_char(o, '-');
	judge_percent(o, r->high);
	out_printf(o, "], %" PRIu64 "/%" PRIu64, r->k, r->n);
}

static void tell_kind(struct out *o, enum kind kind, const struct stat_rate *v, size_t n,
		      bool *some)
{
	size_t of = 0, shown = 0;

	for (size_t i = 0; i < n; i++)
		of += kind_of(&v[i]) == kind;
	if (!of)
		return;
	out_printf(o, "%s%zu %s", *some ? ", " : "", of, WORDS[kind]);
	*some = true;
	for (size_t i = 0; i < n && kind != UNKNOWN && shown < SHOWN_MAX; i++) {
		if (kind_of(&v[i]) != kind)
			continue;
		out_str(o, shown++ ? STR("; ") : STR(" ("));
		tell_rate(o, kind, &v[i]);
	}
	if (of > SHOWN_MAX && shown)
		out_lit(o, "; ...");
	if (shown)
		out_char(o, ')');
}

int verdict_tell(const struct verdict *v, struct store *s, int64_t run_id, struct buf *b,
		 struct err *err)
{
	_free_ struct stat_rate *rates = xcalloc(v->n + 1, sizeof(*rates));
	struct judge_filter f = {};
	const struct judge_axis *axes;
	struct judged_failures x = { .v = v, .run_id = run_id, .rates = rates };
	struct judge *j = NULL;
	uint32_t n_runs;
	bool some = false;
	struct out o;
	size_t n;
	int r;

	if (!v->n)
		return 0;
	if (v->branch && v->branch[0])
		f.scan.branch = v->branch;
	r = judge_load(s, &f, &j, err);
	if (r < 0)
		return r;
	x.runs = judge_runs(j, &n_runs);
	axes = judge_axes(j, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq(axes[i].branch, str_of(v->branch ? v->branch : "")))
			look_on_axis(&x, &axes[i]);
	out_to_buf(&o, b);
	for (unsigned k = 0; k < KINDS; k++)
		tell_kind(&o, k, rates, v->n, &some);
	out_flush(&o);
	judge_free(j);
	return 0;
}
