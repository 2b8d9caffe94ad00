/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `taproom history TEST`: one test through time. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "cmd/test-match.h"
#include "judge/outage-book.h"
#include "judge/past.h"
#include "stat/presence.h"
#include "web/api.h"

#define LIMIT_DEFAULT 5
#define LIST_MAX      20

struct history_options {
	struct cmd_common common;
	const char *branch, *mode;
	int64_t since_ms;
	int limit;
};

#define AT(field) .offset = offsetof(struct history_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "branch", .arg = "B", AT(branch),
	  .help = "only runs of this branch; * and ? match" },
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", AT(mode),
	  .help = "only this kernel configuration mode" },
	{ .type = OPT_TYPE_DURATION, .name = "since", .arg = "TIME", AT(since_ms),
	  .positive = true,
	  .help = "only runs begun in this time before now: 14d, 12h" },
	{ .type = OPT_TYPE_INT, .letter = 'n', .name = "limit", .arg = "N", AT(limit),
	  .help = "how many tests, where several fit, are told in full; 0: all [default: 5]" },
	OPT_GROUP("Common", CMD_COMMON, struct history_options, common),
	OPT_END,
};

const struct opt_command cmd_history_help = {
	.usage = "taproom history TEST [options]",
	.summary = "Shows one test through time: its rates, when they changed, its names.",
	.text = "TEST is 'suite/program/path', whole or as a glob, a test's key, the number of a "
		"test, or else a part of a name. Each branch, mode and machine is shown by itself: "
		"stretches with one failure rate, its 95 % interval, and the commits in which "
		"one became another. Failures in outages are in no rate; 'taproom changes' "
		"lists the outages.",
	.opts = OPTS,
	.examples = "  taproom history 'mptcp/mptcp_join.sh/fastclose*'\n"
		    "  taproom history mptcp/simult_flows.sh --mode debug --json\n",
};

/* ---- one test on one axis ---- */

struct past {
	struct judge_past p;
	const struct judge_run *runs;
	struct stat_runs outages; /* places of the axis: runs that are in one */
};

static void past_done(struct past *p)
{
	judge_past_done(&p->p);
	free((uint32_t *)(uintptr_t)p->outages.v);
}

static const struct judge_run *at(const struct past *p, uint32_t place)
{
	return judge_run_at(p->runs, p->p.axis, place);
}

/* @book: NULL where it never failed. */
static void past_init(struct past *p, const struct judge_series *s, const struct judge_run *runs,
		      const struct judge_outage_book *book)
{
	p->runs = runs;
	p->outages = (struct stat_runs){};
	if (book && s->said.bad.n)
		p->outages = judge_outage_book_places(book, s->lane->axis, runs);
	judge_past_init(&p->p, s, &s->said, p->outages, false);
}

/* ---- text ---- */

struct telling {
	struct cmd *c;
	struct store *s;
	const struct history_options *o;
	int64_t since_ms;
	struct judge_outage_book *book; /* NULL until a test is told that failed */
	struct json j;
	struct err *err;
	unsigned nth;
};

static void tell_segment(struct telling *t, const struct past *p, const struct judge_segment *s)
{
	struct out *o = t->c->out;
	char from[UNIT_TEXT_MAX], to[UNIT_TEXT_MAX], ms[UNIT_TEXT_MAX];
	size_t timed;
	uint32_t usual = judge_median(p->p.s, s->from, s->to, &timed);

	out_printf(o, "  %.10s to %.10s  ", date_text(at(p, s->from)->begin_ms, from),
		   date_text(at(p, s->to - 1)->begin_ms, to));
	judge_rate(o, &s->rate);
	if (timed)
		out_printf(o, ", takes %s", duration_text(usual, ms));
	out_char(o, '\n');
	if (!s->begin)
		return;
	out_printf(o, "    %s, after ", STAT_CHANGE_NAMES[s->begin->kind]);
	judged_run(o, at(p, s->begin->last));
	out_lit(o, ", up to ");
	judged_run(o, at(p, s->begin->run));
	out_char(o, '\n');
	if (s->begin->low_last == s->begin->last && s->begin->high == s->begin->run)
		return;
	out_lit(o, "    with 99 %: after ");
	judged_run(o, at(p, s->begin->low_last));
	out_lit(o, ", up to ");
	judged_run(o, at(p, s->begin->high));
	out_char(o, '\n');
}

static void tell_pace(struct telling *t, const struct past *p, const struct stat_pace *x)
{
	struct out *o = t->c->out;
	char before[UNIT_TEXT_MAX], after[UNIT_TEXT_MAX];

	out_printf(o, "  %s: %s -> %s, after ",
		   x->after_ms > x->before_ms ? "slower" : "faster",
		   duration_text(x->before_ms, before), duration_text(x->after_ms, after));
	judged_run(o, at(p, x->last));
	out_lit(o, ", up to ");
	judged_run(o, at(p, x->run));
	out_char(o, '\n');
}

static void tell_counts(struct telling *t, const struct past *p)
{
	struct out *o = t->c->out;
	const char *comma = "";

	for (unsigned i = 0; i <= STATUS_N; i++) {
		unsigned s = i ? STATUS_N - i : STATUS_PASS;

		if (!p->p.s->counts[s] || (i && s == STATUS_PASS))
			continue;
		out_printf(o, "%s%" PRIu64 " %s", comma, p->p.s->counts[s], STATUS_INFO[s].label);
		comma = ", ";
	}
}

static void tell_past(struct telling *t, const struct past *p, bool machines)
{
	struct stat_presence now = stat_presence(p->p.s->lane->in, p->p.s->said.in,
						 p->p.axis->n, 0);
	struct out *o = t->c->out;

	history_colour(t->c, "1");
	judged_axis(o, p->p.axis, machines);
	history_colour(t->c, NULL);
	out_lit(o, ": ");
	tell_counts(t, p);
	out_char(o, '\n');
	for (size_t i = p->p.n_changes + 1; i-- > 0;) {
		struct judge_segment s = judge_past_segment(&p->p, i);

		tell_segment(t, p, &s);
	}
	for (size_t i = p->p.n_paces; i-- > 0;)
		tell_pace(t, p, &p->p.paces[i]);
	if (p->p.n_left)
		out_printf(o, "  %zu %s in an outage %s in no rate here; 'taproom changes' lists "
			   "outages.\n", p->p.n_left, p->p.n_left == 1 ? "failure" : "failures",
			   p->p.n_left == 1 ? "is" : "are");
	if (!p->p.s->lane->failures_only &&
	    (now.kind == STAT_VANISHED || now.kind == STAT_DID_NOT_RUN)) {
		out_printf(o, "  %s: not in the last %u %s of its program, last in ",
			   STAT_PRESENCE_NAMES[now.kind], now.missed,
			   now.missed == 1 ? "run" : "runs");
		judged_run(o, at(p, p->p.last));
		out_char(o, '\n');
	}
	if (isatty(STDOUT_FILENO)) {
		out_lit(o, "  ");
		judged_spark(t->c, p->p.s, p->p.axis->n);
		out_char(o, '\n');
	}
}

/* ---- JSON ---- */

static void json_segment(struct json *j, const struct past *p, const struct judge_segment *s)
{
	size_t timed;
	uint32_t usual = judge_median(p->p.s, s->from, s->to, &timed);

	json_object(j);
	api_run(j, "first", at(p, s->from));
	api_run(j, "last", at(p, s->to - 1));
	api_rate(j, "rate", &s->rate);
	if (timed)
		json_field_int(j, "duration_ms", usual);
	if (s->begin) {
		json_field_str(j, "change", str_of(STAT_CHANGE_NAMES[s->begin->kind]));
		api_run(j, "behind", at(p, s->begin->last));
		api_run(j, "up_to", at(p, s->begin->run));
		api_run(j, "behind_99", at(p, s->begin->low_last));
		api_run(j, "up_to_99", at(p, s->begin->high));
	}
	json_end(j);
}

static void json_paces(struct json *j, const struct past *p)
{
	json_key(j, "durations");
	json_array(j);
	for (size_t i = 0; i < p->p.n_paces; i++) {
		json_object(j);
		json_field_int(j, "before_ms", p->p.paces[i].before_ms);
		json_field_int(j, "after_ms", p->p.paces[i].after_ms);
		api_run(j, "behind", at(p, p->p.paces[i].last));
		api_run(j, "up_to", at(p, p->p.paces[i].run));
		json_end(j);
	}
	json_end(j);
}

static void json_past(struct telling *t, const struct past *p)
{
	struct stat_presence now = stat_presence(p->p.s->lane->in, p->p.s->said.in,
						 p->p.axis->n, 0);
	struct json *j = &t->j;

	json_object(j);
	api_axis(j, p->p.axis);
	json_field_str(j, "presence", str_of(STAT_PRESENCE_NAMES[now.kind]));
	json_field_int(j, "missed", now.missed);
	json_key(j, "counts");
	json_object(j);
	for (unsigned i = 0; i < STATUS_N; i++)
		json_field_int(j, STATUS_INFO[i].name, (int64_t)p->p.s->counts[i]);
	json_end(j);
	json_key(j, "segments");
	json_array(j);
	for (size_t i = 0; i <= p->p.n_changes; i++) {
		struct judge_segment s = judge_past_segment(&p->p, i);

		json_segment(j, p, &s);
	}
	json_end(j);
	json_field_int(j, "in_outages", (int64_t)p->p.n_left);
	json_paces(j, p);
	json_key(j, "not_passed");
	json_array(j);
	for (size_t i = 0; i < p->p.s->n_exceptions; i++) {
		json_object(j);
		json_field_int(j, "run", at(p, p->p.s->exceptions[i].at)->id);
		json_field_str(j, "status",
			       str_of(STATUS_INFO[p->p.s->exceptions[i].status].name));
		if (stat_runs_have(p->outages, p->p.s->exceptions[i].at))
			json_field_bool(j, "outage", true);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

/* ---- one test ---- */

static int on_name(void *ctx, struct str path)
{
	struct telling *t = ctx;

	if (!path.n) /* the program itself */
		return 0;
	if (t->o->common.json) {
		json_str(&t->j, path);
		return 0;
	}
	/* The first is that of the headline. */
	if (t->nth++ == 0)
		return 0;
	out_str(t->c->out, t->nth == 2 ? STR("  was ") : STR("      "));
	history_cell(t->c->out, path, judged_width(t->c, 6), false);
	out_char(t->c->out, '\n');
	return 0;
}

static int by_last(const void *a, const void *b)
{
	const struct past *x = a, *y = b;
	int64_t i = at(x, x->p.axis->n - 1)->begin_ms, k = at(y, y->p.axis->n - 1)->begin_ms;

	return i != k ? (i < k ? 1 : -1) : (x->p.axis > y->p.axis) - (x->p.axis < y->p.axis);
}

static size_t find_pasts(const struct judge *j, const struct judge_outage_book *book, int64_t id,
			 struct past **ret)
{
	uint32_t n_runs;
	const struct judge_run *runs = judge_runs(j, &n_runs);
	size_t n_axes, n = 0, cap = 0;
	const struct judge_axis *axes = judge_axes(j, &n_axes);
	struct past *v = NULL;

	for (size_t i = 0; i < n_axes; i++)
		for (size_t k = 0; k < axes[i].n_lanes; k++)
			for (size_t s = 0; s < axes[i].lanes[k].n; s++) {
				if (axes[i].lanes[k].series[s].id != id)
					continue;
				ARRAY_GROW(v, n, cap);
				past_init(&v[n++], &axes[i].lanes[k].series[s], runs, book);
			}
	if (n)
		qsort(v, n, sizeof(*v), by_last);
	*ret = v;
	return n;
}

static void tell_pasts(struct telling *t, const struct judge *j, const struct past *v, size_t n)
{
	if (t->o->common.json) {
		json_key(&t->j, "axes");
		json_array(&t->j);
	}
	for (size_t i = 0; i < n; i++) {
		if (t->o->common.json)
			json_past(t, &v[i]);
		else
			tell_past(t, &v[i], judged_machines(j));
	}
	if (t->o->common.json)
		json_end(&t->j);
	else if (!n)
		out_lit(t->c->out, "  in no such run\n");
}

static bool any_at_least(const struct judge *j)
{
	size_t n;
	const struct judge_axis *axes = judge_axes(j, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < axes[i].n_lanes; k++)
			if (axes[i].lanes[k].at_least)
				return true;
	return false;
}

/* Of the one test; where only failures were published of its whole suite, which
 * knows the runs behind them. */
static int load(struct telling *t, const struct test_match *m, struct judge **ret)
{
	struct judge_filter f = { .scan = { .series_id = m->id, .branch = t->o->branch,
					    .mode = t->o->mode, .times = true } };
	_free_ char *suite = xstrndup(m->name, strcspn(m->name, "/"));
	int r;

	f.scan.since_ms = t->since_ms;
	r = judge_load(t->s, &f, ret, t->err);
	if (r < 0 || !any_at_least(*ret))
		return r;
	*ret = judge_free(*ret);
	f.scan.series_id = 0;
	f.scan.suite = suite;
	return judge_load(t->s, &f, ret, t->err);
}

static bool any_failed(const struct judge *j, int64_t id)
{
	size_t n;
	const struct judge_axis *axes = judge_axes(j, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < axes[i].n_lanes; k++)
			for (size_t s = 0; s < axes[i].lanes[k].n; s++)
				if (axes[i].lanes[k].series[s].id == id &&
				    axes[i].lanes[k].series[s].said.bad.n)
					return true;
	return false;
}

/* An outage is one of all tests together. Once for all tests that are told. */
static int open_book(struct telling *t)
{
	_free_ char *cache = cmd_cache_dir();
	_free_ char *dir = realpath(store_log_dir(t->s), NULL);
	struct str name = str_of(dir ? dir : store_log_dir(t->s));
	_free_ char *file = xasprintf("%s/outages/%016" PRIx64, cache,
				      str_hash(name, STR_HASH_INIT));

	return t->book ? 0 : judge_outage_book_new(t->s, file, &t->book, t->err);
}

static int tell_test(struct telling *t, const struct test_match *m)
{
	struct judge *j = NULL;
	struct past *v;
	size_t n;
	int r = load(t, m, &j);

	if (r == 0 && any_failed(j, m->id))
		r = open_book(t);
	if (r < 0) {
		judge_free(j);
		return r;
	}
	t->nth = 0;
	if (t->o->common.json) {
		json_object(&t->j);
		json_field_int(&t->j, "test", m->id);
		json_field_str(&t->j, "name", str_of(m->name));
		json_key(&t->j, "names");
		json_array(&t->j);
	} else {
		history_colour(t->c, "1");
		history_cell(t->c->out, str_of(m->name), judged_width(t->c, 0), false);
		history_colour(t->c, NULL);
		out_char(t->c->out, '\n');
	}
	r = store_test_names(t->s, m->id, on_name, t, t->err);
	if (t->o->common.json)
		json_end(&t->j);
	n = find_pasts(j, t->book, m->id, &v);
	tell_pasts(t, j, v, n);
	if (!t->o->common.json && any_at_least(j))
		out_lit(t->c->out, "  Only failures were published: a rate is at least this.\n");
	for (size_t i = 0; i < n; i++)
		past_done(&v[i]);
	free(v);
	judge_free(j);
	if (t->o->common.json)
		json_end(&t->j);
	return r;
}

/* ---- ---- */

static void tell_rest(struct telling *t, const struct test_matches *m, size_t from)
{
	struct out *o = t->c->out;

	out_printf(o, "%zu more fit; -n 0 tells all:\n", m->n - from);
	for (size_t i = from; i < m->n && i < from + LIST_MAX; i++) {
		out_printf(o, "%8" PRId64 "  ", m->v[i].id);
		history_cell(o, str_of(m->v[i].name), judged_width(t->c, 10), false);
		out_char(o, '\n');
	}
	if (m->n > from + LIST_MAX)
		out_lit(o, "          ...\n");
}

static int tell_all(struct telling *t, const struct test_matches *m)
{
	size_t max = t->o->limit ? (size_t)t->o->limit : SIZE_MAX, n = m->n < max ? m->n : max;
	int r = 0;

	json_init(&t->j, t->c->out, false);
	if (t->o->common.json) {
		json_object(&t->j);
		json_key(&t->j, "tests");
		json_array(&t->j);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = tell_test(t, &m->v[i]);
	if (r < 0)
		return r;
	if (t->o->common.json) {
		json_end(&t->j);
		json_end(&t->j);
	} else if (n < m->n) {
		tell_rest(t, m, n);
	}
	return 0;
}

int cmd_history_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_(test_matches_done) struct test_matches m = {};
	struct history_options o = { .limit = LIMIT_DEFAULT };
	struct telling t = { .c = c, .o = &o };
	struct err err = {};
	int n, r, code = cmd_options(c, &cmd_history_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n != 1) {
		err_set(&err, EINVAL, n ? "history takes one test, not also '%s'" :
			"history: which test? taproom history 'suite/program/*'", n ? argv[2] : "");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	t.err = &err;
	if (o.since_ms)
		t.since_ms = clock_wall_ms() - o.since_ms;
	mem_heap_huge(); /* the database's pages, too */
	r = store_open(o.common.store, STORE_READ, &t.s, &err);
	if (r == 0)
		r = test_match(t.s, argv[1], &m, &err);
	if (r == 0)
		r = tell_all(&t, &m);
	judge_outage_book_free(t.book);
	store_close(t.s);
	return r < 0 ? history_fail(c, r, &err) : EXIT_PASSED;
}
