/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "run/deaths.h"
#include "run/lot.h"
#include "run/slot.h"

static void emit_run(struct run *r, enum event_type type, struct str conclusion)
{
	struct event_run info = {
		.id = str_of(r->config.id),
		.title = str_of(r->config.title),
		.branch = str_of(r->config.branch),
		.commit = str_of(r->config.commit),
		.command = str_of(r->config.command),
		.tests = r->n_tests,
		.time_ms = clock_wall_ms(),
		.conclusion = conclusion,
		.exit_code = r->exit_code,
		.stopped = r->stopped,
	};
	struct event ev = { .type = type, .run = &info };

	event_emit(&r->sink, &ev);
}

/* Machines in a row that die before they ran anything: then its lot gives up. */
#define EMPTY_BOOTS_MAX 2

static void schedule(struct run *r);

/* Is there a reason to start no more tests? */
static bool is_closed(const struct run *r)
{
	return r->stopped || r->overtime || (r->failed && r->config.stop_at_fail);
}

/* Of a setting of which no machine ever lived: its tests have to belong somewhere. */
static void job_never_was(struct run *r, struct lot *l)
{
	const struct run_setting *s = l->setting;
	struct event_job info = {
		.mode = str_of(s->mode),
		.machine = str_of(s->machine),
		.kernel = str_of(s->config.release),
		.time_ms = clock_wall_ms(),
		.why = str_of(s->identity),
	};
	struct event ev = { .type = EVENT_JOB_BEGIN, .job = ++r->n_jobs, .job_info = &info };

	event_emit(&r->sink, &ev);
	ev.type = EVENT_JOB_END;
	/* Where none was wanted, none failed. */
	info.end = str_of(MACHINE_ENDS[l->why_dead ? MACHINE_BOOT_FAILED : MACHINE_STOPPED].word);
	info.reason = str_of(l->why_dead);
	/* It may name that end itself, for the tests that did not run. */
	if (str_starts(info.reason, info.end) && info.reason.p[info.end.n] == ':')
		info.reason = str_trim(str_from(info.reason, info.end.n + 1));
	event_emit(&r->sink, &ev);
	l->job = ev.job;
}

void run_never_ran(struct run *r, struct lot *l, const struct plan_test *t, unsigned attempt,
		   enum status status, const char *why)
{
	struct event_program info = {
		.suite = str_of(t->suite),
		.name = str_of(t->name),
		.attempt = attempt,
		.time_ms = clock_wall_ms(),
		.status = status,
		.exit_code = -1,
		.reason = str_of(why),
	};
	struct event ev = { .type = EVENT_PROGRAM_BEGIN, .prog = &info };

	if (!l->job)
		job_never_was(r, l);
	ev.job = l->job;
	ev.program = ++r->n_programs;
	event_emit(&r->sink, &ev);
	ev.type = EVENT_PROGRAM_END;
	event_emit(&r->sink, &ev);
}

/* ---- tests ---- */

/* True when it was said instead of being started. */
static bool refused(struct run *r, struct lot *l, const struct plan_test *t, unsigned attempt)
{
	const char *last;
	unsigned n = run_deaths_of(r->deaths, l->setting, t, &last);
	char why[512];

	if (n < RUN_DEATHS_MAX)
		return false;
	snprintf(why, sizeof(why), "not started again: it took its machine along %u times, last "
		 "by %s", n, last);
	run_never_ran(r, l, t, attempt, STATUS_CRASH, why);
	r->failed = true;
	return true;
}

const struct plan_test *run_next_test(struct run *r, struct slot *s, unsigned *ret_attempt)
{
	const struct plan_test *t;

	/* Its .pre has failed. */
	if (s->lot->why_dead)
		return NULL;
	while (!is_closed(r) && !s->lot->overtime && (t = lot_next(s->lot, s->used, ret_attempt)))
		if (!refused(r, s->lot, t, *ret_attempt))
			return t;
	return NULL;
}

const struct plan_test *run_boot_test(struct run *r, struct lot *l, unsigned *ret_attempt)
{
	const struct plan_test *t = lot_peek(l);
	const char *last;

	if (!t || !t->at_boot ||
	    run_deaths_of(r->deaths, l->setting, t, &last) >= RUN_DEATHS_MAX)
		return NULL;
	return lot_next(l, false, ret_attempt);
}

int64_t run_test_limit(struct run *r, const struct slot *s, bool *ret_share)
{
	const struct run_config *c = &r->config;
	int64_t own = s->lot->setting->config.gdb ? 0 : s->test->timeout_ms, left, share;
	int64_t limit = c->test_timeout_ms ? c->test_timeout_ms : own;

	*ret_share = false;
	if (!c->job_timeout_ms)
		return limit;
	left = c->job_timeout_ms - (clock_mono_ms() - s->lot->begin_ms);
	share = lot_share(s->lot, s->test, left > 1 ? left : 1);
	*ret_share = !limit || share < limit;
	return *ret_share ? share : limit;
}

/* Queues a bad test once more, where that is wished. */
static bool retry(struct run *r, const struct slot *s)
{
	const struct plan_test *t = s->test;

	if (s->attempt > r->config.retries || is_closed(r))
		return false;
	log_info(r->log, "%s/%s failed: it is tried again in a new machine (%u of %u)", t->suite,
		 t->name, s->attempt, r->config.retries);
	lot_again(s->lot, t, s->attempt + 1, true);
	schedule(r);
	return true;
}

bool run_is_hook(const struct slot *s)
{
	const struct run_setting *setting = s->lot->setting;

	return s->test && (s->test == setting->pre || s->test == setting->post);
}

/* Without what `pre` makes ready no test says anything. */
static void hook_ended(struct run *r, const struct slot *s, bool bad, const char *why)
{
	struct lot *l = s->lot;

	if (!bad)
		return;
	r->failed = true;
	if (s->test == l->setting->pre && !l->why_dead)
		l->why_dead = xasprintf("%s/%s failed before it: %s", s->test->suite, s->test->name,
					why);
}

void run_test_ended(struct run *r, const struct slot *s, enum status status)
{
	if (run_is_hook(s)) {
		hook_ended(r, s, STATUS_INFO[status].bad, "its log has why");
		return;
	}
	if (STATUS_INFO[status].bad && !retry(r, s))
		r->failed = true;
}

void run_test_died(struct run *r, const struct slot *s, enum machine_death how,
		   const char *why)
{
	const struct plan_test *t = s->test;

	if (run_is_hook(s)) {
		hook_ended(r, s, true, why);
		return;
	}
	run_deaths_add(r->deaths, s->lot->setting, t, why);
	if (MACHINE_ENDS[how].blame == MACHINE_BLAME_HOST && s->attempt == 1 && !is_closed(r)) {
		log_warn(r->log, "%s/%s: %s; it is started once more", t->suite, t->name, why);
		lot_again(s->lot, t, 2, false);
	} else if (!retry(r, s)) {
		r->failed = true;
	}
}

bool run_keeps(const struct run *r, const struct slot *s)
{
	bool waits = false;

	for (unsigned i = 0; i < r->n_lots && !is_closed(r); i++)
		waits |= lot_has_tests(&r->lots[i]);
	return r->config.keep && s->used && !r->stopped && !r->overtime && !waits;
}

/* ---- machines ---- */

/* Is there room for one more of it? The first always has. */
static bool fits(const struct run *r, const struct lot *l)
{
	uint64_t cores = l->setting->cpus, memory = l->setting->memory;
	bool any = false;

	for (unsigned i = 0; i < r->n_lots; i++) {
		const struct lot *o = &r->lots[i];

		any |= o->machines > 0;
		cores += (uint64_t)o->machines * o->setting->cpus;
		memory += o->machines * o->setting->memory;
	}
	return !any || ((!r->config.cores || cores <= r->config.cores) &&
			(!r->config.memory || memory <= r->config.memory));
}

/* Where one more machine helps most; NULL: nowhere. */
static struct lot *choose(struct run *r)
{
	struct lot *best = NULL;
	double most = 0, urgency;

	for (unsigned i = 0; i < r->n_lots && !is_closed(r); i++) {
		struct lot *l = &r->lots[i];

		if (!lot_has_tests(l) || lot_left(l) <= l->booting ||
		    l->machines >= l->machines_max || !fits(r, l))
			continue;
		urgency = lot_urgency(l);
		if (!best || urgency > most) {
			best = l;
			most = urgency;
		}
	}
	return best;
}

/* Without a first machine its tests can't run; with fewer than wished it is slower. */
static void boot_failed(struct run *r, struct lot *l, const char *why)
{
	if (l->machines) {
		log_warn(r->log, "%u machines at a time for mode '%s', no more: %s", l->machines,
			 l->setting->mode, why);
		l->machines_max = l->machines;
	} else if (!l->why_dead) {
		l->why_dead = xstrdup(why);
	}
}

/* The job's clock starts with its first machine. */
static void job_clock(struct run *r, struct lot *l)
{
	if (l->begin_ms)
		return;
	l->begin_ms = clock_mono_ms();
	loop_timer_set(l->deadline, r->config.job_timeout_ms ? r->config.job_timeout_ms : -1);
}

/* Gives work to all slots that have none; the last one ends the run. */
static void schedule(struct run *r)
{
	struct err err = {};
	bool active = false;
	struct lot *l;

	for (unsigned i = 0; i < r->n_slots; i++) {
		struct slot *s = &r->slots[i];

		while (!s->lot && (l = choose(r))) {
			int rc = slot_boot(s, l, &err);
			_free_ char *why = NULL;

			job_clock(r, l);
			if (rc == 0)
				break;
			r->boot_error = rc;
			why = xasprintf("%s: %s", MACHINE_ENDS[machine_end_of_error(rc)].word,
					err.text);
			boot_failed(r, l, why);
		}
		active |= s->lot != NULL;
	}
	/* Not from inside a machine's callback: done() may free everything. */
	if (!active)
		loop_timer_set(r->finish, 0);
}

void run_slot_idle(struct run *r, struct lot *l, bool ran, const char *why)
{
	if (!ran && ++l->empty_boots >= EMPTY_BOOTS_MAX)
		boot_failed(r, l, why);
	schedule(r);
}

/* ---- ends ---- */

static void account_for_the_rest(struct run *r, struct lot *l)
{
	const struct plan_test *t;
	unsigned attempt;

	for (size_t i = 0; i < l->setting->tests->n; i++)
		if (l->setting->tests->v[i].unable)
			run_never_ran(r, l, &l->setting->tests->v[i], 1, STATUS_SKIP,
				      l->setting->tests->v[i].unable);
	/* What is only tried again has its result. */
	while (!r->stopped && l->next < l->n_order && (t = lot_next(l, false, &attempt))) {
		if (l->why_dead)
			run_never_ran(r, l, t, attempt, STATUS_ERROR, l->why_dead);
		else if (r->overtime || l->overtime)
			run_never_ran(r, l, t, attempt, STATUS_MISSING,
				      r->overtime ? "the run's time was over before its turn"
						  : "the job's time was over before its turn");
		else
			run_never_ran(r, l, t, attempt, STATUS_SKIP,
				      "not started: another test had failed");
	}
}

static void finish(void *ctx)
{
	struct run *r = ctx;
	struct buf conclusion = {};

	for (unsigned i = 0; i < r->n_lots; i++) {
		account_for_the_rest(r, &r->lots[i]);
		r->late |= r->lots[i].overtime;
	}
	r->exit_code = tally_exit_code(&r->tally);
	if (r->stopped)
		buf_printf(&conclusion, "Stopped by the user after %zu of %zu tests", r->ended,
			   r->n_tests);
	if (r->stopped && r->exit_code)
		buf_printf(&conclusion, ", so far ");
	if (!r->stopped || r->exit_code)
		tally_conclusion(&r->tally, &conclusion);
	if (r->tally.bad && r->config.known)
		r->config.known(r->config.known_ctx, &conclusion);
	if (r->overtime || r->late)
		r->exit_code = RUN_EXIT_CRITICAL;
	if (r->stopped)
		r->exit_code = RUN_EXIT_STOPPED;
	emit_run(r, EVENT_RUN_END, buf_str(&conclusion));
	buf_done(&conclusion);
	r->done(r->done_ctx);
}

/* @l: of that lot only; NULL: all. */
static void end_machines(struct run *r, struct lot *l, enum program_end how,
			 enum machine_death end, const char *why)
{
	for (unsigned i = 0; i < r->n_slots; i++)
		if (!l || r->slots[i].lot == l)
			slot_abort(&r->slots[i], how, end, why);
	schedule(r);
}

static void on_timeout(void *ctx)
{
	struct run *r = ctx;

	r->overtime = true;
	end_machines(r, NULL, PROGRAM_TIMEOUT, MACHINE_DEADLINE, "the run's time was over");
}

static void on_job_timeout(void *ctx)
{
	struct lot *l = ctx;

	l->overtime = true;
	end_machines(l->run, l, PROGRAM_TIMEOUT, MACHINE_DEADLINE, "the job's time was over");
}

void run_stop(struct run *r)
{
	r->stopped = true;
	end_machines(r, NULL, PROGRAM_STOPPED, MACHINE_STOPPED, "stopped by the user");
}

static void make_lots(struct run *r, const struct run_config *config)
{
	r->n_lots = config->n_settings;
	r->lots = xcalloc(r->n_lots, sizeof(*r->lots));
	for (unsigned i = 0; i < r->n_lots; i++) {
		lot_init(&r->lots[i], r, &config->settings[i]);
		r->lots[i].deadline = loop_timer(r->loop, on_job_timeout, &r->lots[i]);
		r->n_tests += r->lots[i].n_order;
	}
	r->n_slots = config->slots < r->n_tests ? config->slots : (unsigned)r->n_tests;
	r->slots = xcalloc(r->n_slots + 1, sizeof(*r->slots));
	for (unsigned i = 0; i < r->n_slots; i++)
		r->slots[i] = (struct slot){ .run = r, .console_fd = -1 };
}

/* Where nothing at all can be had there is no run. */
static int cant_start(const struct run *r, struct err *err)
{
	for (unsigned i = 0; i < r->n_lots; i++)
		if (!r->lots[i].why_dead)
			return 0;
	return r->boot_error ? err_set(err, -r->boot_error, "%s", r->lots[0].why_dead) : 0;
}

/* Only to the tally: all others have it. */
static void tell_past(struct run *r)
{
	struct event_sink sink = excuses_sink(r->config.excuses,
					      knowns_sink(r->config.knowns,
							  event_fan_sink(&r->fan)));

	if (r->config.past)
		r->config.past(r->config.past_ctx, &sink);
}

int run_start(const struct run_config *config, struct loop *loop, const struct log *log,
	      struct event_sink sink, void (*done)(void *ctx), void *ctx, struct run **ret,
	      struct err *err)
{
	struct run *r = xcalloc(1, sizeof(*r));
	int rc;

	*r = (struct run){
		.config = *config, .loop = loop, .log = log, .done = done, .done_ctx = ctx,
		.n_jobs = config->n_jobs, .n_programs = config->n_programs,
		.n_tests = config->n_done, .ended = config->n_done,
	};
	event_fan_add(&r->fan, tally_sink(&r->tally));
	tell_past(r);
	event_fan_add(&r->fan, sink);
	r->sink = excuses_sink(r->config.excuses,
			       knowns_sink(r->config.knowns, event_fan_sink(&r->fan)));
	r->own_deaths = config->deaths ? NULL : run_deaths_new();
	r->deaths = config->deaths ? config->deaths : r->own_deaths;
	r->finish = loop_timer(loop, finish, r);
	r->timeout = loop_timer(loop, on_timeout, r);
	make_lots(r, config);
	schedule(r);
	rc = cant_start(r, err);
	if (rc < 0) {
		run_free(r);
		return rc;
	}
	emit_run(r, EVENT_RUN_BEGIN, STR_NONE);
	loop_timer_set(r->timeout, config->timeout_ms ? config->timeout_ms : -1);
	*ret = r;
	return 0;
}

int run_exit_code(const struct run *r)
{
	return r->exit_code;
}

struct run *run_free(struct run *r)
{
	if (!r)
		return NULL;
	for (unsigned i = 0; i < r->n_slots; i++)
		slot_done(&r->slots[i]);
	for (unsigned i = 0; i < r->n_lots; i++)
		lot_done(&r->lots[i]);
	loop_unwatch(r->timeout);
	loop_unwatch(r->finish);
	tally_done(&r->tally);
	free(r->slots);
	free(r->lots);
	run_deaths_free(r->own_deaths);
	free(r);
	return NULL;
}
