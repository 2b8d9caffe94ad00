/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/formats.h"

#include "base/mem.h"

const struct report_format *const REPORT_FORMATS[] = {
	&report_text, &report_tap, &report_json, &report_junit, &report_events, NULL,
};

const struct report_format *report_format_find(const char *name, struct err *err)
{
	const struct report_format *near = NULL;
	unsigned best = 3;

	for (const struct report_format *const *f = REPORT_FORMATS; *f; f++) {
		unsigned d = str_distance(str_of(name), str_of((*f)->name));

		if (d == 0)
			return *f;
		if (d < best) {
			best = d;
			near = *f;
		}
	}
	err_set(err, EINVAL, near ? "no report format '%s'; did you mean '%s'?"
				  : "no report format '%s'; there are text, tap, json, "
				    "junit, events",
		name, near ? near->name : "");
	return NULL;
}

const char *const REPORT_VERDICTS[] = {
	[REPORT_PASS] = "pass", [REPORT_FAIL] = "fail", [REPORT_SKIP] = "skip",
};

enum report_verdict report_verdict(const struct tap_summary *s)
{
	if (s->truncated || s->bailed_out || s->plan_broken || STATUS_INFO[s->worst].bad)
		return REPORT_FAIL;
	if (s->results == 0)
		return s->skip_all ? REPORT_SKIP : REPORT_FAIL;
	return s->worst == STATUS_SKIP ? REPORT_SKIP : REPORT_PASS;
}

void report_summary_add(struct tap_summary *sum, const struct tap_summary *more)
{
	for (unsigned i = 0; i < STATUS_N; i++)
		sum->counts[i] += more->counts[i];
	sum->lines += more->lines;
	sum->results += more->results;
	sum->problems += more->problems;
	sum->worst = status_worst(sum->worst, more->worst);
	sum->any_plan |= more->any_plan;
	sum->skip_all |= more->skip_all;
	sum->bailed_out |= more->bailed_out;
	sum->truncated |= more->truncated;
	/* A stream without anything in it has not kept its promise either. */
	sum->plan_broken |= more->plan_broken || (!more->results && !more->skip_all);
}

void report_counts(struct out *out, const uint64_t counts[STATUS_N], bool colour)
{
	static const enum status ORDER[STATUS_N] = {
		STATUS_PASS,  STATUS_FAIL,  STATUS_CRASH, STATUS_TIMEOUT, STATUS_ERROR,
		STATUS_MISSING, STATUS_FLAKY, STATUS_XPASS, STATUS_XFAIL,  STATUS_SKIP,
	};
	bool any = false;

	for (unsigned i = 0; i < STATUS_N; i++) {
		const struct status_info *info = &STATUS_INFO[ORDER[i]];
		const char *label = info->label;

		if (!counts[ORDER[i]])
			continue;
		if (counts[ORDER[i]] == 1 && str_ends(str_of(label), STR("s")))
			label = info->name; /* "1 error" */
		if (any)
			out_lit(out, ", ");
		any = true;
		if (colour)
			out_printf(out, "\x1b[%sm%" PRIu64 " %s\x1b[0m", info->ansi,
				   counts[ORDER[i]], label);
		else
			out_printf(out, "%" PRIu64 " %s", counts[ORDER[i]], label);
	}
	if (!any)
		out_lit(out, "no results");
}
