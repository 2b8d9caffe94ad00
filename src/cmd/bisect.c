/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/bisect.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/shell-word.h"

/* ---- what the search asks of the history of commits ---- */

static int choose(void *ctx, const struct stat_bisect *b, char **ret, struct err *err)
{
	struct bisect *x = ctx;
	_cleanup_(commits_done) struct commits good = {}, skipped = {};
	int r;

	for (size_t i = 0; i < b->n; i++) {
		if (b->v[i].verdict == STAT_BISECT_GOOD)
			commits_add(&good, b->v[i].name);
		else if (b->v[i].verdict == STAT_BISECT_SKIPPED)
			commits_add(&skipped, b->v[i].name);
	}
	r = commits_choose(b->v[b->bad].name, &good, &skipped, &x->choice, err);
	*ret = r < 0 ? NULL : TAKE(x->choice.id);
	return r;
}

static int parents(void *ctx, const char *commit, char ***ret, struct err *err)
{
	struct commits list = {};
	int r = commits_parents(commit, &list, err);

	*ret = list.v;
	return r;
}

/* GOOD and BAD, and how far they are apart. */
static int find_ends(struct bisect *x, struct err *err)
{
	_cleanup_(commits_done) struct commits good = {}, none = {};
	_free_ char *base = NULL;
	int r = commits_find(x->good_word, &x->good, err);

	if (r == 0)
		r = commits_find(x->bad_word, &x->bad, err);
	if (r == 0)
		r = commits_is_ancestor(x->bad.id, x->good.id, err);
	if (r > 0)
		return err_set(err, EINVAL, strcmp(x->good.id, x->bad.id) == 0
				       ? "GOOD and BAD are the same commit"
				       : "BAD comes before GOOD: 'taproom bisect GOOD BAD "
					 "SELECTOR' looks for what broke a test, not for what "
					 "mended it");
	if (r == 0)
		r = commits_is_ancestor(x->good.id, x->bad.id, err);
	if (r == 0) {
		r = commits_merge_base(x->good.id, x->bad.id, &base, err);
		commit_done(&x->good);
		if (r == 0)
			r = commits_find(base, &x->good, err);
		x->diverged = true;
	}
	if (r < 0)
		return r;
	commits_add(&good, x->good.id);
	r = commits_choose(x->bad.id, &good, &none, &x->first, err);
	free(x->first.id);
	x->first.id = NULL;
	return r;
}

/* So many halvings; histories that are no line may take one more. */
static unsigned steps_of(unsigned commits)
{
	unsigned steps = 0;

	while (steps < 31 && (1u << steps) < commits)
		steps++;
	return steps;
}

/* ---- what was found out before ---- */

/* One bisection is the same commits, in the same way: --json or -v are not another. */
static uint64_t key_of(const struct bisect *x, const char *call, const char *repository)
{
	uint64_t h = str_hash(str_of(repository), STR_HASH_INIT);

	h = str_hash(str_of(x->good.id), h);
	h = str_hash(str_of(x->bad.id), h);
	return str_hash(str_of(call), h);
}

static int replay(struct bisect *x, struct err *err)
{
	unsigned runs = 0;

	for (size_t i = 0; i < x->state.n; i++) {
		const struct bisect_entry *e = &x->state.v[i];
		int r = stat_bisect_next(x->b, err);

		if (r < 0)
			return r;
		if (r == 0 || strcmp(x->b->v[x->b->at].name, e->commit) != 0)
			return err_set(err, EINVAL, "what is known of this bisection does not fit "
				       "any more, from %.12s on: --restart begins anew", e->commit);
		runs += e->run > 0;
		if (e->what == BISECT_SKIP)
			stat_bisect_skip(x->b, e->why);
		else
			stat_bisect_ran(x->b, e->what == BISECT_FAIL);
	}
	if (x->state.n)
		log_info(&x->s.log, "going on after %u run%s; --restart begins anew", runs,
			 runs == 1 ? "" : "s");
	return 0;
}

/* ---- the search ---- */

static void begin(struct bisect *x)
{
	struct stat_bisect_config c = {
		.good = x->good.id, .bad = x->bad.id, .error = x->error,
		.steps = steps_of(x->first.left), .rate = x->rate, .k = x->k, .n = x->n,
		.least = x->least, .choose = choose, .parents = parents, .ctx = x,
	};

	x->b = stat_bisect_new(&c);
}

static int step(struct bisect *x, struct err *err)
{
	enum stat_bisect_phase phase = x->b->phase;
	size_t at = x->b->at;
	const char *commit = x->b->v[at].name;
	struct bisect_run run;
	int r;

	bisect_tell_note(x);
	r = bisect_run(x, commit, &run, err);
	if (r == 0)
		r = bisect_state_add(&x->state, run.what, commit, run.id, run.why, err);
	if (r < 0)
		return r;
	if (run.what == BISECT_SKIP)
		stat_bisect_skip(x->b, run.why);
	else
		stat_bisect_ran(x->b, run.what == BISECT_FAIL);
	if (x->b->ended)
		bisect_tell_check(x, phase, at);
	return 0;
}

static int search(struct bisect *x, struct err *err)
{
	bool told = false;
	int r;

	while ((r = stat_bisect_next(x->b, err)) > 0) {
		if (!told && x->b->phase > STAT_BISECT_AT_BAD)
			bisect_tell_rate(x);
		told = x->b->phase > STAT_BISECT_AT_BAD;
		r = step(x, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* The rate that is not told is the history's, as it is when the search begins. */
static int look_back(struct bisect *x, struct err *err)
{
	int r = 0;

	if (x->rate > 0 || x->k)
		return 0;
	x->k = x->state.rate_k;
	x->n = x->state.rate_n;
	if (!x->state.n && !x->k)
		r = bisect_history(x, x->bad.id, err);
	x->known = (int64_t)x->n;
	if (r == 0 && x->k && !x->state.rate_k)
		r = bisect_state_rate(&x->state, x->k, x->n, err);
	return r;
}

static int bisect(struct bisect *x, const char *dir, const char *call, struct err *err)
{
	_free_ char *repository = NULL;
	int r = commits_repository(&repository, err);

	if (r == 0)
		r = find_ends(x, err);
	if (r == 0)
		r = bisect_state_open(x->s.cache_dir, key_of(x, call, repository), dir, call,
				      &x->state, err);
	if (r == 0 && x->opt.restart)
		r = bisect_state_restart(&x->state, dir, call, err);
	if (r == 0)
		r = look_back(x, err);
	if (r < 0)
		return r;
	begin(x);
	bisect_tell_begin(x);
	r = replay(x, err);
	if (r == 0)
		r = search(x, err);
	return r < 0 ? r : bisect_tell_end(x, err);
}

/* ---- the call ---- */

/* The words of a call, before they are read as options, which moves them. */
struct words {
	char **v;
	int n;
};

static struct words words_copy(int argc, char **argv)
{
	struct words w = { xcalloc((size_t)argc + 1, sizeof(*w.v)), argc };

	memcpy(w.v, argv, (size_t)argc * sizeof(*w.v));
	return w;
}

static bool is_in(const char *word, const char *const *list, size_t n)
{
	struct str rest = str_of(word), option = str_cut(&rest, '=');

	for (size_t i = 0; i < n; i++)
		if (str_eq(option, str_of(list[i])))
			return true;
	return false;
}

/* -C DIR, of which the directory is remembered instead: how many words, or 0. */
static int is_directory(const char *word)
{
	if (strcmp(word, "-C") == 0 || strcmp(word, "--directory") == 0)
		return 2;
	return str_starts(str_of(word), STR("-C")) ||
	       str_starts(str_of(word), STR("--directory="));
}

/* "taproom bisect ...", without how it is shown: what one bisection is known by. */
static char *call_of(const struct words *w)
{
	static const char *const show[] = { "--resume", "--restart", "--json", "--verbose",
					    "--quiet", "-v", "-q" };
	struct buf b = {};

	buf_printf(&b, "taproom bisect");
	for (int i = 1; i < w->n; i++) {
		int directory = is_directory(w->v[i]);

		if (directory)
			i += directory - 1;
		else if (!is_in(w->v[i], show, ARRAY_SIZE(show))) {
			buf_printf(&b, " ");
			shell_word(&b, w->v[i]);
		}
	}
	return buf_take(&b);
}

/* "cd DIR && taproom run ...", without what only a bisection has. */
static char *run_of(const struct bisect *x, const struct words *w, const char *dir)
{
	static const char *const own[] = { "--error", "--rate", "--least" };
	static const char *const show[] = { "--resume", "--restart", "--json" };
	struct buf b = {};

	buf_printf(&b, "cd ");
	shell_word(&b, dir);
	buf_printf(&b, " && taproom run");
	for (int i = 1; i < w->n; i++) {
		int directory = is_directory(w->v[i]);

		if (directory)
			i += directory - 1;
		else if (is_in(w->v[i], own, ARRAY_SIZE(own)))
			i += !strchr(w->v[i], '=');
		else if (w->v[i] != x->good_word && w->v[i] != x->bad_word &&
			 !is_in(w->v[i], show, ARRAY_SIZE(show))) {
			buf_printf(&b, " ");
			shell_word(&b, w->v[i]);
		}
	}
	return buf_take(&b);
}

/* The words of the one that was interrupted last take the place of this call's. */
static int take_newest(struct bisect *x, struct words *ret_own, struct words *ret, int *ret_n,
		       char ***ret_argv)
{
	struct cmd *c = x->s.cmd;
	struct cmd_common given = x->opt.run.common;
	_free_ char *dir = NULL, *call = NULL, *cache = cmd_cache_dir();
	struct err err = {};
	int r = bisect_state_newest(cache, &dir, &call, &err), code;

	if (r == 0 && chdir(dir) < 0)
		r = err_sys(&err, errno, "the bisection was called from '%s'", dir);
	if (r < 0)
		return cmd_fail(c, EXIT_USAGE, &err);
	ret_own->v = shell_split(str_of(call), &ret_own->n);
	if (ret_own->n < 2) {
		err_set(&err, EINVAL, "the words of the last bisection are damaged");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	free(ret->v);
	*ret = words_copy(ret_own->n - 1, ret_own->v + 1);
	*ret_argv = words_copy(ret->n, ret->v).v;
	machine_options_done(&x->opt.run.machine);
	x->opt = (struct bisect_options){};
	code = cmd_options(c, &cmd_bisect_help, false, ret->n, *ret_argv, &x->opt,
			   &x->opt.run.common, ret_n);
	x->opt.run.common.json = given.json;
	x->opt.run.common.quiet = given.quiet;
	x->opt.run.common.verbose = given.verbose;
	return code;
}

static int prepare(struct bisect *x, struct err *err)
{
	struct plan *plan = NULL;
	int r = bisect_options_read(x, err);

	if (r == 0)
		r = run_plan_load(&x->s.opt.machine, &plan, err);
	if (r < 0)
		return r;
	run_options_default(&x->s.opt, &plan->run);
	plan_free(plan);
	/* A retry would hide what is looked for; of several tests one failure is enough. */
	x->s.opt.retries = 0;
	x->s.opt.fail_fast = true;
	x->s.silent = x->s.opt.common.verbose == 0 || x->s.opt.common.json;
	/* Each run is of another kernel: what took its machine along may do so again. */
	x->s.deaths = run_deaths_free(x->s.deaths);
	return 0;
}

static void bisect_done(struct bisect *x)
{
	bisect_state_close(&x->state, x->done);
	stat_bisect_free(x->b);
	commit_done(&x->good);
	commit_done(&x->bad);
	free(x->prepared);
	run_session_done(&x->s);
}

static int run(struct bisect *x, struct words *w, char **argv, int n)
{
	_free_ char *call = call_of(w), *dir = getcwd(NULL, 0);
	struct cmd *c = x->s.cmd;
	struct err err = {};
	int r;

	if (n < 3) {
		err_set(&err, EINVAL, "bisect: give a good commit, a bad one, and a test: 'taproom "
			"bisect v6.11 v6.12 mptcp/diag'");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	x->good_word = argv[1];
	x->bad_word = argv[2];
	x->s.selectors = (const char *const *)argv + 3;
	x->s.n_selectors = (size_t)n - 2;
	run_session_init(&x->s, c);
	x->s.title = xasprintf("bisect %s..%s %s", x->good_word, x->bad_word, argv[3]);
	x->s.command = run_of(x, w, dir ? dir : "/");
	r = prepare(x, &err);
	if (r == 0)
		r = bisect(x, dir ? dir : "/", call, &err);
	x->done = r >= 0;
	return r >= 0 ? r : cmd_fail(c, run_session_exit_code(r), &err);
}

int cmd_bisect_run(struct cmd *c, int argc, char **argv)
{
	struct bisect x = { .s = { .cmd = c, .work.lock = -1 },
			    .state = { .lock = -1, .fd = -1 } };
	struct words own = {}, words = words_copy(argc, argv);
	char **other = NULL;
	int n, code;

	code = cmd_options(c, &cmd_bisect_help, false, argc, argv, &x.opt, &x.opt.run.common, &n);
	if (code < 0 && x.opt.resume && n == 0)
		code = take_newest(&x, &own, &words, &n, &other);
	x.s.opt = x.opt.run;
	if (code < 0)
		code = run(&x, &words, other ? other : argv, n);
	bisect_done(&x);
	for (int i = 0; i < own.n; i++)
		free(own.v[i]);
	free(own.v);
	free(words.v);
	free(other);
	return code;
}
