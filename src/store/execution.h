/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Execution: what one program said while it ran, kept in memory until it has
 * ended. As long as it says what the program said before, a result is a status
 * and its columns, and its name is one that is known: guessed from the shapes
 * seen last, and compared. From the first that is another, names are kept.
 * Memory is bounded (inside.h); what is beyond that is dropped and told as a
 * problem.
 */
#include "store/slice.h"

/* A problem or a splat; the other is NULL. */
struct note {
	unsigned seq;
	uint64_t after; /* results before it */
	const struct event_problem *problem;
	const struct event_splat *splat;
};

/* @begin_ms: the run's. */
int note_save(const struct note *n, struct db *db, int64_t run_id, int64_t begin_ms,
	      unsigned job, unsigned program, struct err *err);

/* A name that is not known yet. */
struct execution_name {
	struct str key;
	const struct str *names;
	unsigned depth, ordinal, nth;
	bool leaf;
};

struct execution_reason {
	size_t at;
	struct str text;
};

struct execution {
	unsigned number, job, attempt;
	struct program *program;
	int64_t begin_ms;
	struct arena arena;
	struct shape *guess;          /* results so far are its first; NULL: see names */
	struct execution_name *names;
	size_t cap_names;
	uint8_t *status;
	struct columns columns;       /* .n: results */
	size_t cap_status, cap_rows, cap_times;
	struct execution_reason *reasons;
	size_t n_reasons, cap_reasons;
	struct note *notes;
	size_t n_notes, cap_notes;
	uint64_t n_splats;
	bool full;
	/* From its end. */
	bool ended;
	struct shape *shape;
	int exit_code;
	int64_t end_ms, duration_ms;
	char *artefact; /* below the artefact directory; NULL: none */
	uint64_t artefact_bytes;
};

/* @spare: an earlier one, whose memory is used again; NULL is fine. */
struct execution *execution_new(struct execution *spare, struct program *p,
				const struct event *begin);
struct execution *execution_free(struct execution *x);
/* A result, problem or splat: copied. */
void execution_add(struct execution *x, const struct event *ev);
void execution_end(struct execution *x, struct dict *d, const struct event_program *end);
/* "<n>-<name>.log.zst" without a byte that a file name should not have. */
char *execution_file_name(const struct execution *x);
/* Leaf results, and its end where that counts. @ret: zeroed. */
void execution_count(const struct execution *x, uint64_t ret[static STATUS_N]);
/* Inside a transaction of the caller's: everything but its notes goes into the
 * two buffers of a slice. */
int execution_save(const struct execution *x, struct dict *d, struct setting *setting,
		   int64_t run_begin_ms, struct buf *slice, struct buf *times, struct err *err);
