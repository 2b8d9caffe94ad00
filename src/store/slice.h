/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Slice: up to SLICE_MAX executions of a run, packed into one row. Each is
 * written so that it can be read without the others, and passed over.
 *
 *   slice     = { uint bytes, execution } x n
 *   execution = uint program (its number in the run), uint job,
 *               uint program_id, uint setting_id, uint outcome_id,
 *               uint attempt, int begin - the run's begin, int end - begin,
 *               int duration - (end - begin),
 *               uint reasons_id (0: none), uint layout_id (0: no results),
 *               int log lines - the layout's, uint n, patch x n (columns.h)
 *   times row = pack_bytes( times of each execution (columns.h) )
 */
#include "store/dict.h"

struct ZSTD_CCtx_s;

#define SLICE_MAX       64        /* executions */
#define SLICE_BYTES_MAX (1 << 16) /* a slice that has so many is full */

struct sliced {
	unsigned program, job, attempt;
	int64_t program_id, setting_id, outcome_id, reasons_id, layout_id;
	int64_t begin_ms, end_ms, duration_ms;
	int64_t log_lines; /* difference to the layout's */
	uint64_t n_diffs;
	struct str diffs;
};

void slice_add(const struct sliced *x, int64_t run_begin_ms, struct buf *ret);
/* Takes one off the front: 1, 0 at the end, -EBADMSG. */
int slice_next(struct str *body, int64_t run_begin_ms, struct sliced *ret);

/* A slice that is being written, from execution to execution. */
struct slicing {
	unsigned number; /* of the slice in the run */
	unsigned n;      /* executions in it */
	bool stored;     /* its row is there */
	struct buf body, times;
};

/* Its row as it is now; none when it is empty. @zstd: pack_bytes_fast(). */
int slicing_store(struct slicing *s, struct db *db, struct ZSTD_CCtx_s **zstd, int64_t run_id,
		  int64_t begin_ms, struct err *err);
bool slicing_is_full(const struct slicing *s);
void slicing_next(struct slicing *s); /* an empty one behind it */
void slicing_done(struct slicing *s);

/* Rows of SQL_SLICES, SQL_TIMES. */
#define SLICE_ID(run, n)  ((run) << 16 | (int64_t)(n))
#define SLICES_PER_RUN    (1 << 16)
