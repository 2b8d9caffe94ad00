/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Events for the store's tests: said in a line each, and heard as text, every
 * field of them, so that two streams can be compared.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/out.h"
#include "base/str.h"
#include "tap/event.h"

/* ---- saying ---- */

static inline void say_run(struct event_sink sink, enum event_type type, const char *id)
{
	struct event_run run = {
		.id = str_of(id), .title = STR("mptcp"), .branch = STR("export"),
		.commit = STR("6.12.1"), .command = STR("taproom run mptcp"),
		.time_ms = 1700000000000,
	};
	struct event ev = { .type = type, .run = &run };

	if (type == EVENT_RUN_END) {
		run.time_ms += 60000;
		run.conclusion = STR("Unstable: 1 failed test(s): x");
		run.exit_code = 1;
	}
	event_emit(&sink, &ev);
}

static inline void say_job(struct event_sink sink, enum event_type type, unsigned job,
			   const char *mode, const char *console)
{
	struct event_job j = {
		.mode = str_of(mode), .machine = STR("qemu"), .accel = STR("tcg"),
		.why = STR("no KVM here"), .kernel = STR("6.12.1-test"), .host = STR("here"),
		.cpus = 2, .memory = 1 << 30, .time_ms = 1700000001000,
	};
	struct event ev = { .type = type, .job = job, .job_info = &j };

	if (type == EVENT_JOB_END) {
		j.time_ms += 50000;
		j.console_path = str_of(console);
		j.end = STR("panic");
		j.reason = STR("Kernel panic - not syncing: x");
	}
	event_emit(&sink, &ev);
}

static inline void say_begin(struct event_sink sink, unsigned job, unsigned n, const char *name,
			     unsigned attempt)
{
	struct event_program p = { .suite = STR("mptcp"), .name = str_of(name),
				   .attempt = attempt, .time_ms = 1700000002000,
				   .exit_code = -1 };
	struct event ev = { .type = EVENT_PROGRAM_BEGIN, .job = job, .program = n, .prog = &p };

	event_emit(&sink, &ev);
}

static inline void say_end(struct event_sink sink, unsigned job, unsigned n, const char *name,
			   unsigned attempt, enum status status, const char *log)
{
	struct event_program p = { .suite = STR("mptcp"), .name = str_of(name),
				   .attempt = attempt, .time_ms = 1700000003000,
				   .status = status, .exit_code = STATUS_INFO[status].bad,
				   .duration_ms = 1000, .log_lines = 12,
				   .log_path = str_of(log) };
	struct event ev = { .type = EVENT_PROGRAM_END, .job = job, .program = n, .prog = &p };

	if (STATUS_INFO[status].bad)
		p.reason = STR("it \"broke\"");
	event_emit(&sink, &ev);
}

/* The @i-th plain result, from 0, three lines each. */
static inline void say_result(struct event_sink sink, unsigned job, unsigned n, unsigned i,
			      const struct str *path, unsigned depth, struct str key,
			      enum status status, struct str reason)
{
	struct event_result r = {
		.path = path, .depth = depth, .key = key, .status = status, .leaf = true,
		.number = i + 1, .line = 3 * i + 3, .line_from = 3 * i + 1,
		.line_to = 3 * i + 3,
		.duration_ms = i % 7 ? (int64_t)(i * 37 % 900) : -1, .exit_code = -1,
		.ordinal = 1, .reason = reason,
	};
	struct event ev = { .type = EVENT_RESULT, .job = job, .program = n, .result = &r };

	event_emit(&sink, &ev);
}

static inline void say_simple(struct event_sink sink, unsigned job, unsigned n, unsigned i,
			      enum status status)
{
	char name[32];
	struct str path;

	snprintf(name, sizeof(name), "subtest %u", i);
	path = str_of(name);
	say_result(sink, job, n, i, &path, 1, path, status,
		   status == STATUS_PASS ? STR("") : STR("because"));
}

static inline void say_problem(struct event_sink sink, unsigned job, unsigned n,
			       const char *message)
{
	struct event_problem p = { PROBLEM_NUMBERING, 7, str_of(message) };
	struct event ev = { .type = EVENT_PROBLEM, .job = job, .program = n, .problem = &p };

	event_emit(&sink, &ev);
}

static inline void say_splat(struct event_sink sink, unsigned job, unsigned n, const char *title)
{
	static const struct event_frame frames[] = {
		{ .function = STR("mptcp_foo.isra.0"), .module = STR("mptcp"),
		  .offset = 0x12, .size = 0x340 },
		{ .function = STR("stale"), .size = 0x20, .unsure = true },
		{ .function = STR("sk_inline"), .inlined = true },
		{ .function = STR("do_syscall_64"), .offset = 0x3b, .size = 0x90 },
	};
	static const struct event_excuse excuse = { STR("known"), STR("https://bugs.example/1"),
						    STR("net"), STR("2026-12-31") };
	struct event_splat s = {
		.kind = STR("warning"), .title = str_of(title),
		.text = STR("WARNING: CPU: 0\nCall Trace:\n <TASK>\n <TASK>\n <TASK>\n"),
		.fingerprint = STR("0123456789abcdef"), .line = 80, .lines = 31,
		.task = STR("ip"), .pid = 77, .cpu = 3, .taint = STR("G W"), .fatal = true,
		.frames = frames, .n_frames = ARRAY_SIZE(frames),
		.excuse = strstr(title, "(excused)") ? &excuse : NULL,
	};
	struct event ev = { .type = EVENT_SPLAT, .job = job, .program = n, .splat = &s };

	event_emit(&sink, &ev);
}

/* A whole program of @n_results; those in @failed (a bit each) fail. */
static inline void say_program(struct event_sink sink, unsigned job, unsigned n,
			       const char *name, unsigned n_results, uint64_t failed)
{
	say_begin(sink, job, n, name, 1);
	for (unsigned i = 0; i < n_results; i++)
		say_simple(sink, job, n, i,
			   i < 64 && failed >> i & 1 ? STATUS_FAIL : STATUS_PASS);
	say_end(sink, job, n, name, 1, failed ? STATUS_FAIL : STATUS_PASS, NULL);
}

/* ---- hearing ---- */

static inline void hear_str(struct out *o, const char *name, struct str s)
{
	out_printf(o, " %s=\"", name);
	out_json(o, s);
	out_char(o, '"');
}

#define HEAR_STR(o, e, field) hear_str((o), #field, (e)->field)
#define HEAR_INT(o, e, field) out_printf((o), " " #field "=%lld", (long long)(e)->field)

static inline void hear_run(struct out *o, const struct event *ev)
{
	const struct event_run *r = ev->run;

	HEAR_STR(o, r, id);
	HEAR_STR(o, r, title);
	HEAR_STR(o, r, branch);
	HEAR_STR(o, r, commit);
	HEAR_STR(o, r, command);
	HEAR_STR(o, r, conclusion);
	HEAR_INT(o, r, time_ms);
	HEAR_INT(o, r, exit_code);
	HEAR_INT(o, r, stopped);
}

static inline void hear_job(struct out *o, const struct event *ev)
{
	const struct event_job *j = ev->job_info;

	HEAR_STR(o, j, mode);
	HEAR_STR(o, j, machine);
	HEAR_STR(o, j, accel);
	HEAR_STR(o, j, why);
	HEAR_STR(o, j, kernel);
	HEAR_STR(o, j, host);
	HEAR_INT(o, j, cpus);
	HEAR_INT(o, j, memory);
	HEAR_INT(o, j, time_ms);
	out_printf(o, " console=%d", j->console_path.n > 0);
	/* Formats before 4 do not know them. */
	if (j->end.n) {
		HEAR_STR(o, j, end);
		HEAR_STR(o, j, reason);
	}
}

static inline void hear_program(struct out *o, const struct event *ev)
{
	const struct event_program *p = ev->prog;

	HEAR_STR(o, p, suite);
	HEAR_STR(o, p, name);
	HEAR_STR(o, p, reason);
	HEAR_INT(o, p, attempt);
	HEAR_INT(o, p, time_ms);
	HEAR_INT(o, p, status);
	HEAR_INT(o, p, exit_code);
	HEAR_INT(o, p, duration_ms);
	HEAR_INT(o, p, log_lines);
	out_printf(o, " log=%d", p->log_path.n > 0);
}

static inline void hear_result(struct out *o, const struct event *ev)
{
	const struct event_result *r = ev->result;

	for (unsigned i = 0; i < r->depth; i++)
		hear_str(o, "name", r->path[i]);
	HEAR_STR(o, r, key);
	HEAR_STR(o, r, reason);
	HEAR_INT(o, r, status);
	HEAR_INT(o, r, leaf);
	HEAR_INT(o, r, implied);
	HEAR_INT(o, r, number);
	HEAR_INT(o, r, line);
	HEAR_INT(o, r, line_from);
	HEAR_INT(o, r, line_to);
	HEAR_INT(o, r, duration_ms);
	HEAR_INT(o, r, exit_code);
	HEAR_INT(o, r, ordinal);
}

static inline void hear_problem(struct out *o, const struct event *ev)
{
	HEAR_INT(o, ev->problem, what);
	HEAR_INT(o, ev->problem, line);
	HEAR_STR(o, ev->problem, message);
}

static inline void hear_splat(struct out *o, const struct event *ev)
{
	HEAR_STR(o, ev->splat, kind);
	HEAR_STR(o, ev->splat, title);
	HEAR_STR(o, ev->splat, text);
	HEAR_STR(o, ev->splat, fingerprint);
	HEAR_INT(o, ev->splat, line);
	HEAR_INT(o, ev->splat, lines);
	HEAR_STR(o, ev->splat, task);
	HEAR_INT(o, ev->splat, pid);
	HEAR_INT(o, ev->splat, cpu);
	HEAR_STR(o, ev->splat, taint);
	HEAR_INT(o, ev->splat, fatal);
	for (unsigned i = 0; i < ev->splat->n_frames; i++) {
		HEAR_STR(o, &ev->splat->frames[i], function);
		HEAR_STR(o, &ev->splat->frames[i], module);
		HEAR_INT(o, &ev->splat->frames[i], offset);
		HEAR_INT(o, &ev->splat->frames[i], size);
		HEAR_INT(o, &ev->splat->frames[i], unsure);
		HEAR_INT(o, &ev->splat->frames[i], inlined);
	}
	if (ev->splat->excuse) {
		HEAR_STR(o, ev->splat->excuse, reason);
		HEAR_STR(o, ev->splat->excuse, link);
		HEAR_STR(o, ev->splat->excuse, owner);
		HEAR_STR(o, ev->splat->excuse, until);
	}
}

static inline void hear_artefact(struct out *o, const struct event *ev)
{
	HEAR_STR(o, ev->artefact, kind);
}

static inline void hear(void *ctx, const struct event *ev)
{
	static const struct {
		const char *name;
		void (*fn)(struct out *, const struct event *);
	} kinds[] = {
		[EVENT_RUN_BEGIN] = { "RUN_BEGIN", hear_run },
		[EVENT_RUN_END] = { "RUN_END", hear_run },
		[EVENT_JOB_BEGIN] = { "JOB_BEGIN", hear_job },
		[EVENT_JOB_END] = { "JOB_END", hear_job },
		[EVENT_PROGRAM_BEGIN] = { "PROGRAM_BEGIN", hear_program },
		[EVENT_PROGRAM_END] = { "PROGRAM_END", hear_program },
		[EVENT_RESULT] = { "RESULT", hear_result },
		[EVENT_PROBLEM] = { "PROBLEM", hear_problem },
		[EVENT_SPLAT] = { "SPLAT", hear_splat },
		[EVENT_ARTEFACT] = { "ARTEFACT", hear_artefact },
	};
	struct out o;

	out_to_buf(&o, ctx);
	out_printf(&o, "%u.%u %s", ev->job, ev->program, kinds[ev->type].name);
	kinds[ev->type].fn(&o, ev);
	out_char(&o, '\n');
	out_flush(&o);
}

static inline struct event_sink hear_into(struct buf *b)
{
	return (struct event_sink){ hear, b };
}
