/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The known issues: what became of each rule. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "cmd/known.h"
#include "stat/known.h"
#include "stat/window.h"
#include "web/api.h"

#define RUNS_DEFAULT 1000
#define TESTS_MAX    5 /* named below a rule */
#define INDENT       "    "

struct list_options {
	struct cmd_common common;
	struct known_options known;
	int64_t since_ms;
	bool trouble;
};

#define AT(field) .offset = offsetof(struct list_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_DURATION, .name = "since", .arg = "TIME", AT(since_ms),
	  .positive = true,
	  .help = "failures in runs begun in this time before now: 14d, 12h [default: of the "
		  "last 1000 runs]" },
	{ .type = OPT_TYPE_FLAG, .name = "exit-code", AT(trouble),
	  .help = "exit with 1 when a rule is expired, matches nothing, or hides a change" },
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct list_options, known),
	OPT_GROUP("Common", CMD_COMMON, struct list_options, common),
	OPT_END,
};

const struct opt_command cmd_known_help = {
	.usage = "taproom known [options]",
	.summary = "Lists known issues: what each rule excuses, and which are over.",
	.text = "The rules are those of 'known' in taproom.yaml(5). Each is listed with what of it "
		"failed lately, and what became of it: it excuses failures; none of its tests "
		"failed, it may be over; it is expired; it matches no test. Also when it hides a "
		"change: what it excuses fails more often since the rule was written.\n"
		"Exit status: 0 listed; with --exit-code: every rule excuses failures or may be "
		"over, 1 one needs care; 2 usage or configuration, 4 the store can't be read.",
	.opts = OPTS,
	.examples = "  taproom known\n"
		    "  taproom known --exit-code --since 30d\n",
};

/* ---- collecting ---- */

struct rule_at {
	const struct known *k;
	const struct plan_known *rule;
};

struct known {
	const struct plan *plan;
	const struct judge_run *runs;
	uint32_t n_runs;
	const struct judge_series **series;
	struct stat_known_series *v; /* of each */
	struct stat_change *rises;   /* of each, where there is one */
	struct stat_rate *rates;
	struct buf *names;
	size_t n;
	struct stat_known_rule *rules;
	struct rule_at *at; /* of each */
	struct stat_known *said;
	size_t *by;
};

static void known_done(struct known *k)
{
	for (size_t i = 0; i < k->n; i++)
		buf_done(&k->names[i]);
	free(k->series);
	free(k->v);
	free(k->rises);
	free(k->rates);
	free(k->names);
	free(k->rules);
	free(k->at);
	free(k->said);
	free(k->by);
}

/* Only what is on the newest runs of all axes tells of lately. */
static uint32_t first_place(const struct known *k, const struct judge_axis *a, uint32_t runs)
{
	uint32_t at = 0, from = k->n_runs > runs ? k->n_runs - runs : 0;

	while (at < a->n && a->run[at] < from)
		at++;
	return at;
}

static uint32_t first_since(const struct known *k, const struct judge_axis *a, int64_t since_ms)
{
	uint32_t at = 0;

	while (at < a->n && judge_run_at(k->runs, a, at)->begin_ms < since_ms)
		at++;
	return at;
}

/* The last time that it got worse. */
static bool find_rise(struct stat_finder *f, const struct stat_outages *outages,
		      struct stat_series_room *room, const struct judge_series *s,
		      struct stat_change *ret)
{
	struct stat_series left;
	struct stat_changes c;
	bool some = false;

	stat_series_without(&s->own, stat_outages_runs(outages), room, &left);
	if (!left.bad.n)
		return false;
	c = stat_finder_run(f, &left);
	for (size_t i = 0; i < c.n; i++) {
		if (c.v[i].kind != STAT_REGRESSION && c.v[i].kind != STAT_RATE_UP)
			continue;
		*ret = c.v[i];
		some = true;
	}
	return some;
}

static bool any_rule(const struct known *k, const struct judge_series *s)
{
	for (unsigned i = 0; i < k->plan->known_count; i++)
		if (known_about_series(&k->plan->known[i], s))
			return true;
	return false;
}

static void add_series(struct known *k, const struct judge_series *s, uint32_t from)
{
	const struct judge_axis *a = s->lane->axis;
	const struct stat_series *said = &s->own;
	struct stat_known_series *x = &k->v[k->n];

	judge_name(&k->names[k->n], s);
	k->series[k->n] = s;
	k->rates[k->n] = stat_window(&said, 1, from, a->n, NULL, STAT_OUTAGES_COUNT).rate;
	*x = (struct stat_known_series){
		.name = buf_str(&k->names[k->n]), .branch = a->branch, .mode = a->mode,
		.machine = a->machine, .failures = k->rates[k->n].k,
	};
	k->n++;
}

static void add_axis(struct known *k, const struct judge_axis *a, int64_t since_ms)
{
	struct stat_finder *f = stat_finder_new(&a->stat, STAT_PRIOR_DEFAULT);
	uint32_t from = since_ms ? first_since(k, a, since_ms) : first_place(k, a, RUNS_DEFAULT);
	struct stat_outages outages;
	struct stat_series_room room = {};

	judge_outages(a, &outages);
	for (size_t i = 0; i < a->n_lanes; i++)
		for (size_t n = 0; n < a->lanes[i].n; n++) {
			const struct judge_series *s = &a->lanes[i].series[n];
			size_t at = k->n;

			/* Parents fail with what is below them. */
			if ((!s->leaf && !s->whole && !s->own.bad.n) || !any_rule(k, s))
				continue;
			add_series(k, s, from);
			if (!find_rise(f, &outages, &room, s, &k->rises[at]))
				continue;
			k->v[at].rise = &k->rises[at];
			k->v[at].rise_ms = judge_run_at(k->runs, a, k->rises[at].run)->begin_ms;
		}
	stat_series_room_done(&room);
	stat_outages_done(&outages);
	stat_finder_free(f);
}

static bool rule_matches(const void *ctx, const struct stat_known_series *s)
{
	const struct rule_at *at = ctx;

	return known_about_series(at->rule, at->k->series[s - at->k->v]);
}

static void collect(struct known *k, const struct plan *plan, const struct judge *j,
		    int64_t since_ms, int64_t now_ms)
{
	unsigned n_rules = plan->known_count;
	size_t n = 0, most = 0;
	const struct judge_axis *axes = j ? judge_axes(j, &n) : NULL;

	k->plan = plan;
	if (j)
		k->runs = judge_runs(j, &k->n_runs);
	for (size_t i = 0; i < n; i++)
		for (size_t l = 0; l < axes[i].n_lanes; l++)
			most += axes[i].lanes[l].n;
	k->series = xcalloc(most + 1, sizeof(struct judge_series *));
	k->v = xcalloc(most + 1, sizeof(*k->v));
	k->rises = xcalloc(most + 1, sizeof(*k->rises));
	k->rates = xcalloc(most + 1, sizeof(*k->rates));
	k->names = xcalloc(most + 1, sizeof(*k->names));
	k->by = xcalloc(most + 1, sizeof(*k->by));
	k->rules = xcalloc(n_rules + 1u, sizeof(*k->rules));
	k->at = xcalloc(n_rules + 1u, sizeof(*k->at));
	k->said = xcalloc(n_rules + 1u, sizeof(*k->said));
	for (size_t i = 0; i < n; i++)
		add_axis(k, &axes[i], since_ms);
	for (unsigned i = 0; i < n_rules; i++) {
		k->at[i] = (struct rule_at){ k, &plan->known[i] };
		k->rules[i] = (struct stat_known_rule){ .matches = rule_matches,
							.ctx = &k->at[i] };
		plan_known_days(&plan->known[i], &k->rules[i].since_ms, &k->rules[i].expires_ms);
	}
	stat_known_judge(k->rules, n_rules, k->v, k->n, now_ms, k->said, k->by);
}

static bool needs_care(const struct stat_known *s)
{
	return s->state == STAT_KNOWN_EXPIRED || s->state == STAT_KNOWN_NOTHING ||
	       s->worse != STAT_KNOWN_NONE;
}

unsigned known_needing_care(const struct plan *plan, const struct judge *j, int64_t now_ms)
{
	_cleanup_(known_done) struct known k = {};
	unsigned n = 0;

	if (!plan->known_count)
		return 0;
	collect(&k, plan, j, 0, now_ms);
	for (unsigned i = 0; i < plan->known_count; i++)
		n += needs_care(&k.said[i]);
	return n;
}

/* ---- telling ---- */

static const char *const STATES[STAT_KNOWN_N] = {
	[STAT_KNOWN_EXCUSES] = "live", [STAT_KNOWN_QUIET] = "quiet",
	[STAT_KNOWN_EXPIRED] = "expired", [STAT_KNOWN_NOTHING] = "stale",
};

static const char *const ANSI[STAT_KNOWN_N] = {
	[STAT_KNOWN_EXCUSES] = "32", [STAT_KNOWN_QUIET] = "36",
	[STAT_KNOWN_EXPIRED] = "33", [STAT_KNOWN_NOTHING] = "33",
};

static void line(struct cmd *c, const char *before, const char *text)
{
	if (!text)
		return;
	out_printf(c->out, INDENT "%s", before);
	out_term(c->out, str_of(text));
	out_char(c->out, '\n');
}

static void tell_where(struct cmd *c, const struct plan_known *r)
{
	const char *const v[] = { r->branch, r->mode, r->machine };
	bool some = false;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (!v[i])
			continue;
		out_str(c->out, some ? STR(" ") : STR(INDENT "only "));
		out_term(c->out, str_of(v[i]));
		some = true;
	}
	if (some)
		out_char(c->out, '\n');
}

static void tell_tests(struct cmd *c, const struct known *k, unsigned rule, bool machines)
{
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < k->n; i++) {
		if (!k->v[i].failures || !rule_matches(k->rules[rule].ctx, &k->v[i]))
			continue;
		if (shown++ >= TESTS_MAX) {
			more++;
			continue;
		}
		out_lit(c->out, INDENT "  ");
		history_cell(c->out, k->v[i].name, judged_width(c, 6), false);
		out_lit(c->out, "\n" INDENT "    ");
		judged_axis(c->out, k->series[i]->lane->axis, machines);
		out_lit(c->out, ": ");
		judge_rate(c->out, &k->rates[i]);
		out_char(c->out, '\n');
	}
	if (more)
		out_printf(c->out, INDENT "  and %zu more\n", more);
}

static void tell_worse(struct cmd *c, const struct known *k, const struct stat_known *s)
{
	const struct stat_known_series *x;
	const struct judge_axis *a;
	char date[UNIT_TEXT_MAX];

	if (s->worse == STAT_KNOWN_NONE)
		return;
	x = &k->v[s->worse];
	a = k->series[s->worse]->lane->axis;
	out_lit(c->out, INDENT);
	history_colour(c, "31");
	out_lit(c->out, "hides a change");
	history_colour(c, NULL);
	out_printf(c->out, ", %.10s: ", date_text(x->rise_ms, date));
	history_cell(c->out, x->name, judged_width(c, 32), false);
	out_lit(c->out, "\n" INDENT "  ");
	judge_rate(c->out, &x->rise->before);
	out_lit(c->out, " -> ");
	judge_rate(c->out, &x->rise->after);
	out_lit(c->out, ", up to ");
	judged_run(c->out, judge_run_at(k->runs, a, x->rise->run));
	out_char(c->out, '\n');
}

static void tell_rule(struct cmd *c, const struct known *k, unsigned i, bool machines)
{
	const struct plan_known *r = &k->plan->known[i];
	const struct stat_known *s = &k->said[i];

	history_colour(c, ANSI[s->state]);
	out_printf(c->out, "%-7s", STATES[s->state]);
	history_colour(c, NULL);
	out_lit(c->out, "  ");
	history_cell(c->out, str_of(r->test), judged_width(c, 9), false);
	out_char(c->out, '\n');
	line(c, "", r->reason);
	line(c, "", r->link);
	line(c, "owner ", r->owner);
	line(c, "until ", r->until);
	tell_where(c, r);
	line(c, "only failures with /", r->pattern);
	out_printf(c->out, INDENT "%s%s", s->state == STAT_KNOWN_QUIET ? "" : "it ",
		   STAT_KNOWN_WORDS[s->state]);
	if (s->failures)
		out_printf(c->out, "; %" PRIu64 " failure%s of %u test%s", s->failures,
			   s->failures == 1 ? "" : "s", s->failing, s->failing == 1 ? "" : "s");
	out_char(c->out, '\n');
	tell_tests(c, k, i, machines);
	tell_worse(c, k, s);
}

static void json_rule(struct json *j, const struct known *k, unsigned i)
{
	const struct stat_known *s = &k->said[i];

	json_object(j);
	json_field_str(j, "state", str_of(STATES[s->state]));
	known_json(j, "rule", &k->plan->known[i]);
	json_field_int(j, "tests", s->series);
	json_field_int(j, "failing", s->failing);
	json_field_int(j, "failures", (int64_t)s->failures);
	json_key(j, "matched");
	json_array(j);
	for (size_t n = 0; n < k->n; n++) {
		if (!k->v[n].failures || !rule_matches(k->rules[i].ctx, &k->v[n]))
			continue;
		json_object(j);
		api_axis(j, k->series[n]->lane->axis);
		api_series(j, k->series[n]);
		api_rate(j, "rate", &k->rates[n]);
		json_field_bool(j, "excused", k->by[n] == i);
		json_end(j);
	}
	json_end(j);
	if (s->worse != STAT_KNOWN_NONE) {
		const struct stat_known_series *x = &k->v[s->worse];
		const struct judge_axis *a = k->series[s->worse]->lane->axis;

		json_key(j, "hides");
		json_object(j);
		api_axis(j, a);
		api_series(j, k->series[s->worse]);
		api_run(j, "up_to", judge_run_at(k->runs, a, x->rise->run));
		api_rate(j, "before", &x->rise->before);
		api_rate(j, "after", &x->rise->after);
		json_end(j);
	}
	json_end(j);
}

static void print(struct cmd *c, const struct known *k, bool json, bool machines)
{
	struct json j;

	json_init(&j, c->out, false);
	if (json) {
		json_object(&j);
		json_key(&j, "known");
		json_array(&j);
	}
	for (unsigned i = 0; i < k->plan->known_count; i++) {
		if (json)
			json_rule(&j, k, i);
		else
			tell_rule(c, k, i, machines);
	}
	if (json) {
		json_end(&j);
		json_end(&j);
	} else if (!k->plan->known_count) {
		out_printf(c->out, "No known issues in %s; taproom.yaml(5) tells how they are "
			   "written.\n", k->plan->path ? k->plan->path : "the built-in plan");
	}
}

static int load(const struct list_options *o, struct judge **ret, struct err *err)
{
	struct judge_filter f = {};
	struct store *s = NULL;
	int r = history_open(&o->common, &s, err);

	if (r > 0)
		r = judge_load(s, &f, ret, err);
	store_close(s);
	return r < 0 ? r : 0;
}

int cmd_known_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_(known_done) struct known k = {};
	struct list_options o = {};
	struct judge *j = NULL;
	struct err err = {};
	int64_t now = clock_wall_ms();
	int n, r, code = cmd_options(c, &cmd_known_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n > 0) {
		err_set(&err, EINVAL, "known takes no operand, not '%s'; the rules stand in "
			"taproom.yaml", argv[1]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	r = known_load(&o.known, &plan, &err);
	if (r == 0 && plan->known_count)
		r = load(&o, &j, &err);
	if (r < 0)
		return history_fail(c, r, &err);
	collect(&k, plan, j, o.since_ms ? now - o.since_ms : 0, now);
	print(c, &k, o.common.json, j && judged_machines(j));
	judge_free(j);
	for (unsigned i = 0; o.trouble && i < plan->known_count; i++)
		if (needs_care(&k.said[i]))
			return EXIT_FAILED;
	return EXIT_PASSED;
}
