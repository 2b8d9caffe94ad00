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
#include "tap/parse.h"

struct report;

struct report_options {
	bool colour;      /* SGR sequences (text) */
	unsigned verbose; /* text: 0 = what is not a pass, 1 = every result */
	bool jobs;        /* text: which mode and machine a program ran in, behind its name:
			   * for a live run of several, whose jobs overlap */
	bool summary;     /* counts, verdict and problems only */
	/* Reads lines @from..@to (to 0: the end) of a program's log, of program 0 the
	 * job's console, into @out (junit, events); NULL: no logs. */
	int (*log)(void *ctx, unsigned job, unsigned program, uint64_t from, uint64_t to,
		   struct out *out);
	/* The whole file of @kind that the job left (events); NULL: none is told. */
	int (*artefact)(void *ctx, unsigned job, struct str kind, struct out *out);
	void *log_ctx;    /* of both */
	/* The text of a splat with its frames decoded, into @ret: told with it (text,
	 * json). Returns 1, or 0 when there is none. NULL: not told. */
	int (*decode)(void *ctx, const struct event *splat, struct buf *ret);
	void *decode_ctx;
	/* What the text of a splat is by the document's end (json), into @ret. Returns 1,
	 * or 0 when it is what it was. NULL: so it is always. */
	int (*text)(void *ctx, const struct event *splat, struct buf *ret);
	void *text_ctx;
	/* Of `taproom parse`, whose stream is one program without begin and end:
	 * what the reader found, valid when the document ends. NULL: a run. */
	const struct tap_summary *parsed;
	const char *name; /* of what was parsed, where there are several; or NULL */
};

enum report_verdict { REPORT_PASS, REPORT_FAIL, REPORT_SKIP };
extern const char *const REPORT_VERDICTS[]; /* "pass", "fail", "skip" */

/* Of a parsed stream: `fail` when any result is bad, or the stream was cut,
 * bailed out or broke its plan, or holds no result at all. */
enum report_verdict report_verdict(const struct tap_summary *s);
/* "20 passed, 1 failed"; "no results". */
void report_counts(struct out *out, const uint64_t counts[STATUS_N], bool colour);
/* Adds @more to @sum, for a total over several streams. */
void report_summary_add(struct tap_summary *sum, const struct tap_summary *more);

struct report_format {
	const char *name;    /* "json" */
	const char *summary; /* one line for --help */
	bool every_result;   /* asks for each even where a summary is wanted */
	struct report *(*begin)(struct out *out, const struct report_options *opt);
	void (*event)(struct report *r, const struct event *ev);
	/* Writes what is left, frees. The stream may end without a RUN_END. */
	void (*end)(struct report *r);
};

extern const struct report_format *const REPORT_FORMATS[]; /* NULL-ended */

const struct report_format *report_format_find(const char *name, struct err *err);
