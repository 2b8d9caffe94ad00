/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "base/shell-word.h"
#include "cmd/ignore.h"
#include "cmd/known.h"
#include "cmd/progress.h"
#include "cmd/run-matrix.h"
#include "cmd/run-options.h"
#include "cmd/run-past.h"
#include "cmd/run-plan.h"
#include "cmd/run-rounds.h"
#include "cmd/verdict.h"
#include "judge/words.h"
#include "report/report.h"
#include "run/run.h"
#include "store/store.h"

#define TIMEOUT_DEFAULT_MS 7200000

/* Everything that one invocation holds. */
struct session {
	struct cmd *cmd;
	struct run_options opt;
	char *cache_dir, *log_dir, *command, *title, *dump;
	struct run_plan plan;
	struct excuses *excuses;     /* NULL: no rules */
	struct knowns *knowns;       /* the same */
	struct plan_sources sources;
	const char *branch;          /* the tree's label; NULL: the usual */
	const char *const *selectors;
	size_t n_selectors;
	struct run_past past;        /* of --resume; .id 0: none */
	struct store *store;
	struct run_deaths *deaths;   /* of all runs */
	struct rounds *rounds;       /* the same; NULL: there is one */
	struct buf round;            /* "run 12, 8.3 % of 12 [...]" */
	double rate;                 /* of --until-sure; 0: none */
	struct run_work work;
	struct log log;              /* above the progress line */
	struct loop *loop;
	struct json json;            /* of --dry-run */
	/* of the run that goes on */
	struct progress *progress;
	struct verdict *verdict;
	struct store_record *record;
	const struct report_format *format;
	struct report_options report_options;
	struct report *report;       /* NULL until the run has begun */
	struct run *run;
	unsigned interrupts;
};

static void log_above(void *ctx, enum log_level level, struct str text)
{
	struct session *s = ctx;

	if (s->progress)
		progress_clear(s->progress);
	s->cmd->log.line(s->cmd->log.ctx, level, text);
	if (s->progress)
		progress_draw(s->progress);
}

/* The report prints above the progress line. */
static void on_event(void *ctx, const struct event *ev)
{
	struct session *s = ctx;

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
	struct session *s = ctx;

	loop_stop(s->loop);
}

static void on_interrupt(void *ctx)
{
	struct session *s = ctx;

	if (s->interrupts++ == 0) {
		log_warn(&s->log, "stopping; what finished is kept");
		run_stop(s->run);
	}
}

/* "run it again": the words of this call. */
static char *shell_words(int argc, char **argv)
{
	struct buf b = {};

	buf_printf(&b, "taproom");
	for (int i = 0; i < argc; i++) {
		buf_printf(&b, " ");
		shell_word(&b, argv[i]);
	}
	return buf_take(&b);
}

/* A configuration file was found from where the call was made: go there first. */
static void command_from(struct session *s, const char *dir)
{
	struct buf b = {};

	if (!s->plan.plan->path || !dir || str_starts(str_of(s->command), STR("cd ")))
		return;
	buf_printf(&b, "cd ");
	shell_word(&b, dir);
	buf_printf(&b, " && %s", s->command);
	free(s->command);
	s->command = buf_take(&b);
}

/* How many machines at a time. By default as many as have cores and memory of their
 * own; processes of the running kernel are no machines of their own: one. */
static void room(struct session *s, struct run_config *c)
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

/* Everything up to the first boot, of one of the trees. */
static int prepare(struct session *s, const struct plan_source *source, struct err *err)
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
	return r < 0 ? r : run_plan_make(plan, &wish, &s->plan, err);
}

static void expectations(struct session *s)
{
	for (unsigned i = 0; i < s->plan.n_parts; i++)
		for (size_t k = 0; k < s->plan.parts[i].tests.n; k++) {
			struct plan_test *t = &s->plan.parts[i].tests.v[k];

			if (!s->store || store_expect_ms(s->store, t->suite, t->name,
					    s->plan.parts[i].mode.name, &t->expect_ms, NULL) < 0)
				t->expect_ms = -1;
		}
}

/* A history that is not there yet knows no time. */
static int print_matrix(struct session *s, struct err *err)
{
	const struct kernel *kernel = run_plan_kernel(&s->plan);
	struct run_config c = {};
	int r = s->store ? 0 : store_open(s->opt.common.store, STORE_READ, &s->store, err);

	if (r < 0 && r != -ENOENT)
		return r;
	expectations(s);
	room(s, &c);
	run_matrix_print(&s->plan,
			 s->branch ?: s->plan.plan->branch ?: kernel ? kernel->branch : NULL,
			 c.slots, s->opt.common.verbose > 0, s->opt.common.json ? &s->json : NULL,
			 s->cmd->out);
	return EXIT_PASSED;
}

/* What the runs before know of this one's failures. A history that can't tell
 * is no reason to lose a conclusion. */
static void on_known(void *ctx, struct buf *conclusion)
{
	struct session *s = ctx;
	_cleanup_(buf_done) struct buf words = {};
	struct err err = {};

	if (verdict_tell(s->verdict, s->store, store_record_run(s->record), &words, &err) < 0)
		log_warn(&s->log, "what was known of the failures is not told: %s", err.text);
	else if (words.n)
		buf_printf(conclusion, "; %.*s", STR_FMT(buf_str(&words)));
}

static void tell_past(void *ctx, const struct event_sink *sink)
{
	struct session *s = ctx;

	run_past_tell(&s->past, s->store, sink);
}

/* Goes on with a run: only if it is about the same kernel. */
static int record_past(struct session *s, struct run_config *c, struct err *err)
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
	log_info(&s->log, "run %" PRId64 " goes on: %zu tests are done, %zu are left", s->past.id,
		 s->past.done, run_plan_tests(&s->plan));
	c->n_done = s->past.done;
	c->past = tell_past;
	c->past_ctx = s;
	return 0;
}

/* One run, from its first boot to its record. Returns the exit code or -errno. */
static int run_once(struct session *s, struct err *err)
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
	char id[RUN_ID_MAX];
	uint32_t random = 0;
	int r;

	(void)!getrandom(&random, sizeof(random), 0);
	run_id_make(clock_wall_ms(), random, id);
	config.id = s->past.id ? s->past.uid : id;
	room(s, &config);
	expectations(s);
	r = s->past.id ? record_past(s, &config, err)
		       : store_record_new(s->store, &s->record, err);
	if (r < 0)
		return r;
	s->format = report_format_find(s->opt.common.json ? "json" : "text", err);
	s->report_options = (struct report_options){ .colour = s->cmd->colour,
						     .jobs = s->plan.n_parts > 1,
						     .verbose = s->opt.common.verbose > 0 };
	s->progress = progress_new(s->loop, s->cmd->terminal && !s->opt.common.quiet,
				   s->cmd->terminal && !getenv("NO_COLOR"), s->cmd->columns,
				   s->plan.settings, s->plan.n_parts);
	s->verdict = verdict_new();
	event_fan_add(&fan, store_record_sink(s->record));
	event_fan_add(&fan, verdict_sink(s->verdict));
	event_fan_add(&fan, progress_sink(s->progress));
	if (s->rounds)
		event_fan_add(&fan, rounds_sink(s->rounds));
	progress_note(s->progress, s->round.p);
	event_fan_add(&fan, (struct event_sink){ on_event, s });
	r = run_start(&config, s->loop, &s->log, event_fan_sink(&fan), on_done, s, &s->run, err);
	/* Hours of work that can't be kept are better not begun. */
	if (r == 0 && store_record_error(s->record, err) < 0)
		r = -EIO;
	if (r == 0) {
		loop_run(s->loop);
		r = run_exit_code(s->run);
	}
	s->run = run_free(s->run);
	ignore_warn(s->excuses, &s->log);
	known_warn(s->knowns, &s->log);
	s->progress = progress_free(s->progress);
	if (s->report)
		s->format->end(s->report);
	s->report = NULL;
	out_flush(s->cmd->out);
	if (r >= 0 && store_record_error(s->record, err) < 0)
		r = err_wrap(err, -EIO, "the history is incomplete");
	else if (r >= 0)
		log_info(&s->log, "run %" PRId64 " is kept: taproom show %" PRId64 ", taproom log %"
			 PRId64 " [TEST]", store_record_run(s->record), store_record_run(s->record),
			 store_record_run(s->record));
	s->record = store_record_free(s->record);
	s->verdict = verdict_free(s->verdict);
	return r;
}

/* How sure --until-sure is of all tests together. */
#define SURE_ERROR 0.05

/* For the progress line: which run it is, and how often they failed so far. */
static void tell_round(struct session *s, int i, int times)
{
	struct stat_rate rate = rounds_rate(s->rounds);
	struct out o;

	buf_clear(&s->round);
	out_to_buf(&o, &s->round);
	out_printf(&o, "run %d", i + 1);
	if (times < INT32_MAX)
		out_printf(&o, "/%d", times);
	if (rate.n) {
		out_printf(&o, ", %" PRIu64 " failed: ", rate.k);
		judge_rate(&o, &rate);
	}
	out_flush(&o);
	/* Where no line is drawn. */
	if (i && !s->cmd->terminal)
		log_info(&s->log, "%.*s", STR_FMT(buf_str(&s->round)));
}

static bool is_enough(const struct session *s, int code)
{
	if (s->opt.until_fail && code != EXIT_PASSED)
		return true;
	return s->rate > 0 && rounds_sure(s->rounds, s->rate, SURE_ERROR);
}

static int run_rounds(struct session *s, int times, struct err *err)
{
	int worst = 0, r = 0;

	for (int i = 0; i < times && !s->interrupts; i++) {
		if (s->rounds)
			tell_round(s, i, times);
		r = run_once(s, err);
		if (r < 0)
			break;
		worst = r > worst ? r : worst;
		if (s->rounds && is_enough(s, r))
			break;
	}
	if (r >= 0 && s->rounds && !s->opt.common.json)
		rounds_print(s->rounds, s->rate, SURE_ERROR, s->cmd->out);
	return r < 0 ? r : worst;
}

static int run_all(struct session *s, struct err *err)
{
	struct loop_watch *sigint = loop_signal(s->loop, SIGINT, on_interrupt, s);
	struct loop_watch *sigterm = loop_signal(s->loop, SIGTERM, on_interrupt, s);
	bool endless = s->opt.until_fail || s->rate > 0;
	int times = s->past.id ? 1 : s->opt.repeat ? s->opt.repeat : endless ? INT32_MAX : 1;
	int r;

	s->rounds = times > 1 ? rounds_new() : NULL;
	r = run_rounds(s, times, err);
	s->rounds = rounds_free(s->rounds);
	buf_done(&s->round);
	loop_unwatch(sigint);
	loop_unwatch(sigterm);
	return r;
}

static int open_places(struct session *s, struct err *err)
{
	int r = ignore_make(s->plan.plan, &s->log, &s->excuses, err);

	if (r == 0)
		r = known_make(s->plan.plan, clock_wall_ms(), &s->log, known_log_file, NULL,
			       &s->knowns, err);
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

/* What is the plan's goes with it. */
static void close_plan(struct session *s)
{
	excuses_free(s->excuses);
	knowns_free(s->knowns);
	s->excuses = NULL;
	s->knowns = NULL;
	run_plan_done(&s->plan);
}

static char *title_of(char **argv, int n)
{
	struct buf b = {};

	for (int i = 0; i < n; i++)
		buf_printf(&b, i ? " %s" : "%s", argv[1 + i]);
	return b.n ? buf_take(&b) : xstrdup("default plan");
}

static void session_done(struct session *s)
{
	run_work_close(&s->work);
	run_deaths_free(s->deaths);
	store_close(s->store);
	close_plan(s);
	plan_sources_done(&s->sources);
	run_past_done(&s->past);
	machine_options_done(&s->opt.machine);
	loop_free(s->loop);
	free(s->cache_dir);
	free(s->log_dir);
	free(s->dump);
	free(s->command);
	free(s->title);
}

static int exit_code(int error)
{
	if (error == -EINTR)
		return RUN_EXIT_STOPPED;
	return error == -EINVAL ? EXIT_USAGE : EXIT_HARNESS;
}

/* What the configuration says of all trees. */
static int read_plan(struct session *s, struct err *err)
{
	struct plan *plan = NULL;
	int r = run_plan_load(&s->opt.machine, &plan, err);

	if (r < 0)
		return r;
	run_options_default(&s->opt, &plan->run);
	if (s->opt.sure && run_options_rate(s->opt.sure, &s->rate, err) < 0) {
		plan_free(plan);
		return -EINVAL;
	}
	/* A kernel that is named is the one to test. */
	r = s->opt.machine.kernel && !s->opt.tree
		    ? plan_sources_make(&(struct plan){}, NULL, &s->sources, err)
		    : plan_sources_make(plan, s->opt.tree, &s->sources, err);
	plan_free(plan);
	return r < 0 ? -EINVAL : 0;
}

/* One tree: its jobs, made and run. */
static int run_source(struct session *s, const struct plan_source *source, const char *from,
		      struct err *err)
{
	int r = prepare(s, source, err);

	if (r == 0)
		command_from(s, from);
	if (r == 0 && s->opt.dry) {
		r = print_matrix(s, err);
	} else if (r == 0 && s->opt.list) {
		run_list_print(&s->plan, s->opt.common.json, s->cmd->out);
		r = EXIT_PASSED;
	} else {
		if (r == 0)
			r = open_places(s, err);
		if (r == 0)
			r = run_all(s, err);
	}
	close_plan(s);
	return r;
}

/* The words of the run that goes on take the place of this call's. Returns as
 * cmd_options(). */
static int read_past(struct session *s, const char *spec, int *ret_n, char ***ret_argv)
{
	struct cmd_common given = s->opt.common;
	struct err err = {};
	int r = store_open(given.store, STORE_WRITE, &s->store, &err);

	if (r == 0)
		r = run_past_load(s->store, spec, &s->past, &err);
	if (r == 0 && s->past.dir && chdir(s->past.dir) < 0)
		r = err_sys(&err, errno, "the run was called from '%s'", s->past.dir);
	if (r < 0)
		return cmd_fail(s->cmd, EXIT_USAGE, &err);
	machine_options_done(&s->opt.machine);
	s->opt = (struct run_options){};
	*ret_argv = s->past.words + 1;
	r = cmd_options(s->cmd, &cmd_run_help, false, s->past.n_words - 1, *ret_argv, &s->opt,
			&s->opt.common, ret_n);
	s->opt.common = given;
	free(s->command);
	s->command = xstrdup(s->past.command);
	return r;
}

/* Of several trees, the one that the run is of. */
static bool is_past(const struct session *s, const struct plan_source *source)
{
	return !s->past.id || !source->branch || strcmp(source->branch, s->past.branch) == 0;
}

int cmd_run_run(struct cmd *c, int argc, char **argv)
{
	struct session s = { .cmd = c, .work.lock = -1 };
	_free_ char *from = getcwd(NULL, 0);
	struct err err = {};
	int n, r, code, worst = 0;

	s.command = shell_words(argc, argv);
	code = cmd_options(c, &cmd_run_help, false, argc, argv, &s.opt, &s.opt.common, &n);
	if (code < 0 && s.opt.resume)
		code = read_past(&s, n > 0 ? argv[1] : NULL, &n, &argv);
	if (code >= 0) {
		session_done(&s);
		return code;
	}
	s.log = (struct log){ .level = c->log.level, .line = log_above, .ctx = &s };
	s.loop = loop_new();
	s.deaths = run_deaths_new();
	s.cache_dir = cmd_cache_dir();
	s.title = title_of(argv, n);
	s.selectors = (const char *const *)argv + 1;
	s.n_selectors = (size_t)n;
	r = read_plan(&s, &err);
	json_init(&s.json, c->out, true);
	if (s.opt.dry && s.opt.common.json)
		json_array(&s.json);
	for (size_t i = 0; i < s.sources.n && r >= 0 && !s.interrupts; i++) {
		if (!is_past(&s, &s.sources.v[i]))
			continue;
		r = run_source(&s, &s.sources.v[i], from, &err);
		worst = r > worst ? r : worst;
	}
	if (s.opt.dry && s.opt.common.json)
		json_end(&s.json);
	code = r >= 0 ? worst : cmd_fail(c, exit_code(r), &err);
	session_done(&s);
	return code;
}
