/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/decoder.h"
#include "cmd/history.h"
#include "cmd/known.h"
#include "cmd/verdict.h"
#include "report/report.h"

struct report_command {
	struct cmd_common common;
	struct known_options known;
	const char *format, *file;
};

#define AT(field) .offset = offsetof(struct report_command, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .letter = 'f', .name = "format", .arg = "FORMAT", AT(format),
	  .help = "text, tap, json, junit or events [default: text]" },
	{ .type = OPT_TYPE_STR, .letter = 'o', .name = "output", .arg = "FILE", AT(file),
	  .help = "write it there, all or nothing [default: standard output]" },
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct report_command, known),
	OPT_GROUP("Common", CMD_COMMON, struct report_command, common),
	OPT_END,
};

const struct opt_command cmd_report_help = {
	.usage = "taproom report RUN --format FORMAT [-o FILE]",
	.summary = "Writes any past run as a document: text, tap, json, junit, ...",
	.text = HISTORY_RUN_HELP,
	.opts = OPTS,
	.examples = "  taproom report latest --format junit -o results.xml\n",
};

struct report_logs {
	struct store *s;
	int64_t run_id;
};

/* A log that was not kept is an empty one to a document. */
static int report_log(void *ctx, unsigned job, unsigned program, uint64_t from, uint64_t to,
		      struct out *out)
{
	struct report_logs *l = ctx;
	int r = store_log(l->s, l->run_id, program, job, from, to, out, NULL);

	return r == -ENOENT ? 0 : r;
}

static int report_artefact(void *ctx, unsigned job, struct str kind, struct out *out)
{
	struct report_logs *l = ctx;
	_free_ char *word = xstrndup(kind.p, kind.n);
	int r = store_artefact(l->s, l->run_id, job, word, out, NULL);

	return r == -ENOENT ? 0 : r;
}

static int known_log(void *ctx, unsigned program, struct str path, uint64_t from, uint64_t to,
		     struct out *out)
{
	(void)path;
	return report_log(ctx, 0, program, from, to, out);
}

static int on_begin(void *ctx, const struct store_run *r)
{
	int64_t *begin_ms = ctx;

	*begin_ms = r->begin_ms;
	return 0;
}

/* A rule that ended since excused it then. */
static int make_knowns(struct report_logs *l, const struct known_options *o, struct plan **plan,
		       struct knowns **ret, struct err *err)
{
	int64_t begin_ms = 0;
	int r = known_load(o, plan, err);

	if (r == 0)
		r = store_run_get(l->s, l->run_id, on_begin, &begin_ms, err);
	return r < 0 ? r : known_make(*plan, begin_ms, NULL, known_log, l, ret, err);
}

struct document {
	const struct report_format *format;
	struct report *report;
	struct decoder *decoder; /* or NULL */
};

static void document_event(void *ctx, const struct event *ev)
{
	struct document *d = ctx;

	if (d->decoder)
		decoder_event(d->decoder, ev);
	d->format->event(d->report, ev);
}

int history_report(struct cmd *c, const struct cmd_common *common,
		   const struct known_options *known, const char *spec, const char *format,
		   struct decoder *decoder, struct verdict *verdict, struct out *out)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct knowns *knowns = NULL;
	struct report_logs logs = {};
	struct report_options opt = {
		.colour = out == c->out && c->colour,
		.verbose = (unsigned)common->verbose,
		.log = report_log,
		.artefact = report_artefact,
		.log_ctx = &logs,
		.decode = decoder ? decoder_splat : NULL,
		.decode_ctx = decoder,
	};
	struct err err = {};
	const struct report_format *f = report_format_find(format, &err);
	struct event_fan fan = {};
	struct document document;
	int r;

	if (!f)
		return cmd_fail(c, EXIT_USAGE, &err);
	r = history_find(common, spec, &logs.s, &logs.run_id, &err);
	if (r == 0)
		r = make_knowns(&logs, known, &plan, &knowns, &err);
	if (r < 0) {
		store_close(logs.s);
		return history_fail(c, r, &err);
	}
	document = (struct document){ f, f->begin(out, &opt), decoder };
	event_fan_add(&fan, (struct event_sink){ document_event, &document });
	if (verdict)
		event_fan_add(&fan, verdict_sink(verdict));
	r = store_replay(logs.s, logs.run_id, knowns_sink(knowns, event_fan_sink(&fan)), &err);
	f->end(document.report);
	known_warn(knowns, &c->log);
	knowns_free(knowns);
	store_close(logs.s);
	return r < 0 ? history_fail(c, r, &err) : EXIT_PASSED;
}

/* Beside its place first: a reader never meets half a document. */
static int to_file(struct cmd *c, const struct report_command *o, const char *run,
		   const char *format)
{
	_free_ char *temp = xasprintf("%s.part", o->file);
	_cleanup_(closep) int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct err err = {};
	struct out out;
	int code;

	if (fd < 0) {
		err_sys(&err, errno, "write '%s'", temp);
		return cmd_fail(c, EXIT_HARNESS, &err);
	}
	out_to_fd(&out, fd);
	code = history_report(c, &o->common, &o->known, run, format, NULL, NULL, &out);
	if (out_flush(&out) < 0 || (code == EXIT_PASSED && rename(temp, o->file) < 0)) {
		err_sys(&err, out.error ? -out.error : errno, "write '%s'", o->file);
		code = cmd_fail(c, EXIT_HARNESS, &err);
	}
	if (code != EXIT_PASSED)
		unlink(temp);
	return code;
}

int cmd_report_run(struct cmd *c, int argc, char **argv)
{
	struct report_command o = {};
	const char *format;
	int n, code = cmd_options(c, &cmd_report_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	code = history_one_operand(c, "report", n, argv);
	if (code >= 0)
		return code;
	format = o.format ? o.format : o.common.json ? "json" : "text";
	if (o.file && strcmp(o.file, "-") != 0)
		return to_file(c, &o, argv[1], format);
	return history_report(c, &o.common, &o.known, argv[1], format, NULL, NULL, c->out);
}
