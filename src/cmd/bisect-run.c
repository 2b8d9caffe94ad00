/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/bisect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "stat/rate.h"

/* What the programs of one run said together. */
struct heard {
	const struct run_plan *plan; /* only its programs; NULL: all */
	unsigned programs;
	bool failed, held;
	char why[384];               /* why nothing was said */
};

static bool is_chosen(const struct run_plan *p, const struct event_program *e)
{
	for (unsigned i = 0; p && i < p->n_parts; i++)
		for (size_t k = 0; k < p->parts[i].tests.n; k++) {
			const struct plan_test *t = &p->parts[i].tests.v[k];

			if (str_eq(e->suite, str_of(t->suite)) && str_eq(e->name, str_of(t->name)))
				return true;
		}
	return !p;
}

static void on_event(void *ctx, const struct event *ev)
{
	struct heard *h = ctx;
	enum stat_say say;

	if (ev->type == EVENT_JOB_END && !h->why[0] && ev->job_info->reason.n)
		snprintf(h->why, sizeof(h->why), "%.*s: %.*s", STR_FMT(ev->job_info->end),
			 STR_FMT(ev->job_info->reason));
	if (ev->type != EVENT_PROGRAM_END || !is_chosen(h->plan, ev->prog))
		return;
	say = stat_says((uint8_t)ev->prog->status);
	h->programs++;
	h->failed |= say == STAT_FAILED;
	h->held |= say == STAT_HELD;
	if (say == STAT_NOTHING && !h->why[0])
		snprintf(h->why, sizeof(h->why), "%.*s: %.*s", STR_FMT(ev->prog->name),
			 STR_FMT(ev->prog->reason.n ? ev->prog->reason
						    : str_of(STATUS_INFO[ev->prog->status].name)));
}

/* What is the host's fault is no commit's. */
static bool is_ours(int error, const struct err *err)
{
	static const int errors[] = { -EINTR, -ENOSPC, -EROFS, -EDQUOT, -ENOMEM, -EMFILE };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (error == errors[i])
			return true;
	return strstr(err->text, "No space left on device") != NULL;
}

/* "taproom run ... --kernel git:ID", which makes the run again. */
static char *again(const struct bisect *x, const char *commit)
{
	return xasprintf("%s --kernel git:%s", x->s.command, commit);
}

void bisect_unprepare(struct bisect *x)
{
	run_session_close_plan(&x->s);
	free(x->prepared);
	x->prepared = NULL;
}

static int prepare(struct bisect *x, const char *commit, struct err *err)
{
	_free_ char *spec = xasprintf("git:%s", commit);
	struct plan_source source = { .kernel = spec, .branch = (char *)"bisect" };
	int64_t start = clock_mono_ms();
	int r;

	if (x->prepared && strcmp(x->prepared, commit) == 0)
		return 0;
	bisect_unprepare(x);
	r = run_session_prepare(&x->s, &source, err);
	if (r == 0)
		r = run_session_open(&x->s, err);
	if (r < 0) {
		bisect_unprepare(x);
		return r;
	}
	x->prepared = xstrdup(commit);
	x->builds++;
	x->build_ms += clock_mono_ms() - start;
	return 0;
}

static int skip(struct bisect_run *ret, const char *why)
{
	ret->what = BISECT_SKIP;
	snprintf(ret->why, sizeof(ret->why), "%s", why);
	return 0;
}

int bisect_run(struct bisect *x, const char *commit, struct bisect_run *ret, struct err *err)
{
	struct run_session_signals signals;
	struct heard heard = {};
	char *command = x->s.command;
	int64_t start;
	int r;

	*ret = (struct bisect_run){};
	r = prepare(x, commit, err);
	if (r < 0)
		return is_ours(r, err) ? r : skip(ret, err->text);
	start = clock_mono_ms();
	x->s.also = (struct event_sink){ on_event, &heard };
	x->s.command = again(x, commit);
	signals = run_session_watch(&x->s);
	r = run_session_once(&x->s, err);
	run_session_unwatch(&signals);
	free(x->s.command);
	x->s.command = command;
	x->s.also = (struct event_sink){};
	ret->id = x->s.id;
	if (r == RUN_EXIT_STOPPED || x->s.interrupts)
		return err_set(err, EINTR, "stopped; the same call goes on, or 'taproom bisect "
			       "--resume'");
	/* A run that is not in the history has not been. */
	if (r < 0)
		return is_ours(r, err) || r == -EIO ? r : skip(ret, err->text);
	x->runs++;
	x->run_ms += clock_mono_ms() - start;
	if (heard.failed || (r == RUN_EXIT_CRITICAL && heard.held))
		ret->what = BISECT_FAIL;
	else if (heard.held)
		ret->what = BISECT_PASS;
	else
		skip(ret, heard.why[0] ? heard.why : "no test said anything");
	return 0;
}

/* ---- what was run before ---- */

#define RUNS_MAX 1000 /* newest ones that are looked at */

struct past {
	struct bisect *x;
	const char *version;
	char *modes, *machines;
	struct err *err;
};

/* All that is chosen has to have run: a part of it fails less often. */
static int on_run(void *ctx, const struct store_run *run)
{
	struct past *p = ctx;
	struct heard heard = { .plan = &p->x->s.plan };
	int r;

	if (run->state != STORE_RUN_DONE || !str_eq(run->commit, str_of(p->version)) ||
	    !str_eq(run->modes, str_of(p->modes)) || !str_eq(run->machines, str_of(p->machines)))
		return 0;
	r = store_replay(p->x->s.store, run->id, (struct event_sink){ on_event, &heard }, p->err);
	if (r < 0)
		return r;
	if (heard.programs < run_plan_tests(&p->x->s.plan) || !(heard.failed || heard.held))
		return 0;
	p->x->n++;
	p->x->k += heard.failed;
	return 0;
}

/* One job, whole tests: the statuses of programs are then what this call asks for. */
static bool comparable(const struct run_plan *p)
{
	for (size_t i = 0; p->n_parts == 1 && i < p->parts[0].tests.n; i++)
		if (p->parts[0].tests.v[i].subtests)
			return false;
	return p->n_parts == 1;
}

int bisect_history(struct bisect *x, const char *commit, struct err *err)
{
	struct store_runs_filter filter = { .limit = RUNS_MAX };
	const struct kernel *kernel;
	struct past past = { .x = x, .err = err };
	int r = prepare(x, commit, err);

	/* Its run will tell why. */
	if (r < 0)
		return is_ours(r, err) ? r : 0;
	kernel = run_plan_kernel(&x->s.plan);
	if (!kernel || !kernel->version || !comparable(&x->s.plan))
		return 0;
	past.version = kernel->version;
	past.modes = (char *)x->s.plan.parts[0].mode.name;
	past.machines = (char *)x->s.plan.parts[0].machine;
	r = store_runs(x->s.store, &filter, on_run, &past, err);
	if (r >= 0 && !x->k)
		x->n = 0;
	return r < 0 ? r : 0;
}
