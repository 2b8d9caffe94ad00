/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the executions of a run are: its slices, and their durations, once they are asked. */
#include "store/replay.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pack.h"

#define TIMES_MAX (256u << 20)

static int by_job(const void *a, const void *b)
{
	const struct sliced *x = &((const struct replay_place *)a)->x;
	const struct sliced *y = &((const struct replay_place *)b)->x;

	if (x->job != y->job)
		return x->job < y->job ? -1 : 1;
	return (x->program > y->program) - (x->program < y->program);
}

static int read_slice(struct replay *r, struct db_rows *rows)
{
	struct replay_slice *d;
	struct str body;
	size_t nth = 0;
	int e;

	ARRAY_GROW(r->slices, r->n_slices, r->cap_slices);
	d = &r->slices[r->n_slices++];
	*d = (struct replay_slice){ .id = db_int(rows, 0) };
	e = buf_add_str(&d->body, db_str(rows, 1));
	if (e < 0)
		return replay_damaged(r, "a slice");
	body = buf_str(&d->body);
	for (;;) {
		struct replay_place p = { .slice = r->n_slices - 1, .nth = nth++ };

		e = slice_next(&body, r->begin_ms, &p.x);
		if (e <= 0)
			return e < 0 ? replay_damaged(r, "a slice") : 0;
		ARRAY_GROW(r->places, r->n_places, r->cap_places);
		r->places[r->n_places++] = p;
	}
}

int replay_slices_read(struct replay *r)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e = db_query(r->s->db, SQL_SLICES, &rows, r->err, DB_I(SLICE_ID(r->run_id, 0)),
			 DB_I(SLICE_ID(r->run_id + 1, 0)), DB_I(r->begin_ms));

	while (e == 0 && (e = db_next(&rows, r->err)) > 0)
		e = read_slice(r, &rows);
	if (r->n_places)
		qsort(r->places, r->n_places, sizeof(*r->places), by_job);
	return e;
}

static int read_times(struct replay *r, struct replay_slice *d)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int e;

	if (d->times_read)
		return 0;
	e = db_query(r->s->db, SQL_TIMES, &rows, r->err, DB_I(d->id), DB_I(r->begin_ms));
	if (e == 0)
		e = db_next(&rows, r->err);
	if (e < 0)
		return e;
	d->times.max = TIMES_MAX;
	if (e == 0 || unpack_bytes(db_str(&rows, 0), TIMES_MAX, &d->times) < 0)
		return replay_damaged(r, "durations");
	d->times_read = true;
	return 0;
}

/* Those of one execution, behind those of its neighbours in the slice. */
int replay_times_unpack(struct replay *r, const struct replay_place *p, const struct columns *base,
			struct columns *c)
{
	struct replay_slice *d = &r->slices[p->slice];
	struct str rest, body = buf_str(&d->body);
	struct sliced x;
	int e = read_times(r, d);

	if (e < 0)
		return e;
	rest = buf_str(&d->times);
	for (size_t i = 0; i < p->nth; i++) {
		struct outcome *o;

		if (slice_next(&body, r->begin_ms, &x) <= 0)
			return replay_damaged(r, "a slice");
		e = dict_outcome_get(&r->s->dict, x.outcome_id, &o, r->err);
		if (e < 0)
			return e;
		if (times_skip(o->shape->n - 1, &rest) < 0)
			return replay_damaged(r, "durations");
	}
	return times_unpack(base, &rest, c) < 0 ? replay_damaged(r, "durations") : 0;
}
