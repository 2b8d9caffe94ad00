/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: any bytes as what is pushed: the events of runs, or the report of one that is JSON.
 * What is taken of them is told again in the same form; that must be taken as a whole,
 * and tell the same.
 */
#include <assert.h>

#include "base/mem.h"
#include "import/import.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
	const struct report_format *format;
	struct report_options opt;
	struct report *report;
	struct out out;
	struct buf text;
	unsigned begun, ended;
};

static void on_event(void *ctx, const struct event *ev)
{
	struct heard *h = ctx;

	h->format->event(h->report, ev);
}

static int on_begin(void *ctx, struct str uid, struct event_sink *ret, struct err *err)
{
	struct heard *h = ctx;

	h->begun++;
	out_to_buf(&h->out, &h->text);
	h->report = h->format->begin(&h->out, &h->opt);
	*ret = (struct event_sink){ on_event, h };
	return 1;
}

static int on_end(void *ctx, struct err *err)
{
	struct heard *h = ctx;

	h->format->end(h->report);
	h->report = NULL;
	h->ended++;
	return out_flush(&h->out);
}

static void on_damaged(void *ctx, const char *file, const char *where, const char *why)
{
	assert(!"events are refused, not damaged");
}

/* What stands first tells which of the two it is. */
static bool is_report(struct str text)
{
	text = str_trim(text);
	return str_starts(text, STR("{")) &&
	       !str_starts(str_trim(str_from(text, 1)), STR("\"taproom\"")) &&
	       !str_starts(str_trim(str_from(text, 1)), STR("\"event\""));
}

static int hear(struct heard *h, struct str text)
{
	struct import im = { .begin = on_begin, .end = on_end, .damaged = on_damaged, .ctx = h };
	int r;

	*h = (struct heard){ .format = report_format_find(is_report(text) ? "json" : "events",
							  NULL) };
	r = import_taproom_text(&im, "fuzz", text, NULL);
	assert(im.counts.runs == h->ended && h->begun - h->ended <= 1);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard once, twice = {};

	if (hear(&once, str_n((const char *)data, size)) == 0) {
		assert(!once.report);
		assert(hear(&twice, buf_str(&once.text)) == 0);
		assert(twice.ended == once.ended);
		assert(str_eq(buf_str(&once.text), buf_str(&twice.text)));
	}
	if (once.report)
		once.format->end(once.report);
	buf_done(&once.text);
	buf_done(&twice.text);
	return 0;
}
