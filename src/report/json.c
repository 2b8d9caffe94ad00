/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON. Of a parsed stream one object, its results written as they come; what
 * else there is follows them. Of a run the same, with the results inside their
 * programs (each written when it ends) and "run" and "jobs" beside them.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "report/event-json.h"
#include "report/formats.h"
#include "tap/tally.h"

#define HELD_MAX (32u << 20) /* bytes of one list that waits; the rest is left out */

/* A list that is written somewhere else than the document, until it is due. */
struct list {
	struct buf bytes;
	struct out out;
	struct json json;
};

#define JOBS_MAX 65536

struct report {
	const struct report_options *opt;
	struct json json;
	struct tally tally;
	struct event_sink count;
	struct report_programs programs;
	struct list problems, jobs;
	struct event_run run;
	bool ended;
	int64_t end_ms;
	uint64_t left_out;
	/* A job is written when its end is known; they overlap. */
	struct job {
		unsigned number;
		struct event_job e;
		int64_t end_ms;
		struct str kinds[8]; /* of its artefacts */
		unsigned n_kinds;
	} *open;
	size_t n_open, cap_open;
	/* Splats are written at the end, when their texts are known. */
	struct event *splats;
	size_t n_splats, cap_splats, splats_size;
	struct arena arena;
};

static void list_begin(struct list *l)
{
	out_to_buf(&l->out, &l->bytes);
	json_init(&l->json, &l->out, false);
	json_array(&l->json);
}

static bool list_full(struct report *r, const struct list *l)
{
	bool full = l->out.total > HELD_MAX;

	r->left_out += full;
	return full;
}

/* Puts a finished list into the document, as one value. */
static void list_put(struct list *l, struct json *j, const char *key)
{
	json_end(&l->json);
	out_flush(&l->out);
	if (l->bytes.n && l->bytes.p[l->bytes.n - 1] == '\n')
		l->bytes.n--;
	json_key(j, key);
	json_raw(j, buf_str(&l->bytes));
	buf_done(&l->bytes);
}

static void splat(struct report *r, const struct event *ev)
{
	size_t before = r->arena.total;

	if (r->splats_size > HELD_MAX) {
		r->left_out++;
		return;
	}
	ARRAY_GROW(r->splats, r->n_splats, r->cap_splats);
	r->splats[r->n_splats] = *ev;
	r->splats[r->n_splats++].splat = event_splat_copy(&r->arena, ev->splat);
	r->splats_size += r->arena.total - before + sizeof(*ev);
}

static void put_splat(struct report *r, const struct event *ev)
{
	struct event_splat s = *ev->splat;
	_cleanup_(buf_done) struct buf decoded = {}, text = {};
	struct json *j = &r->json;

	json_object(j);
	event_json_splat(j, &s);
	event_json_place(j, ev);
	if (r->opt->decode && r->opt->decode(r->opt->decode_ctx, ev, &decoded) > 0)
		json_field_str(j, "decoded", buf_str(&decoded));
	if (s.excuse)
		event_json_excuse(j, "ignored", s.excuse);
	if (!r->opt->summary) {
		if (r->opt->text && r->opt->text(r->opt->text_ctx, ev, &text) > 0)
			s.text = buf_str(&text);
		event_json_splat_details(j, &s);
	}
	json_end(j);
}

static void put_splats(struct report *r)
{
	json_key(&r->json, "splats");
	json_array(&r->json);
	for (size_t i = 0; i < r->n_splats; i++)
		put_splat(r, &r->splats[i]);
	json_end(&r->json);
}

static void put_counts(struct json *j, const uint64_t counts[STATUS_N])
{
	json_key(j, "counts");
	json_object(j);
	for (unsigned i = 0; i < STATUS_N; i++)
		json_field_int(j, STATUS_INFO[i].name, (int64_t)counts[i]);
	json_end(j);
}

static struct str kept(struct report *r, struct str s)
{
	return s.n ? str_n(arena_strndup(&r->arena, s.p, s.n), s.n) : STR("");
}

static struct str kept_or(struct report *r, struct str s, struct str before)
{
	return s.n ? kept(r, s) : before;
}

static void job_begin(struct report *r, const struct event *ev)
{
	const struct event_job *e = ev->job_info;

	if (r->n_open == JOBS_MAX) {
		r->left_out++;
		return;
	}
	ARRAY_GROW(r->open, r->n_open, r->cap_open);
	r->open[r->n_open++] = (struct job){ .number = ev->job, .e = {
		.mode = kept(r, e->mode),
		.machine = kept(r, e->machine),
		.accel = kept(r, e->accel),
		.why = kept(r, e->why),
		.kernel = kept(r, e->kernel),
		.host = kept(r, e->host),
		.cpus = e->cpus,
		.memory = e->memory,
		.time_ms = e->time_ms,
	} };
}

static void job_end(struct report *r, const struct event *ev)
{
	const struct event_job *e = ev->job_info;

	for (size_t i = 0; i < r->n_open; i++) {
		struct job *job = &r->open[i];

		if (job->number != ev->job)
			continue;
		job->e.kernel = kept_or(r, e->kernel, job->e.kernel);
		job->e.accel = kept_or(r, e->accel, job->e.accel);
		job->e.why = kept_or(r, e->why, job->e.why);
		job->e.end = kept(r, e->end);
		job->e.reason = kept(r, e->reason);
		job->end_ms = e->time_ms;
	}
}

static void artefact(struct report *r, const struct event *ev)
{
	for (size_t i = 0; i < r->n_open; i++) {
		struct job *job = &r->open[i];

		if (job->number == ev->job && job->n_kinds < ARRAY_SIZE(job->kinds))
			job->kinds[job->n_kinds++] = kept(r, ev->artefact->kind);
	}
}

static void put_job(struct report *r, const struct job *job)
{
	const struct event_job *e = &job->e;
	struct json *j = &r->jobs.json;

	json_object(j);
	json_field_int(j, "job", job->number);
	event_json_job(j, e);
	event_json_time(j, "begin", e->time_ms);
	event_json_time(j, "end_at", job->end_ms);
	event_json_text(j, "end", e->end);
	event_json_text(j, "reason", e->reason);
	if (job->n_kinds) {
		json_key(j, "artefacts");
		json_array(j);
		for (unsigned i = 0; i < job->n_kinds; i++)
			json_str(j, job->kinds[i]);
		json_end(j);
	}
	json_end(j);
}

/* The branch and commit may only be known when a kernel was found. */
static void run_begin(struct report *r, const struct event_run *e)
{
	r->run = (struct event_run){
		.id = kept(r, e->id),
		.title = kept(r, e->title),
		.branch = kept(r, e->branch),
		.commit = kept(r, e->commit),
		.command = kept(r, e->command),
		.time_ms = e->time_ms,
	};
}

static void run_end(struct report *r, const struct event_run *e)
{
	r->ended = true;
	r->end_ms = e->time_ms;
	r->run.branch = kept_or(r, e->branch, r->run.branch);
	r->run.commit = kept_or(r, e->commit, r->run.commit);
	r->run.conclusion = kept(r, e->conclusion);
	r->run.exit_code = e->exit_code;
	r->run.stopped = e->stopped;
}

static void put_run(struct report *r)
{
	struct json *j = &r->json;

	json_key(j, "run");
	json_object(j);
	if (r->run.id.n)
		event_json_run(j, &r->run);
	event_json_time(j, "begin", r->run.time_ms);
	event_json_time(j, "end", r->end_ms);
	if (r->ended)
		event_json_run_end(j, &r->run);
	json_end(j);
}

/* A program's results and problems wait in its buffers for its end. */
static bool add_to(struct buf *b, uint64_t *n, const struct event *ev,
		   void (*put)(struct json *j, const struct event *ev))
{
	struct out out;
	struct json j;

	if (b->n > HELD_MAX)
		return false;
	if ((*n)++)
		buf_add(b, ",", 1);
	out_to_buf(&out, b);
	json_init(&j, &out, false);
	put(&j, ev);
	out_flush(&out);
	if (b->n && b->p[b->n - 1] == '\n')
		b->n--;
	return true;
}

static void put_result(struct json *j, const struct event_result *r, bool log)
{
	json_object(j);
	event_json_result(j, r, log);
	if (r->known)
		event_json_excuse(j, "known", r->known);
	json_end(j);
}

static void put_logged_result(struct json *j, const struct event *ev)
{
	put_result(j, ev->result, true);
}

static void put_problem(struct json *j, const struct event *ev)
{
	json_object(j);
	event_json_problem(j, ev->problem);
	if (!ev->program)
		event_json_place(j, ev);
	json_end(j);
}

static void put_list(struct json *j, const char *key, const struct buf *items)
{
	json_key(j, key);
	json_array(j);
	if (items->n)
		json_raw(j, buf_str(items));
	json_end(j);
}

static void program_end(struct report *r, const struct event *ev)
{
	struct report_program *p = report_program_of(&r->programs, ev);
	const struct event_program *e = ev->prog;
	struct json *j = &r->json;

	json_object(j);
	json_field_str(j, "suite", p->begun ? buf_str(&p->suite) : e->suite);
	json_field_str(j, "name", p->begun ? buf_str(&p->name) : e->name);
	event_json_place(j, ev);
	json_field_int(j, "attempt", p->attempt ? p->attempt : 1);
	event_json_time(j, "begin", p->begin_ms);
	event_json_time(j, "end", e->time_ms);
	json_field_str(j, "status", str_of(STATUS_INFO[e->status].name));
	if (e->exit_code >= 0)
		json_field_int(j, "exit", e->exit_code);
	if (e->duration_ms >= 0)
		json_field_int(j, "duration_ms", e->duration_ms);
	event_json_text(j, "reason", e->reason);
	if (e->known)
		event_json_excuse(j, "known", e->known);
	json_field_int(j, "log_lines", (int64_t)e->log_lines);
	if (!r->opt->summary)
		put_list(j, "results", &p->text);
	if (p->hidden)
		json_field_int(j, "results_left_out", (int64_t)p->hidden);
	put_list(j, "problems", &p->more);
	json_end(j);
	report_program_end(p);
}

static void result(struct report *r, const struct event *ev)
{
	struct report_program *p;

	if (r->opt->summary)
		return;
	if (r->opt->parsed) {
		put_result(&r->json, ev->result, false);
		return;
	}
	p = report_program_of(&r->programs, ev);
	p->hidden += !add_to(&p->text, &p->n, ev, put_logged_result);
}

static void problem(struct report *r, const struct event *ev)
{
	struct report_program *p;

	if (r->opt->parsed || !ev->program) {
		if (!list_full(r, &r->problems))
			put_problem(&r->problems.json, ev);
		return;
	}
	p = report_program_of(&r->programs, ev);
	add_to(&p->more, &p->n_more, ev, put_problem);
}

static void on_event(struct report *r, const struct event *ev)
{
	event_emit(&r->count, ev);
	switch (ev->type) {
	case EVENT_RUN_BEGIN: run_begin(r, ev->run); break;
	case EVENT_RUN_END: run_end(r, ev->run); break;
	case EVENT_JOB_BEGIN: job_begin(r, ev); break;
	case EVENT_JOB_END: job_end(r, ev); break;
	case EVENT_PROGRAM_BEGIN: report_program_begin(&r->programs, ev); break;
	case EVENT_PROGRAM_END: program_end(r, ev); break;
	case EVENT_RESULT: result(r, ev); break;
	case EVENT_PROBLEM: problem(r, ev); break;
	case EVENT_SPLAT: splat(r, ev); break;
	case EVENT_ARTEFACT: artefact(r, ev); break;
	}
}

static struct report *begin(struct out *out, const struct report_options *opt)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->opt = opt;
	r->count = tally_sink(&r->tally);
	json_init(&r->json, out, false);
	list_begin(&r->problems);
	list_begin(&r->jobs);
	json_object(&r->json);
	if (opt->name)
		json_field_str(&r->json, "file", str_of(opt->name));
	if (opt->summary && opt->parsed)
		return r;
	json_key(&r->json, opt->parsed ? "results" : "programs");
	json_array(&r->json);
	return r;
}

static const char *verdict(const struct report *r)
{
	int code;

	if (r->opt->parsed)
		return REPORT_VERDICTS[report_verdict(r->opt->parsed)];
	code = tally_exit_code(&r->tally);
	if (code)
		return REPORT_VERDICTS[REPORT_FAIL];
	return REPORT_VERDICTS[r->tally.counts[STATUS_SKIP] == r->tally.results];
}

static void end(struct report *r)
{
	if (!r->opt->summary || !r->opt->parsed)
		json_end(&r->json);
	list_put(&r->problems, &r->json, "problems");
	put_splats(r);
	if (!r->opt->parsed) {
		for (size_t i = 0; i < r->n_open; i++)
			put_job(r, &r->open[i]);
		list_put(&r->jobs, &r->json, "jobs");
		put_run(r);
	}
	if (r->left_out)
		json_field_int(&r->json, "left_out", (int64_t)r->left_out);
	put_counts(&r->json, r->opt->parsed ? r->opt->parsed->counts : r->tally.counts);
	if (r->tally.known)
		json_field_int(&r->json, "known", (int64_t)r->tally.known);
	json_field_str(&r->json, "verdict", str_of(verdict(r)));
	json_end(&r->json);
	buf_done(&r->jobs.bytes);
	report_programs_done(&r->programs);
	tally_done(&r->tally);
	free(r->open);
	free(r->splats);
	arena_done(&r->arena);
	free(r);
}

const struct report_format report_json = {
	.name = "json",
	.summary = "one object: results, problems, splats, counts, verdict",
	.begin = begin,
	.event = on_event,
	.end = end,
};
