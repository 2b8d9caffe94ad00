/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Execution: what one program said while it ran, kept in memory until it has
 * ended, then written as a shape, its exceptions and a blob of columns. Memory
 * is bounded (inside.h); what is beyond that is dropped and told as a problem.
 */
#include "base/mem.h"
#include "store/columns.h"
#include "store/inside.h"

/* A problem or a splat; the other is NULL. */
struct note {
	unsigned seq;
	uint64_t after; /* results before it */
	const struct event_problem *problem;
	const struct event_splat *splat;
};

int note_save(const struct note *n, struct db *db, int64_t run_id, unsigned job,
	      unsigned program, struct err *err);

struct execution_result {
	struct str key, path, cuts, reason;
	enum status status;
	unsigned ordinal, nth;
	bool leaf;
};

struct execution {
	unsigned number, job, attempt;
	struct str suite, name;
	int64_t begin_ms;
	struct arena arena;
	struct execution_result *results;
	struct columns_row *rows; /* one for each result */
	size_t n, cap, cap_rows;
	struct note *notes;
	size_t n_notes, cap_notes;
	uint64_t n_splats;
	bool full;
	/* From its end. */
	bool ended;
	enum status status;
	int exit_code;
	int64_t end_ms, duration_ms;
	uint64_t log_lines;
	struct str reason;
	char *artefact; /* below the artefact directory; NULL: none */
	uint64_t artefact_bytes;
};

struct execution *execution_new(const struct event *begin);
struct execution *execution_free(struct execution *x);
/* A result, problem or splat: copied. */
void execution_add(struct execution *x, const struct event *ev);
void execution_end(struct execution *x, const struct event_program *end);
/* "<n>-<name>.log.zst" without a byte that a file name should not have. */
char *execution_file_name(const struct execution *x);
/* Leaf results; a program without any is one itself. */
void execution_count(const struct execution *x, uint64_t ret[static STATUS_N]);
/* Inside a transaction of the caller's. */
int execution_save(const struct execution *x, struct db *db, int64_t run_id,
		   int64_t *ret_program_id, struct err *err);
