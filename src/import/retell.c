/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/retell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "import/run.h"

#define ID_MAX       192
#define JOBS_MAX     4096
#define PROGRAMS_MAX 65536
#define TIME_MAX     253402300799999 /* the end of year 9999: a date has four digits */

static void unit_done(struct retell_unit *u)
{
	unpack_file_done(&u->log);
	for (unsigned i = 0; i < u->n_artefacts; i++)
		unpack_file_done(&u->artefacts[i].file);
	free(u->artefacts);
	u->artefacts = NULL;
	u->n_artefacts = 0;
}

static void units_done(struct retell_units *u)
{
	for (unsigned i = 0; i < u->n; i++)
		unit_done(&u->v[i]);
	free(u->v);
	*u = (struct retell_units){};
}

static void run_done(struct retell *r)
{
	units_done(&r->jobs);
	units_done(&r->programs);
	unpack_dir_done(&r->files);
	r->open = false;
	r->results = 0;
}

void retell_done(struct retell *r)
{
	run_done(r);
	buf_done(&r->text);
}

/* ---- where an object may stand ---- */

/* Of several machines the programs of one come first: their numbers leave gaps, which
 * those of the others fill. */
static const char *unit_begin(struct retell_units *u, int64_t number, unsigned max, unsigned job)
{
	if (number < 1 || number > max ||
	    (number <= (int64_t)u->n && u->v[number - 1].stage != RETELL_NOT_YET))
		return "its number was there before, or is none";
	while (u->n < number) {
		ARRAY_GROW(u->v, u->n, u->cap);
		u->v[u->n++] = (struct retell_unit){ .log.fd = -1 };
	}
	u->v[number - 1].stage = RETELL_OPEN;
	u->v[number - 1].job = job;
	u->n_open++;
	return NULL;
}

static void unit_end(struct retell_units *u, struct retell_unit *x)
{
	x->stage = RETELL_ENDED;
	unit_done(x);
	u->n_open--;
}

static struct retell_unit *unit_open(const struct retell_units *u, int64_t number)
{
	return number >= 1 && number <= (int64_t)u->n && u->v[number - 1].stage == RETELL_OPEN
		       ? &u->v[number - 1] : NULL;
}

/* ---- what it says ---- */

static int32_t small(const cJSON *v, const char *name, int32_t otherwise)
{
	int64_t n = value_int(v, name, otherwise);

	return n >= -1 && n <= INT32_MAX ? (int32_t)n : otherwise;
}

static uint64_t count(const cJSON *v, const char *name)
{
	int64_t n = value_int(v, name, 0);

	return n > 0 ? (uint64_t)n : 0;
}

static bool truth(const cJSON *v, const char *name)
{
	return cJSON_IsTrue(value_get(v, name));
}

/* A stream says "time_ms"; the document @text, which may be missing. */
static int64_t time_of(const cJSON *v, const char *text, int64_t otherwise)
{
	int64_t ms = value_int(v, "time_ms", -1);

	if (ms < 0 && !import_time_parse(value_str(v, text), &ms))
		return otherwise;
	return ms <= TIME_MAX ? ms : otherwise;
}

static int64_t end_of(const struct retell *r)
{
	return r->end_ms ? r->end_ms : r->begin_ms;
}

static const char *name_of(const cJSON *v, const char *name, struct str *ret)
{
	*ret = value_str(v, name);
	return !ret->n ? "a name is missing" : ret->n > TAP_NAME_MAX ? "a name is too long" : NULL;
}

/* As ours and import_uid()'s are: parts with a '-' between them, so that none is
 * taken for a run's number or for "latest" (store.h, store_run_find()). */
static bool is_id(struct str s)
{
	if (str_find(s, STR("-")) < 1 || str_starts(s, STR("latest")))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && (i == 0 || !strchr("-_.", s.p[i])))
			return false;
	return s.n > 0 && s.n <= ID_MAX;
}

static const char *run_begin(struct retell *r, const cJSON *v, struct err *err, int *ret)
{
	struct event_run run = {
		.id = value_str(v, "id"),         .title = value_str(v, "title"),
		.branch = value_str(v, "branch"), .commit = value_str(v, "commit"),
		.command = value_str(v, "command"),
		.time_ms = time_of(v, "begin", 0),
	};

	if (r->open)
		return "a run begins where none can";
	if (!is_id(run.id))
		return "its id is none";
	*ret = r->im->begin(r->im->ctx, run.id, &r->sink, err);
	if (*ret < 0)
		return NULL;
	r->open = true;
	r->begin_ms = run.time_ms;
	r->known = *ret == 0;
	*ret = 0;
	if (r->known) {
		r->im->counts.known++;
		return NULL;
	}
	event_emit(&r->sink, &(struct event){ .type = EVENT_RUN_BEGIN, .run = &run });
	return NULL;
}

static const char *run_end(struct retell *r, const cJSON *v, struct err *err, int *ret)
{
	struct event_run run = {
		.conclusion = value_str(v, "conclusion"),
		.exit_code = small(v, "exit_code", 0),
		.stopped = truth(v, "stopped"),
		.time_ms = time_of(v, "end", r->begin_ms),
	};

	if (r->jobs.n_open || r->programs.n_open)
		return "the run ends before what is in it";
	event_emit(&r->sink, &(struct event){ .type = EVENT_RUN_END, .run = &run });
	*ret = r->im->end(r->im->ctx, err);
	if (*ret == 0) {
		r->im->counts.runs++;
		r->im->counts.results += r->results;
	}
	run_done(r);
	return NULL;
}

static const char *job_begin(struct retell *r, const cJSON *v, struct event *ev)
{
	struct event_job job = {
		.mode = value_str(v, "mode"),     .machine = value_str(v, "machine"),
		.accel = value_str(v, "accel"),   .why = value_str(v, "why"),
		.kernel = value_str(v, "kernel"), .host = value_str(v, "host"),
		.cpus = (unsigned)count(v, "cpus"), .memory = count(v, "memory"),
		.time_ms = time_of(v, "begin", r->begin_ms),
	};
	const char *why = unit_begin(&r->jobs, ev->job, JOBS_MAX, 0);

	ev->type = EVENT_JOB_BEGIN;
	ev->job_info = &job;
	if (!why)
		event_emit(&r->sink, ev);
	return why;
}

static const char *job_end(struct retell *r, const cJSON *v, struct event *ev)
{
	struct retell_unit *u = unit_open(&r->jobs, ev->job);
	struct event_job job = {
		.kernel = value_str(v, "kernel"), .accel = value_str(v, "accel"),
		.why = value_str(v, "why"),       .time_ms = time_of(v, "end_at", end_of(r)),
		.end = value_str(v, "end"),       .reason = value_str(v, "reason"),
	};

	if (!u || u->inside)
		return "no such job is open, or a program in it is";
	for (unsigned i = 0; i < u->n_artefacts; i++)
		event_emit(&r->sink, &(struct event){
			.type = EVENT_ARTEFACT, .job = ev->job,
			.artefact = &(struct event_artefact){
				.kind = str_of(u->artefacts[i].kind),
				.path = str_of(u->artefacts[i].file.path) } });
	job.console_path = str_of(u->log.path);
	ev->type = EVENT_JOB_END;
	ev->job_info = &job;
	event_emit(&r->sink, ev);
	unit_end(&r->jobs, u);
	return NULL;
}

static const char *program_begin(struct retell *r, const cJSON *v, struct event *ev)
{
	struct event_program p = { .attempt = (unsigned)small(v, "attempt", 1),
				   .time_ms = time_of(v, "begin", r->begin_ms),
				   .exit_code = -1, .duration_ms = -1 };
	const char *why = name_of(v, "suite", &p.suite);

	if (!why)
		why = name_of(v, "name", &p.name);
	if (!why && !unit_open(&r->jobs, ev->job))
		why = "its job is not open";
	if (!why && (p.attempt < 1 || p.attempt > 1000))
		why = "its attempt is none";
	if (!why)
		why = unit_begin(&r->programs, ev->program, PROGRAMS_MAX, ev->job);
	if (why)
		return why;
	r->jobs.v[ev->job - 1].inside++;
	r->begun = ev->program;
	ev->type = EVENT_PROGRAM_BEGIN;
	ev->prog = &p;
	event_emit(&r->sink, ev);
	return NULL;
}

static const char *program_end(struct retell *r, const cJSON *v, struct event *ev)
{
	struct retell_unit *u = unit_open(&r->programs, ev->program);
	struct event_program p = {
		.time_ms = time_of(v, "end", end_of(r)), .exit_code = small(v, "exit", -1),
		.duration_ms = value_int(v, "duration_ms", -1), .reason = value_str(v, "reason"),
		.log_lines = count(v, "log_lines"),
	};

	if (!u || !status_from_name(value_str(v, "status"), &p.status))
		return u ? "its status is none" : "no such program is open";
	p.log_path = str_of(u->log.path);
	ev->job = u->job;
	ev->type = EVENT_PROGRAM_END;
	ev->prog = &p;
	event_emit(&r->sink, ev);
	r->jobs.v[u->job - 1].inside--;
	unit_end(&r->programs, u);
	return NULL;
}

static const char *result(struct retell *r, const cJSON *v, struct event *ev)
{
	const cJSON *names = value_get(v, "path"), *name, *log = value_get(v, "log");
	struct event_result x = {
		.path = r->path, .leaf = truth(v, "leaf"), .implied = truth(v, "implied"),
		.number = value_int(v, "number", -1), .line = count(v, "line"),
		.line_from = count(log, "from"), .line_to = count(log, "to"),
		.duration_ms = value_int(v, "duration_ms", -1), .exit_code = small(v, "exit", -1),
		.ordinal = (unsigned)small(v, "ordinal", 1), .reason = value_str(v, "reason"),
		.key = value_str(v, "key"),
	};
	const struct retell_unit *u = unit_open(&r->programs, ev->program);

	if (!u)
		return "no such program is open";
	if (!status_from_name(value_str(v, "status"), &x.status))
		return "its status is none";
	cJSON_ArrayForEach(name, names) {
		if (x.depth == ARRAY_SIZE(r->path))
			return "it is nested too deep";
		r->path[x.depth] = str_of(cJSON_IsString(name) ? name->valuestring : NULL);
		if (!r->path[x.depth].n || r->path[x.depth].n > TAP_NAME_MAX + 16)
			return "a name is missing or too long";
		x.depth++;
	}
	if (!x.depth || !x.key.n || x.key.n > ARRAY_SIZE(r->path) * (TAP_NAME_MAX + 32))
		return "it has no name or no key";
	if (x.reason.n > IMPORT_TEXT_MAX || x.ordinal < 1 || x.line_from > x.line_to)
		return "its reason, ordinal or lines can't be";
	ev->job = u->job;
	ev->type = EVENT_RESULT;
	ev->result = &x;
	event_emit(&r->sink, ev);
	r->results += x.leaf;
	return NULL;
}

static const char *problem(struct retell *r, const cJSON *v, struct event *ev)
{
	struct event_problem p = { .line = count(v, "line"), .message = value_str(v, "message") };
	struct str what = value_str(v, "what");

	if (ev->program && !unit_open(&r->programs, ev->program))
		return "no such program is open";
	while (p.what < PROBLEM_N && !str_eq(what, str_of(PROBLEM_NAMES[p.what])))
		p.what++;
	if (p.what == PROBLEM_N || p.message.n > IMPORT_TEXT_MAX)
		return "it is no problem that is known";
	ev->type = EVENT_PROBLEM;
	ev->problem = &p;
	event_emit(&r->sink, ev);
	return NULL;
}

static unsigned frames(struct retell *r, const cJSON *list)
{
	const cJSON *f;
	unsigned n = 0;

	cJSON_ArrayForEach(f, list) {
		if (n == EVENT_FRAMES_MAX)
			break;
		r->frames[n++] = (struct event_frame){
			.function = value_str(f, "function"), .module = value_str(f, "module"),
			.offset = count(f, "offset"),         .size = count(f, "size"),
			.unsure = truth(f, "unsure"),         .inlined = truth(f, "inlined"),
		};
	}
	return n;
}

/* Without a reason there is none. */
static struct event_excuse excuse_of(const cJSON *v, const char *name)
{
	const cJSON *e = value_get(v, name);

	return (struct event_excuse){ .reason = value_str(e, "reason"),
				      .link = value_str(e, "link"),
				      .owner = value_str(e, "owner"),
				      .until = value_str(e, "until") };
}

static const char *splat(struct retell *r, const cJSON *v, struct event *ev)
{
	struct event_excuse excuse = excuse_of(v, "ignored");
	struct event_splat s = {
		.kind = value_str(v, "kind"), .title = value_str(v, "title"),
		.text = value_str(v, "text"), .fingerprint = value_str(v, "fingerprint"),
		.line = count(v, "line"),     .lines = count(v, "lines"),
		.task = value_str(v, "task"), .pid = value_int(v, "pid", -1),
		.cpu = small(v, "cpu", -1),   .taint = value_str(v, "taint"),
		.fatal = truth(v, "fatal"),   .frames = r->frames,
		.n_frames = frames(r, value_get(v, "frames")),
		.excuse = excuse.reason.n ? &excuse : NULL,
	};

	if (!unit_open(&r->jobs, ev->job))
		return "no such job is open";
	if (!s.kind.n || !s.title.n || s.title.n > TAP_NAME_MAX || s.fingerprint.n > 64)
		return "it has no kind and title, or they are too long";
	ev->type = EVENT_SPLAT;
	ev->splat = &s;
	event_emit(&r->sink, ev);
	return NULL;
}

static const char *log_piece(struct retell *r, const cJSON *v, const struct event *ev,
			     struct err *err, int *ret)
{
	struct retell_unit *u = ev->program ? unit_open(&r->programs, ev->program)
				     : unit_open(&r->jobs, ev->job);
	char name[48];

	if (!u)
		return "it is of nothing that is open";
	snprintf(name, sizeof(name), "%u.%u", ev->job, ev->program);
	return unpack_add(&r->files, &u->log, name, value_str(v, "data"), err, ret);
}

/* NULL: there are too many, or it is no word. */
static struct retell_artefact *artefact_of(struct retell_unit *u, struct str kind)
{
	if (!event_kind_fits(kind))
		return NULL;
	for (unsigned i = 0; i < u->n_artefacts; i++)
		if (str_eq(str_of(u->artefacts[i].kind), kind))
			return &u->artefacts[i];
	if (u->n_artefacts == RETELL_ARTEFACTS)
		return NULL;
	if (!u->artefacts)
		u->artefacts = xcalloc(RETELL_ARTEFACTS, sizeof(*u->artefacts));
	u->artefacts[u->n_artefacts].file.fd = -1;
	memcpy(u->artefacts[u->n_artefacts].kind, kind.p, kind.n);
	return &u->artefacts[u->n_artefacts++];
}

static const char *artefact_piece(struct retell *r, const cJSON *v, const struct event *ev,
				  struct err *err, int *ret)
{
	struct retell_unit *u = unit_open(&r->jobs, ev->job);
	struct retell_artefact *a;
	char name[80];

	if (!u)
		return "it is of no job that is open";
	a = artefact_of(u, value_str(v, "kind"));
	if (!a)
		return "its kind is no word, or its job has too many";
	snprintf(name, sizeof(name), "%u.%s", ev->job, a->kind);
	return unpack_add(&r->files, &a->file, name, value_str(v, "data"), err, ret);
}

/* ---- the two ---- */

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes that are no UTF-8 were written as \u0080 to \u00ff, and characters never
 * are (base/out.h): they become what they were. */
static void text_copy(struct buf *to, struct str s)
{
	buf_clear(to);
	for (size_t i = 0, n; i < s.n; i += n) {
		const char *p = s.p + i;

		n = *p == '\\' && i + 1 < s.n ? 2 : 1;
		if (n == 2 && s.n - i >= 6 && memcmp(p, "\\u00", 4) == 0 && hex(p[4]) >= 8 &&
		    hex(p[5]) >= 0) {
			n = 6;
			buf_add(to, &(char){ (char)(hex(p[4]) << 4 | hex(p[5])) }, 1);
		} else {
			buf_add(to, p, n);
		}
	}
}

cJSON *retell_read(struct retell *r, struct str text, const char **ret_why)
{
	_cleanup_(value_freep) cJSON *v = NULL;

	*ret_why = "it is too long";
	if (text.n > RETELL_MAX)
		return NULL;
	text_copy(&r->text, text);
	v = value_read(buf_str(&r->text), ret_why);
	if (!v || cJSON_IsObject(v))
		return TAKE(v);
	*ret_why = "it is no object";
	return NULL;
}

const char *retell_say(struct retell *r, struct str word, const cJSON *v, struct err *err, int *ret)
{
	static const struct {
		const char *word;
		const char *(*say)(struct retell *r, const cJSON *v, struct event *ev);
	} WORDS[] = {
		{ "result", result },       { "program-begin", program_begin },
		{ "problem", problem },     { "program-end", program_end },
		{ "splat", splat },         { "job-begin", job_begin },
		{ "job-end", job_end },
	};
	struct event ev = { .job = (unsigned)small(v, "job", 0),
			    .program = (unsigned)small(v, "program", r->program) };

	if (str_eq(word, STR("run-begin")))
		return run_begin(r, v, err, ret);
	if (!r->open)
		return "no run has begun";
	if (r->known) {
		if (str_eq(word, STR("run-end")))
			r->open = false;
		return NULL;
	}
	if (str_eq(word, STR("run-end")))
		return run_end(r, v, err, ret);
	if (str_eq(word, STR("log")))
		return log_piece(r, v, &ev, err, ret);
	if (str_eq(word, STR("artefact")))
		return artefact_piece(r, v, &ev, err, ret);
	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
		if (str_eq(word, str_of(WORDS[i].word)))
			return WORDS[i].say(r, v, &ev);
	return NULL; /* a newer taproom says more */
}
