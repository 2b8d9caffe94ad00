/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending: a test whose time is over, or that says nothing. It is looked at where it
 * hangs, asked, made to, and at last loses its machine.
 */
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/units.h"
#include "run/after.h"
#include "run/slot.h"

/* A test that is told to end may clean up; one that is killed must be gone. */
#define GRACE_TERM_MS 5000
#define GRACE_KILL_MS 10000

const char *ending_text(struct slot *s, char *why, size_t size)
{
	char text[UNIT_TEXT_MAX], quiet[UNIT_TEXT_MAX];

	duration_text(s->ending_ms - s->test_begin_ms, text);
	duration_text(s->ending_ms - s->ending_heard_ms, quiet);
	if (s->ending == MACHINE_DEADLINE && s->share)
		snprintf(why, size, "deadline: its share of the job's time, %s, was over, said "
			 "nothing for %s", text, quiet);
	else if (s->ending == MACHINE_SILENT)
		snprintf(why, size, "silent: said nothing for %s, after %s", quiet, text);
	else
		snprintf(why, size, "deadline: still running after %s, said nothing for %s", text,
			 quiet);
	return why;
}

static void ending_next(void *ctx);

/* The test may have ended while it was looked at, and another one runs. */
static void on_examined(void *ctx)
{
	struct slot *s = ctx;

	if (s->ending_stage == 1)
		ending_next(s);
}

static int ending_examine(struct slot *s)
{
	return machine_examine(s->machine, on_examined, s);
}

static int ending_term(struct slot *s)
{
	return machine_signal(s->machine, SIGTERM, NULL);
}

static int ending_kill(struct slot *s)
{
	return machine_signal(s->machine, SIGKILL, NULL);
}

/* Have it told where it hangs, ask, then insist, then take the machine away. */
static void ending_next(void *ctx)
{
	static const struct {
		int (*fn)(struct slot *s);
		int64_t grace_ms; /* -1: it tells when it is done */
	} STAGES[] = {
		{ ending_examine, -1 },
		{ ending_term, GRACE_TERM_MS },
		{ ending_kill, GRACE_KILL_MS },
	};
	struct slot *s = ctx;
	enum machine_death how = s->ending;
	struct lot *lot = s->lot;
	char why[160];

	while (s->program && s->ending_stage < ARRAY_SIZE(STAGES)) {
		unsigned stage = s->ending_stage++;

		if (STAGES[stage].fn(s) == 0) {
			loop_timer_set(s->deadline, STAGES[stage].grace_ms);
			return;
		}
	}
	/* It ended while it was looked at. */
	if (!s->program)
		return;
	log_warn(s->run->log, "machine %u does not end a test that ran out of time: it is killed",
		 s->job);
	ending_text(s, why, sizeof(why));
	run_test_died(s->run, s, how, why);
	slot_tell_console(s);
	slot_abort(s, PROGRAM_TIMEOUT, how, why);
	run_slot_idle(s->run, lot, true, why);
}

static void ending_begin(struct slot *s, enum machine_death how)
{
	if (s->ending_stage)
		return;
	s->ending = how;
	s->ending_ms = clock_mono_ms();
	s->ending_heard_ms = s->heard_ms;
	ending_next(s);
}

void ending_on_deadline(void *ctx)
{
	struct slot *s = ctx;

	if (!s->program)
		after_deadline(s);
	else if (s->ending_stage)
		ending_next(s);
	else
		ending_begin(s, MACHINE_DEADLINE);
}

/* Output only notes when it came; whoever looks sets the clock to the rest. */
void ending_on_silence(void *ctx)
{
	struct slot *s = ctx;
	int64_t left = s->heard_ms + s->run->config.silent_ms - clock_mono_ms();

	if (left > 0)
		loop_timer_set(s->silence, left);
	else if (s->program)
		ending_begin(s, MACHINE_SILENT);
}
