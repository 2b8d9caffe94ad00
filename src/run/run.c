/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "run/deaths.h"
#include "run/slot.h"

static void emit_run(struct run *r, enum event_type type, struct str conclusion)
{
	struct event_run info = {
		.id = str_of(r->config.id),
		.title = str_of(r->config.title),
		.branch = str_of(r->config.branch),
		.commit = str_of(r->config.commit),
		.command = str_of(r->config.command),
		.time_ms = clock_wall_ms(),
		.conclusion = conclusion,
		.exit_code = r->exit_code,
		.stopped = r->stopped,
	};
	struct event ev = { .type = type, .run = &info };

	event_emit(&r->sink, &ev);
}

/* Longest first, so that the last machine does not work alone; tests that were
 * never measured come before, in the plan's order. */
static int by_length(const void *a, const void *b)
{
	const struct plan_test *x = *(const struct plan_test *const *)a;
	const struct plan_test *y = *(const struct plan_test *const *)b;
	int64_t ex = x->expect_ms < 0 ? INT64_MAX : x->expect_ms;
	int64_t ey = y->expect_ms < 0 ? INT64_MAX : y->expect_ms;

	if (ex != ey)
		return ex > ey ? -1 : 1;
	return x < y ? -1 : x > y;
}

bool run_has_tests(const struct run *r)
{
	return !r->stopped && !r->overtime &&
	       (r->next < r->n_order || r->next_again < r->n_again) &&
	       !(r->failed && r->config.stop_at_fail);
}

/* True when it was said instead of being started. */
static bool refused(struct run *r, const struct plan_test *t)
{
	const char *last;
	unsigned n = run_deaths_of(r->deaths, t, &last);
	char why[512];

	if (n < RUN_DEATHS_MAX)
		return false;
	snprintf(why, sizeof(why), "not started again: it took its machine along %u times, last "
		 "by %s", n, last);
	run_never_ran(r, t, STATUS_CRASH, why);
	r->failed = true;
	return true;
}

const struct plan_test *run_next_test(struct run *r, unsigned *ret_attempt)
{
	while (run_has_tests(r)) {
		bool first = r->next < r->n_order;
		const struct plan_test *t = first ? r->order[r->next++]
						  : r->again[r->next_again++];

		if (refused(r, t))
			continue;
		*ret_attempt = first ? 1 : 2;
		return t;
	}
	return NULL;
}

void run_test_died(struct run *r, const struct plan_test *t, unsigned attempt,
		   enum machine_death how, const char *why)
{
	run_deaths_add(r->deaths, t, why);
	if (MACHINE_ENDS[how].blame != MACHINE_BLAME_HOST || attempt > 1 || r->stopped ||
	    (r->failed && r->config.stop_at_fail))
		return;
	log_warn(r->log, "%s/%s: %s; it is started once more", t->suite, t->name, why);
	ARRAY_GROW(r->again, r->n_again, r->cap_again);
	r->again[r->n_again++] = t;
}

void run_never_ran(struct run *r, const struct plan_test *t, enum status status,
		   const char *why)
{
	struct event_program info = {
		.suite = str_of(t->suite),
		.name = str_of(t->name),
		.attempt = 1,
		.time_ms = clock_wall_ms(),
		.status = status,
		.exit_code = -1,
		.reason = str_of(why),
	};
	struct event ev = { .type = EVENT_PROGRAM_BEGIN, .program = ++r->n_programs,
			    .job = r->n_jobs, .prog = &info };

	event_emit(&r->sink, &ev);
	ev.type = EVENT_PROGRAM_END;
	event_emit(&r->sink, &ev);
}

static void account_for_the_rest(struct run *r)
{
	if (r->stopped || (r->failed && r->config.stop_at_fail))
		return;
	while (r->next < r->n_order) {
		const struct plan_test *t = r->order[r->next++];

		if (r->overtime)
			run_never_ran(r, t, STATUS_MISSING,
				      "the run's time was over before its turn");
		else
			run_never_ran(r, t, STATUS_ERROR, r->why_dead);
	}
}

static void finish(void *ctx)
{
	struct run *r = ctx;
	struct buf conclusion = {};

	account_for_the_rest(r);
	r->exit_code = tally_exit_code(&r->tally);
	if (r->stopped)
		buf_printf(&conclusion, "Stopped by the user after %zu of %zu tests", r->ended,
			   r->n_order);
	if (r->stopped && r->exit_code)
		buf_printf(&conclusion, ", so far ");
	if (!r->stopped || r->exit_code)
		tally_conclusion(&r->tally, &conclusion);
	if (r->tally.bad && r->config.known)
		r->config.known(r->config.known_ctx, &conclusion);
	if (r->overtime)
		r->exit_code = RUN_EXIT_CRITICAL;
	if (r->stopped)
		r->exit_code = RUN_EXIT_STOPPED;
	emit_run(r, EVENT_RUN_END, buf_str(&conclusion));
	buf_done(&conclusion);
	r->done(r->done_ctx);
}

void run_slot_finished(struct run *r)
{
	for (unsigned i = 0; i < r->n_slots; i++)
		if (!r->slots[i].finished)
			return;
	/* Not from inside a machine's callback: done() may free everything. */
	loop_timer_set(r->finish, 0);
}

static void end_all(struct run *r, enum program_end how, enum machine_death end, const char *why)
{
	for (unsigned i = 0; i < r->n_slots; i++) {
		slot_abort(&r->slots[i], how, end, why);
		r->slots[i].finished = true;
	}
	run_slot_finished(r);
}

static void on_timeout(void *ctx)
{
	struct run *r = ctx;

	r->overtime = true;
	end_all(r, PROGRAM_TIMEOUT, MACHINE_DEADLINE, "the run's time was over");
}

void run_stop(struct run *r)
{
	r->stopped = true;
	end_all(r, PROGRAM_STOPPED, MACHINE_STOPPED, "stopped by the user");
}

/* Without a first machine there is no run; with fewer than wished it is slower. */
static int start_slots(struct run *r, struct err *err)
{
	for (unsigned i = 0; i < r->n_slots; i++) {
		int rc = slot_boot(&r->slots[i], err);

		if (rc < 0 && i == 0)
			return rc;
		if (rc < 0) {
			log_warn(r->log, "%u machines at a time, not %u: %s", i, r->n_slots,
				 err->text);
			r->n_slots = i;
		}
	}
	return 0;
}

int run_start(const struct run_config *config, struct loop *loop, const struct log *log,
	      struct event_sink sink, void (*done)(void *ctx), void *ctx, struct run **ret,
	      struct err *err)
{
	struct run *r = xcalloc(1, sizeof(*r));
	const struct plan_tests *t = config->tests;
	int rc;

	*r = (struct run){
		.config = *config, .loop = loop, .log = log, .done = done, .done_ctx = ctx,
	};
	event_fan_add(&r->fan, tally_sink(&r->tally));
	event_fan_add(&r->fan, sink);
	r->sink = excuses_sink(r->config.excuses,
			       knowns_sink(r->config.knowns, event_fan_sink(&r->fan)));
	r->own_deaths = config->deaths ? NULL : run_deaths_new();
	r->deaths = config->deaths ? config->deaths : r->own_deaths;
	r->order = xcalloc(t->n, sizeof(*r->order));
	for (size_t i = 0; i < t->n; i++)
		r->order[r->n_order++] = &t->v[i];
	qsort(r->order, r->n_order, sizeof(*r->order), by_length);
	r->n_slots = config->slots < t->n ? config->slots : (unsigned)t->n;
	r->slots = xcalloc(r->n_slots, sizeof(*r->slots));
	r->finish = loop_timer(loop, finish, r);
	r->timeout = loop_timer(loop, on_timeout, r);
	for (unsigned i = 0; i < r->n_slots; i++)
		r->slots[i] = (struct slot){ .run = r, .console_fd = -1 };
	rc = start_slots(r, err);
	if (rc < 0) {
		run_free(r);
		return rc;
	}
	emit_run(r, EVENT_RUN_BEGIN, STR_NONE);
	loop_timer_set(r->timeout, config->timeout_ms ? config->timeout_ms : -1);
	if (!r->n_slots)
		run_slot_finished(r);
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
	loop_unwatch(r->timeout);
	loop_unwatch(r->finish);
	tally_done(&r->tally);
	free(r->why_dead);
	free(r->slots);
	free(r->order);
	free(r->again);
	run_deaths_free(r->own_deaths);
	free(r);
	return NULL;
}
