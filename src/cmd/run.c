/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/shell-word.h"
#include "cmd/run-matrix.h"
#include "cmd/run-rounds.h"
#include "judge/words.h"

/* A call of `run`. */
struct call {
	struct run_session s;
	struct plan_sources sources;
	struct rounds *rounds;       /* of all runs; NULL: there is one */
	char *title;                 /* of a run alone */
	int first;                   /* round; those before it are past */
	double rate;                 /* of --until-sure; 0: none */
	struct json json;            /* of --dry-run */
};

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
static void command_from(struct run_session *s, const char *dir)
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

/* A history that is not there yet knows no time. */
static int print_matrix(struct call *call, struct err *err)
{
	struct run_session *s = &call->s;
	const struct kernel *kernel = run_plan_kernel(&s->plan);
	struct run_config c = {};
	int r = s->store ? 0 : store_open(s->opt.common.store, STORE_READ, &s->store, err);

	if (r < 0 && r != -ENOENT)
		return r;
	run_session_expect(s);
	run_session_room(s, &c);
	run_matrix_print(&s->plan,
			 s->branch ?: s->plan.plan->branch ?: kernel ? kernel->branch : NULL,
			 c.slots, s->opt.common.verbose > 0,
			 s->opt.common.json ? &call->json : NULL, s->cmd->out);
	return EXIT_PASSED;
}

/* How sure --until-sure is of all tests together. */
#define SURE_ERROR 0.05

/* For the progress line: which run it is, and how often they failed so far. */
static void tell_round(struct call *call, int i, int times)
{
	struct stat_rate rate = rounds_rate(call->rounds);
	struct run_session *s = &call->s;
	struct out o;

	free(s->title);
	s->title = rounds_title(call->title, i + 1);
	buf_clear(&s->note);
	out_to_buf(&o, &s->note);
	out_printf(&o, "run %d", i + 1);
	if (times < INT32_MAX)
		out_printf(&o, "/%d", times);
	if (rate.n) {
		out_printf(&o, ", %" PRIu64 " failed: ", rate.k);
		judge_rate(&o, &rate);
	}
	out_flush(&o);
	/* Where no line is drawn. */
	if (i > call->first && !s->cmd->terminal)
		log_info(&s->log, "%.*s", STR_FMT(buf_str(&s->note)));
}

static bool is_enough(const struct call *call, int code)
{
	if (call->s.opt.until_fail && code != EXIT_PASSED)
		return true;
	return call->rate > 0 && rounds_sure(call->rounds, call->rate, SURE_ERROR);
}

static int run_rounds(struct call *call, int times, struct err *err)
{
	struct run_session *s = &call->s;
	int worst = 0, r = 0;

	for (int i = call->first; i < times && !s->interrupts; i++) {
		if (call->rounds)
			tell_round(call, i, times);
		r = run_session_once(s, err);
		if (r < 0)
			break;
		worst = r > worst ? r : worst;
		if (call->rounds && is_enough(call, r))
			break;
	}
	if (r >= 0 && call->rounds && !s->opt.common.json)
		rounds_print(call->rounds, call->rate, SURE_ERROR, s->cmd->out);
	return r < 0 ? r : worst;
}

/* How often all is run. */
static int times_of(const struct call *call)
{
	const struct run_options *o = &call->s.opt;
	bool endless = o->until_fail || call->rate > 0;

	return o->repeat ? o->repeat : endless ? INT32_MAX : 1;
}

static int run_all(struct call *call, struct err *err)
{
	struct run_session *s = &call->s;
	struct run_session_signals signals = run_session_watch(s);
	int times = s->past.id ? 1 : times_of(call), r;

	if (times > 1) {
		call->rounds = rounds_new();
		s->also = rounds_sink(call->rounds);
	}
	r = run_rounds(call, times, err);
	s->also = (struct event_sink){};
	call->rounds = rounds_free(call->rounds);
	out_flush(s->cmd->out);
	if (r >= 0 && s->keep && !s->interrupts)
		run_keep_wait(s->keep);
	buf_clear(&s->note);
	run_session_unwatch(&signals);
	return r;
}

static char *title_of(char **argv, int n)
{
	struct buf b = {};

	for (int i = 0; i < n; i++)
		buf_printf(&b, i ? " %s" : "%s", argv[1 + i]);
	return b.n ? buf_take(&b) : xstrdup("default plan");
}

/* What the configuration says of all trees. */
static int read_plan(struct call *call, struct err *err)
{
	struct run_session *s = &call->s;
	struct plan *plan = NULL;
	int r = run_plan_load(&s->opt.machine, &plan, err);

	if (r < 0)
		return r;
	run_options_default(&s->opt, &plan->run);
	if (s->opt.sure && run_options_rate(s->opt.sure, &call->rate, err) < 0) {
		plan_free(plan);
		return -EINVAL;
	}
	/* A kernel that is named is the one to test. */
	r = s->opt.machine.kernel && !s->opt.tree
		    ? plan_sources_make(&(struct plan){}, NULL, &call->sources, err)
		    : plan_sources_make(plan, s->opt.tree, &call->sources, err);
	plan_free(plan);
	return r < 0 ? -EINVAL : 0;
}

/* One tree: its jobs, made and run. */
static int run_source(struct call *call, const struct plan_source *source, const char *from,
		      struct err *err)
{
	struct run_session *s = &call->s;
	int r = run_session_prepare(s, source, err);

	if (r == 0)
		command_from(s, from);
	if (r == 0 && s->opt.dry) {
		r = print_matrix(call, err);
	} else if (r == 0 && s->opt.list) {
		run_list_print(&s->plan, s->opt.common.json, s->cmd->out);
		r = EXIT_PASSED;
	} else {
		if (r == 0)
			r = run_session_open(s, err);
		if (r == 0)
			r = run_all(call, err);
	}
	run_session_close_plan(s);
	return r;
}

/* After the run that goes on: the rounds that it was followed by, had it not been
 * interrupted. */
static int run_rest(struct call *call, const struct plan_source *source, const char *from,
		    int code, struct err *err)
{
	struct run_session *s = &call->s;
	int r;

	call->first = rounds_title_read(s->past.title);
	if (!call->first || call->first >= times_of(call) || s->interrupts ||
	    (s->opt.until_fail && code != EXIT_PASSED))
		return code;
	s->past.id = 0; /* its words stay: they are this call's */
	r = run_source(call, source, from, err);
	return r < code && r >= 0 ? code : r;
}

/* The words of the run that goes on take the place of this call's. Returns as
 * cmd_options(). */
static int read_past(struct run_session *s, const char *spec, int *ret_n, char ***ret_argv)
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
	*ret_argv = s->past.argv + 1;
	r = cmd_options(s->cmd, &cmd_run_help, false, s->past.n_words - 1, *ret_argv, &s->opt,
			&s->opt.common, ret_n);
	s->opt.common = given;
	free(s->command);
	s->command = xstrdup(s->past.command);
	return r;
}

/* Of several trees, the one that the run is of. */
static bool is_past(const struct run_session *s, const struct plan_source *source)
{
	return !s->past.id || !source->branch || strcmp(source->branch, s->past.branch) == 0;
}

static void call_done(struct call *call)
{
	plan_sources_done(&call->sources);
	free(call->title);
	run_session_done(&call->s);
}

int cmd_run_run(struct cmd *c, int argc, char **argv)
{
	struct call call = { .s = { .cmd = c, .work.lock = -1 } };
	_free_ char *from = getcwd(NULL, 0);
	struct run_session *s = &call.s;
	struct err err = {};
	int n, r, code, worst = 0;
	bool goes_on;

	s->command = shell_words(argc, argv);
	code = cmd_options(c, &cmd_run_help, false, argc, argv, &s->opt, &s->opt.common, &n);
	if (code < 0 && s->opt.resume)
		code = read_past(s, n > 0 ? argv[1] : NULL, &n, &argv);
	if (code >= 0) {
		call_done(&call);
		return code;
	}
	run_session_init(s, c);
	s->title = title_of(argv, n);
	call.title = xstrdup(s->title);
	s->selectors = (const char *const *)argv + 1;
	s->n_selectors = (size_t)n;
	r = read_plan(&call, &err);
	json_init(&call.json, c->out, true);
	if (s->opt.dry && s->opt.common.json)
		json_array(&call.json);
	goes_on = s->past.id;
	for (size_t i = 0; i < call.sources.n && r >= 0 && !s->interrupts; i++) {
		if (!is_past(s, &call.sources.v[i]))
			continue;
		r = run_source(&call, &call.sources.v[i], from, &err);
		if (r >= 0 && goes_on)
			r = run_rest(&call, &call.sources.v[i], from, r, &err);
		worst = r > worst ? r : worst;
		if (goes_on)
			break;
	}
	if (s->opt.dry && s->opt.common.json)
		json_end(&call.json);
	code = r >= 0 ? worst : cmd_fail(c, run_session_exit_code(r), &err);
	call_done(&call);
	return code;
}
