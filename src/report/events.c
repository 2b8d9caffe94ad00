/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: a run as it was told, one JSON object a line, with its logs: what
 * another store needs to hold the same run (import/events.c reads it). The
 * first line says what it is; a newer format has another number there.
 *
 *   {"taproom":"events","version":1}
 *   {"event":"run-begin","time_ms":N, id, title, branch, commit, command}
 *   {"event":"job-begin","job":N,"time_ms":N, mode, machine, ...}
 *   {"event":"program-begin","job":N,"program":N,"time_ms":N,"suite","name","attempt"}
 *   {"event":"result","job":N,"program":N, path, key, status, ...}
 *   {"event":"problem",...}, {"event":"splat",...}
 *   {"event":"log","job":N,"program":N,"data":BASE64}  in pieces; program 0: console
 *   {"event":"artefact","job":N,"kind":"config","data":BASE64}  in pieces
 *   {"event":"program-end",...}, {"event":"job-end",...}, {"event":"run-end",...}
 *
 * A log's pieces come before the end of what it is of. Bytes that are no UTF-8 are
 * \u0080 to \u00ff in strings; characters are never written so.
 */
#include <stdlib.h>

#include "base/base64.h"
#include "base/mem.h"
#include "report/event-json.h"
#include "report/formats.h"

#define PIECE 49152 /* bytes of a log in one line: a multiple of 3 */

struct report {
	const struct report_options *opt;
	struct out *out;
};

static void line_begin(struct report *r, struct json *j, const struct event *ev, const char *what)
{
	json_init(j, r->out, false);
	json_object(j);
	json_field_str(j, "event", str_of(what));
	event_json_place(j, ev);
}

static void line_end(struct report *r, struct json *j)
{
	json_end(j);
}

/* ---- logs ---- */

struct pieces {
	struct report *report;
	const struct event *ev;
	size_t n;            /* in @hold */
	char hold[PIECE];
};

static void piece_out(struct pieces *p)
{
	struct out *o = p->report->out;

	if (!p->n)
		return;
	if (p->ev->type == EVENT_ARTEFACT)
		out_printf(o, "{\"event\":\"artefact\",\"job\":%u,\"kind\":\"%.*s\"", p->ev->job,
			   STR_FMT(p->ev->artefact->kind));
	else
		out_printf(o, "{\"event\":\"log\",\"job\":%u,\"program\":%u", p->ev->job,
			   p->ev->program);
	out_lit(o, ",\"data\":\"");
	base64_write(o, str_n(p->hold, p->n));
	out_lit(o, "\"}\n");
	p->n = 0;
}

static int piece_add(void *ctx, const char *bytes, size_t n)
{
	struct pieces *p = ctx;

	while (n) {
		size_t take = n < PIECE - p->n ? n : PIECE - p->n;

		memcpy(p->hold + p->n, bytes, take);
		p->n += take;
		bytes += take;
		n -= take;
		if (p->n == PIECE)
			piece_out(p);
	}
	return 0;
}

/* A log, or an artefact. */
static void put_file(struct report *r, const struct event *ev)
{
	const struct report_options *opt = r->opt;
	struct pieces *p;
	struct out raw;

	if (ev->type == EVENT_ARTEFACT ? !opt->artefact : !opt->log)
		return;
	p = xmalloc(sizeof(*p));
	p->report = r;
	p->ev = ev;
	p->n = 0;
	out_to(&raw, piece_add, p);
	if (ev->type == EVENT_ARTEFACT)
		opt->artefact(opt->log_ctx, ev->job, ev->artefact->kind, &raw);
	else
		opt->log(opt->log_ctx, ev->job, ev->program, 1, 0, &raw);
	out_flush(&raw);
	piece_out(p);
	free(p);
}

/* ---- one line each ---- */

static void put_program(struct report *r, const struct event *ev, bool ends)
{
	const struct event_program *e = ev->prog;
	struct json j;

	if (ends)
		put_file(r, ev);
	line_begin(r, &j, ev, ends ? "program-end" : "program-begin");
	json_field_int(&j, "time_ms", e->time_ms);
	if (!ends) {
		json_field_str(&j, "suite", e->suite);
		json_field_str(&j, "name", e->name);
		json_field_int(&j, "attempt", e->attempt);
	} else {
		json_field_str(&j, "status", str_of(STATUS_INFO[e->status].name));
		json_field_int(&j, "exit", e->exit_code);
		json_field_int(&j, "duration_ms", e->duration_ms);
		json_field_int(&j, "log_lines", (int64_t)e->log_lines);
		event_json_text(&j, "reason", e->reason);
	}
	line_end(r, &j);
}

static void put_job(struct report *r, const struct event *ev, bool ends)
{
	struct json j;

	if (ends)
		put_file(r, ev);
	line_begin(r, &j, ev, ends ? "job-end" : "job-begin");
	json_field_int(&j, "time_ms", ev->job_info->time_ms);
	if (!ends)
		event_json_job(&j, ev->job_info);
	if (ends) {
		event_json_text(&j, "end", ev->job_info->end);
		event_json_text(&j, "reason", ev->job_info->reason);
	}
	line_end(r, &j);
}

static void put_run(struct report *r, const struct event *ev, bool ends)
{
	struct json j;

	line_begin(r, &j, ev, ends ? "run-end" : "run-begin");
	json_field_int(&j, "time_ms", ev->run->time_ms);
	if (ends)
		event_json_run_end(&j, ev->run);
	else
		event_json_run(&j, ev->run);
	line_end(r, &j);
}

static void put_found(struct report *r, const struct event *ev)
{
	struct json j;

	line_begin(r, &j, ev, ev->type == EVENT_RESULT ? "result" :
			      ev->type == EVENT_SPLAT ? "splat" : "problem");
	if (ev->type == EVENT_RESULT) {
		event_json_result(&j, ev->result, true);
	} else if (ev->type == EVENT_SPLAT) {
		event_json_splat(&j, ev->splat);
		if (ev->splat->excuse)
			event_json_excuse(&j, "ignored", ev->splat->excuse);
		event_json_splat_details(&j, ev->splat);
	} else {
		event_json_problem(&j, ev->problem);
	}
	line_end(r, &j);
}

static void on_event(struct report *r, const struct event *ev)
{
	switch (ev->type) {
	case EVENT_RUN_BEGIN:
	case EVENT_RUN_END:
		put_run(r, ev, ev->type == EVENT_RUN_END);
		break;
	case EVENT_JOB_BEGIN:
	case EVENT_JOB_END:
		put_job(r, ev, ev->type == EVENT_JOB_END);
		break;
	case EVENT_PROGRAM_BEGIN:
	case EVENT_PROGRAM_END:
		put_program(r, ev, ev->type == EVENT_PROGRAM_END);
		break;
	case EVENT_RESULT:
	case EVENT_PROBLEM:
	case EVENT_SPLAT:
		put_found(r, ev);
		break;
	case EVENT_ARTEFACT: put_file(r, ev); break;
	}
}

static struct report *begin(struct out *out, const struct report_options *opt)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->opt = opt;
	r->out = out;
	out_lit(out, "{\"taproom\":\"events\",\"version\":1}\n");
	return r;
}

static void end(struct report *r)
{
	free(r);
}

const struct report_format report_events = {
	.name = "events",
	.summary = "all of a run with its logs, for another store: taproom import events",
	.every_result = true,
	.begin = begin,
	.event = on_event,
	.end = end,
};
