/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/history.h"
#include "web/api.h"

struct runs_options {
	struct cmd_common common;
	const char *branch, *mode;
	int limit;
	bool brief;
};

#define AT(field) .offset = offsetof(struct runs_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_INT, .letter = 'n', .name = "limit", .arg = "N", AT(limit),
	  .help = "how many; 0: all [default: 20]" },
	{ .type = OPT_TYPE_STR, .name = "branch", .arg = "B", AT(branch),
	  .help = "only runs of this branch" },
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", AT(mode),
	  .help = "only runs with this kernel configuration mode" },
	{ .type = OPT_TYPE_FLAG, .name = "brief", AT(brief),
	  .help = "with --json: without programs and results" },
	OPT_GROUP("Common", CMD_COMMON, struct runs_options, common),
	OPT_END,
};

const struct opt_command cmd_runs_help = {
	.usage = "taproom runs [options]",
	.summary = "Lists runs, newest first.",
	.text = "With --json each run has its programs and every result: path, status, "
		"duration, and the range of its program's log that 'taproom log RUN SELECTOR' "
		"prints.",
	.opts = OPTS,
	.examples = "  taproom runs -n 5\n"
		    "  taproom runs --branch export --json --brief\n",
};

/* ---- the table ---- */

#define WHEN 16
#define LEFT (5 + 2 + WHEN + 2) /* of what was run */
#define WIDTH_MIN 72

/* What was run. A column is as wide as what it holds, and none where that is nothing. */
enum { KERNEL, BRANCH, MODE, WHAT_N };
static const char *const HEADS[WHAT_N] = { "KERNEL", "BRANCH", "MODE" };

struct table {
	struct cmd *c;
	bool terminal, any;
	unsigned width[WHAT_N];
};

static struct str what_of(const struct store_run *r, int i)
{
	if (i == KERNEL)
		return r->kernel.n ? r->kernel : r->commit;
	return i == BRANCH ? r->branch : r->modes;
}

static int measure(void *ctx, const struct store_run *r)
{
	struct table *t = ctx;

	t->any = true;
	for (int i = 0; i < WHAT_N; i++) {
		unsigned n = history_columns(what_of(r, i)), head = (unsigned)strlen(HEADS[i]);

		n = n && n < head ? head : n;
		t->width[i] = n > t->width[i] ? n : t->width[i];
	}
	return 0;
}

static unsigned table_columns(const struct table *t)
{
	return t->c->columns > WIDTH_MIN ? t->c->columns : WIDTH_MIN;
}

/* The widest give way, until half of what the terminal has is the conclusion's. */
static void fit(struct table *t)
{
	unsigned room = (table_columns(t) - LEFT) / 2;

	while (t->terminal && t->width[KERNEL] + t->width[BRANCH] + t->width[MODE] > room) {
		int widest = KERNEL;

		for (int i = BRANCH; i < WHAT_N; i++)
			if (t->width[i] > t->width[widest])
				widest = i;
		t->width[widest]--;
	}
}

static void print_head(const struct table *t)
{
	struct out *o = t->c->out;

	history_colour(t->c, "1");
	out_printf(o, "%5s  %-*s  ", "RUN", WHEN, "BEGUN (UTC)");
	for (int i = 0; i < WHAT_N; i++)
		if (t->width[i])
			out_printf(o, "%-*s  ", (int)t->width[i], HEADS[i]);
	out_lit(o, "CONCLUSION\n");
	history_colour(t->c, NULL);
}

static const char *colour_of(const struct store_run *r)
{
	if (r->state == STORE_RUN_RUNNING)
		return "36";
	if (r->state == STORE_RUN_LOST)
		return STATUS_INFO[STATUS_ERROR].ansi;
	if (r->exit_code == EXIT_PASSED)
		return STATUS_INFO[STATUS_PASS].ansi;
	return STATUS_INFO[r->exit_code == EXIT_FAILED ? STATUS_FAIL : STATUS_CRASH].ansi;
}

/* "40 passed, 1 failed, 2 skipped": what there is, passes first, then the worst. */
static void add_counts(struct buf *b, const struct store_run *r)
{
	size_t before = b->n;

	for (unsigned i = 0; i <= STATUS_N; i++) {
		unsigned s = i ? STATUS_N - i : STATUS_PASS;

		if (r->counts[s] && (i == 0 || s != STATUS_PASS))
			buf_printf(b, "%s%" PRIu64 " %s", b->n > before ? ", " : "",
				   r->counts[s], STATUS_INFO[s].label);
	}
	if (b->n == before)
		buf_printf(b, "no results");
}

/* "Stopped by the user" needs no "stopped: ". */
static bool says_state(const struct store_run *r)
{
	struct str state = str_of(API_STATES[r->state]);

	return r->state == STORE_RUN_DONE ||
	       (r->conclusion.n >= state.n &&
		strncasecmp(r->conclusion.p, state.p, state.n) == 0);
}

static void conclusion_of(const struct store_run *r, struct buf *b)
{
	if (!says_state(r))
		buf_printf(b, "%s: ", API_STATES[r->state]);
	if (r->conclusion.n && str_find(r->conclusion, STR(":")) >= 0) {
		buf_add_str(b, r->conclusion);
		return;
	}
	if (r->conclusion.n) {
		buf_add_str(b, r->conclusion);
		buf_printf(b, ": ");
	}
	add_counts(b, r);
}

static int print_row(void *ctx, const struct store_run *r)
{
	_cleanup_(buf_done) struct buf text = {};
	const struct table *t = ctx;
	struct cmd *c = t->c;
	unsigned left = LEFT;
	char when[UNIT_TEXT_MAX];

	out_printf(c->out, "%5" PRId64 "  %-*s  ", r->id, WHEN, date_text(r->begin_ms, when));
	for (int i = 0; i < WHAT_N; i++) {
		if (!t->width[i])
			continue;
		history_cell(c->out, what_of(r, i), t->width[i], true);
		out_lit(c->out, "  ");
		left += t->width[i] + 2;
	}
	conclusion_of(r, &text);
	history_colour(c, colour_of(r));
	if (t->terminal)
		history_cell(c->out, buf_str(&text), table_columns(t) - left, false);
	else
		history_field(c->out, buf_str(&text), 0);
	history_colour(c, NULL);
	out_char(c->out, '\n');
	return 0;
}

/* ---- JSON ---- */

struct listing {
	struct json j;
	struct store *s; /* NULL: without programs */
	struct err *err;
};

static int json_run(void *ctx, const struct store_run *r)
{
	struct listing *l = ctx;

	return api_runs_one(&l->j, r, l->s, l->err);
}

static int list_json(struct cmd *c, struct store *s, const struct runs_options *o,
		     const struct store_runs_filter *f, struct err *err)
{
	struct listing l = { .s = o->brief ? NULL : s, .err = err };
	int r = 0;

	json_init(&l.j, c->out, false);
	json_array(&l.j);
	if (s)
		r = store_runs(s, f, json_run, &l, err);
	if (r == 0)
		json_end(&l.j);
	return r;
}

static int list_table(struct cmd *c, struct store *s, const struct store_runs_filter *f,
		      struct err *err)
{
	struct table t = { .c = c, .terminal = isatty(STDOUT_FILENO) };
	int r = s ? store_runs(s, f, measure, &t, err) : 0;

	if (r < 0)
		return r;
	if (!t.any) {
		out_str(c->out, f->branch || f->mode ?
			STR("No run fits; 'taproom runs' lists all.\n") :
			STR("No runs yet: 'taproom run' makes the first.\n"));
		return 0;
	}
	fit(&t);
	print_head(&t);
	return store_runs(s, f, print_row, &t, err);
}

int cmd_runs_run(struct cmd *c, int argc, char **argv)
{
	struct runs_options o = { .limit = 20 };
	struct store_runs_filter f;
	struct store *s = NULL;
	struct err err = {};
	int n, r, code = cmd_options(c, &cmd_runs_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n > 0) {
		err_set(&err, EINVAL, "runs takes no operand; 'taproom show %s' shows one",
			argv[1]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	f = (struct store_runs_filter){ .branch = o.branch, .mode = o.mode,
					.limit = o.limit ? (unsigned)o.limit : UINT32_MAX };
	r = history_open(&o.common, &s, &err);
	if (r >= 0)
		r = o.common.json ? list_json(c, s, &o, &f, &err) : list_table(c, s, &f, &err);
	store_close(s);
	return r < 0 ? history_fail(c, r, &err) : EXIT_PASSED;
}
