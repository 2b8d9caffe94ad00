/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log, read as `taproom parse` reads it: one run of one program, with its log. */
#include "tap/console.h"

#include "import/text.h"
#include "tap/parse.h"

#define CHUNK 65536

/* Adds to what the readers say where it belongs. */
struct heard {
	struct import_run *run;
	uint64_t splats;
};

static void on_event(void *ctx, const struct event *ev)
{
	struct heard *h = ctx;
	struct event x = *ev;

	x.job = 1;
	x.program = h->run->programs;
	h->splats += ev->type == EVENT_SPLAT;
	h->run->results += ev->type == EVENT_RESULT && ev->result->leaf;
	event_emit(&h->run->sink, &x);
}

static void say_log(struct import_run *run, const struct import_file *f)
{
	struct heard heard = { run };
	struct event_sink sink = { on_event, &heard };
	struct tap_options opt = { .name = str_of(f->name) };
	struct tap_parser *p = tap_parser_new(&opt, sink);
	struct console *c = console_new(sink);
	struct tap_summary sum = {};
	enum status status;

	for (size_t at = 0; at < f->text.n; at += CHUNK) {
		size_t n = f->text.n - at < CHUNK ? f->text.n - at : CHUNK;

		tap_parse(p, f->text.p + at, n);
		console_feed(c, f->text.p + at, n);
	}
	tap_parse_end(p, TAP_END_CLEAN, &sum);
	console_end(c);
	console_free(c);
	tap_parser_free(p);
	run->prog.log_lines = sum.lines;
	run->prog.log_path = str_of(f->path);
	status = sum.results ? sum.worst : sum.skip_all ? STATUS_SKIP : STATUS_ERROR;
	if (sum.results && (sum.bailed_out || sum.plan_broken))
		status = status_worst(status, STATUS_FAIL);
	/* A skipped test among passed ones does not make a skipped program. */
	if (status == STATUS_SKIP && sum.counts[STATUS_PASS])
		status = STATUS_PASS;
	run->worst = status;
	run->any = true;
	import_program_end(run, status, -1, STR_NONE);
}

static int read_tap(struct import *im, const char *path, struct err *err)
{
	_cleanup_(import_file_done) struct import_file f = {};
	_cleanup_(buf_done) struct buf uid = {};
	struct import_run_info info = {};
	struct import_run run;
	int e = import_file_read(path, &f, err);

	if (e < 0)
		return e;
	im->counts.records++;
	import_content_uid(&uid, "tap", f.name, buf_str(&f.text));
	info.uid = buf_str(&uid);
	info.title = str_of(f.name);
	info.begin_ms = f.time_ms;
	e = import_run_begin(&run, im, &info, err);
	if (e <= 0)
		return e;
	import_program_begin(&run, im->suite ? str_of(im->suite) : STR("tap"), str_of(f.name), 1);
	say_log(&run, &f);
	return import_run_end(&run, STR_NONE, 0, err);
}

const struct import_format import_tap = {
	.name = "tap",
	.summary = "a log of TAP, KTAP, kselftest, KUnit, or a console: a run each",
	.read = read_tap,
};
