/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The published results of the MPTCP CI: what mptcp-source.c finds in files and
 * in a git history, and mptcp-results.c says as runs.
 *
 * A record is one run of the CI in one mode:
 *   {"results": {"TAP FILE": {"NUMBER": {"result", "name", "comment"?, "time_ms"?}}},
 *    "run_id", "tag", "error"?, "warn"?}
 * A file <branch>/<mode>.json is an array of the newest 100.
 */
#include "base/mem.h"
#include "import/import.h"

/* A record that is not read yet. */
struct mptcp_record {
	struct str text, branch, mode;
	struct str uid;
	uint64_t run;        /* run_id */
	int64_t time_ms;     /* of the tag; -1: it has no date */
	bool placed;         /* it had none: it was given that of its neighbour */
	uint64_t order;      /* in which it was found */
	const char *file;    /* for sentences, with its place there */
	uint64_t index;
};

struct mptcp_records {
	struct import *im;
	struct mptcp_record *v;
	size_t n, cap;
	struct arena arena;
	uint64_t *seen;      /* hashes of texts, open addressing; 0: free */
	size_t n_seen, cap_seen;
};

void mptcp_records_done(struct mptcp_records *r);
/* Adds the records of one array; those that were added before with the same
 * text are not looked at again. -EFBIG: there is a limit to all of them. */
int mptcp_records_add(struct mptcp_records *r, struct str branch, struct str mode,
		      const char *file, struct str text, struct err *err);
/* All of them, oldest first, as runs. */
int mptcp_records_say(struct mptcp_records *r, struct err *err);

/* A directory, a file or a git checkout. */
int mptcp_source(struct mptcp_records *r, const char *path, struct err *err);
/* "x/export/debug.json" to "export" and "debug"; 0 for a name that is no such. */
int mptcp_name(struct str path, struct str *ret_branch, struct str *ret_mode);
