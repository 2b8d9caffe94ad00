/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: any bytes through the importers of JSON and XML. The first byte chooses
 * one (m, j, n, k). Beside memory errors it looks for promises that are broken:
 * events out of order, an id that the history would not take, a run without an
 * end, the same document read twice with something new.
 *
 *	meson setup build-fuzz --native-file presets/fuzz.ini
 *	ninja -C build-fuzz && build-fuzz/fuzz/fuzz-import fuzz/corpus/import
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct str *ids;
	size_t n, cap;
	struct arena arena;
	bool run, job, program;
	uint64_t damaged;
};

static void check_id(struct str id)
{
	assert(id.n >= 1 && id.n <= 128 && id.p[0] != '.');
	for (size_t i = 0; i < id.n; i++)
		assert((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= 'A' && id.p[i] <= 'Z') ||
		       (id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] && strchr("-_.", id.p[i])));
}

static void check_result(const struct event_result *r)
{
	assert(r->depth == 1 && r->path[0].n && r->key.n && r->ordinal && r->leaf);
	assert(r->status < STATUS_N && r->duration_ms >= -1 && r->number >= -1);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct seen *s = ctx;

	switch (ev->type) {
	case EVENT_RUN_BEGIN:
	case EVENT_RUN_END:
		assert(s->run == (ev->type == EVENT_RUN_END) && !s->job);
		s->run = !s->run;
		assert(ev->run->time_ms >= 0);
		break;
	case EVENT_JOB_BEGIN:
	case EVENT_JOB_END:
		assert(s->run && s->job == (ev->type == EVENT_JOB_END) && !s->program);
		s->job = !s->job;
		break;
	case EVENT_PROGRAM_BEGIN:
	case EVENT_PROGRAM_END:
		assert(s->job && s->program == (ev->type == EVENT_PROGRAM_END));
		assert(ev->program && ev->prog->name.n && ev->prog->attempt);
		assert(!s->program || ev->prog->status < STATUS_N);
		s->program = !s->program;
		break;
	case EVENT_RESULT:
		assert(s->program);
		check_result(ev->result);
		break;
	case EVENT_ARTEFACT:
		assert(s->job && !s->program && ev->artefact->kind.n);
		break;
	case EVENT_PROBLEM:
	case EVENT_SPLAT:
		assert(s->job && (ev->program != 0) == s->program);
		break;
	}
}

static int on_begin(void *ctx, struct str uid, struct event_sink *ret, struct err *err)
{
	struct seen *s = ctx;

	check_id(uid);
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->ids[i], uid))
			return 0;
	ARRAY_GROW(s->ids, s->n, s->cap);
	s->ids[s->n++] = str_n(arena_strndup(&s->arena, uid.p, uid.n), uid.n);
	*ret = (struct event_sink){ on_event, s };
	return 1;
}

static int on_end(void *ctx, struct err *err)
{
	struct seen *s = ctx;

	assert(!s->run);
	return 0;
}

static void on_damaged(void *ctx, const char *file, const char *where, const char *why)
{
	struct seen *s = ctx;

	assert(file && where[0] && why && why[0]);
	s->damaged++;
}

static int import_any(struct import *im, char which, struct str text)
{
	switch (which) {
	case 'j':
		return import_junit_text(im, "fuzz", text, NULL);
	case 'n':
		return import_nipa_text(im, "fuzz", text, NULL);
	case 'k':
		return import_kcidb_text(im, "fuzz", text, NULL);
	default:
		return import_mptcp_text(im, "export", "debug", "fuzz", text, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = {};
	struct import im = { .begin = on_begin, .end = on_end, .damaged = on_damaged, .ctx = &s };
	struct str text = str_n((const char *)data + (size > 0), size - (size > 0));
	uint64_t runs, damaged;
	int r = import_any(&im, size ? (char)data[0] : 'm', text);

	runs = im.counts.runs;
	damaged = im.counts.damaged;
	assert(damaged == s.damaged && runs == s.n);
	assert(import_any(&im, size ? (char)data[0] : 'm', text) == r);
	assert(im.counts.runs == runs && im.counts.damaged >= damaged);
	arena_done(&s.arena);
	free(s.ids);
	return 0;
}
