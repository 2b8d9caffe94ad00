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
#include "cmd/ignore.h"
#include "cmd/known.h"
#include "cmd/progress.h"
#include "cmd/run-matrix.h"
#include "cmd/run-plan.h"
#include "cmd/shell-word.h"
#include "cmd/verdict.h"
#include "report/report.h"
#include "run/run.h"
#include "store/store.h"

#define TIMEOUT_DEFAULT_MS 7200000

struct run_options {
	struct cmd_common common;
	struct machine_options machine;
	const char *out, *tree;
	int repeat, retries, split;
	int64_t test_timeout_ms, silent_ms, job_timeout_ms;
	bool until_fail, fail_fast, list, dry;
};

#define AT(field) .offset = offsetof(struct run_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_FLAG, .letter = 'l', .name = "list", AT(list),
	  .help = "print the tests that would run, run none" },
	{ .type = OPT_TYPE_FLAG, .letter = 'n', .name = "dry-run", AT(dry),
	  .help = "print the jobs that would run, each with the time that its tests took "
		  "before; run none, build no kernel" },
	{ .type = OPT_TYPE_STR, .name = "tree", .arg = "NAME", AT(tree),
	  .help = "which of the configuration's trees to test; several: a,b [default: all]" },
	{ .type = OPT_TYPE_DURATION, .name = "job-timeout", .arg = "TIME", AT(job_timeout_ms),
	  .positive = true,
	  .help = "of all tests of one mode on one kind of machine; each may have its share of "
		  "it, so that one that hangs does not take the others' [default: none]" },
	{ .type = OPT_TYPE_DURATION, .name = "test-timeout", .arg = "TIME", AT(test_timeout_ms),
	  .positive = true,
	  .help = "of one test [default: the suite's own]" },
	{ .type = OPT_TYPE_DURATION, .name = "silent-timeout", .arg = "TIME", AT(silent_ms),
	  .positive = true,
	  .help = "end a test that says nothing for so long [default: it may]" },
	{ .type = OPT_TYPE_INT, .letter = 'j', .name = "jobs", .arg = "N", AT(machine.jobs),
	  .positive = true,
	  .help = "machines at a time [default: what memory and cores carry]" },
	{ .type = OPT_TYPE_INT, .name = "split", .arg = "N", AT(split),
	  .positive = true,
	  .help = "machines at a time for the tests of one mode [default: all of --jobs]" },
	{ .type = OPT_TYPE_INT, .name = "retries", .arg = "N", AT(retries),
	  .help = "try a test that failed up to N times more, each in a machine of its own; "
		  "what the last attempt says counts [default: 0]" },
	{ .type = OPT_TYPE_FLAG, .name = "fail-fast", AT(fail_fast),
	  .help = "start no more tests when one has failed" },
	{ .type = OPT_TYPE_INT, .name = "repeat", .arg = "N", AT(repeat),
	  .positive = true,
	  .help = "run it N times; each is a run of its own in the history" },
	{ .type = OPT_TYPE_FLAG, .name = "until-fail", AT(until_fail),
	  .help = "run again and again until a test fails (at most --repeat times)" },
	{ .type = OPT_TYPE_STR, .name = "out", .arg = "DIR", AT(out),
	  .help = "also leave logs and consoles in DIR" },
	OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, struct run_options, machine),
	OPT_GROUP("Common", CMD_COMMON, struct run_options, common),
	OPT_END,
};

const struct opt_command cmd_run_help = {
	.usage = "taproom run [SELECTOR...] [options]",
	.summary = "Boots a kernel, runs its tests, records and reports every result.",
	.text = "A selector is suite, suite/test or suite/test/subtest; * and ? match, a leading ! "
		"excludes. Without any, the configuration's default choice runs.\n"
		"Exit status: 0 all passed, 1 a test failed, 2 usage, 3 a crash, splat or timeout "
		"of it all, 4 the harness failed, 130 stopped by Ctrl-C.",
	.opts = OPTS,
	.examples = "  taproom run\n"
		    "  taproom run mptcp/pm_netlink --kernel debian\n"
		    "  taproom run 'mptcp/*' '!mptcp/mptcp_connect*' --repeat 10\n",
};

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
	struct store *store;
	struct run_deaths *deaths;   /* of all runs */
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

/* Options that were not given are the configuration's. */
static void defaults(struct run_options *o, const struct plan_run *run)
{
	const struct {
		int *to;
		unsigned is;
	} numbers[] = {
		{ &o->repeat, run->repeat_n }, { &o->retries, run->retries_n },
		{ &o->split, run->split_n }, { &o->machine.jobs, run->jobs_n },
	};
	const struct {
		int64_t *to, is;
	} times[] = {
		{ &o->machine.timeout_ms, run->timeout_ms },
		{ &o->job_timeout_ms, run->job_timeout_ms },
		{ &o->test_timeout_ms, run->test_timeout_ms },
		{ &o->silent_ms, run->silent_timeout_ms },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!*numbers[i].to)
			*numbers[i].to = (int)numbers[i].is;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (!*times[i].to)
			*times[i].to = times[i].is;
	o->fail_fast |= run->fail_fast_on;
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

/* A test of several jobs is one line. */
static bool was_listed(const struct session *s, unsigned part, const struct plan_test *t)
{
	for (unsigned i = 0; i < part; i++)
		for (size_t k = 0; k < s->plan.parts[i].tests.n; k++) {
			const struct plan_test *o = &s->plan.parts[i].tests.v[k];

			if (strcmp(o->suite, t->suite) == 0 && strcmp(o->name, t->name) == 0)
				return true;
		}
	return false;
}

static int print_list(struct session *s)
{
	struct out *o = s->cmd->out;
	struct json j;

	json_init(&j, o, false);
	if (s->opt.common.json)
		json_array(&j);
	for (unsigned i = 0; i < s->plan.n_parts; i++)
		for (size_t k = 0; k < s->plan.parts[i].tests.n; k++) {
			const struct plan_test *t = &s->plan.parts[i].tests.v[k];
			_free_ char *selector = xasprintf("%s/%s", t->suite, t->name);

			if (was_listed(s, i, t))
				continue;
			if (s->opt.common.json)
				json_str(&j, str_of(selector));
			else
				out_printf(o, "%s\n", selector);
		}
	if (s->opt.common.json)
		json_end(&j);
	return EXIT_PASSED;
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
	config.id = id;
	room(s, &config);
	expectations(s);
	r = store_record_new(s->store, &s->record, err);
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

static int run_all(struct session *s, struct err *err)
{
	struct loop_watch *sigint = loop_signal(s->loop, SIGINT, on_interrupt, s);
	struct loop_watch *sigterm = loop_signal(s->loop, SIGTERM, on_interrupt, s);
	int times = s->opt.repeat ? s->opt.repeat : s->opt.until_fail ? INT32_MAX : 1;
	int worst = 0, r = 0;

	for (int i = 0; i < times && !s->interrupts; i++) {
		r = run_once(s, err);
		if (r < 0)
			break;
		worst = r > worst ? r : worst;
		if (s->opt.until_fail && r != EXIT_PASSED)
			break;
	}
	loop_unwatch(sigint);
	loop_unwatch(sigterm);
	return r < 0 ? r : worst;
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
	defaults(&s->opt, &plan->run);
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
		r = print_list(s);
	} else {
		if (r == 0)
			r = open_places(s, err);
		if (r == 0)
			r = run_all(s, err);
	}
	close_plan(s);
	return r;
}

int cmd_run_run(struct cmd *c, int argc, char **argv)
{
	struct session s = { .cmd = c, .work.lock = -1 };
	_free_ char *from = getcwd(NULL, 0);
	struct err err = {};
	int n, r, code, worst = 0;

	s.command = shell_words(argc, argv);
	code = cmd_options(c, &cmd_run_help, false, argc, argv, &s.opt, &s.opt.common, &n);
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
		r = run_source(&s, &s.sources.v[i], from, &err);
		worst = r > worst ? r : worst;
	}
	if (s.opt.dry && s.opt.common.json)
		json_end(&s.json);
	code = r >= 0 ? worst : cmd_fail(c, exit_code(r), &err);
	session_done(&s);
	return code;
}
