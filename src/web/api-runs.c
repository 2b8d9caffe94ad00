/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ran: `taproom runs --json`, and the API's list of runs. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/units.h"
#include "web/api.h"

const char *const API_STATES[] = {
	[STORE_RUN_RUNNING] = "running",
	[STORE_RUN_DONE] = "done",
	[STORE_RUN_STOPPED] = "stopped",
	[STORE_RUN_LOST] = "lost",
};

/* One run's programs. */
struct listing {
	struct json *j;
	char *mode, *machine;      /* of the job whose programs are told */
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
	json_field_str(l->j, "selector", buf_str(&b));
}

static void json_program_begin(struct listing *l, const struct event *ev)
{
	const struct event_program *p = ev->prog;

	json_object(l->j);
	json_field_int(l->j, "program", ev->program);
	json_field_int(l->j, "job", ev->job);
	json_field_str(l->j, "suite", p->suite);
	json_field_str(l->j, "name", p->name);
	l->suite = p->suite;
	l->program = p->name;
	json_selector(l, NULL);
	json_field_int(l->j, "attempt", p->attempt);
	json_field_str(l->j, "mode", str_of(l->mode));
	json_field_str(l->j, "machine", str_of(l->machine));
	time_field(l->j, "begin", p->time_ms);
	json_key(l->j, "results");
	json_array(l->j);
}

static void json_program_end(struct listing *l, const struct event *ev)
{
	const struct event_program *p = ev->prog;

	/* The results are told as they come; what only the end knows follows. */
	json_end(l->j);
	json_field_str(l->j, "status", str_of(STATUS_INFO[p->status].name));
	if (p->exit_code >= 0)
		json_field_int(l->j, "exit", p->exit_code);
	if (p->duration_ms >= 0)
		json_field_int(l->j, "duration_ms", p->duration_ms);
	if (p->reason.n)
		json_field_str(l->j, "reason", p->reason);
	log_field(l->j, 1, p->log_lines);
	json_end(l->j);
}

static void json_result(struct listing *l, const struct event *ev)
{
	const struct event_result *r = ev->result;

	json_object(l->j);
	json_key(l->j, "path");
	json_array(l->j);
	for (unsigned i = 0; i < r->depth; i++)
		json_str(l->j, r->path[i]);
	json_end(l->j);
	json_field_str(l->j, "key", r->key);
	json_field_str(l->j, "status", str_of(STATUS_INFO[r->status].name));
	if (r->number >= 0)
		json_field_int(l->j, "number", r->number);
	json_field_int(l->j, "ordinal", r->ordinal);
	json_field_bool(l->j, "leaf", r->leaf);
	if (r->duration_ms >= 0)
		json_field_int(l->j, "duration_ms", r->duration_ms);
	if (r->exit_code >= 0)
		json_field_int(l->j, "exit", r->exit_code);
	if (r->reason.n)
		json_field_str(l->j, "reason", r->reason);
	log_field(l->j, r->line_from, r->line_to);
	json_selector(l, r);
	json_end(l->j);
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

void api_counts(struct json *j, const uint64_t counts[static STATUS_N])
{
	json_key(j, "counts");
	json_object(j);
	for (unsigned i = 0; i < STATUS_N; i++)
		json_field_int(j, STATUS_INFO[i].name, (int64_t)counts[i]);
	json_end(j);
}

void api_running(struct json *j, struct str words)
{
	_cleanup_(buf_done) struct buf text = {};
	struct store_running r;

	json_key(j, "running");
	json_array(j);
	while (store_running_next(&words, &text, &r)) {
		json_object(j);
		json_field_int(j, "program", r.program);
		json_field_int(j, "job", r.job);
		json_field_str(j, "suite", r.suite);
		json_field_str(j, "name", r.name);
		json_field_int(j, "attempt", r.attempt);
		json_field_str(j, "mode", r.mode);
		json_field_str(j, "machine", r.machine);
		time_field(j, "begin", r.begin_ms);
		json_end(j);
	}
	json_end(j);
}

int api_runs_one(struct json *j, const struct store_run *r, struct store *s, struct err *err)
{
	struct listing l = { .j = j };
	int e = 0;

	json_object(j);
	json_field_int(j, "id", r->id);
	json_field_str(j, "uid", r->uid);
	json_field_str(j, "title", r->title);
	json_field_str(j, "branch", r->branch);
	json_field_str(j, "commit", r->commit);
	json_field_str(j, "kernel", r->kernel);
	json_field_str(j, "machine", r->machines);
	json_field_str(j, "mode", r->modes);
	json_field_str(j, "command", r->command);
	time_field(j, "begin", r->begin_ms);
	time_field(j, "end", r->end_ms);
	if (r->end_ms)
		json_field_int(j, "duration_ms", r->end_ms - r->begin_ms);
	json_field_str(j, "state", str_of(API_STATES[r->state]));
	if (r->exit_code >= 0)
		json_field_int(j, "exit_code", r->exit_code);
	json_field_str(j, "conclusion", r->conclusion);
	if (r->tests && r->state != STORE_RUN_DONE) {
		json_field_int(j, "tests", (int64_t)r->tests);
		json_field_int(j, "ended", (int64_t)r->ended);
	}
	if (r->state == STORE_RUN_RUNNING)
		api_running(j, r->running);
	api_counts(j, r->counts);
	json_field_int(j, "splats", (int64_t)r->splats);
	if (s) {
		json_key(j, "programs");
		json_array(j);
		e = store_replay(s, r->id, (struct event_sink){ json_event, &l }, err);
		free(l.mode);
		free(l.machine);
		if (e == 0)
			json_end(j);
	}
	if (e == 0)
		json_end(j);
	return e;
}
