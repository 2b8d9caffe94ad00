/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/slot.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
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

static void slot_next(struct slot *s);
static void boot_test_begin(struct slot *s);
static void boot_test_ready(struct slot *s);

/* The console knows in which test a splat began: test_start() and test_end() tell it. */
static void on_splat(void *ctx, const struct event *ev)
{
	struct slot *s = ctx;
	struct event out = *ev;

	out.job = s->job;
	event_emit(&s->run->sink, &out);
}

/* @end, @reason: of JOB_END. */
static void job_emit(struct slot *s, enum event_type type, const char *end, const char *reason)
{
	const struct run_setting *setting = s->lot->setting;
	struct machine_facts f = {};
	struct utsname host;
	struct event_job info = {
		.mode = str_of(setting->mode),
		.time_ms = clock_wall_ms(),
		.console_path = str_of(s->console_path),
		.end = str_of(end),
		.reason = str_of(reason),
	};
	struct event ev = { .type = type, .job = s->job, .job_info = &info };
	const char *identity = setting->identity;
	_free_ char *why = NULL;

	machine_facts(s->machine, &f);
	uname(&host);
	info.machine = str_of(f.kind);
	info.accel = str_of(f.accel);
	if (identity)
		why = xasprintf("%s%skernel built of %s", f.why ? f.why : "",
				f.why && f.why[0] ? "; " : "", identity);
	info.why = str_of(why ? why : f.why);
	info.kernel = str_of(f.release ? f.release : setting->config.release);
	info.host = str_of(host.nodename);
	info.cpus = f.cpus;
	info.memory = f.memory;
	event_emit(&s->run->sink, &ev);
}

void slot_artefact(struct slot *s, const char *kind, const char *path)
{
	struct event_artefact a = { .kind = str_of(kind), .path = str_of(path) };

	event_emit(&s->run->sink, &(struct event){ .type = EVENT_ARTEFACT, .job = s->job,
						   .artefact = &a });
}

/* What the kernel was made of is told once of all machines that have it. */
static void job_begin(struct slot *s)
{
	if (s->job_open)
		return;
	job_emit(s, EVENT_JOB_BEGIN, "", "");
	s->job_open = true;
	if (!s->lot->job && s->lot->setting->kernel_config)
		slot_artefact(s, "config", s->lot->setting->kernel_config);
	s->lot->job = s->job;
}

/* It has no machine any more. */
static void slot_leave(struct slot *s)
{
	s->lot->machines--;
	s->lot->booting -= !s->used;
	s->lot = NULL;
}

/* An end as asked for is none where the evidence is incomplete. */
static void job_tell_end(struct slot *s, enum machine_death how, const char *why)
{
	_free_ char *lost = NULL;

	job_begin(s);
	if (how == MACHINE_STOPPED && s->console_error) {
		how = MACHINE_HOST_DISK;
		why = lost = xasprintf("its console could not be written: %s",
				       strerror(-s->console_error));
	}
	s->console_error = 0;
	if (s->console_fd >= 0)
		close(s->console_fd);
	s->console_fd = -1;
	s->console = console_free(s->console);
	job_emit(s, EVENT_JOB_END, MACHINE_ENDS[how].word, how == MACHINE_STOPPED ? "" : why);
	after_done(s);
	free(s->console_path);
	s->console_path = NULL;
	s->job_open = false;
}

/* The machine is over: its job ends, its files go. */
static void job_end(struct slot *s, enum machine_death how, const char *why)
{
	job_tell_end(s, how, why);
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
	job_tell_end(s, MACHINE_STOPPED, "");
	s->machine = NULL;
	s->work_dir = NULL;
	slot_leave(s);
	r->config.keep(r->config.keep_ctx, m, &what);
	run_slot_idle(r, lot, true, NULL);
}

static enum status test_end(struct slot *s, enum program_end how, int code, const char *why)
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

static void on_ready(void *ctx, struct machine *m)
{
	struct slot *s = ctx;
	struct machine_facts f;
	char text[UNIT_TEXT_MAX];

	machine_facts(m, &f);
	log_debug(s->run->log, "machine %u: %s%s%s, ready after %s%s", s->job, f.kind,
		  *f.accel ? " " : "", f.accel, duration_text(f.boot_ms, text),
		  f.ready ? ", from a ready machine" : "");
	job_begin(s);
	if (s->test)
		boot_test_ready(s);
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
	boot_test_begin(s);
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
		status = test_end(s, PROGRAM_TIMEOUT, -1, ending_text(s, why, sizeof(why)));
	else if (e->status < 0)
		status = test_end(s, PROGRAM_FAILED, -1, e->why);
	else {
		int code = proc_exit_code(e->status);

		slot_tell_console(s);
		if (code && s->test == s->lot->setting->pre) {
			snprintf(why, sizeof(why), "exit code %d", code);
			status = test_end(s, PROGRAM_FAILED, -1, why);
		} else {
			status = test_end(s, PROGRAM_EXITED, code, why[0] ? why : NULL);
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

	boot_test_begin(s);
	console_end(s->console);
	if (s->program && r->stopped) {
		test_end(s, PROGRAM_STOPPED, -1, "stopped by the user");
	} else if (s->program) {
		/* A boot that dies of its test is the test's doing. */
		bool own = s->test->at_boot &&
			   str_find(buf_str(&s->said), STR("KTAP version")) >= 0;

		slot_tell_console(s);
		test_end(s, s->ending_stage ? PROGRAM_TIMEOUT : PROGRAM_CRASHED, -1, named);
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
		run_test_ended(s->run, s, test_end(s, PROGRAM_FAILED, -1, err->text));
		s->test = NULL;
	}
	return rc;
}

/* The machine was booted for it. Not before the loop runs: then the run has begun. */
static void boot_test_begin(struct slot *s)
{
	const struct plan_test *t = s->test;
	struct err err = {};

	if (!t || s->program)
		return;
	job_begin(s);
	if (test_begin(s, &err) < 0)
		log_warn(s->run->log, "%s/%s: %s", t->suite, t->name, err.text);
}

static void boot_test_ready(struct slot *s)
{
	const struct plan_test *t = s->test;
	struct err err = {};

	boot_test_begin(s);
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

/* Takes the next test, or sends the machine home. */
static void slot_next(struct slot *s)
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

void slot_abort(struct slot *s, enum program_end how, enum machine_death end, const char *why)
{
	if (!s->machine)
		return;
	console_end(s->console);
	if (s->program)
		test_end(s, how, -1, why);
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
