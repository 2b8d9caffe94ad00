/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/history.h"
#include "plan/plan.h"

struct store_options {
	struct cmd_common common;
	const char *branch;
	int64_t keep_logs, keep_runs; /* ms; 0: for ever */
	const char *config;
	bool dry, repair;
};

#define OFFSET(member) offsetof(struct store_options, member)

static const struct opt OPTS[] = {
	{ OPT_TYPE_STR, 0, "branch", "GLOB", "gc: only runs of branches that fit",
	  OFFSET(branch) },
	{ OPT_TYPE_DURATION, 0, "keep-logs", "AGE", "gc: logs and consoles of runs older than "
	  "AGE go", OFFSET(keep_logs), .positive = true },
	{ OPT_TYPE_DURATION, 0, "keep-runs", "AGE", "gc: runs older than AGE go as a whole",
	  OFFSET(keep_runs), .positive = true },
	{ OPT_TYPE_STR, 0, "config", "FILE", "gc: without --keep-logs and --keep-runs, by the "
	  "'keep' rules of this configuration [default: as 'taproom run' finds it]",
	  OFFSET(config) },
	{ OPT_TYPE_FLAG, 0, "dry-run", NULL, "gc: only says what would go", OFFSET(dry) },
	{ OPT_TYPE_FLAG, 0, "repair", NULL, "check: makes anew what is derived from the runs",
	  OFFSET(repair) },
	OPT_GROUP("Common", CMD_COMMON, struct store_options, common),
	OPT_END,
};

const struct opt_command cmd_store_help = {
	.usage = "taproom store check|gc|backup [FILE] [options]",
	.summary = "Looks after the history: checks it, removes what is old, makes a copy.",
	.text = "check reads everything once. gc removes logs before results: what is older "
		"than --keep-logs and --keep-runs, of branches that fit --branch; or what the "
		"rules 'keep' in taproom.yaml say. backup FILE makes a copy while runs go on.",
	.opts = OPTS,
	.examples = "  taproom store check\n"
		    "  taproom store gc --dry-run\n"
		    "  taproom store gc --keep-logs 90d\n"
		    "  taproom store gc --branch 'pr-*' --keep-runs 30d\n"
		    "  taproom store backup /backup/history.db\n",
};

static void on_problem(void *ctx, struct str sentence)
{
	struct cmd *c = ctx;

	out_term(c->out, sentence);
	out_char(c->out, '\n');
}

static void hear_no_problem(void *ctx, struct str sentence)
{
}

static int check(struct cmd *c, struct store *s, const struct store_options *o, const char *to,
		 struct err *err)
{
	struct store_checked found;
	int r = o->repair ? store_repair(s, err) : 0;

	if (r == 0)
		r = store_check(s, o->common.json ? hear_no_problem : on_problem, c, &found, err);
	if (r < 0)
		return r;
	if (o->common.json)
		out_printf(c->out, "{\"runs\":%" PRIu64 ",\"programs\":%" PRIu64
			   ",\"results\":%" PRIu64 ",\"logs\":%" PRIu64 ",\"problems\":%" PRIu64
			   "}\n", found.runs, found.programs, found.results, found.logs,
			   found.problems);
	else
		out_printf(c->out, "%s: %" PRIu64 " runs, %" PRIu64 " programs, %" PRIu64
			   " results, %" PRIu64 " logs, %" PRIu64 " problems\n",
			   r ? "not clean" : "clean", found.runs, found.programs, found.results,
			   found.logs, found.problems);
	return r;
}

/* Of the options, else the configuration's. *ret_plan has their texts. */
static int keep_rules(const struct store_options *o, struct store_keep *keep,
		      struct store_keep_rule *one, struct store_keep_rule **ret_many,
		      struct plan **ret_plan, struct err *err)
{
	int r;

	if (o->keep_logs || o->keep_runs) {
		*one = (struct store_keep_rule){ o->branch, o->keep_logs ? o->keep_logs : -1,
						 o->keep_runs ? o->keep_runs : -1 };
		keep->rules = one;
		keep->n = 1;
		return 0;
	}
	if (o->branch)
		return err_set(err, EINVAL, "of '%s', what is to be kept? give --keep-logs or "
			       "--keep-runs", o->branch);
	r = plan_load(o->config, ".", ret_plan, err);
	if (r < 0)
		return r == -EINVAL ? r : err_wrap(err, -EINVAL, "gc");
	if (!(*ret_plan)->keep_count)
		return err_set(err, EINVAL, "what is to be kept? give --keep-logs or --keep-runs, "
			       "or write 'keep' rules in taproom.yaml");
	*ret_many = xcalloc((*ret_plan)->keep_count, sizeof(**ret_many));
	for (unsigned i = 0; i < (*ret_plan)->keep_count; i++) {
		const struct plan_keep *k = &(*ret_plan)->keep[i];

		(*ret_many)[i] = (struct store_keep_rule){ k->branch, k->logs_ms, k->runs_ms };
	}
	keep->rules = *ret_many;
	keep->n = (*ret_plan)->keep_count;
	return 0;
}

static int gc(struct cmd *c, struct store *s, const struct store_options *o, const char *to,
	      struct err *err)
{
	struct store_keep keep = { .now_ms = (int64_t)time(NULL) * 1000, .dry = o->dry };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_free_ struct store_keep_rule *many = NULL;
	struct store_keep_rule one;
	struct store_collected found;
	int r = keep_rules(o, &keep, &one, &many, &plan, err);

	if (r < 0)
		return r;
	r = store_gc(s, &keep, &found, err);
	if (r < 0)
		return r;
	if (o->common.json)
		out_printf(c->out, "{\"runs\":%" PRIu64 ",\"logs\":%" PRIu64 ",\"bytes\":%" PRIu64
			   ",\"dry\":%s}\n", found.runs, found.logs, found.bytes,
			   o->dry ? "true" : "false");
	else
		out_printf(c->out, "%s %" PRIu64 " runs, %" PRIu64 " logs of %" PRIu64 " bytes\n",
			   o->dry ? "would remove" : "removed", found.runs, found.logs,
			   found.bytes);
	return 0;
}

static int backup(struct cmd *c, struct store *s, const struct store_options *o, const char *to,
		  struct err *err)
{
	int r = store_backup(s, to, err);

	if (r < 0 || o->common.quiet)
		return r;
	if (o->common.json) {
		out_lit(c->out, "{\"backup\":\"");
		out_json(c->out, str_of(to));
		out_lit(c->out, "\"}\n");
	} else {
		out_lit(c->out, "copied; logs are in ");
		out_term(c->out, str_of(store_log_dir(s)));
		out_char(c->out, '\n');
	}
	return 0;
}

static const struct {
	const char *name;
	enum store_mode mode;
	int operands;
	int (*run)(struct cmd *, struct store *, const struct store_options *, const char *,
		   struct err *);
} ACTIONS[] = {
	{ "check", STORE_READ, 1, check },
	{ "gc", STORE_WRITE, 1, gc },
	{ "backup", STORE_READ, 2, backup },
};

static int usage(struct cmd *c, const char *what)
{
	struct err err;

	err_set(&err, EINVAL, "%s; see 'taproom help store'", what);
	return cmd_fail(c, EXIT_USAGE, &err);
}

int cmd_store_run(struct cmd *c, int argc, char **argv)
{
	struct store_options o = {};
	struct store *s = NULL;
	struct err err = {};
	size_t i = 0;
	int n, r, code = cmd_options(c, &cmd_store_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	while (n && i < ARRAY_SIZE(ACTIONS) && strcmp(argv[1], ACTIONS[i].name) != 0)
		i++;
	if (!n || i == ARRAY_SIZE(ACTIONS))
		return usage(c, "what is to be done? check, gc or backup");
	if (n != ACTIONS[i].operands)
		return usage(c, n < ACTIONS[i].operands ? "to which file?" :
							  "there is an operand too many");
	/* Only what is there: nothing is made to be checked. */
	r = store_open(o.common.store, STORE_READ, &s, &err);
	if (r == 0 && (ACTIONS[i].mode == STORE_WRITE || o.repair)) {
		s = store_close(s);
		r = store_open(o.common.store, STORE_WRITE, &s, &err);
	}
	if (r == 0)
		r = ACTIONS[i].run(c, s, &o, argv[2], &err);
	store_close(s);
	if (r < 0)
		return r == -EINVAL ? cmd_fail(c, EXIT_USAGE, &err) : history_fail(c, r, &err);
	return r ? EXIT_FAILED : EXIT_PASSED;
}
