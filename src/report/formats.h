/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the formats share. Each format defines its row and its own `struct report`;
 * nothing else in the program looks inside.
 */
#include <inttypes.h>

#include "report/report.h"

extern const struct report_format report_text, report_tap, report_json, report_junit,
	report_events;

/*
 * Programs: formats keep what belongs to one until it ends, because several may
 * run at a time. Of one that has ended only its name stays, for what is said
 * later about it. Program 0 (`taproom parse`) is there from the first event on.
 */
struct report_program {
	unsigned id, job;
	bool begun;            /* by a PROGRAM_BEGIN */
	bool ended;
	struct buf suite, name;
	unsigned attempt;
	int64_t begin_ms;
	uint64_t counts[STATUS_N];
	struct buf text, more; /* the format's own */
	uint64_t n, n_more, hidden;
	uint64_t n_known;      /* of its leaf results: bad, and a known issue */
	bool any_bad;          /* among its leaf results, known ones too */
	struct buf last;       /* fingerprint of its last splat */
	uint64_t n_same;       /* that followed it with the same */
};

struct report_programs {
	struct report_program **v;
	unsigned n, cap;
};

/* The one of this event; made when there is none. */
struct report_program *report_program_of(struct report_programs *ps, const struct event *ev);
/* Fills it from a PROGRAM_BEGIN. */
struct report_program *report_program_begin(struct report_programs *ps, const struct event *ev);
/* Forgets all but its name; @p stays. */
void report_program_end(struct report_program *p);
void report_programs_done(struct report_programs *ps);

/* "known: reason (owner, until 2026-12-31) link"; "ignored: ..." of a splat. */
void report_excuse(struct buf *b, const char *word, const struct event_excuse *e);
