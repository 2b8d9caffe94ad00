/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "tap/parse.h"

#define UID_MAX 128

/* At most @max bytes, whole characters. */
static struct str cut(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max && (s.p[max] & 0xc0) == 0x80)
		max--;
	return str_n(s.p, max);
}

static struct str or(struct str s, const char *otherwise)
{
	return cut(s.n ? s : str_of(otherwise), TAP_NAME_MAX);
}

static void emit(struct import_run *r, struct event *ev)
{
	event_emit(&r->sink, ev);
}

static void emit_job(struct import_run *r, enum event_type type)
{
	struct event ev = { .type = type, .job = 1, .job_info = &r->job };

	emit(r, &ev);
}

static struct event in_program(const struct import_run *r, enum event_type type)
{
	return (struct event){ .type = type, .job = 1,
			       .program = r->open ? r->programs : 0 };
}

int import_run_begin(struct import_run *r, struct import *im, const struct import_run_info *info,
		     struct err *err)
{
	struct event_sink sink;
	int e = im->begin(im->ctx, info->uid, &sink, err);

	if (e == 0)
		im->counts.known++;
	if (e <= 0)
		return e;
	*r = (struct import_run){ .im = im };
	event_fan_add(&r->fan, sink);
	event_fan_add(&r->fan, tally_sink(&r->tally));
	r->sink = event_fan_sink(&r->fan);
	r->run = (struct event_run){
		.id = info->uid,
		.title = or(info->title, NULL),
		.branch = or(info->branch, im->branch),
		.commit = or(info->commit, im->commit),
		.time_ms = info->begin_ms,
	};
	emit(r, &(struct event){ .type = EVENT_RUN_BEGIN, .run = &r->run });
	r->job = (struct event_job){
		.mode = or(info->mode, im->mode),
		.machine = or(info->machine, im->machine),
		.kernel = or(info->kernel, NULL),
		.host = or(info->host, NULL),
		.time_ms = info->begin_ms,
	};
	emit_job(r, EVENT_JOB_BEGIN);
	return 1;
}

void import_program_begin(struct import_run *r, struct str suite, struct str name,
			  unsigned attempt)
{
	struct event ev;

	names_done(&r->names);
	r->names = (struct names){};
	r->programs++;
	r->open = true;
	r->any = false;
	r->worst = STATUS_SKIP;
	r->prog = (struct event_program){
		.suite = cut(suite, TAP_NAME_MAX),
		.name = cut(name.n ? name : STR("(no name)"), TAP_NAME_MAX),
		.attempt = attempt, .time_ms = r->run.time_ms,
		.exit_code = -1, .duration_ms = -1,
	};
	ev = in_program(r, EVENT_PROGRAM_BEGIN);
	ev.prog = &r->prog;
	emit(r, &ev);
}

/* As block_name_set() of tap: the second of a name is "name #2". */
static uint32_t count_name(struct import_run *r, struct str name)
{
	uint32_t times = names_note(&r->names, 0, name), ordinal = times;

	buf_clear(&r->name);
	buf_add_str(&r->name, name);
	while (ordinal > 1) {
		r->name.n = name.n;
		buf_printf(&r->name, " #%u", ordinal);
		if (names_note(&r->names, 0, buf_str(&r->name)) == 1)
			break;
		ordinal++;
	}
	return ordinal;
}

static void count_key(struct import_run *r, struct str name)
{
	uint32_t times;

	buf_clear(&r->key);
	tap_key_append(&r->key, name);
	times = names_note(&r->names, 1, buf_str(&r->key));
	if (times > 1)
		buf_printf(&r->key, " #%u", times);
}

void import_result(struct import_run *r, const struct import_result *result)
{
	struct event ev = in_program(r, EVENT_RESULT);
	struct str name = cut(result->name.n ? result->name : STR("(no name)"), TAP_NAME_MAX);
	struct event_result x = {
		.depth = 1, .status = result->status, .leaf = true, .number = result->number,
		.duration_ms = result->duration_ms, .exit_code = -1,
		.reason = cut(result->reason, IMPORT_TEXT_MAX),
	};
	struct str path;

	x.ordinal = count_name(r, name);
	count_key(r, name);
	path = buf_str(&r->name);
	x.path = &path;
	x.key = buf_str(&r->key);
	ev.result = &x;
	emit(r, &ev);
	r->worst = status_worst(r->worst, x.status);
	r->any = true;
	r->results++;
}

void import_problem(struct import_run *r, enum problem what, struct str message)
{
	struct event_problem p = { .what = what, .message = cut(message, TAP_NAME_MAX) };
	struct event ev = in_program(r, EVENT_PROBLEM);

	ev.problem = &p;
	emit(r, &ev);
}

void import_splat(struct import_run *r, const char *kind, struct str title)
{
	char print[17];
	struct event_splat s = { .kind = str_of(kind), .title = title, .text = title,
				 .pid = -1, .cpu = -1 };
	struct event ev = in_program(r, EVENT_SPLAT);

	snprintf(print, sizeof(print), "%016" PRIx64, str_hash(title, STR_HASH_INIT));
	s.fingerprint = str_of(print);
	ev.splat = &s;
	emit(r, &ev);
}

void import_program_end(struct import_run *r, enum status status, int64_t duration_ms,
			struct str reason)
{
	struct event ev = in_program(r, EVENT_PROGRAM_END);

	if (status == STATUS_N || r->worst > status)
		status = r->any ? r->worst : STATUS_ERROR;
	r->prog.status = status;
	r->prog.duration_ms = duration_ms;
	r->prog.reason = cut(reason, IMPORT_TEXT_MAX);
	ev.prog = &r->prog;
	emit(r, &ev);
	r->open = false;
}

void import_run_cancel(struct import_run *r)
{
	tally_done(&r->tally);
	names_done(&r->names);
	buf_done(&r->key);
	buf_done(&r->name);
}

int import_run_end(struct import_run *r, struct str conclusion, int64_t end_ms, struct err *err)
{
	_cleanup_(buf_done) struct buf text = {};
	int e;

	r->job.time_ms = end_ms ? end_ms : r->run.time_ms;
	emit_job(r, EVENT_JOB_END);
	if (!conclusion.n)
		tally_conclusion(&r->tally, &text);
	r->run.time_ms = r->job.time_ms;
	r->run.conclusion = conclusion.n ? conclusion : buf_str(&text);
	r->run.exit_code = tally_exit_code(&r->tally);
	emit(r, &(struct event){ .type = EVENT_RUN_END, .run = &r->run });
	e = r->im->end(r->im->ctx, err);
	if (e == 0) {
		r->im->counts.runs++;
		r->im->counts.results += r->results;
	}
	import_run_cancel(r);
	return e;
}

void import_uid(struct buf *ret, const char *kind, const struct str *parts, size_t n)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_.";
	uint64_t hash = STR_HASH_INIT;
	bool exact = true;

	buf_clear(ret);
	buf_add_str(ret, str_of(kind));
	for (size_t i = 0; i < n; i++) {
		hash = str_hash(STR("\xff"), str_hash(parts[i], hash));
		buf_add(ret, "-", 1);
		for (size_t k = 0; k < parts[i].n && ret->n < UID_MAX - 17; k++) {
			char c = parts[i].p[k];
			/* A '-' inside of a part could be one between two. */
			bool fine = c && strchr(good, c);

			exact = exact && fine;
			buf_add(ret, fine || c == '-' ? &c : "_", 1);
		}
		exact = exact && ret->n < UID_MAX - 17;
	}
	if (!exact) {
		ret->n = ret->n < UID_MAX - 17 ? ret->n : UID_MAX - 17;
		buf_printf(ret, "-%016" PRIx64, hash);
	}
}
