/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tap/parse.h"

struct expect {
	const struct plan_test *test;
	unsigned n;
	bool seen[];
};

struct expect *expect_new(const struct plan_test *test)
{
	struct expect *e;
	unsigned n = 0;

	if (!test->expects)
		return NULL;
	while (test->expects[n])
		n++;
	e = xcalloc(1, sizeof(*e) + n * sizeof(e->seen[0]));
	e->test = test;
	e->n = n;
	return e;
}

struct expect *expect_free(struct expect *e)
{
	free(e);
	return NULL;
}

bool expect_saw(struct expect *e, const struct event_result *r)
{
	_cleanup_(buf_done) struct buf path = {};

	if (!e)
		return true;
	if (r->implied && r->status == STATUS_MISSING)
		return false;
	for (unsigned i = 0; i < r->depth; i++)
		buf_printf(&path, i ? "/%.*s" : "%.*s", STR_FMT(r->path[i]));
	for (unsigned i = 0; i < e->n; i++)
		e->seen[i] |= str_eq(buf_str(&path), str_of(e->test->expects[i]));
	return true;
}

unsigned expect_owed(const struct expect *e)
{
	unsigned n = 0;

	for (unsigned i = 0; e && i < e->n; i++)
		n += !e->seen[i] && plan_subtest_chosen(e->test, e->test->expects[i]);
	return n;
}

static void tell(const char *name, enum status status, unsigned job, unsigned program,
		 struct event_sink sink)
{
	_cleanup_(buf_done) struct buf key = {};
	struct str rest = str_of(name), path[2];
	struct event_result result = {
		.path = path, .status = status, .leaf = true, .implied = true, .number = -1,
		.duration_ms = -1, .exit_code = -1, .ordinal = 1,
	};
	struct event ev = { .type = EVENT_RESULT, .job = job, .program = program,
			    .result = &result };

	path[result.depth++] = str_cut(&rest, '/');
	if (rest.p)
		path[result.depth++] = rest;
	for (unsigned i = 0; i < result.depth; i++) {
		if (i)
			buf_add_str(&key, STR("/"));
		tap_key_append(&key, path[i]);
	}
	result.key = buf_str(&key);
	event_emit(&sink, &ev);
}

void expect_tell(const struct expect *e, enum status first, unsigned job, unsigned program,
		 struct event_sink sink)
{
	for (unsigned i = 0; e && i < e->n; i++) {
		if (e->seen[i] || !plan_subtest_chosen(e->test, e->test->expects[i]))
			continue;
		tell(e->test->expects[i], first, job, program, sink);
		first = STATUS_MISSING;
	}
}
