/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Coverage of a run: what its machines counted, taken out of the stream of events and
 * put back into it at the run's end as one tracefile for each mode, which the history
 * keeps. The total of all modes is told, and is pages where files are left anyway.
 */
#include "base/log.h"
#include "cmd/run-plan.h"
#include "tap/event.h"

struct run_coverage;

/* NULL: no kernel of the plan counts. @work: for files on the way. @out: of --out;
 * NULL: none. */
struct run_coverage *run_coverage_new(const struct run_plan *plan, const char *work,
				      const char *out, const struct log *log);
/* In front of @next. */
struct event_sink run_coverage_sink(struct run_coverage *c, struct event_sink next);
struct run_coverage *run_coverage_free(struct run_coverage *c);
