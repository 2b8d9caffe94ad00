/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Retell: a run that another taproom told, in objects of JSON, becomes events again.
 * It comes as a stream (events.c), or as a document (report.c); what the objects hold
 * is the same in both (report/event-json.h).
 *
 * They may be anybody's: an object is believed only where it can stand, a number is
 * given once, and a log goes into a file of ours whose name it can't choose. What is
 * damaged is not taken at all: half of a run would look like a whole one.
 */
#include "base/mem.h"
#include "import/import.h"
#include "import/unpack.h"
#include "import/values.h"
#include "tap/parse.h"

#define RETELL_MAX (4u << 20) /* bytes of one object */

struct retell_artefact {
	char kind[EVENT_KIND_MAX + 1];
	struct unpack_file file;
};

#define RETELL_ARTEFACTS 8 /* of a job */
struct retell_unit { /* a job or a program */
	enum { RETELL_NOT_YET, RETELL_OPEN, RETELL_ENDED } stage;
	unsigned job;
	unsigned inside; /* of a job: its programs that are open */
	struct unpack_file log;
	struct retell_artefact *artefacts;
	unsigned n_artefacts;
};

struct retell_units { /* number N is v[N - 1] */
	struct retell_unit *v;
	unsigned n, cap, n_open;
};

struct retell {
	struct import *im;
	bool open;               /* a run has begun, and not ended */
	bool known;              /* it is there already: read past it */
	unsigned program;        /* of an object that doesn't say; 0: none */
	unsigned begun;          /* the program that began last */
	int64_t begin_ms, end_ms; /* of what doesn't say when; 0: not known */
	struct event_sink sink;
	struct retell_units jobs, programs;
	uint64_t results;
	struct buf text;         /* of an object */
	struct unpack_dir files; /* of this run */
	struct str path[TAP_DEPTH_MAX + 2];
	struct event_frame frames[EVENT_FRAMES_MAX];
};

void retell_done(struct retell *r);
/*
 * An object; NULL with a clause that says why it is none. Bytes that are no UTF-8 were
 * written as \u0080 to \u00ff, and characters never are (base/out.h): they become what
 * they were.
 */
cJSON *retell_read(struct retell *r, struct str text, const char **ret_why);
/*
 * Says @v, which is what @word means: "run-begin", "job-begin", "program-begin", "result",
 * "problem", "splat", "log", "artefact", "program-end", "job-end", "run-end"; another word
 * says nothing. Returns why it can't be, a clause; or NULL, and *ret: 0 or an error that
 * ends it all. When a run ended .open is false.
 */
const char *retell_say(struct retell *r, struct str word, const cJSON *v, struct err *err,
		       int *ret);
