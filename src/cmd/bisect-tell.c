/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/bisect.h"
#include "judge/words.h"

#define ID      "%.12s"
#define NAMED   16 /* commits of a range that are named */
#define SUBJECT 60

static void subject(struct out *o, const char *commit)
{
	struct commit c = {};

	if (commits_find(commit, &c, NULL) == 0) {
		struct str s = str_of(c.subject);

		out_lit(o, " (\"");
		out_term(o, str_n(s.p, s.n < SUBJECT ? s.n : SUBJECT));
		out_str(o, s.n > SUBJECT ? STR("...\")") : STR("\")"));
	}
	commit_done(&c);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void bisect_tell_begin(struct bisect *x)
{
	struct out *o = x->s.cmd->out;

	if (x->s.opt.common.json)
		return;
	out_printf(o, "Bisect ");
	out_term(o, str_of(x->good_word));
	out_lit(o, "..");
	out_term(o, str_of(x->bad_word));
	out_printf(o, ": %u commit%s, about %u step%s.\n", x->first.left, plural(x->first.left),
		   x->b->config.steps, plural(x->b->config.steps));
	if (x->diverged) {
		out_printf(o, "GOOD is no ancestor of BAD: their merge base " ID, x->good.id);
		subject(o, x->good.id);
		out_lit(o, " is tested in its place.\n");
	}
	out_lit(o, "Wrong with at most ");
	judge_percent(o, x->error);
	out_lit(o, " %: the culprit's parents are run again as often as that asks");
	out_lit(o, ".\nA step may take a wrong turn with ");
	judge_percent(o, x->b->share);
	out_lit(o, " %, which that finds out.\n");
	if (x->known)
		out_printf(o, "The history has %" PRId64 " runs of BAD, of which %" PRIu64
			   " failed.\n", x->known, x->k);
	out_flush(o);
}

/* What is left of the whole, at the pace so far; -1: not known. */
static int64_t left_ms(const struct bisect *x)
{
	const struct stat_bisect *b = x->b;
	int64_t each = x->runs ? x->run_ms / x->runs : -1;
	double runs, steps = b->phase == STAT_BISECT_SEARCH ? x->choice.steps : b->config.steps;

	if (each < 0 || !(b->rate > 0) || b->phase > STAT_BISECT_SEARCH)
		return -1;
	/* Half of the steps are good; on the others it fails after 1 / rate. */
	runs = steps / 2 * ((double)stat_bisect_step_passes(b) + 1 / b->rate) +
	       1 / b->rate + (double)stat_bisect_passes(b);
	return (int64_t)(runs * (double)each +
			 steps * (double)(x->builds ? x->build_ms / x->builds : 0));
}

void bisect_tell_note(struct bisect *x)
{
	const struct stat_bisect *b = x->b;
	const struct stat_bisect_commit *c = &b->v[b->at];
	char text[UNIT_TEXT_MAX];
	int64_t left = left_ms(x);

	buf_clear(&x->s.note);
	buf_printf(&x->s.note, ID ": ", c->name);
	if (b->phase == STAT_BISECT_AT_BAD)
		buf_printf(&x->s.note, "BAD, run %" PRIu64 ", %" PRIu64 " failed", c->runs + 1,
			   c->failures);
	else
		buf_printf(&x->s.note, "run %" PRIu64 " of at most %" PRIu64, c->now_passes + 1,
			   b->wanted);
	if (b->phase == STAT_BISECT_SEARCH)
		buf_printf(&x->s.note, ", about %u steps left", x->choice.steps);
	if (left >= 0)
		buf_printf(&x->s.note, ", %s", duration_text(left, text));
}

void bisect_tell_rate(struct bisect *x)
{
	struct out *o = x->s.cmd->out;
	const struct stat_bisect *b = x->b;
	int64_t left = left_ms(x);
	char text[UNIT_TEXT_MAX];

	if (x->s.opt.common.json)
		return;
	if (b->seen_n) {
		struct stat_rate rate = stat_rate(b->seen_k, b->seen_n);

		out_lit(o, "BAD fails in ");
		judge_rate(o, &rate);
		out_lit(o, ", surely in more than ");
	} else {
		out_lit(o, "BAD fails in ");
	}
	judge_percent(o, b->rate);
	out_printf(o, " %%.\nGood is what passes %" PRIu64 " time%s on the way, and %" PRIu64
		   " at the end",
		   stat_bisect_step_passes(b), plural(stat_bisect_step_passes(b)),
		   stat_bisect_passes(b));
	if (left >= 0)
		out_printf(o, "; about %s", duration_text(left, text));
	out_lit(o, ".\n");
	out_flush(o);
}

void bisect_tell_check(struct bisect *x, enum stat_bisect_phase phase, size_t at)
{
	static const char *const roles[] = {
		[STAT_BISECT_AT_BAD] = "BAD", [STAT_BISECT_AT_GOOD] = "GOOD",
		[STAT_BISECT_SEARCH] = "step", [STAT_BISECT_CULPRIT] = "again",
		[STAT_BISECT_PARENTS] = "parent",
	};
	const struct stat_bisect_commit *c = &x->b->v[at];
	struct out *o = x->s.cmd->out;

	if (x->s.opt.common.json)
		return;
	if (phase == STAT_BISECT_SEARCH)
		out_printf(o, "  step %-2u ", x->b->step);
	else
		out_printf(o, "  %-7s ", roles[phase]);
	out_printf(o, ID " ", c->name);
	if (c->why)
		out_lit(o, "skipped: ");
	if (c->why)
		out_term(o, str_of(c->why));
	else if (phase == STAT_BISECT_AT_BAD)
		out_printf(o, "failed %" PRIu64 " of %" PRIu64, c->failures, c->runs);
	else if (c->now_passes)
		out_printf(o, "passed %" PRIu64 " time%s", c->now_passes, plural(c->now_passes));
	else
		out_printf(o, "failed");
	if (!c->why)
		subject(o, c->name);
	if (phase == STAT_BISECT_SEARCH)
		out_printf(o, ", %u left", x->choice.left);
	out_lit(o, "\n");
	out_flush(o);
}

/* ---- the end ---- */

/* The earliest that failed, and those before it that could not be tested. */
static int range(struct bisect *x, struct commits *ret, bool *ret_more, struct err *err)
{
	struct commits good = {};
	int r;

	for (size_t i = 0; i < x->b->n; i++)
		if (x->b->v[i].verdict == STAT_BISECT_GOOD)
			commits_add(&good, x->b->v[i].name);
	r = commits_between(x->b->v[x->b->at].name, &good, NAMED, ret, ret_more, err);
	commits_done(&good);
	return r;
}

static void tell_parents(struct bisect *x)
{
	struct out *o = x->s.cmd->out;

	for (size_t i = 0; i < x->b->n_parents; i++) {
		const struct stat_bisect_commit *c = &x->b->v[x->b->parents[i]];

		out_printf(o, "Its parent " ID " passed all of %" PRIu64 ".\n", c->name, c->runs);
	}
	if (!x->b->n_parents)
		out_lit(o, "Its parent could not be tested.\n");
}

static int tell_found(struct bisect *x, struct err *err)
{
	const struct stat_bisect_commit *c = &x->b->v[x->b->at];
	_cleanup_(commits_done) struct commits list = {};
	struct out *o = x->s.cmd->out;
	struct commit commit = {};
	bool more = false;
	int r = range(x, &list, &more, err);

	if (r == 0)
		r = commits_find(c->name, &commit, err);
	if (r < 0)
		return r;
	out_lit(o, "\n");
	if (list.n > 1)
		out_printf(o, "One of %s%zu commits made it fail, of which only the last could be "
			   "tested:\n", more ? "more than " : "", list.n);
	else
		out_lit(o, "The first commit that fails:\n");
	out_printf(o, "  %s\n  ", commit.id);
	out_term(o, str_of(commit.subject));
	out_lit(o, "\n  ");
	out_term(o, str_of(commit.author));
	out_printf(o, "\nIt failed %" PRIu64 " of %" PRIu64 " times. ", c->failures, c->runs);
	tell_parents(x);
	for (size_t i = 1; i < list.n; i++) {
		out_printf(o, "  or " ID, list.v[i]);
		subject(o, list.v[i]);
		out_lit(o, "\n");
	}
	if (x->b->n_parents) {
		out_lit(o, "Right with at least ");
		judge_percent(o, 1 - x->error);
		out_printf(o, " %%, after %zu commits.\n", x->b->n);
	} else {
		out_printf(o, "After %zu commits; how sure that is can't be said: only a parent "
			   "that passes shows it.\n", x->b->n);
	}
	commit_done(&commit);
	return 0;
}

static void tell_other(struct bisect *x)
{
	const struct stat_bisect *b = x->b;
	const struct stat_bisect_commit *c = &b->v[b->at];
	struct out *o = x->s.cmd->out;

	out_lit(o, "\n");
	switch (b->phase) {
	case STAT_BISECT_NOT_BAD:
		out_printf(o, "Nothing to bisect: BAD, " ID ", passed %" PRIu64 " times, which a "
			   "test that fails in ", c->name, c->now_passes);
		judge_percent(o, b->rate > 0 ? b->rate : b->config.least);
		out_lit(o, " % of its runs does rarely.\nIf it fails less often, say so: "
			   "--rate, or --least.\n");
		break;
	case STAT_BISECT_NOT_GOOD:
		out_printf(o, "It fails on GOOD too, %" PRIu64 " of %" PRIu64 " times: " ID,
			   c->failures, c->runs, c->name);
		subject(o, c->name);
		out_lit(o, ".\nGo further back for one that is good");
		out_str(o, x->diverged ? STR(", or bisect what mended it on the other branch.\n")
				       : STR(".\n"));
		break;
	case STAT_BISECT_UNSURE:
		out_printf(o, "No answer: " ID, c->name);
		subject(o, c->name);
		out_printf(o, " was the earliest that failed, but only %" PRIu64 " of %" PRIu64
			   " times,\nless often than BAD does. The test seems to fail for another "
			   "reason as well:\nname the subtest that is meant.\n",
			   c->failures, c->runs);
		break;
	default:
		out_printf(o, "%s, " ID ", can't be tested: ", b->at ? "GOOD" : "BAD", c->name);
		out_term(o, str_of(c->why));
		out_lit(o, "\nName another one near it.\n");
	}
}

static void json_commit(struct json *j, struct bisect *x, const struct stat_bisect_commit *c)
{
	static const char *const verdicts[] = {
		[STAT_BISECT_OPEN] = "open", [STAT_BISECT_GOOD] = "good",
		[STAT_BISECT_BAD] = "bad", [STAT_BISECT_SKIPPED] = "skipped",
	};
	struct commit commit = {};

	commits_find(c->name, &commit, NULL);
	json_object(j);
	json_field_str(j, "commit", str_of(c->name));
	json_field_str(j, "subject", str_of(commit.subject));
	json_field_str(j, "author", str_of(commit.author));
	json_field_str(j, "verdict", str_of(c->why ? "skipped" : verdicts[c->verdict]));
	json_field_str(j, "reason", str_of(c->why));
	json_field_int(j, "failures", (int64_t)c->failures);
	json_field_int(j, "runs", (int64_t)c->runs);
	json_key(j, "run_ids");
	json_array(j);
	for (size_t i = 0; i < x->state.n; i++)
		if (x->state.v[i].run && strcmp(x->state.v[i].commit, c->name) == 0)
			json_int(j, x->state.v[i].run);
	json_end(j);
	json_end(j);
	commit_done(&commit);
}

static int json_end_all(struct bisect *x, struct err *err)
{
	static const char *const results[] = {
		[STAT_BISECT_FOUND] = "found", [STAT_BISECT_NOT_BAD] = "passes-on-bad",
		[STAT_BISECT_NOT_GOOD] = "fails-on-good", [STAT_BISECT_UNSURE] = "unsure",
		[STAT_BISECT_UNTESTED] = "untestable",
	};
	_cleanup_(commits_done) struct commits list = {};
	const struct stat_bisect *b = x->b;
	struct json j;
	bool more = false;
	int r = b->phase == STAT_BISECT_FOUND ? range(x, &list, &more, err) : 0;

	if (r < 0)
		return r;
	json_init(&j, x->s.cmd->out, true);
	json_object(&j);
	json_field_str(&j, "good", str_of(x->good.id));
	json_field_str(&j, "bad", str_of(x->bad.id));
	json_field_real(&j, "error", x->error);
	json_field_real(&j, "rate", b->rate);
	json_field_int(&j, "rate_failures", (int64_t)b->seen_k);
	json_field_int(&j, "rate_runs", (int64_t)b->seen_n);
	json_field_str(&j, "result", str_of(results[b->phase]));
	json_key(&j, "at");
	json_commit(&j, x, &b->v[b->at]);
	json_key(&j, "range");
	json_array(&j);
	for (size_t i = 0; i < list.n; i++)
		json_str(&j, str_of(list.v[i]));
	json_end(&j);
	json_field_bool(&j, "range_has_more", more);
	json_key(&j, "commits");
	json_array(&j);
	for (size_t i = 0; i < b->n; i++)
		json_commit(&j, x, &b->v[i]);
	json_end(&j);
	json_end(&j);
	out_lit(x->s.cmd->out, "\n");
	return 0;
}

int bisect_tell_end(struct bisect *x, struct err *err)
{
	int r = 0;

	if (x->s.opt.common.json)
		r = json_end_all(x, err);
	else if (x->b->phase == STAT_BISECT_FOUND)
		r = tell_found(x, err);
	else
		tell_other(x);
	if (r < 0)
		return r;
	return x->b->phase == STAT_BISECT_FOUND ? EXIT_PASSED : EXIT_FAILED;
}
