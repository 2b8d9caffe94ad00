/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/event-json.h"

#include "base/mem.h"
#include "base/units.h"

void event_json_text(struct json *j, const char *key, struct str s)
{
	if (s.n)
		json_field_str(j, key, s);
}

void event_json_time(struct json *j, const char *key, int64_t ms)
{
	char text[UNIT_TEXT_MAX];

	if (ms)
		json_field_str(j, key, str_of(date_rfc3339(ms, text)));
}

void event_json_place(struct json *j, const struct event *ev)
{
	if (ev->job)
		json_field_int(j, "job", ev->job);
	if (ev->program)
		json_field_int(j, "program", ev->program);
}

void event_json_excuse(struct json *j, const char *key, const struct event_excuse *e)
{
	json_key(j, key);
	json_object(j);
	json_field_str(j, "reason", e->reason);
	event_json_text(j, "link", e->link);
	event_json_text(j, "owner", e->owner);
	event_json_text(j, "until", e->until);
	json_end(j);
}

void event_json_result(struct json *j, const struct event_result *r, bool log)
{
	json_key(j, "path");
	json_array(j);
	for (unsigned i = 0; i < r->depth; i++)
		json_str(j, r->path[i]);
	json_end(j);
	json_field_str(j, "key", r->key);
	json_field_str(j, "status", str_of(STATUS_INFO[r->status].name));
	if (r->number >= 0)
		json_field_int(j, "number", r->number);
	json_field_int(j, "line", (int64_t)r->line);
	if (r->reason.n)
		json_field_str(j, "reason", r->reason);
	if (r->duration_ms >= 0)
		json_field_int(j, "duration_ms", r->duration_ms);
	if (r->exit_code >= 0)
		json_field_int(j, "exit", r->exit_code);
	json_field_int(j, "ordinal", r->ordinal);
	json_field_bool(j, "leaf", r->leaf);
	if (r->implied)
		json_field_bool(j, "implied", true);
	if (log && r->line) {
		json_key(j, "log");
		json_object(j);
		json_field_int(j, "from", (int64_t)r->line_from);
		json_field_int(j, "to", (int64_t)r->line_to);
		json_end(j);
	}
}

void event_json_problem(struct json *j, const struct event_problem *p)
{
	json_field_int(j, "line", (int64_t)p->line);
	json_field_str(j, "what", str_of(PROBLEM_NAMES[p->what]));
	json_field_str(j, "message", p->message);
}

static void put_frame(struct json *j, const struct event_frame *f)
{
	json_object(j);
	json_field_str(j, "function", f->function);
	event_json_text(j, "module", f->module);
	if (f->size) {
		json_field_int(j, "offset", (int64_t)f->offset);
		json_field_int(j, "size", (int64_t)f->size);
	}
	if (f->unsure)
		json_field_bool(j, "unsure", true);
	if (f->inlined)
		json_field_bool(j, "inlined", true);
	json_end(j);
}

void event_json_splat(struct json *j, const struct event_splat *s)
{
	json_field_str(j, "kind", s->kind);
	json_field_str(j, "title", s->title);
	json_field_int(j, "line", (int64_t)s->line);
	json_field_int(j, "lines", (int64_t)s->lines);
	json_field_str(j, "fingerprint", s->fingerprint);
}

void event_json_splat_details(struct json *j, const struct event_splat *s)
{
	event_json_text(j, "task", s->task);
	if (s->pid >= 0)
		json_field_int(j, "pid", s->pid);
	if (s->cpu >= 0)
		json_field_int(j, "cpu", s->cpu);
	event_json_text(j, "taint", s->taint);
	if (s->fatal)
		json_field_bool(j, "fatal", true);
	if (s->n_frames) {
		json_key(j, "frames");
		json_array(j);
		for (unsigned i = 0; i < s->n_frames; i++)
			put_frame(j, &s->frames[i]);
		json_end(j);
	}
	event_json_text(j, "text", s->text);
}

void event_json_job(struct json *j, const struct event_job *e)
{
	json_field_str(j, "mode", e->mode);
	json_field_str(j, "machine", e->machine);
	event_json_text(j, "accel", e->accel);
	event_json_text(j, "why", e->why);
	event_json_text(j, "kernel", e->kernel);
	event_json_text(j, "host", e->host);
	if (e->cpus)
		json_field_int(j, "cpus", e->cpus);
	if (e->memory)
		json_field_int(j, "memory", (int64_t)e->memory);
}

void event_json_run(struct json *j, const struct event_run *e)
{
	json_field_str(j, "id", e->id);
	event_json_text(j, "title", e->title);
	event_json_text(j, "branch", e->branch);
	event_json_text(j, "commit", e->commit);
	event_json_text(j, "command", e->command);
}

void event_json_run_end(struct json *j, const struct event_run *e)
{
	json_field_str(j, "conclusion", e->conclusion);
	json_field_int(j, "exit_code", e->exit_code);
	json_field_bool(j, "stopped", e->stopped);
}
