/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splats by their fingerprint: what there is, and where each was seen. */
#include "store/inside.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pack.h"
#include "store/slice.h"

#define LIMIT_DEFAULT 100

int store_fingerprints(struct store *s, unsigned limit, store_fingerprint_fn fn, void *ctx,
		       struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_FINGERPRINTS, &rows, err,
			 DB_I(limit ? limit : LIMIT_DEFAULT));

	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		struct store_fingerprint f = {
			.fingerprint = db_str(&rows, 0),
			.kind = db_str(&rows, 1),
			.title = db_str(&rows, 2),
			.first_ms = db_int(&rows, 3),
			.first_run = db_int(&rows, 4),
			.last_ms = db_int(&rows, 5),
			.last_run = db_int(&rows, 6),
			.n = (uint64_t)db_int(&rows, 7),
		};

		r = fn(ctx, &f);
	}
	return r;
}

/* Programs of the run that was looked at last. */
struct programs {
	struct store *s;
	int64_t run;
	struct ran {
		unsigned program;
		int64_t id;
	} *v;
	size_t n, cap;
};

static void programs_done(struct programs *p)
{
	free(p->v);
}

static int read_slice(struct programs *p, struct str body, int64_t begin_ms, struct err *err)
{
	struct sliced x;
	int r;

	while ((r = slice_next(&body, begin_ms, &x)) > 0) {
		ARRAY_GROW(p->v, p->n, p->cap);
		p->v[p->n++] = (struct ran){ x.program, x.program_id };
	}
	return r < 0 ? err_set(err, EBADMSG, "the store is damaged: a slice can't be read") : 0;
}

static int read_run(struct programs *p, int64_t run, int64_t begin_ms, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(p->s->db, SQL_SLICES, &rows, err, DB_I(SLICE_ID(run, 0)),
			 DB_I(SLICE_ID(run + 1, 0)), DB_I(begin_ms));

	p->n = 0;
	while (r == 0 && (r = db_next(&rows, err)) > 0)
		r = read_slice(p, db_str(&rows, 1), begin_ms, err);
	p->run = run;
	return r;
}

/* Of one that still runs, or was lost with its machine, nothing is kept. */
static int name_program(struct programs *p, int64_t begin_ms, struct store_splat_at *at,
			struct err *err)
{
	struct program *program;
	int r = 0;

	if (!at->program)
		return 0;
	if (p->run != at->run)
		r = read_run(p, at->run, begin_ms, err);
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		if (p->v[i].program != at->program)
			continue;
		r = dict_program_get(&p->s->dict, p->v[i].id, &program, err);
		if (r == 0) {
			at->suite = program->suite;
			at->name = program->name;
		}
		break;
	}
	return r;
}

int store_splats(struct store *s, const char *fingerprint, unsigned limit, store_splat_fn fn,
		 void *ctx, struct err *err)
{
	_cleanup_(programs_done) struct programs programs = { .s = s };
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_SPLATS_OF, &rows, err, DB_Z(fingerprint),
			 DB_I(limit ? limit : LIMIT_DEFAULT));

	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		struct store_splat_at at = {
			.run = db_int(&rows, 0),
			.job = (unsigned)db_int(&rows, 1),
			.program = (unsigned)db_int(&rows, 2),
			.line = (uint64_t)db_int(&rows, 3),
			.lines = (uint64_t)db_int(&rows, 4),
			.mode = db_str(&rows, 5),
			.machine = db_str(&rows, 6),
			.excuse = { db_str(&rows, 7), db_str(&rows, 8), db_str(&rows, 9),
				    db_str(&rows, 10) },
		};

		r = name_program(&programs, db_int(&rows, 11), &at, err);
		if (r == 0)
			r = fn(ctx, &at);
	}
	return r;
}

int store_splat_axes(struct store *s, const char *fingerprint, store_splat_on_fn fn, void *ctx,
		     struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_SPLAT_AXES, &rows, err, DB_Z(fingerprint));

	while (r == 0 && (r = db_next(&rows, err)) > 0) {
		struct store_splat_on on = {
			.branch = db_str(&rows, 0),
			.mode = db_str(&rows, 1),
			.machine = db_str(&rows, 2),
			.n = (uint64_t)db_int(&rows, 3),
			.runs = (uint64_t)db_int(&rows, 4),
			.first_ms = db_int(&rows, 5),
			.last_ms = db_int(&rows, 6),
		};

		r = fn(ctx, &on);
	}
	return r;
}

/* ---- another text ---- */

#define TEXTS_MAX 32 /* that are read before some are written */

struct texts {
	struct text {
		int64_t job, program, seq;
		struct buf packed;
		bool changed;
	} v[TEXTS_MAX];
	unsigned n;
};

static void texts_done(struct texts *t)
{
	while (t->n)
		buf_done(&t->v[--t->n].packed);
}

/* Those behind @last. */
static int read_texts(struct store *s, int64_t run, const struct text *last, struct texts *t,
		      struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_SPLAT_TEXTS, &rows, err, DB_I(run), DB_I(last->job),
			 DB_I(last->program), DB_I(last->seq), DB_I(TEXTS_MAX));

	while (r == 0 && t->n < TEXTS_MAX && (r = db_next(&rows, err)) > 0) {
		struct text *x = &t->v[t->n++];

		*x = (struct text){
			.job = db_int(&rows, 0),
			.program = db_int(&rows, 1),
			.seq = db_int(&rows, 2),
		};
		buf_add_str(&x->packed, db_str(&rows, 3));
		r = 0;
	}
	return r;
}

static int change_text(struct text *x, store_splat_text_fn fn, void *ctx, struct err *err)
{
	_cleanup_(buf_done) struct buf text = {}, better = {};
	int r;

	if (unpack_bytes(buf_str(&x->packed), SPLAT_TEXT_MAX, &text) < 0)
		return err_set(err, EBADMSG, "the store is damaged: a splat can't be read");
	r = fn(ctx, (unsigned)x->job, buf_str(&text), &better);
	if (r <= 0 || better.n > STORE_SPLAT_TEXT_MAX)
		return r < 0 ? r : 0;
	buf_clear(&x->packed);
	pack_bytes(buf_str(&better), &x->packed);
	x->changed = true;
	return 1;
}

static int write_texts(struct store *s, int64_t run, const struct texts *t, struct err *err)
{
	int r = store_begin(s, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < t->n && r == 0; i++) {
		const struct text *x = &t->v[i];

		if (x->changed)
			r = db_run(s->db, SQL_SPLAT_TEXT, err, DB_I(run), DB_I(x->job),
				   DB_I(x->program), DB_I(x->seq), DB_B(buf_str(&x->packed)));
	}
	return store_end(s, r, err);
}

int store_splat_texts(struct store *s, int64_t run, store_splat_text_fn fn, void *ctx,
		      struct err *err)
{
	struct text last = { .job = -1 };
	bool more = true;
	int r = 0;

	while (more && r >= 0) {
		_cleanup_(texts_done) struct texts t = {};
		bool any = false;

		r = read_texts(s, run, &last, &t, err);
		for (unsigned i = 0; i < t.n && r >= 0; i++) {
			r = change_text(&t.v[i], fn, ctx, err);
			any |= r > 0;
		}
		if (r >= 0 && any)
			r = write_texts(s, run, &t, err);
		more = t.n == TEXTS_MAX;
		if (more)
			last = t.v[t.n - 1];
	}
	return r < 0 ? r : 0;
}
