/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Import: the results of others, as runs. An importer reads one format and says
 * each run it finds in events; it is given where to say them, and doesn't know
 * what becomes of them. One file per format, one row in the table each.
 *
 * Everything read here is from strangers: limits below, no recursion that a
 * document can choose. A record that can't be read is told by .damaged and
 * costs nothing else; an error that is returned ends the import.
 */
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "tap/event.h"

#define IMPORT_FILE_MAX   (256u << 20) /* bytes of one document */
#define IMPORT_RECORD_MAX (16u << 20)  /* of one record of an array */
#define IMPORT_DEPTH_MAX  64           /* nested values, elements */
#define IMPORT_TOTAL_MAX  (1u << 30)   /* of all records that are kept to be sorted */
#define IMPORT_TEXT_MAX   65536        /* of one reason */

struct import_counts {
	uint64_t records; /* found */
	uint64_t runs;    /* new */
	uint64_t known;   /* were there already: left as they are */
	uint64_t damaged; /* records, told by .damaged */
	uint64_t results; /* of new runs */
};

struct import {
	/* What a document doesn't say; may be NULL. */
	const char *branch, *mode, *machine, *suite, *commit;
	/* Where logs that come with a run may lie until it ends; NULL: they are left. */
	const char *scratch;

	/* 1 and where to say it, or 0 when a run of that id is there already. */
	int (*begin)(void *ctx, struct str uid, struct event_sink *ret, struct err *err);
	/* After RUN_END; < 0 when the run could not be kept: the import ends. */
	int (*end)(void *ctx, struct err *err);
	/* @where: "record 17"; @why: a clause. */
	void (*damaged)(void *ctx, const char *file, const char *where, const char *why);
	/* @all 0: not known. May be NULL. */
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t all);
	void *ctx;

	struct import_counts counts;
};

struct import_format {
	const char *name, *summary;
	int (*read)(struct import *im, const char *path, struct err *err);
};

extern const struct import_format *const IMPORT_FORMATS[]; /* ends with NULL */
/* NULL with a sentence that names them. */
const struct import_format *import_format_find(const char *name, struct err *err);

extern const struct import_format import_mptcp_results, import_tap, import_junit, import_nipa,
	import_kcidb, import_testclutch, import_events, import_json;

/* Counts and tells. @where is printf-style. */
void import_damaged(struct import *im, const char *file, const char *why, const char *where, ...)
	__attribute__((format(printf, 4, 5)));

/* For fuzzing and tests: as .read, of what is in memory; @name for sentences. */
int import_mptcp_text(struct import *im, const char *branch, const char *mode,
		      const char *name, struct str text, struct err *err);
int import_junit_text(struct import *im, const char *name, struct str text, struct err *err);
int import_nipa_text(struct import *im, const char *name, struct str text, struct err *err);
int import_events_text(struct import *im, const char *name, struct str text, struct err *err);
int import_json_text(struct import *im, const char *name, struct str text, struct err *err);
/* A run of a taproom, in either of these two. */
int import_taproom_text(struct import *im, const char *name, struct str text, struct err *err);
int import_kcidb_text(struct import *im, const char *name, struct str text, struct err *err);
