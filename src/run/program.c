/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/program.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/machine.h"
#include "run/expect.h"
#include "tap/dialect.h"
#include "tap/parse.h"

/* What a test that floods its output may leave on the disk. */
#define LOG_MAX (1u << 30)

struct program {
	const struct plan_test *test;
	struct event_sink sink;
	struct chosen {             /* with a "suite/test/subtest" selector */
		uint64_t n;
		enum status worst;
	} chosen;
	struct expect *expect;      /* NULL: results come as they come */
	struct tap_parser *parser;
	struct dialect *dialect;    /* NULL: it speaks TAP */
	unsigned job, number, attempt;
	bool has_results;
	char *log_path;
	int log;
	uint64_t log_bytes;
	int log_error;
};

static void emit(struct program *p, enum event_type type, const struct event_program *info)
{
	struct event ev = { .type = type, .job = p->job, .program = p->number, .prog = info };

	event_emit(&p->sink, &ev);
}

/*
 * From the reader to the run's sink. With a selector for subtests the whole
 * program runs, but only the chosen ones are its results.
 */
static void on_result(void *ctx, const struct event *ev)
{
	struct program *p = ctx;

	if (ev->type == EVENT_RESULT) {
		p->has_results |= !ev->result->implied;
		if (!expect_saw(p->expect, ev->result))
			return;
	}
	if (ev->type == EVENT_RESULT && p->test->subtests) {
		_cleanup_(buf_done) struct buf path = {};

		for (unsigned i = 0; i < ev->result->depth; i++)
			buf_printf(&path, i ? "/%.*s" : "%.*s", STR_FMT(ev->result->path[i]));
		if (!plan_subtest_chosen(p->test, path.p))
			return;
		p->chosen.n++;
		p->chosen.worst = status_worst(p->chosen.worst, ev->result->status);
	}
	event_emit(&p->sink, ev);
}

/* What was known before it began. */
static void tell_doubt(struct program *p)
{
	const struct event_problem problem = { PROBLEM_DEGRADED, 0, str_of(p->test->doubt) };
	struct event ev = { .type = EVENT_PROBLEM, .job = p->job, .program = p->number,
			    .problem = &problem };

	if (p->test->doubt)
		event_emit(&p->sink, &ev);
}

static char *log_name(const char *dir, unsigned number, const char *test)
{
	_free_ char *name = xasprintf("%03u-%.100s.log", number, test);

	/* A name that needs no quotes in a shell; the number keeps it unique. */
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-+._", *c))
			*c = '_';
	return path_join(dir, name);
}

int program_begin(const struct plan_test *test, unsigned job, unsigned number, unsigned attempt,
		  const char *log_dir, int64_t now_ms, struct event_sink sink,
		  struct program **ret, struct err *err)
{
	struct tap_options opt = { .job = job, .program = number, .name = str_of(test->name) };
	struct event_program info = {
		.suite = str_of(test->suite),
		.name = str_of(test->name),
		.attempt = attempt,
		.time_ms = now_ms,
		.exit_code = -1,
	};
	struct program *p = xcalloc(1, sizeof(*p));

	*p = (struct program){ .test = test, .sink = sink, .job = job, .number = number,
			       .attempt = attempt };
	p->expect = expect_new(test);
	p->log_path = log_name(log_dir, number, test->name);
	p->log = open(p->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (p->log < 0) {
		int r = err_sys(err, errno, "write log '%s'", p->log_path);

		free(p->log_path);
		expect_free(p->expect);
		free(p);
		return r;
	}
	info.log_path = str_of(p->log_path);
	p->parser = tap_parser_new(&opt, (struct event_sink){ on_result, p });
	p->dialect = dialect_new(test->dialect, p->parser);
	emit(p, EVENT_PROGRAM_BEGIN, &info);
	tell_doubt(p);
	*ret = p;
	return 0;
}

void program_output(struct program *p, struct str bytes)
{
	size_t n = bytes.n;

	if (n > LOG_MAX - p->log_bytes)
		n = LOG_MAX - p->log_bytes;
	if (n && !p->log_error)
		p->log_error = file_write_all(p->log, bytes.p, n);
	p->log_bytes += n;
	if (p->dialect)
		dialect_feed(p->dialect, bytes.p, bytes.n);
	else
		tap_parse(p->parser, bytes.p, bytes.n);
}

/* 2 is a usage or syntax error everywhere but in kselftests, where it is an
 * expected failure; 4 is a skip in both. */
static enum status exit_status(const struct plan_test *t, int code)
{
	if (t->kselftest_codes || code == 0 || code == 4)
		return tap_status_from_exit(code);
	return STATUS_FAIL;
}

/* As a shell tells it: 128 and more is a signal. */
static void exit_text(int code, const char *more, char *why, size_t size)
{
	const char *name = code > 128 ? sigabbrev_np(code - 128) : NULL;

	if (name)
		snprintf(why, size, "killed by SIG%s%s", name, more);
	else
		snprintf(why, size, "exit code %d%s", code, more);
}

/* What an exit code and the results say together. */
static enum status judge_exit(const struct plan_test *t, const struct tap_summary *sum,
			      int code, char *why, size_t size)
{
	enum status status = exit_status(t, code);

	if (sum->results == 0) {
		if (sum->skip_all && status == STATUS_PASS)
			return STATUS_SKIP;
		if (t->wants_results && status == STATUS_PASS) {
			snprintf(why, size, "it told no result");
			return STATUS_MISSING;
		}
		if (status != STATUS_PASS && status != STATUS_SKIP)
			exit_text(code, "", why, size);
		if (sum->bailed_out)
			status = status_worst(status, STATUS_FAIL);
		return status;
	}
	if (STATUS_INFO[status].bad && !STATUS_INFO[sum->worst].bad)
		exit_text(code, " although no result failed", why, size);
	/* A program that skips itself after a result has run all the same. */
	status = status == STATUS_SKIP ? sum->worst : status_worst(status, sum->worst);
	if ((sum->plan_broken || sum->bailed_out) && !STATUS_INFO[status].bad) {
		snprintf(why, size, sum->bailed_out ? "bailed out" : "its plan does not hold");
		status = STATUS_FAIL;
	}
	return status;
}

/* What it was listed with and never told. */
static void tell_owed(struct program *p, enum program_end how, enum status *status, char *why,
		      size_t size)
{
	static const enum status FIRST[] = {
		[PROGRAM_EXITED] = STATUS_MISSING, [PROGRAM_TIMEOUT] = STATUS_TIMEOUT,
		[PROGRAM_CRASHED] = STATUS_CRASH, [PROGRAM_FAILED] = STATUS_MISSING,
	};
	unsigned n = expect_owed(p->expect);

	/* What is skipped as a whole owes nothing. */
	if (!n || how == PROGRAM_STOPPED || (how == PROGRAM_EXITED && *status == STATUS_SKIP))
		return;
	expect_tell(p->expect, p->test->side_by_side ? STATUS_MISSING : FIRST[how], p->job,
		    p->number, p->sink);
	if (!STATUS_INFO[*status].bad && !why[0])
		snprintf(why, size, "%u of its results never came", n);
	*status = status_worst(*status, STATUS_MISSING);
}

static enum status judge(struct program *p, enum program_end how, int code, const char *given,
			 struct tap_summary *sum, char *why, size_t size)
{
	static const struct {
		enum status status;
		enum tap_end end;
	} ENDS[] = {
		[PROGRAM_TIMEOUT] = { STATUS_TIMEOUT, TAP_END_CUT },
		[PROGRAM_CRASHED] = { STATUS_CRASH, TAP_END_CRASH },
		[PROGRAM_FAILED] = { STATUS_ERROR, TAP_END_CUT },
	};

	if (p->dialect)
		dialect_end(p->dialect);
	if (how == PROGRAM_EXITED) {
		tap_parse_end(p->parser, TAP_END_CLEAN, sum);
		if (!p->test->subtests)
			return judge_exit(p->test, sum, code, why, size);
		if (!p->chosen.n)
			snprintf(why, size, "none of the chosen results came");
		return p->chosen.n ? p->chosen.worst : STATUS_MISSING;
	}
	snprintf(why, size, "%s", given ? given : "");
	/* What the user cut short says nothing about the test. */
	if (how == PROGRAM_STOPPED)
		return STATUS_SKIP;
	tap_parse_end(p->parser, ENDS[how].end, sum);
	return ENDS[how].status;
}

enum status program_finish(struct program *p, enum program_end how, int exit_code,
			   const char *given, int64_t now_ms, int64_t duration_ms)
{
	struct tap_summary sum = {};
	char why[512] = "";
	struct event_program info = {
		.suite = str_of(p->test->suite),
		.name = str_of(p->test->name),
		.attempt = p->attempt,
		.time_ms = now_ms,
		.exit_code = how == PROGRAM_EXITED ? exit_code : -1,
		.duration_ms = duration_ms,
		.log_path = str_of(p->log_path),
	};

	info.status = judge(p, how, exit_code, given, &sum, why, sizeof(why));
	tell_owed(p, how, &info.status, why, sizeof(why));
	if (how == PROGRAM_EXITED && given && STATUS_INFO[info.status].bad)
		snprintf(why, sizeof(why), "%s", given);
	if (p->log_error && !STATUS_INFO[info.status].bad) {
		info.status = STATUS_ERROR;
		snprintf(why, sizeof(why), "%s: its log could not be written: %s",
			 MACHINE_ENDS[machine_end_of_error(p->log_error)].word,
			 strerror(-p->log_error));
	}
	info.reason = str_of(why);
	info.log_lines = sum.lines;
	close(p->log);
	emit(p, EVENT_PROGRAM_END, &info);
	tap_parser_free(p->parser);
	dialect_free(p->dialect);
	expect_free(p->expect);
	free(p->log_path);
	free(p);
	return info.status;
}

unsigned program_number(const struct program *p)
{
	return p->number;
}

bool program_has_results(const struct program *p)
{
	return p->has_results;
}
