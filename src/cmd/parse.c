/* SPDX-License-Identifier: GPL-2.0-or-later */
/* taproom parse: a log in, results out. No run, no store. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/ignore.h"
#include "report/report.h"
#include "tap/console.h"
#include "tap/parse.h"

#define CHUNK      65536
#define SPLATS_MAX 1000 /* of one file */
#define SPLATS_BYTES_MAX (32u << 20)

struct opts {
	struct cmd_common common;
	const char *format, *config;
	bool summary;
};

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .letter = 'f', .name = "format", .arg = "F",
	  .help = "text, tap, json or junit [default: text]",
	  .offset = offsetof(struct opts, format) },
	{ .type = OPT_TYPE_FLAG, .name = "summary",
	  .help = "counts, problems and verdict, without the results",
	  .offset = offsetof(struct opts, summary) },
	{ .type = OPT_TYPE_STR, .name = "config", .arg = "FILE",
	  .help = "configuration, for its rules of splats to ignore [default: as with run]",
	  .offset = offsetof(struct opts, config) },
	{ .type = OPT_TYPE_GROUP, .help = "Common", .group = CMD_COMMON },
	OPT_END,
};

const struct opt_command cmd_parse_help = {
	.usage = "taproom parse [--format F] [--summary] [--config FILE] [FILE...]",
	.summary = "Reads test logs and reports their results.",
	.text = "Reads TAP, KTAP, kselftest output, KUnit consoles and kernel logs, from "
		"FILE or from standard input ('-'). -v shows every result as text.\n"
		"Exit status: 0 passed or skipped, 1 failed, 2 no log to read, 3 the kernel "
		"warned or crashed.",
	.opts = OPTS,
	.examples = "  taproom parse console.log\n"
		    "  run_kselftest.sh -t net/mptcp:diag.sh | taproom parse --format json\n",
};

/*
 * Splats of one file. They wait for its end: how the input was cut into reads
 * must not show in the document.
 */
struct splats {
	struct event_splat **v;
	unsigned n, cap;
	uint64_t more, count; /* not listed; that count: no rule excuses them */
	struct arena arena;
};

static void on_splat(void *ctx, const struct event *ev)
{
	struct splats *s = ctx;

	s->count += ev->splat->excuse == NULL;
	if (s->n == SPLATS_MAX || s->arena.total > SPLATS_BYTES_MAX) {
		s->more++;
		return;
	}
	ARRAY_GROW(s->v, s->n, s->cap);
	s->v[s->n++] = event_splat_copy(&s->arena, ev->splat);
}

static void splats_say(const struct splats *s, struct event_sink sink)
{
	struct event ev = { .type = EVENT_SPLAT };

	for (unsigned i = 0; i < s->n; i++) {
		ev.splat = s->v[i];
		event_emit(&sink, &ev);
	}
	if (s->more) {
		struct event_problem p = { .what = PROBLEM_TOO_MANY,
					   .message = STR("more splats than are listed") };

		ev.type = EVENT_PROBLEM;
		ev.problem = &p;
		event_emit(&sink, &ev);
	}
}

static void splats_done(struct splats *s)
{
	arena_done(&s->arena);
	free(s->v);
}

static int read_all(int fd, const char *name, struct tap_parser *p, struct console *c,
		    struct err *err)
{
	_free_ char *chunk = xmalloc(CHUNK);

	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "read '%s'", name);
		if (n == 0)
			return 0;
		tap_parse(p, chunk, (size_t)n);
		console_feed(c, chunk, (size_t)n);
	}
}

/* Begun by the first thing to tell: of what is no log nothing is printed. */
struct document {
	const struct report_format *format;
	const struct report_options *opt;
	struct out *out;
	struct report *report; /* NULL: not begun */
	bool mute;             /* does not begin now: a read that failed is no log's news */
};

static void document_begin(struct document *d)
{
	if (!d->report)
		d->report = d->format->begin(d->out, d->opt);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct document *d = ctx;

	if (d->mute && !d->report)
		return;
	document_begin(d);
	d->format->event(d->report, ev);
}

static int parse_fd(struct cmd *c, const struct opts *o, const struct report_format *format,
		    struct excuses *excuses, int fd, const char *name, bool several,
		    struct tap_summary *ret, struct err *err)
{
	struct report_options opt = {
		.colour = c->colour,
		.verbose = o->common.verbose > 0,
		.summary = o->summary,
		.parsed = ret,
		.name = several ? name : NULL,
	};
	struct document doc = { .format = format, .opt = &opt, .out = c->out };
	struct event_sink sink = { on_event, &doc };
	struct splats splats = {};
	struct tap_options tap = { .only_count = o->summary && !format->every_result };
	struct tap_parser *p = tap_parser_new(&tap, sink);
	struct event_sink heard = excuses_sink(excuses, (struct event_sink){ on_splat, &splats });
	struct console *console = console_new(heard);
	int code, r = read_all(fd, name, p, console, err);

	doc.mute = r < 0;
	tap_parse_end(p, r < 0 ? TAP_END_CUT : TAP_END_CLEAN, ret);
	doc.mute = false;
	console_end(console);
	ignore_warn(excuses, &c->log);
	splats_say(&splats, sink);
	if (ret->skip_all || ret->results)
		document_begin(&doc);
	if (doc.report)
		format->end(doc.report);
	code = splats.count ? EXIT_CRITICAL
			    : report_verdict(ret) == REPORT_FAIL ? EXIT_FAILED : EXIT_PASSED;
	if (r == 0 && !splats.n && !ret->results && !ret->problems && !ret->skip_all)
		r = err_set(err, ENODATA, "no test result in '%s': is it the log of a test?",
			    name);
	splats_done(&splats);
	console_free(console);
	tap_parser_free(p);
	return r < 0 ? r : code;
}

static int parse_file(struct cmd *c, const struct opts *o, const struct report_format *format,
		      struct excuses *excuses, const char *name, bool several,
		      struct tap_summary *ret, struct err *err)
{
	_cleanup_(closep) int fd = -1;

	if (strcmp(name, "-") == 0)
		return parse_fd(c, o, format, excuses, STDIN_FILENO, "standard input", several,
				ret, err);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open '%s'", name);
	return parse_fd(c, o, format, excuses, fd, name, several, ret, err);
}

static void total_json(struct cmd *c, const struct tap_summary *sum, int files)
{
	struct json j;

	json_init(&j, c->out, false);
	json_object(&j);
	json_field_bool(&j, "total", true);
	json_field_int(&j, "files", files);
	json_key(&j, "counts");
	json_object(&j);
	for (unsigned i = 0; i < STATUS_N; i++)
		json_field_int(&j, STATUS_INFO[i].name, (int64_t)sum->counts[i]);
	json_end(&j);
	json_field_str(&j, "verdict", str_of(REPORT_VERDICTS[report_verdict(sum)]));
	json_end(&j);
}

static void total_text(struct cmd *c, const struct tap_summary *sum, int files)
{
	out_printf(c->out, "\n%d files: ", files);
	report_counts(c->out, sum->counts, c->colour);
	out_printf(c->out, "\n%s\n", REPORT_VERDICTS[report_verdict(sum)]);
}

/* Worst for the exit status: the kernel's trouble, an unusable file, a failure. */
static int worse(int a, int b)
{
	static const int ORDER[] = { EXIT_PASSED, EXIT_FAILED, EXIT_USAGE, EXIT_CRITICAL };
	size_t ia = 0, ib = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ORDER); i++) {
		ia = ORDER[i] == a ? i : ia;
		ib = ORDER[i] == b ? i : ib;
	}
	return ia > ib ? a : b;
}

/* All files, and what they come to. */
static int parse_files(struct cmd *c, const struct opts *o, const struct report_format *format,
		       struct excuses *excuses, char **names, int n)
{
	struct tap_summary sum = {};
	struct err err = {};
	int code = EXIT_PASSED;
	bool told = false;

	for (int i = 0; i < (n ? n : 1); i++) {
		struct tap_summary one = {};
		int r = parse_file(c, o, format, excuses, n ? names[i] : "-", n > 1, &one, &err);

		if (r < 0)
			r = cmd_fail(c, EXIT_USAGE, &err);
		else
			told = true;
		code = worse(code, r);
		report_summary_add(&sum, &one);
	}
	if (told && n > 1 && strcmp(format->name, "json") == 0)
		total_json(c, &sum, n);
	else if (told && n > 1 && strcmp(format->name, "text") == 0)
		total_text(c, &sum, n);
	return code;
}

int cmd_parse_run(struct cmd *c, int argc, char **argv)
{
	const struct report_format *format;
	struct excuses *excuses = NULL;
	struct plan *plan = NULL;
	struct opts o = {};
	struct err err = {};
	int n, code = cmd_options(c, &cmd_parse_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (!o.format)
		o.format = o.common.json ? "json" : "text";
	format = report_format_find(o.format, &err);
	if (!format)
		return cmd_fail(c, EXIT_USAGE, &err);
	if (n > 1 && strcmp(format->name, "junit") == 0) {
		err_set(&err, EINVAL, "--format junit: one FILE at a time, because an XML "
				      "document can't follow another");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	if (plan_load(o.config, ".", &plan, &err) < 0 ||
	    ignore_make(plan, &c->log, &excuses, &err) < 0) {
		plan_free(plan);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	code = parse_files(c, &o, format, excuses, argv + 1, n);
	excuses_free(excuses);
	plan_free(plan);
	return code;
}
