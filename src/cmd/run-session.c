/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-session.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/ignore.h"
#include "cmd/known.h"
#include "cmd/run-hooks.h"

#define TIMEOUT_DEFAULT_MS 7200000
#define KEEP_DEFAULT_MS    1800000

static void log_above(void *ctx, enum log_level level, struct str text)
{
	struct run_session *s = ctx;

	if (s->progress)
		progress_clear(s->progress);
	s->cmd->log.line(s->cmd->log.ctx, level, text);
	if (s->progress)
		progress_draw(s->progress);
}

/* The report prints above the progress line. */
static void on_event(void *ctx, const struct event *ev)
{
	struct run_session *s = ctx;

	if (s->silent)
		return;
	progress_clear(s->progress);
	/* Not before there is a run: one that can't start is no document. */
	if (!s->report)
		s->report = s->format->begin(s->cmd->out, &s->report_options);
	s->format->event(s->report, ev);
	out_flush(s->cmd->out);
	if (ev->type != EVENT_RUN_END)
		progress_draw(s->progress);
}

static void on_done(void *ctx)
{
	struct run_session *s = ctx;

	loop_stop(s->loop);
}

static void on_interrupt(void *ctx)
{
	struct run_session *s = ctx;

	s->interrupts++;
	if (!s->run && s->keep) {
		run_keep_stop(s->keep);
	} else if (s->interrupts == 1) {
		log_warn(&s->log, "stopping; what finished is kept");
		run_stop(s->run);
	}
}

/* How many machines at a time. By default as many as have cores and memory of their
 * own; processes of the running kernel are no machines of their own: one. */
void run_session_room(struct run_session *s, struct run_config *c)
{
	int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t memory = sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE);

	for (unsigned i = 0; i < s->plan.n_parts; i++) {
		struct run_setting *one = &s->plan.settings[i];

		one->split = (unsigned)s->opt.split;
		if (strcmp(one->machine, "host") == 0)
			one->cpus = (unsigned)cores;
	}
	if (s->opt.machine.jobs) {
		c->slots = (unsigned)s->opt.machine.jobs;
		return;
	}
	c->slots = cores > 0 ? (unsigned)cores : 1;
	c->cores = c->slots;
	c->memory = memory > 0 ? (uint64_t)memory : 0;
}

int run_session_prepare(struct run_session *s, const struct plan_source *source,
			struct err *err)
{
	struct run_wish wish = {
		.machine = &s->opt.machine,
		.selectors = s->selectors,
		.n_selectors = s->n_selectors,
		.source = source,
		.dry = s->opt.dry,
		.cache_dir = s->cache_dir,
		.cmd = s->cmd,
		.log = &s->log,
	};
	struct plan *plan;
	int r = run_plan_load(&s->opt.machine, &plan, err);

	s->branch = source->branch;
	if (r == 0 && !s->opt.dry && !s->opt.list) {
		r = run_hooks_prepare(plan, &wish, err);
		if (r < 0)
			plan_free(plan);
	}
	return r < 0 ? r : run_plan_make(plan, &wish, &s->plan, err);
}

void run_session_expect(struct run_session *s)
{
	for (unsigned i = 0; i < s->plan.n_parts; i++)
		for (size_t k = 0; k < s->plan.parts[i].tests.n; k++) {
			struct plan_test *t = &s->plan.parts[i].tests.v[k];

			if (!s->store || store_expect_ms(s->store, t->suite, t->name,
					    s->plan.parts[i].mode.name, &t->expect_ms, NULL) < 0)
				t->expect_ms = -1;
		}
}

/* What the runs before know of this one's failures. A history that can't tell
 * is no reason to lose a conclusion. */
static void on_known(void *ctx, struct buf *conclusion)
{
	struct run_session *s = ctx;
	_cleanup_(buf_done) struct buf words = {};
	struct err err = {};

	if (verdict_tell(s->verdict, s->store, store_record_run(s->record), &words, &err) < 0)
		log_warn(&s->log, "what was known of the failures is not told: %s", err.text);
	else if (words.n)
		buf_printf(conclusion, "; %.*s", STR_FMT(buf_str(&words)));
}

static void tell_past(void *ctx, const struct event_sink *sink)
{
	struct run_session *s = ctx;

	s->past_is_told = true;
	run_past_tell(&s->past, s->store, sink);
	s->past_is_told = false;
}

/* Of a program that runs here its file; of one that ran before what the history kept. */
static int known_log(void *ctx, unsigned program, struct str path, uint64_t from, uint64_t to,
		     struct out *out)
{
	struct run_session *s = ctx;

	return s->past_is_told
		       ? store_log(s->store, s->past.id, program, 0, from, to, out, NULL)
		       : known_log_file(NULL, program, path, from, to, out);
}

/* Goes on with a run: only if it is about the same kernel. */
static int record_past(struct run_session *s, struct run_config *c, struct err *err)
{
	int r;

	if (c->commit && s->past.commit[0] && strcmp(c->commit, s->past.commit) != 0)
		return err_set(err, EINVAL, "run %" PRId64 " is of '%s', and the kernel is '%s' "
			       "now: begin a new run", s->past.id, s->past.commit, c->commit);
	r = store_record_resume(s->store, s->past.id, &s->record, &c->n_jobs, &c->n_programs,
				err);
	if (r < 0)
		return r;
	run_past_apply(&s->past, &s->plan, c->retries);
	log_info(&s->log, "run %" PRId64 " goes on: %zu test%s done, %zu left", s->past.id,
		 s->past.done, s->past.done == 1 ? "" : "s", run_plan_tests(&s->plan));
	c->n_done = s->past.done;
	c->past = tell_past;
	c->past_ctx = s;
	return 0;
}

int run_session_once(struct run_session *s, struct err *err)
{
	const struct kernel *kernel = run_plan_kernel(&s->plan);
	struct run_config config = {
		.settings = s->plan.settings,
		.n_settings = s->plan.n_parts,
		.work_dir = s->work.path,
		.log_dir = s->log_dir ? s->log_dir : s->work.path,
		.excuses = s->excuses,
		.knowns = s->knowns,
		.known = on_known,
		.known_ctx = s,
		.timeout_ms = s->opt.machine.timeout_ms ?:
			      s->opt.machine.gdb ? 0 : TIMEOUT_DEFAULT_MS,
		.job_timeout_ms = s->opt.job_timeout_ms,
		.test_timeout_ms = s->opt.test_timeout_ms,
		.silent_ms = s->opt.silent_ms,
		.deaths = s->deaths,
		.stop_at_fail = s->opt.until_fail || s->opt.fail_fast,
		.retries = (unsigned)s->opt.retries,
		.title = s->title,
		.branch = s->branch ?: s->plan.plan->branch ?: kernel ? kernel->branch : NULL,
		.commit = kernel ? kernel->version : NULL,
		.command = s->command,
	};
	struct event_fan fan = {};
	struct event_sink sink;
	char id[RUN_ID_MAX];
	uint32_t random = 0;
	int r;

	if (s->opt.keep) {
		run_keep_free(s->keep);
		s->keep = run_keep_new(s->loop, &s->log, s->opt.keep_ms ?: KEEP_DEFAULT_MS);
		config.keep = run_keep_take;
		config.keep_ctx = s->keep;
	}
	(void)!getrandom(&random, sizeof(random), 0);
	run_id_make(clock_wall_ms(), random, id);
	config.id = s->past.id ? s->past.uid : id;
	run_session_room(s, &config);
	run_session_expect(s);
	r = s->past.id ? record_past(s, &config, err)
		       : store_record_new(s->store, &s->record, err);
	if (r < 0)
		return r;
	s->decode = run_decode_new(&s->plan, s->cache_dir, &s->log);
	s->format = report_format_find(s->opt.common.json ? "json" : "text", err);
	s->report_options = (struct report_options){ .colour = s->cmd->colour,
						     .jobs = s->plan.n_parts > 1,
						     .verbose = s->opt.common.verbose > 0,
						     .text = run_decode_text,
						     .text_ctx = s->decode };
	s->progress = progress_new(s->loop, s->cmd->terminal && !s->opt.common.quiet,
				   s->cmd->terminal && !getenv("NO_COLOR"), s->cmd->columns,
				   config.slots, s->plan.settings, s->plan.n_parts);
	s->verdict = verdict_new();
	event_fan_add(&fan, store_record_sink(s->record));
	event_fan_add(&fan, verdict_sink(s->verdict));
	event_fan_add(&fan, progress_sink(s->progress));
	event_fan_add(&fan, run_decode_sink(s->decode));
	if (s->also.event)
		event_fan_add(&fan, s->also);
	progress_note(s->progress, s->note.p);
	event_fan_add(&fan, (struct event_sink){ on_event, s });
	s->coverage = run_coverage_new(&s->plan, s->work.path, s->log_dir, &s->log);
	sink = event_fan_sink(&fan);
	if (s->coverage)
		sink = run_coverage_sink(s->coverage, sink);
	r = run_start(&config, s->loop, &s->log, sink, on_done, s, &s->run, err);
	/* Hours of work that can't be kept are better not begun. */
	if (r == 0 && store_record_error(s->record, err) < 0)
		r = -EIO;
	if (r == 0) {
		loop_run(s->loop);
		r = run_exit_code(s->run);
	}
	s->run = run_free(s->run);
	s->coverage = run_coverage_free(s->coverage);
	ignore_warn(s->excuses, &s->log);
	known_warn(s->knowns, &s->log);
	s->progress = progress_free(s->progress);
	if (r >= 0)
		run_decode_stored(s->decode, s->store, store_record_run(s->record));
	if (s->report)
		s->format->end(s->report);
	s->report = NULL;
	s->decode = run_decode_free(s->decode);
	out_flush(s->cmd->out);
	if (r >= 0 && store_record_error(s->record, err) < 0)
		r = err_wrap(err, -EIO, "the history is incomplete");
	else if (r >= 0 && !s->silent)
		log_info(&s->log, "run %" PRId64 " is kept: taproom show %" PRId64 ", taproom log %"
			 PRId64 " [TEST]", store_record_run(s->record), store_record_run(s->record),
			 store_record_run(s->record));
	if (r == RUN_EXIT_STOPPED && !s->silent)
		log_info(&s->log, "taproom run --resume goes on with it");
	s->id = store_record_run(s->record);
	s->record = store_record_free(s->record);
	s->verdict = verdict_free(s->verdict);
	return r;
}

int run_session_open(struct run_session *s, struct err *err)
{
	int r = ignore_make(s->plan.plan, &s->log, &s->excuses, err);

	if (r == 0)
		r = known_make(s->plan.plan, clock_wall_ms(), &s->log, known_log, s, &s->knowns,
			       err);
	if (r == 0 && !s->store)
		r = store_open(s->opt.common.store, STORE_WRITE, &s->store, err);
	if (r < 0)
		return r;
	if (s->opt.out) {
		r = dir_make(s->opt.out, err);
		if (r < 0)
			return r;
		if (!s->log_dir)
			s->log_dir = realpath(s->opt.out, NULL);
		for (unsigned i = 0; i < s->plan.n_parts && s->opt.machine.dump_path; i++) {
			if (!s->dump)
				s->dump = path_join(s->log_dir,
						    path_base(s->opt.machine.dump_path));
			s->plan.settings[i].config.dump = s->dump;
		}
	}
	return s->work.path ? 0 : run_work_open(s->cache_dir, &s->work, err);
}

void run_session_close_plan(struct run_session *s)
{
	s->keep = run_keep_free(s->keep);
	excuses_free(s->excuses);
	knowns_free(s->knowns);
	s->excuses = NULL;
	s->knowns = NULL;
	run_plan_done(&s->plan);
}

void run_session_init(struct run_session *s, struct cmd *c)
{
	s->log = (struct log){ .level = c->log.level, .line = log_above, .ctx = s };
	s->loop = loop_new();
	s->deaths = run_deaths_new();
	s->cache_dir = cmd_cache_dir();
}

struct run_session_signals run_session_watch(struct run_session *s)
{
	return (struct run_session_signals){
		loop_signal(s->loop, SIGINT, on_interrupt, s),
		loop_signal(s->loop, SIGTERM, on_interrupt, s),
	};
}

void run_session_unwatch(struct run_session_signals *w)
{
	w->sigint = loop_unwatch(w->sigint);
	w->sigterm = loop_unwatch(w->sigterm);
}

int run_session_exit_code(int error)
{
	if (error == -EINTR)
		return RUN_EXIT_STOPPED;
	return error == -EINVAL ? EXIT_USAGE : EXIT_HARNESS;
}

void run_session_done(struct run_session *s)
{
	run_work_close(&s->work);
	run_deaths_free(s->deaths);
	store_close(s->store);
	run_session_close_plan(s);
	run_past_done(&s->past);
	machine_options_done(&s->opt.machine);
	loop_free(s->loop);
	free(s->cache_dir);
	free(s->log_dir);
	free(s->dump);
	free(s->command);
	free(s->title);
	buf_done(&s->note);
}

