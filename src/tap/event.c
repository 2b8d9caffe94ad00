/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/event.h"

#include <assert.h>

#include "base/mem.h"

/* clang-format off */
const struct status_info STATUS_INFO[STATUS_N] = {
	[STATUS_SKIP] = {
		"skip", "skipped", "-", "34", false, "skipped", "skipped", "SKIP", "skip" },
	[STATUS_PASS] = {
		"pass", "passed", "✓", "32", false, NULL, "passed", "PASS", "pass" },
	[STATUS_XFAIL] = {
		"xfail", "expected failures", "x", "36", false, "skipped", "skipped", "XFAIL",
		"pass" },
	[STATUS_FLAKY] = {
		"flaky", "flaky", "~", "33", false, "skipped", "other", "FAIL", "flaky" },
	[STATUS_XPASS] = {
		"xpass", "unexpected passes", "!", "35", false, NULL, "passed", "XPASS", "pass" },
	[STATUS_MISSING] = {
		"missing", "missing", "?", "35;1", true, "error", "other", "MISS", "fail" },
	[STATUS_FAIL] = {
		"fail", "failed", "✗", "31", true, "failure", "failed", "FAIL", "fail" },
	[STATUS_TIMEOUT] = {
		"timeout", "timed out", "T", "31;1", true, "failure", "failed", "FAIL", "fail" },
	[STATUS_ERROR] = {
		"error", "errors", "E", "35;1", true, "error", "failed", "ERROR", "fail" },
	[STATUS_CRASH] = {
		"crash", "crashed", "#", "31;1;7", true, "error", "failed", "FAIL", "fail" },
};
/* clang-format on */

const char *const PROBLEM_NAMES[PROBLEM_N] = {
	[PROBLEM_PLAN_MISMATCH] = "plan-mismatch",
	[PROBLEM_NUMBERING] = "numbering",
	[PROBLEM_DUPLICATE_NAME] = "duplicate-name",
	[PROBLEM_STATUS_MISMATCH] = "status-mismatch",
	[PROBLEM_BAIL_OUT] = "bail-out",
	[PROBLEM_TRUNCATED] = "truncated",
	[PROBLEM_LONG_LINE] = "long-line",
	[PROBLEM_TOO_MANY] = "too-many",
	[PROBLEM_DEGRADED] = "degraded",
	[PROBLEM_BAD_SYNTAX] = "bad-syntax",
	[PROBLEM_INCOMPLETE] = "incomplete",
};

int status_from_name(struct str name, enum status *ret)
{
	for (unsigned i = 0; i < STATUS_N; i++) {
		if (str_eq(name, str_of(STATUS_INFO[i].name))) {
			*ret = (enum status)i;
			return 1;
		}
	}
	return 0;
}

bool status_end_counts(enum status end, const uint64_t counts[static STATUS_N])
{
	uint64_t all = 0, bad = 0;

	for (unsigned i = 0; i < STATUS_N; i++) {
		all += counts[i];
		bad += STATUS_INFO[i].bad ? counts[i] : 0;
	}
	return !all || (STATUS_INFO[end].bad && (!bad || (end > STATUS_FAIL && !counts[end])));
}

void event_fan_add(struct event_fan *fan, struct event_sink sink)
{
	assert(fan->n < EVENT_FAN_MAX);
	fan->sinks[fan->n++] = sink;
}

static void fan_event(void *ctx, const struct event *ev)
{
	struct event_fan *fan = ctx;

	for (unsigned i = 0; i < fan->n; i++)
		event_emit(&fan->sinks[i], ev);
}

struct event_sink event_fan_sink(struct event_fan *fan)
{
	return (struct event_sink){ fan_event, fan };
}

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p ? s.p : "", s.n), s.n);
}

static struct event_excuse *copy_excuse(struct arena *a, const struct event_excuse *e)
{
	struct event_excuse *to = arena_alloc(a, sizeof(*to));

	to->reason = keep(a, e->reason);
	to->link = keep(a, e->link);
	to->owner = keep(a, e->owner);
	to->until = keep(a, e->until);
	return to;
}

struct event_splat *event_splat_copy(struct arena *a, const struct event_splat *s)
{
	struct event_splat *to = arena_alloc(a, sizeof(*to));
	struct event_frame *frames = arena_alloc(a, s->n_frames * sizeof(*frames));

	for (unsigned i = 0; i < s->n_frames; i++) {
		frames[i] = s->frames[i];
		frames[i].function = keep(a, frames[i].function);
		frames[i].module = keep(a, frames[i].module);
	}
	*to = *s;
	to->kind = keep(a, s->kind);
	to->title = keep(a, s->title);
	to->text = keep(a, s->text);
	to->fingerprint = keep(a, s->fingerprint);
	to->task = keep(a, s->task);
	to->taint = keep(a, s->taint);
	to->frames = frames;
	to->excuse = s->excuse ? copy_excuse(a, s->excuse) : NULL;
	return to;
}

bool event_kind_fits(struct str kind)
{
	for (size_t i = 0; i < kind.n; i++)
		if (kind.p[i] < 'a' || kind.p[i] > 'z')
			return false;
	return kind.n && kind.n <= EVENT_KIND_MAX;
}
