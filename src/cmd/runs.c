/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/history.h"

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
	.summary = "Lists what ran, newest first.",
	.text = "With --json each run has its programs and every result: path, status, "
		"duration, and the range of its program's log that 'taproom log RUN SELECTOR' "
		"prints.",
	.opts = OPTS,
	.examples = "  taproom runs -n 5\n"
		    "  taproom runs --branch export --json --brief\n",
};

/* ---- the table ---- */

#define WHEN 16
#define KERNEL 20
#define LEFT (5 + 2 + WHEN + 2 + KERNEL + 2) /* of the conclusion */
#define WIDTH_MIN 72

static void print_head(struct cmd *c)
{
	history_colour(c, "1");
	out_printf(c->out, "%5s  %-*s  %-*s  %s\n", "RUN", WHEN, "BEGUN (UTC)", KERNEL, "KERNEL",
		   "CONCLUSION");
	history_colour(c, NULL);
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
	struct str state = str_of(HISTORY_STATES[r->state]);

	return r->state == STORE_RUN_DONE ||
	       (r->conclusion.n >= state.n &&
		strncasecmp(r->conclusion.p, state.p, state.n) == 0);
}

static void conclusion_of(const struct store_run *r, struct buf *b)
{
	if (!says_state(r))
		buf_printf(b, "%s: ", HISTORY_STATES[r->state]);
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
	struct str kernel = r->kernel.n ? r->kernel : r->commit;
	bool terminal = isatty(STDOUT_FILENO);
	struct cmd *c = ctx;
	unsigned width = c->columns > WIDTH_MIN ? c->columns : WIDTH_MIN;
	char when[UNIT_TEXT_MAX];

	out_printf(c->out, "%5" PRId64 "  %-*s  ", r->id, WHEN, date_text(r->begin_ms, when));
	if (terminal)
		history_cell(c->out, kernel, KERNEL, true);
	else
		history_field(c->out, kernel, KERNEL);
	out_lit(c->out, "  ");
	conclusion_of(r, &text);
	history_colour(c, colour_of(r));
	if (terminal)
		history_cell(c->out, buf_str(&text), width - LEFT, false);
	else
		history_field(c->out, buf_str(&text), 0);
	history_colour(c, NULL);
	out_char(c->out, '\n');
	return 0;
}

/* ---- JSON ---- */

struct listing {
	struct json j;
	struct store *s;
	bool brief;
	struct err *err;
	struct event_job job; /* of the program that is told */
	char *mode, *machine;
	struct str suite, program;
};

static void time_field(struct json *j, const char *key, int64_t ms)
{
	char text[UNIT_TEXT_MAX];

	if (ms)
		json_field_str(j, key, str_of(date_rfc3339(ms, text)));
}

static void log_field(struct json *j, uint64_t from, uint64_t to)
{
	if (!to)
		return;
	json_key(j, "log");
	json_object(j);
	json_field_int(j, "from", (int64_t)(from ? from : to));
	json_field_int(j, "to", (int64_t)to);
	json_end(j);
}

/* What 'taproom log' takes: one word, names as they are. */
static void json_selector(struct listing *l, const struct event_result *r)
{
	_cleanup_(buf_done) struct buf b = {};

	buf_add_str(&b, l->suite);
	buf_add(&b, "/", 1);
	buf_add_str(&b, l->program);
	for (unsigned i = 0; r && i < r->depth; i++) {
		buf_add(&b, "/", 1);
		buf_add_str(&b, r->path[i]);
	}
	json_field_str(&l->j, "selector", buf_str(&b));
}

static void json_program_begin(struct listing *l, const struct event *ev)
{
	const struct event_program *p = ev->prog;

	json_object(&l->j);
	json_field_int(&l->j, "program", ev->program);
	json_field_int(&l->j, "job", ev->job);
	json_field_str(&l->j, "suite", p->suite);
	json_field_str(&l->j, "name", p->name);
	l->suite = p->suite;
	l->program = p->name;
	json_selector(l, NULL);
	json_field_int(&l->j, "attempt", p->attempt);
	json_field_str(&l->j, "mode", str_of(l->mode));
	json_field_str(&l->j, "machine", str_of(l->machine));
	time_field(&l->j, "begin", p->time_ms);
	json_key(&l->j, "results");
	json_array(&l->j);
}

static void json_program_end(struct listing *l, const struct event *ev)
{
	const struct event_program *p = ev->prog;

	/* The results are told as they come; what only the end knows follows. */
	json_end(&l->j);
	json_field_str(&l->j, "status", str_of(STATUS_INFO[p->status].name));
	if (p->exit_code >= 0)
		json_field_int(&l->j, "exit", p->exit_code);
	if (p->duration_ms >= 0)
		json_field_int(&l->j, "duration_ms", p->duration_ms);
	if (p->reason.n)
		json_field_str(&l->j, "reason", p->reason);
	log_field(&l->j, 1, p->log_lines);
	json_end(&l->j);
}

static void json_result(struct listing *l, const struct event *ev)
{
	const struct event_result *r = ev->result;

	json_object(&l->j);
	json_key(&l->j, "path");
	json_array(&l->j);
	for (unsigned i = 0; i < r->depth; i++)
		json_str(&l->j, r->path[i]);
	json_end(&l->j);
	json_field_str(&l->j, "key", r->key);
	json_field_str(&l->j, "status", str_of(STATUS_INFO[r->status].name));
	if (r->number >= 0)
		json_field_int(&l->j, "number", r->number);
	json_field_int(&l->j, "ordinal", r->ordinal);
	json_field_bool(&l->j, "leaf", r->leaf);
	if (r->duration_ms >= 0)
		json_field_int(&l->j, "duration_ms", r->duration_ms);
	if (r->exit_code >= 0)
		json_field_int(&l->j, "exit", r->exit_code);
	if (r->reason.n)
		json_field_str(&l->j, "reason", r->reason);
	log_field(&l->j, r->line_from, r->line_to);
	json_selector(l, r);
	json_end(&l->j);
}

static void json_job_begin(struct listing *l, const struct event *ev)
{
	free(l->mode);
	free(l->machine);
	l->mode = xstrndup(ev->job_info->mode.p, ev->job_info->mode.n);
	l->machine = xstrndup(ev->job_info->machine.p, ev->job_info->machine.n);
}

static void json_event(void *ctx, const struct event *ev)
{
	static void (*const tell[])(struct listing *, const struct event *) = {
		[EVENT_JOB_BEGIN] = json_job_begin,
		[EVENT_PROGRAM_BEGIN] = json_program_begin,
		[EVENT_PROGRAM_END] = json_program_end,
		[EVENT_RESULT] = json_result,
	};

	if (ev->type < ARRAY_SIZE(tell) && tell[ev->type])
		tell[ev->type](ctx, ev);
}

static void json_counts(struct json *j, const struct store_run *r)
{
	json_key(j, "counts");
	json_object(j);
	for (unsigned i = 0; i < STATUS_N; i++)
		json_field_int(j, STATUS_INFO[i].name, (int64_t)r->counts[i]);
	json_end(j);
}

static int json_run(void *ctx, const struct store_run *r)
{
	struct listing *l = ctx;
	int e = 0;

	json_object(&l->j);
	json_field_int(&l->j, "id", r->id);
	json_field_str(&l->j, "uid", r->uid);
	json_field_str(&l->j, "title", r->title);
	json_field_str(&l->j, "branch", r->branch);
	json_field_str(&l->j, "commit", r->commit);
	json_field_str(&l->j, "kernel", r->kernel);
	json_field_str(&l->j, "machine", r->machines);
	json_field_str(&l->j, "mode", r->modes);
	json_field_str(&l->j, "command", r->command);
	time_field(&l->j, "begin", r->begin_ms);
	time_field(&l->j, "end", r->end_ms);
	if (r->end_ms)
		json_field_int(&l->j, "duration_ms", r->end_ms - r->begin_ms);
	json_field_str(&l->j, "state", str_of(HISTORY_STATES[r->state]));
	if (r->exit_code >= 0)
		json_field_int(&l->j, "exit_code", r->exit_code);
	json_field_str(&l->j, "conclusion", r->conclusion);
	json_counts(&l->j, r);
	json_field_int(&l->j, "splats", (int64_t)r->splats);
	if (!l->brief) {
		json_key(&l->j, "programs");
		json_array(&l->j);
		e = store_replay(l->s, r->id, (struct event_sink){ json_event, l }, l->err);
		if (e == 0)
			json_end(&l->j);
	}
	if (e == 0)
		json_end(&l->j);
	return e;
}

static int list_json(struct cmd *c, struct store *s, const struct runs_options *o,
		     const struct store_runs_filter *f, struct err *err)
{
	struct listing l = { .s = s, .brief = o->brief, .err = err };
	int r = 0;

	json_init(&l.j, c->out, false);
	json_array(&l.j);
	if (s)
		r = store_runs(s, f, json_run, &l, err);
	if (r == 0)
		json_end(&l.j);
	free(l.mode);
	free(l.machine);
	return r;
}

static int any(void *ctx, const struct store_run *r)
{
	return 1;
}

static int list_table(struct cmd *c, struct store *s, const struct store_runs_filter *f,
		      struct err *err)
{
	int r = s ? store_runs(s, f, any, NULL, err) : 0;

	if (r < 0)
		return r;
	if (r == 0) {
		out_str(c->out, f->branch || f->mode ?
			STR("No run fits; 'taproom runs' lists all.\n") :
			STR("No runs yet: 'taproom run' makes the first.\n"));
		return 0;
	}
	print_head(c);
	return store_runs(s, f, print_row, c, err);
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
