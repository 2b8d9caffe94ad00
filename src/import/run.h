/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One imported run, said in events in the right order: a job, programs one
 * after another, results in them. What an importer doesn't know it leaves
 * empty; keys, ordinals, the conclusion and the exit code are made here.
 */
#include "base/mem.h"
#include "import/import.h"
#include "tap/names.h"
#include "tap/tally.h"

struct import_run_info {
	struct str uid;                   /* from import_uid() */
	struct str title, branch, commit; /* branch, commit: else the options' */
	struct str mode, machine;         /* else the options' */
	struct str kernel, host;
	int64_t begin_ms, end_ms;         /* end 0: as begin */
};

struct import_result {
	struct str name;
	enum status status;
	int64_t number, duration_ms; /* -1: unknown */
	struct str reason;
};

struct import_run {
	struct import *im;
	struct event_fan fan;
	struct event_sink sink;
	struct event_run run;
	struct event_job job;
	struct tally tally;
	struct names names;
	struct buf key, name;
	unsigned programs;
	/* The open program. */
	struct event_program prog;
	bool open;
	enum status worst;
	bool any;
	uint64_t results;
};

/* 1: go on; 0: is there already, nothing else is to be called; < 0. Strings of
 * @info live until import_run_end(). */
int import_run_begin(struct import_run *r, struct import *im, const struct import_run_info *info,
		     struct err *err);
/* Strings live until the program's end. A program of the same suite and name is
 * another @attempt. */
void import_program_begin(struct import_run *r, struct str suite, struct str name,
			  unsigned attempt);
void import_result(struct import_run *r, const struct import_result *result);
void import_problem(struct import_run *r, enum problem what, struct str message);
/* What the kernel said, known only by @title. Between programs or in one. */
void import_splat(struct import_run *r, const char *kind, struct str title);
/* @status: of the program itself; what its results say makes it worse, never
 * better. STATUS_N: unknown, only they count. */
void import_program_end(struct import_run *r, enum status status, int64_t duration_ms,
			struct str reason);
/* @conclusion: empty: from the results. 0 or < 0. */
int import_run_end(struct import_run *r, struct str conclusion, int64_t end_ms, struct err *err);

/* Instead of the end: what was said of the run is to be forgotten. */
void import_run_cancel(struct import_run *r);

/*
 * A public id from what the source calls the run: "kind-a-b-c". Bytes that an id
 * can't have become '_', and then (or when it is too long) a hash of the parts
 * follows, so that different parts give different ids. Ends with an empty part.
 */
void import_uid(struct buf *ret, const char *kind, const struct str *parts, size_t n);

/* Seconds since 1970 of a date and time in UTC; -1: there is no such time. */
int64_t import_time_ms(int year, int month, int day, int hour, int minute, int second);
/* RFC 3339 as JUnit, KCIDB and others write it, offset or none (UTC), or with a
 * blank for the T. Returns 1, or 0 for what is none. */
int import_time_parse(struct str s, int64_t *ret_ms);
