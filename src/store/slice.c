/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/slice.h"

#include <errno.h>

#include "store/pack.h"

static int64_t minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

void slice_add(const struct sliced *x, int64_t run_begin_ms, struct buf *ret)
{
	_cleanup_(buf_done) struct buf b = {};

	pack_uint(&b, x->program);
	pack_uint(&b, x->job);
	pack_uint(&b, (uint64_t)x->program_id);
	pack_uint(&b, (uint64_t)x->setting_id);
	pack_uint(&b, (uint64_t)x->outcome_id);
	pack_uint(&b, x->attempt);
	pack_int(&b, minus(x->begin_ms, run_begin_ms));
	pack_int(&b, minus(x->end_ms, x->begin_ms));
	pack_int(&b, minus(x->duration_ms, minus(x->end_ms, x->begin_ms)));
	pack_uint(&b, (uint64_t)x->reasons_id);
	pack_uint(&b, (uint64_t)x->layout_id);
	pack_int(&b, x->log_lines);
	pack_uint(&b, x->n_diffs);
	buf_add_str(&b, x->diffs);
	pack_uint(ret, b.n);
	buf_add_str(ret, buf_str(&b));
}

static int take(struct str *s, uint64_t *ret)
{
	/* Nearly all are one byte. */
	if (s->n && !(s->p[0] & 0x80)) {
		*ret = (unsigned char)s->p[0];
		*s = str_from(*s, 1);
		return 1;
	}
	return unpack_uint(s, ret);
}

static int64_t zigzag(uint64_t v)
{
	return (int64_t)((v >> 1) ^ (v & 1 ? UINT64_MAX : 0));
}

enum { S_PROGRAM, S_JOB, S_PROGRAM_ID, S_SETTING, S_OUTCOME, S_ATTEMPT, S_BEGIN, S_END,
       S_DURATION, S_REASONS, S_LAYOUT, S_LINES, S_DIFFS, S_N };

int slice_next(struct str *body, int64_t run_begin_ms, struct sliced *ret)
{
	uint64_t bytes, v[S_N];
	struct str s;

	if (!body->n)
		return 0;
	if (!take(body, &bytes) || bytes > body->n)
		return -EBADMSG;
	s = str_n(body->p, bytes);
	*body = str_from(*body, bytes);
	for (unsigned i = 0; i < S_N; i++)
		if (!take(&s, &v[i]))
			return -EBADMSG;
	*ret = (struct sliced){
		.program = (unsigned)v[S_PROGRAM],
		.job = (unsigned)v[S_JOB],
		.program_id = (int64_t)v[S_PROGRAM_ID],
		.setting_id = (int64_t)v[S_SETTING],
		.outcome_id = (int64_t)v[S_OUTCOME],
		.attempt = (unsigned)v[S_ATTEMPT],
		.begin_ms = plus(run_begin_ms, zigzag(v[S_BEGIN])),
		.reasons_id = (int64_t)v[S_REASONS],
		.layout_id = (int64_t)v[S_LAYOUT],
		.log_lines = zigzag(v[S_LINES]),
		.n_diffs = v[S_DIFFS],
		.diffs = s,
	};
	ret->end_ms = plus(ret->begin_ms, zigzag(v[S_END]));
	ret->duration_ms = plus(zigzag(v[S_DURATION]), zigzag(v[S_END]));
	return 1;
}

int slicing_store(struct slicing *s, struct db *db, struct ZSTD_CCtx_s **zstd, int64_t run_id,
		  int64_t begin_ms, struct err *err)
{
	_cleanup_(buf_done) struct buf times = {};
	int64_t id = SLICE_ID(run_id, s->number);
	int r;

	if (!s->n)
		return 0;
	if (s->number >= SLICES_PER_RUN)
		return err_set(err, EFBIG, "the history keeps no more programs of one run");
	pack_bytes_fast(zstd, buf_str(&s->times), &times);
	r = db_run(db, s->stored ? SQL_SLICE_SET : SQL_SLICE_ADD, err, DB_I(id), DB_I(begin_ms),
		   DB_B(buf_str(&s->body)));
	if (r == 0)
		r = db_run(db, s->stored ? SQL_TIMES_SET : SQL_TIMES_ADD, err, DB_I(id),
			   DB_I(begin_ms), DB_B(buf_str(&times)));
	s->stored |= r == 0;
	return r;
}

bool slicing_is_full(const struct slicing *s)
{
	return s->n >= SLICE_MAX || s->body.n + s->times.n >= SLICE_BYTES_MAX;
}

void slicing_next(struct slicing *s)
{
	s->number++;
	s->n = 0;
	s->stored = false;
	buf_clear(&s->body);
	buf_clear(&s->times);
}

void slicing_done(struct slicing *s)
{
	buf_done(&s->body);
	buf_done(&s->times);
}
