/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Reports: documents. One ops struct per format, one row in reports.c; events
 * in, bytes to an `out`. Live and replayed streams give the same document.
 * Documents may use `unsigned` counters of their own, no clock, no I/O.
 */
#include "base/err.h"
#include "base/out.h"
#include "tap/event.h"

struct report;

struct report_options {
	bool colour;      /* SGR sequences (text) */
	unsigned verbose; /* text: 0 = what is not a pass, 1 = every result */
	bool summary;     /* counts, verdict and problems only */
	/* Reads @from..@to of a program's log into @out (junit system-out, json);
	 * NULL: no logs. */
	int (*log)(void *ctx, unsigned program, uint64_t from, uint64_t to, struct out *out);
	void *log_ctx;
};

struct report_format {
	const char *name;    /* "json" */
	const char *summary; /* one line for --help */
	struct report *(*begin)(struct out *out, const struct report_options *opt);
	void (*event)(struct report *r, const struct event *ev);
	/* Writes what is left, frees. @cut: the stream ended without RUN_END. */
	void (*end)(struct report *r);
};

extern const struct report_format *const REPORT_FORMATS[]; /* NULL-ended */

const struct report_format *report_format_find(const char *name, struct err *err);
