/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: what is emitted as TAP reads as the same tree. Any bytes are read and
 * emitted once: that is a log as we write them. From there on nothing may
 * change: it is read and emitted again, and both trees are compared, in order.
 *
 * Of each result: path, status, leaf or parent, reason, duration, exit code. Not
 * compared: lines, numbers and problems, which are of the log that was read;
 * ordinals, because a block's name has no word for which one it is; `implied`,
 * because in an emitted log every result has a line.
 *
 * Between the bytes and the first emitted log less is promised, because bytes
 * that do not print are escaped: only that no result is lost and that each keeps
 * its status. Left out are logs that TAP has no words for, with subtests that
 * came after their parent's line, and names that were cut at their limit.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "report/report.h"
#include "tap/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tree {
	struct buf text;
	uint64_t by[STATUS_N];
	bool odd; /* what TAP has no words for, see below */
};

static void add(struct buf *b, struct str s)
{
	buf_printf(b, "%zu:", s.n);
	buf_add_str(b, s);
}

static void on_result(struct tree *t, const struct event_result *r)
{
	struct buf *b = &t->text;

	t->by[r->status]++;
	buf_printf(b, "%s ", STATUS_INFO[r->status].name);
	for (unsigned i = 0; i < r->depth; i++) {
		add(b, r->path[i]);
		t->odd |= r->path[i].n > TAP_NAME_MAX - 4;
	}
	buf_printf(b, "%s %" PRId64 " %d ", r->leaf ? "" : " +", r->duration_ms,
		   r->exit_code >= 0 ? r->exit_code : -1);
	add(b, r->reason);
	buf_printf(b, "\n");
}

struct pass {
	struct tree tree;
	const struct report_format *format;
	struct report *report;
};

static void on_event(void *ctx, const struct event *ev)
{
	struct pass *p = ctx;

	if (ev->type == EVENT_RESULT)
		on_result(&p->tree, ev->result);
	/* They have no result line behind them. */
	if (ev->type == EVENT_PROBLEM &&
	    str_starts(ev->problem->message, STR("subtests after the result of")))
		p->tree.odd = true;
	p->format->event(p->report, ev);
}

/* Reads @in; its tree to @ret_tree, the log that is made of it to @ret_log. */
static void pass(struct str in, struct tree *ret_tree, struct buf *ret_log)
{
	struct tap_summary sum = {};
	struct report_options opt = { .parsed = &sum };
	struct tap_options none = {};
	struct pass p = { .format = report_format_find("tap", NULL) };
	struct tap_parser *tap = tap_parser_new(&none, (struct event_sink){ on_event, &p });
	struct out out;

	out_to_buf(&out, ret_log);
	p.report = p.format->begin(&out, &opt);
	tap_parse(tap, in.p, in.n);
	tap_parse_end(tap, TAP_END_CLEAN, &sum);
	p.format->end(p.report);
	assert(out_flush(&out) == 0);
	tap_parser_free(tap);
	*ret_tree = p.tree;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree bytes = {}, once = {}, twice = {};
	struct buf first = {}, second = {}, third = {};

	pass(str_n((const char *)data, size), &bytes, &first);
	pass(buf_str(&first), &once, &second);
	pass(buf_str(&second), &twice, &third);
	for (unsigned i = 0; i < STATUS_N && !bytes.odd; i++)
		assert(bytes.by[i] <= once.by[i]);
	assert(once.odd || str_eq(buf_str(&once.text), buf_str(&twice.text)));
	buf_done(&bytes.text);
	buf_done(&once.text);
	buf_done(&twice.text);
	buf_done(&first);
	buf_done(&second);
	buf_done(&third);
	return 0;
}
