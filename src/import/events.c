/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: runs as another taproom told them (report/events.c says the format),
 * logs and all. What comes here may be anybody's: a line is believed only where
 * it can stand, numbers count from 1 without a gap, and a log goes into a file
 * of ours whose name it can't choose. A run that is damaged is not taken at
 * all: half of one would look like a whole one.
 */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "import/text.h"
#include "import/unpack.h"
#include "import/values.h"
#include "tap/parse.h"

#define ID_MAX       192
#define JOBS_MAX     4096
#define PROGRAMS_MAX 65536
#define LINE_SIZE_MAX    (4u << 20)

enum stage { NOT_YET, OPEN, ENDED };

struct artefact {
	char kind[EVENT_KIND_MAX + 1];
	struct unpack_file file;
};

#define ARTEFACTS_MAX 8 /* of a job */
struct unit { /* a job or a program */
	enum stage stage;
	unsigned job;
	struct unpack_file log;
	struct artefact *artefacts;
	unsigned n_artefacts;
};

struct units {
	struct unit *v;
	unsigned n, cap;
};

struct reader {
	struct import *im;
	const char *file;
	uint64_t line;
	bool header, open;      /* of a run */
	bool known;             /* this run is there already: read past it */
	struct event_sink sink;
	struct units jobs, programs;
	uint64_t results;
	struct buf text;        /* of a line */
	struct unpack_dir files; /* of this run */
	struct str path[TAP_DEPTH_MAX + 2];
	struct event_frame frames[EVENT_FRAMES_MAX];
};

static void unit_done(struct unit *u)
{
	unpack_file_done(&u->log);
	for (unsigned i = 0; i < u->n_artefacts; i++)
		unpack_file_done(&u->artefacts[i].file);
	free(u->artefacts);
	u->artefacts = NULL;
	u->n_artefacts = 0;
}

static void units_done(struct units *u)
{
	for (unsigned i = 0; i < u->n; i++)
		unit_done(&u->v[i]);
	free(u->v);
	*u = (struct units){};
}

static void run_done(struct reader *r)
{
	units_done(&r->jobs);
	units_done(&r->programs);
	unpack_dir_done(&r->files);
	r->open = false;
	r->results = 0;
}

static void reader_done(struct reader *r)
{
	run_done(r);
	buf_done(&r->text);
}

/* ---- where a line may stand ---- */

/* The next of its kind. */
static const char *unit_begin(struct units *u, int64_t number, unsigned max, unsigned job)
{
	if (number != (int64_t)u->n + 1 || u->n == max)
		return "its number is not the next one";
	ARRAY_GROW(u->v, u->n, u->cap);
	u->v[u->n++] = (struct unit){ .stage = OPEN, .job = job, .log.fd = -1 };
	return NULL;
}

static struct unit *unit_open(struct units *u, int64_t number)
{
	return number >= 1 && number <= (int64_t)u->n && u->v[number - 1].stage == OPEN
		       ? &u->v[number - 1] : NULL;
}

static bool any_open(const struct units *u, unsigned job)
{
	for (unsigned i = 0; i < u->n; i++)
		if (u->v[i].stage == OPEN && (!job || u->v[i].job == job))
			return true;
	return false;
}

/* ---- what a line says ---- */

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

static const char *run_begin(struct reader *r, const cJSON *v, struct err *err, int *ret)
{
	struct event_run run = {
		.id = value_str(v, "id"),         .title = value_str(v, "title"),
		.branch = value_str(v, "branch"), .commit = value_str(v, "commit"),
		.command = value_str(v, "command"),
		.time_ms = value_int(v, "time_ms", 0),
	};

	if (r->open || !r->header)
		return "a run begins where none can";
	if (!is_id(run.id))
		return "its id is none";
	*ret = r->im->begin(r->im->ctx, run.id, &r->sink, err);
	if (*ret < 0)
		return NULL;
	r->open = true;
	r->known = *ret == 0;
	*ret = 0;
	if (r->known) {
		r->im->counts.known++;
		return NULL;
	}
	event_emit(&r->sink, &(struct event){ .type = EVENT_RUN_BEGIN, .run = &run });
	return NULL;
}

static const char *run_end(struct reader *r, const cJSON *v, struct err *err, int *ret)
{
	struct event_run run = {
		.conclusion = value_str(v, "conclusion"),
		.exit_code = small(v, "exit_code", 0),
		.stopped = truth(v, "stopped"),
		.time_ms = value_int(v, "time_ms", 0),
	};

	if (any_open(&r->jobs, 0) || any_open(&r->programs, 0))
		return "the run ends before what is in it";
	event_emit(&r->sink, &(struct event){ .type = EVENT_RUN_END, .run = &run });
	*ret = r->im->end(r->im->ctx, err);
	if (*ret == 0) {
		r->im->counts.runs++;
		r->im->counts.results += r->results;
	}
	r->header = false;
	run_done(r);
	return NULL;
}

static const char *job_begin(struct reader *r, const cJSON *v, struct event *ev)
{
	struct event_job job = {
		.mode = value_str(v, "mode"),     .machine = value_str(v, "machine"),
		.accel = value_str(v, "accel"),   .why = value_str(v, "why"),
		.kernel = value_str(v, "kernel"), .host = value_str(v, "host"),
		.cpus = (unsigned)count(v, "cpus"), .memory = count(v, "memory"),
		.time_ms = value_int(v, "time_ms", 0),
	};
	const char *why = unit_begin(&r->jobs, ev->job, JOBS_MAX, 0);

	ev->type = EVENT_JOB_BEGIN;
	ev->job_info = &job;
	if (!why)
		event_emit(&r->sink, ev);
	return why;
}

static const char *job_end(struct reader *r, const cJSON *v, struct event *ev)
{
	struct unit *u = unit_open(&r->jobs, ev->job);
	struct event_job job = {
		.kernel = value_str(v, "kernel"), .accel = value_str(v, "accel"),
		.why = value_str(v, "why"),       .time_ms = value_int(v, "time_ms", 0),
		.end = value_str(v, "end"),       .reason = value_str(v, "reason"),
	};

	if (!u || any_open(&r->programs, ev->job))
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
	u->stage = ENDED;
	unit_done(u);
	return NULL;
}

static const char *program_begin(struct reader *r, const cJSON *v, struct event *ev)
{
	struct event_program p = { .attempt = (unsigned)small(v, "attempt", 1),
				   .time_ms = value_int(v, "time_ms", 0),
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
	ev->type = EVENT_PROGRAM_BEGIN;
	ev->prog = &p;
	event_emit(&r->sink, ev);
	return NULL;
}

static const char *program_end(struct reader *r, const cJSON *v, struct event *ev)
{
	struct unit *u = unit_open(&r->programs, ev->program);
	struct event_program p = {
		.time_ms = value_int(v, "time_ms", 0), .exit_code = small(v, "exit", -1),
		.duration_ms = value_int(v, "duration_ms", -1), .reason = value_str(v, "reason"),
		.log_lines = count(v, "log_lines"),
	};

	if (!u || status_from_name(value_str(v, "status"), &p.status) < 0)
		return u ? "its status is none" : "no such program is open";
	p.log_path = str_of(u->log.path);
	ev->job = u->job;
	ev->type = EVENT_PROGRAM_END;
	ev->prog = &p;
	event_emit(&r->sink, ev);
	u->stage = ENDED;
	unit_done(u);
	return NULL;
}

static const char *result(struct reader *r, const cJSON *v, struct event *ev)
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
	const struct unit *u = unit_open(&r->programs, ev->program);

	if (!u)
		return "no such program is open";
	if (status_from_name(value_str(v, "status"), &x.status) < 0)
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

static const char *problem(struct reader *r, const cJSON *v, struct event *ev)
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

static unsigned frames(struct reader *r, const cJSON *list)
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

static const char *splat(struct reader *r, const cJSON *v, struct event *ev)
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

static const char *log_piece(struct reader *r, const cJSON *v, const struct event *ev,
			     struct err *err, int *ret)
{
	struct unit *u = ev->program ? unit_open(&r->programs, ev->program)
				     : unit_open(&r->jobs, ev->job);
	char name[48];

	if (!u)
		return "it is of nothing that is open";
	snprintf(name, sizeof(name), "%u.%u", ev->job, ev->program);
	return unpack_add(&r->files, &u->log, name, value_str(v, "data"), err, ret);
}

/* NULL: there are too many, or it is no word. */
static struct artefact *artefact_of(struct unit *u, struct str kind)
{
	if (!event_kind_fits(kind))
		return NULL;
	for (unsigned i = 0; i < u->n_artefacts; i++)
		if (str_eq(str_of(u->artefacts[i].kind), kind))
			return &u->artefacts[i];
	if (u->n_artefacts == ARTEFACTS_MAX)
		return NULL;
	if (!u->artefacts)
		u->artefacts = xcalloc(ARTEFACTS_MAX, sizeof(*u->artefacts));
	u->artefacts[u->n_artefacts].file.fd = -1;
	memcpy(u->artefacts[u->n_artefacts].kind, kind.p, kind.n);
	return &u->artefacts[u->n_artefacts++];
}

static const char *artefact_piece(struct reader *r, const cJSON *v, const struct event *ev,
				  struct err *err, int *ret)
{
	struct unit *u = unit_open(&r->jobs, ev->job);
	struct artefact *a;
	char name[80];

	if (!u)
		return "it is of no job that is open";
	a = artefact_of(u, value_str(v, "kind"));
	if (!a)
		return "its kind is no word, or its job has too many";
	snprintf(name, sizeof(name), "%u.%s", ev->job, a->kind);
	return unpack_add(&r->files, &a->file, name, value_str(v, "data"), err, ret);
}

/* Why the line can't be; or NULL, and *ret: 0 or an error that ends it all. */
static const char *line(struct reader *r, const cJSON *v, struct err *err, int *ret)
{
	static const struct {
		const char *word;
		const char *(*say)(struct reader *r, const cJSON *v, struct event *ev);
	} WORDS[] = {
		{ "result", result },       { "program-begin", program_begin },
		{ "problem", problem },     { "program-end", program_end },
		{ "splat", splat },         { "job-begin", job_begin },
		{ "job-end", job_end },
	};
	struct str word = value_str(v, "event");
	struct event ev = { .job = (unsigned)small(v, "job", 0),
			    .program = (unsigned)small(v, "program", 0) };

	if (str_eq(value_str(v, "taproom"), STR("events"))) {
		if (r->open)
			return "a header inside of a run";
		r->header = value_int(v, "version", 0) == 1;
		return r->header ? NULL : "it is of a newer taproom";
	}
	if (str_eq(word, STR("run-begin")))
		return run_begin(r, v, err, ret);
	if (!r->open)
		return "no run has begun";
	if (r->known) {
		if (str_eq(word, STR("run-end")))
			r->open = r->header = false;
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

static int damaged(struct reader *r, const char *why, struct err *err)
{
	return err_set(err, EBADMSG, "'%s', line %" PRIu64 ": %s; %s", r->file, r->line, why,
		       r->open ? "nothing of its run is taken"
			       : "only what stands before is taken");
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes that are no UTF-8 were written as \u0080 to \u00ff, and characters never
 * are (base/out.h): they become what they were. */
static void line_copy(struct buf *to, struct str s)
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

int import_events_text(struct import *im, const char *name, struct str text, struct err *err)
{
	_cleanup_(reader_done) struct reader r = { .im = im, .file = name,
						  .files.scratch = im->scratch };
	int e = 0;

	while (text.n && e == 0) {
		struct str s = str_cut(&text, '\n');
		_cleanup_(value_freep) cJSON *v = NULL;
		const char *why = NULL;

		r.line++;
		if (!str_trim(s).n)
			continue;
		line_copy(&r.text, s.n > LINE_SIZE_MAX ? STR_NONE : s);
		v = s.n > LINE_SIZE_MAX ? NULL : value_read(buf_str(&r.text), &why);
		if (v)
			why = cJSON_IsObject(v) ? line(&r, v, err, &e) : "it is no object";
		else if (!why)
			why = "it is too long";
		im->counts.records += v && str_eq(value_str(v, "event"), STR("run-begin"));
		if (why)
			return damaged(&r, why, err);
	}
	if (e == 0 && r.open)
		return damaged(&r, "the run has no end", err);
	return e;
}

static int read_file(struct import *im, const char *path, struct err *err)
{
	_cleanup_(import_file_done) struct import_file f = {};
	int r = import_file_read(path, &f, err);

	return r < 0 ? r : import_events_text(im, f.name, buf_str(&f.text), err);
}

const struct import_format import_events = {
	.name = "events",
	.summary = "another taproom's runs with their logs: taproom report RUN --format events",
	.read = read_file,
};
