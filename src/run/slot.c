/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/slot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "run/after.h"
#include "run/needed.h"

/* Of the console, of one test that is told there. */
#define SAID_MAX (4u << 20)
/* What a kernel that runs a test while it boots may take beside it. */
#define BOOT_EXTRA_MS 60000

/* The console knows in which test a splat began: test_begin() and slot_test_end() tell it. */
static void on_splat(void *ctx, const struct event *ev)
{
	struct slot *s = ctx;
	struct event out = *ev;

	out.job = s->job;
	event_emit(&s->run->sink, &out);
}

/* It has no machine any more. */
static void slot_leave(struct slot *s)
{
	s->lot->machines--;
	s->lot->booting -= !s->used;
	s->lot = NULL;
}

/* The machine is over: its job ends, its files go. */
static void job_end(struct slot *s, enum machine_death how, const char *why)
{
	slot_job_tell_end(s, how, why);
	s->machine = machine_free(s->machine);
	dir_remove(s->work_dir, NULL);
	free(s->work_dir);
	s->work_dir = NULL;
	slot_leave(s);
}

void slot_home(struct slot *s)
{
	struct run *r = s->run;
	struct machine *m = s->machine;
	struct run_kept what = { s->work_dir, s->job, s->lot->setting->mode };
	struct lot *lot = s->lot;

	if (!run_keeps(r, s)) {
		machine_stop(m);
		return;
	}
	loop_timer_set(s->deadline, -1);
	slot_job_tell_end(s, MACHINE_STOPPED, "");
	s->machine = NULL;
	s->work_dir = NULL;
	slot_leave(s);
	r->config.keep(r->config.keep_ctx, m, &what);
	run_slot_idle(r, lot, true, NULL);
}

static void on_ready(void *ctx, struct machine *m)
{
	struct slot *s = ctx;
	struct machine_facts f;
	char text[UNIT_TEXT_MAX];

	machine_facts(m, &f);
	log_debug(s->run->log, "machine %u: %s%s%s, ready after %s%s", s->job, f.kind,
		  *f.accel ? " " : "", f.accel, duration_text(f.boot_ms, text),
		  f.ready ? ", from a ready machine" : "");
	slot_job_begin(s);
	if (s->test)
		slot_boot_test_ready(s);
	else
		slot_next(s);
}

static void on_console(void *ctx, struct machine *m, struct str bytes)
{
	struct slot *s = ctx;
	int r = s->console_fd < 0 ? 0 : file_write_all(s->console_fd, bytes.p, bytes.n);

	if (r < 0) {
		log_warn(s->run->log, "console '%s' can't be written, and is incomplete: %s",
			 s->console_path, strerror(-r));
		s->console_error = r;
		close(s->console_fd);
		s->console_fd = -1;
	}
	slot_boot_test_begin(s);
	if (s->test && (s->test->at_boot || s->test->on_console))
		buf_add_str(&s->said, bytes); /* bounded: what comes after that is lost */
	console_feed(s->console, bytes.p, bytes.n);
}

static void on_output(void *ctx, struct machine *m, unsigned stream, int64_t time_ms,
		      struct str bytes)
{
	struct slot *s = ctx;

	s->heard_ms = clock_mono_ms();
	if (s->program)
		program_output(s->program, bytes);
	else
		after_output(s, stream, bytes);
}

static void on_exited(void *ctx, struct machine *m, const struct machine_exit *e)
{
	struct slot *s = ctx;
	enum status status;
	char why[512] = "";

	if (!s->program) {
		after_exited(s, e);
		return;
	}
	/* The kernel takes memory from whom it likes: it explains any failure. */
	if (e->memory)
		snprintf(why, sizeof(why), "%s: %s", MACHINE_ENDS[MACHINE_GUEST_MEMORY].word,
			 e->memory);
	if (s->ending_stage)
		status = slot_test_end(s, PROGRAM_TIMEOUT, -1, ending_text(s, why, sizeof(why)));
	else if (e->status < 0)
		status = slot_test_end(s, PROGRAM_FAILED, -1, e->why);
	else {
		int code = proc_exit_code(e->status);

		slot_tell_console(s);
		if (code && s->test == s->lot->setting->pre) {
			snprintf(why, sizeof(why), "exit code %d", code);
			status = slot_test_end(s, PROGRAM_FAILED, -1, why);
		} else {
			status = slot_test_end(s, PROGRAM_EXITED, code, why[0] ? why : NULL);
		}
	}
	run_test_ended(s->run, s, status);
	s->test = NULL;
	slot_next(s);
}

static void on_died(void *ctx, struct machine *m, enum machine_death how, const char *why)
{
	struct slot *s = ctx;
	struct run *r = s->run;
	struct lot *lot = s->lot;
	bool ran = s->used || how == MACHINE_STOPPED;
	_free_ char *copy = xstrdup(why);
	_free_ char *named = xasprintf("%s: %s", MACHINE_ENDS[how].word, why);

	slot_boot_test_begin(s);
	console_end(s->console);
	if (s->program && r->stopped) {
		slot_test_end(s, PROGRAM_STOPPED, -1, "stopped by the user");
	} else if (s->program) {
		/* A boot that dies of its test is the test's doing. */
		bool own = s->test->at_boot &&
			   str_find(buf_str(&s->said), STR("KTAP version")) >= 0;

		slot_tell_console(s);
		slot_test_end(s, s->ending_stage ? PROGRAM_TIMEOUT : PROGRAM_CRASHED, -1, named);
		run_test_died(r, s, own ? MACHINE_PANICKED : how, named);
	} else if (how != MACHINE_STOPPED) {
		log_warn(r->log, "machine %u: %s", s->job, named);
	}
	s->test = NULL;
	job_end(s, how, copy);
	run_slot_idle(r, lot, ran, named);
}

static const struct machine_events EVENTS = {
	.ready = on_ready,
	.console = on_console,
	.output = on_output,
	.exited = on_exited,
	.died = on_died,
};

void slot_abort(struct slot *s, enum program_end how, enum machine_death end, const char *why)
{
	if (!s->machine)
		return;
	console_end(s->console);
	if (s->program)
		slot_test_end(s, how, -1, why);
	else if (s->test)
		lot_put_back(s->lot, s->test, s->attempt);
	s->test = NULL;
	job_end(s, end, why);
}

/* The words of the command line, and those that the next test wants. */
static const char **boot_words(const struct slot *s)
{
	const char *const *own = s->lot->setting->config.append;
	char *const *more = s->boots_for ? s->boots_for->append : NULL;
	size_t n = 0, n_more = 0;
	const char **words;

	while (own && own[n])
		n++;
	while (more && more[n_more])
		n_more++;
	words = xcalloc(n + n_more + 1, sizeof(*words));
	for (size_t i = 0; i < n + n_more; i++)
		words[i] = i < n ? own[i] : more[i - n];
	return words;
}

/* For which test: one that the kernel runs while it boots is taken right now. */
static void boot_choose(struct slot *s)
{
	const struct plan_test *t = lot_peek(s->lot);

	s->test = run_boot_test(s->run, s->lot, &s->attempt);
	s->boots_for = s->test ? s->test : t && !t->at_boot ? t : NULL;
	s->used = s->test;
	s->lot->booting += !s->used;
	buf_clear(&s->said);
	s->said.max = SAID_MAX;
}

int slot_boot(struct slot *s, struct lot *l, struct err *err)
{
	struct run *r = s->run;
	struct machine_config config = l->setting->config;
	struct event_sink sink = { on_splat, s };
	_cleanup_(arena_done) struct arena needed = {};
	_free_ const char **words = NULL;
	_free_ char *dump = NULL;
	int rc;

	s->lot = l;
	l->machines++;
	boot_choose(s);
	/* One that the kernel runs while it boots has the machine for itself. */
	s->had_pre = s->had_post = s->test;
	config.append = words = boot_words(s);
	config.needed = run_needed(l->setting, &needed);
	if (s->test) {
		/* One that was kept has told it before. */
		config.cold = config.once = true;
		if (s->test->timeout_ms)
			config.boot_timeout_ms = s->test->timeout_ms + BOOT_EXTRA_MS;
	}
	s->job = ++r->n_jobs;
	if (!s->deadline)
		s->deadline = loop_timer(r->loop, ending_on_deadline, s);
	if (!s->silence)
		s->silence = loop_timer(r->loop, ending_on_silence, s);
	s->work_dir = xasprintf("%s/job-%u", r->config.work_dir, s->job);
	s->console_path = xasprintf("%s/console-%u.log", r->config.log_dir, s->job);
	s->console = console_new(sink);
	s->console_fd = open(s->console_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s->console_fd < 0) {
		rc = err_sys(err, errno, "write console '%s'", s->console_path);
		goto fail;
	}
	rc = dir_make(s->work_dir, err);
	if (rc < 0)
		goto fail;
	config.work_dir = s->work_dir;
	if (config.dump)
		config.dump = dump = xasprintf("%s-%u", config.dump, s->job);
	rc = machine_boot(l->setting->machine, &config, r->loop, r->log, &EVENTS, s, &s->machine,
			  err);
	if (rc < 0)
		goto fail;
	return 0;
fail:
	if (s->test)
		lot_put_back(l, s->test, s->attempt);
	s->test = NULL;
	closep(&s->console_fd);
	s->console_fd = -1;
	s->console = console_free(s->console);
	dir_remove(s->work_dir, NULL);
	free(s->work_dir);
	free(s->console_path);
	s->work_dir = s->console_path = NULL;
	slot_leave(s);
	return rc;
}

void slot_done(struct slot *s)
{
	slot_abort(s, PROGRAM_STOPPED, MACHINE_STOPPED, "stopped");
	s->deadline = loop_unwatch(s->deadline);
	s->silence = loop_unwatch(s->silence);
	buf_done(&s->said);
}
