/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests of a slot: the next one is taken, begun in its machine, and over. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "run/after.h"
#include "run/slot.h"

/* The selftests' own word for machines too slow for their deadlines. */
static const char SLOW[] = "KSFT_MACHINE_SLOW=yes";

/* @kind, @id: room for one "K=V". */
static const char **test_env(struct slot *s, const struct plan_test *t, char kind[static 64],
			     char id[static 64])
{
	struct machine_facts f;
	const char **env;
	size_t have = 0, n = 0;

	machine_facts(s->machine, &f);
	while (t->env && t->env[have])
		have++;
	env = xcalloc(have + 4, sizeof(*env));
	snprintf(kind, 64, "TAPROOM_MACHINE=%s", f.kind);
	env[n++] = kind;
	snprintf(id, 64, "TAPROOM_RUN=%s", s->run->config.id);
	env[n++] = id;
	if (f.accel && strcmp(f.accel, "tcg") == 0)
		env[n++] = SLOW;
	for (size_t i = 0; i < have; i++)
		env[n++] = t->env[i];
	return env;
}

/* Until its command is started, the kernel runs it, if anyone. */
static int test_begin(struct slot *s, struct err *err)
{
	struct run *r = s->run;
	int64_t limit;
	int rc;

	if (!s->used && !run_is_hook(s))
		s->lot->booting--;
	s->used |= !run_is_hook(s);
	rc = program_begin(s->test, s->job, r->n_programs + 1, s->attempt, r->config.log_dir,
			   clock_wall_ms(), r->sink, &s->program, err);
	if (rc < 0) {
		run_never_ran(r, s->lot, s->test, s->attempt, STATUS_ERROR, err->text);
		r->failed = true;
		s->test = NULL;
		return rc;
	}
	if (!s->test->at_boot)
		buf_clear(&s->said);
	r->n_programs++;
	console_program(s->console, program_number(s->program));
	s->test_begin_ms = s->heard_ms = clock_mono_ms();
	s->ending_stage = 0;
	loop_timer_set(s->silence, r->config.silent_ms ? r->config.silent_ms : -1);
	limit = run_test_limit(r, s, &s->share);
	loop_timer_set(s->deadline, limit ? limit : -1);
	return 0;
}

static int test_start(struct slot *s, struct err *err)
{
	char kind[64], id[64];
	_free_ const char **env = test_env(s, s->test, kind, id);
	struct machine_command cmd = {
		.argv = (const char *const *)s->test->argv,
		.env = env,
		.dir = s->test->dir,
		.merge = true,
	};
	int rc = machine_start(s->machine, &cmd, err);

	if (rc < 0) {
		run_test_ended(s->run, s, slot_test_end(s, PROGRAM_FAILED, -1, err->text));
		s->test = NULL;
	}
	return rc;
}

enum status slot_test_end(struct slot *s, enum program_end how, int code, const char *why)
{
	enum status status;

	loop_timer_set(s->deadline, -1);
	loop_timer_set(s->silence, -1);
	status = program_finish(s->program, how, code, why, clock_wall_ms(),
				clock_mono_ms() - s->test_begin_ms);
	s->program = NULL;
	console_program(s->console, 0);
	s->lot->empty_boots = 0;
	s->run->ended += how != PROGRAM_STOPPED && !run_is_hook(s);
	return status;
}

void slot_tell_console(struct slot *s)
{
	if ((s->test->at_boot || s->test->on_console) && !program_has_results(s->program))
		program_output(s->program, buf_str(&s->said));
}

void slot_boot_test_begin(struct slot *s)
{
	const struct plan_test *t = s->test;
	struct err err = {};

	if (!t || s->program)
		return;
	slot_job_begin(s);
	if (test_begin(s, &err) < 0)
		log_warn(s->run->log, "%s/%s: %s", t->suite, t->name, err.text);
}

void slot_boot_test_ready(struct slot *s)
{
	const struct plan_test *t = s->test;
	struct err err = {};

	slot_boot_test_begin(s);
	if (s->program && test_start(s, &err) < 0)
		log_warn(s->run->log, "%s/%s: %s", t->suite, t->name, err.text);
	if (!s->program)
		slot_next(s);
}

static bool same_words(char *const *a, char *const *b)
{
	while (a && b && *a && *b && strcmp(*a, *b) == 0)
		a++, b++;
	return (!a || !*a) && (!b || !*b);
}

/* Is the machine one that the test can run in, as it was booted? */
static bool machine_fits(const struct slot *s, const struct plan_test *t)
{
	return !t->at_boot && same_words(s->boots_for ? s->boots_for->append : NULL, t->append);
}

/* Starts one of the commands around the tests. False: there is none, or it can't be. */
static bool hook_start(struct slot *s, const struct plan_test *t, bool *had)
{
	struct err err = {};

	if (!t || *had)
		return false;
	*had = true;
	s->test = t;
	s->attempt = 1;
	if (test_begin(s, &err) == 0 && test_start(s, &err) == 0)
		return true;
	log_warn(s->run->log, "%s/%s: %s", t->suite, t->name, err.text);
	return false;
}

void slot_next(struct slot *s)
{
	const struct plan_test *t;
	struct err err = {};

	if (hook_start(s, s->lot->setting->pre, &s->had_pre))
		return;
	while ((t = run_next_test(s->run, s, &s->attempt))) {
		if (!machine_fits(s, t)) {
			lot_put_back(s->lot, t, s->attempt);
			break;
		}
		s->test = t;
		if (test_begin(s, &err) == 0 && test_start(s, &err) == 0)
			return;
		log_warn(s->run->log, "%s/%s: %s", t->suite, t->name, err.text);
	}
	if (s->used && !s->run->stopped && !s->run->overtime &&
	    hook_start(s, s->lot->setting->post, &s->had_post))
		return;
	after_begin(s);
}
