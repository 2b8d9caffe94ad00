/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: any bytes through the reader, the console's finder and every report.
 * Beside memory errors it looks for promises that are broken: another split of
 * the input gives other events, a result without a name, masks that are not
 * idempotent, more failures than results.
 *
 *	meson setup build-fuzz --native-file presets/fuzz.ini
 *	ninja -C build-fuzz && build-fuzz/fuzz/fuzz-parse fuzz/corpus/parse tests/golden
 */
#include <assert.h>
#include <stdlib.h>

#include "report/report.h"
#include "tap/console.h"
#include "tap/parse.h"
#include "tap/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t hash, events;
};

static void add(struct seen *s, const void *p, size_t n)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ c[i]) * 0x100000001b3u;
	s->hash = (s->hash ^ 0xff) * 0x100000001b3u;
}

static void add_str(struct seen *s, struct str x)
{
	add(s, x.p, x.n);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct seen *s = ctx;

	s->events++;
	add(s, &ev->type, sizeof(ev->type));
	if (ev->type == EVENT_PROBLEM) {
		add(s, &ev->problem->what, sizeof(ev->problem->what));
		add_str(s, ev->problem->message);
	} else if (ev->type == EVENT_SPLAT) {
		add_str(s, ev->splat->title);
		add(s, &ev->splat->lines, sizeof(ev->splat->lines));
	} else if (ev->type == EVENT_RESULT) {
		const struct event_result *r = ev->result;

		assert(r->depth > 0 && r->key.n > 0 && r->ordinal > 0);
		assert(r->line_from <= r->line_to || r->line == 0);
		assert(r->line_to <= r->line);
		for (unsigned i = 0; i < r->depth; i++) {
			assert(r->path[i].n > 0);
			add_str(s, r->path[i]);
		}
		add_str(s, r->key);
		add_str(s, r->reason);
		add(s, &r->status, sizeof(r->status));
		add(s, &r->line_from, sizeof(r->line_from));
		add(s, &r->line_to, sizeof(r->line_to));
	}
}

static struct seen parse(const char *p, size_t n, size_t chunk, struct event_sink extra,
			 enum tap_end how, struct tap_summary *sum)
{
	struct seen results = {}, splats = {};
	struct event_fan fan = {};
	struct tap_options opt = {};
	struct tap_parser *tap;
	struct console *console = console_new((struct event_sink){ on_event, &splats });

	event_fan_add(&fan, (struct event_sink){ on_event, &results });
	if (extra.event)
		event_fan_add(&fan, extra);
	tap = tap_parser_new(&opt, event_fan_sink(&fan));
	while (n) {
		size_t take = n < chunk ? n : chunk;

		tap_parse(tap, p, take);
		console_feed(console, p, take);
		p += take;
		n -= take;
	}
	tap_parse_end(tap, how, sum);
	console_end(console);
	console_free(console);
	tap_parser_free(tap);
	results.hash ^= splats.hash * 31;
	results.events += splats.events;
	return results;
}

static int discard(void *ctx, const char *p, size_t n)
{
	return 0;
}

struct document {
	const struct report_format *format;
	struct report *report;
};

static void on_document(void *ctx, const struct event *ev)
{
	struct document *d = ctx;

	d->format->event(d->report, ev);
}

static void check_reports(const char *p, size_t n)
{
	for (const struct report_format *const *f = REPORT_FORMATS; *f; f++) {
		struct tap_summary sum = {};
		struct report_options opt = { .parsed = &sum, .verbose = 1 };
		struct document d = { .format = *f };
		struct out out;

		out_to(&out, discard, NULL);
		d.report = (*f)->begin(&out, &opt);
		parse(p, n, n, (struct event_sink){ on_document, &d }, TAP_END_CLEAN, &sum);
		(*f)->end(d.report);
		assert(out_flush(&out) == 0);
	}
}

static void check_key(const char *p, size_t n)
{
	struct buf once = {}, twice = {};

	tap_key_append(&once, str_n(p, n < TAP_NAME_MAX ? n : TAP_NAME_MAX));
	tap_key_append(&twice, buf_str(&once));
	assert(once.n > TAP_NAME_MAX || str_eq(buf_str(&once), buf_str(&twice)));
	buf_done(&once);
	buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	size_t chunk = size ? 1 + data[0] % 17 : 1;
	struct tally tally = {};
	struct tap_summary one, other;
	struct seen whole, split;

	whole = parse(p, size, size, tally_sink(&tally), TAP_END_CLEAN, &one);
	split = parse(p, size, chunk, (struct event_sink){}, TAP_END_CLEAN, &other);
	assert(whole.hash == split.hash && whole.events == split.events);
	assert(memcmp(&one, &other, sizeof(one)) == 0);
	assert(tally.bad <= tally.results && tally.results <= one.results);
	tally_done(&tally);
	parse(p, size, size, (struct event_sink){}, TAP_END_CRASH, &other);
	check_reports(p, size);
	check_key(p, size);
	return 0;
}
