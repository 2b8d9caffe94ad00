/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Problems and splats of a run that is told again. */
#include "store/replay.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pack.h"
#include "tap/trace.h"

struct stored_note {
	unsigned seq;
	uint64_t after;
	bool is_splat;
	struct event_problem problem;
	struct event_splat splat;
};

void replay_notes_done(struct replay_notes *n)
{
	free(n->v);
}

static struct stored_note *notes_add(struct replay_notes *n, struct db_rows *rows)
{
	struct stored_note *note;

	ARRAY_GROW(n->v, n->n, n->cap);
	note = &n->v[n->n++];
	*note = (struct stored_note){ .seq = (unsigned)db_int(rows, 0),
				      .after = (uint64_t)db_int(rows, 1) };
	return note;
}

static enum problem problem_from_name(struct str name)
{
	for (unsigned i = 0; i < PROBLEM_N; i++)
		if (str_eq(name, str_of(PROBLEM_NAMES[i])))
			return (enum problem)i;
	return PROBLEM_BAD_SYNTAX;
}

static int read_problem(struct replay *r, struct db_rows *rows, struct stored_note *n)
{
	n->problem = (struct event_problem){
		.what = problem_from_name(db_str(rows, 2)),
		.line = (uint64_t)db_int(rows, 3),
		.message = replay_keep(&r->arena, db_str(rows, 4)),
	};
	return 0;
}

static int read_splat(struct replay *r, struct db_rows *rows, struct stored_note *n)
{
	_cleanup_(buf_done) struct buf text = {};
	struct event_frame frames[EVENT_FRAMES_MAX], *copy;
	struct str reason = db_str(rows, 14);

	if (unpack_bytes(db_str(rows, 7), SPLAT_TEXT_MAX, &text) < 0)
		return replay_damaged(r, "a splat");
	n->is_splat = true;
	n->splat = (struct event_splat){
		.kind = replay_keep(&r->arena, db_str(rows, 2)),
		.title = replay_keep(&r->arena, db_str(rows, 3)),
		.fingerprint = replay_keep(&r->arena, db_str(rows, 4)),
		.line = (uint64_t)db_int(rows, 5),
		.lines = (uint64_t)db_int(rows, 6),
		.text = replay_keep(&r->arena, buf_str(&text)),
		.task = replay_keep(&r->arena, db_str(rows, 8)),
		.pid = db_int(rows, 9),
		.cpu = (int)db_int(rows, 10),
		.taint = replay_keep(&r->arena, db_str(rows, 11)),
		.fatal = db_int(rows, 12) != 0,
		.n_frames = trace_read(replay_keep(&r->arena, db_str(rows, 13)), frames),
	};
	copy = arena_alloc(&r->arena, sizeof(*copy) * n->splat.n_frames);
	memcpy(copy, frames, sizeof(*copy) * n->splat.n_frames);
	n->splat.frames = copy;
	if (reason.n) {
		struct event_excuse *excuse = arena_alloc(&r->arena, sizeof(*excuse));

		*excuse = (struct event_excuse){
			.reason = replay_keep(&r->arena, reason),
			.link = replay_keep(&r->arena, db_str(rows, 15)),
			.owner = replay_keep(&r->arena, db_str(rows, 16)),
			.until = replay_keep(&r->arena, db_str(rows, 17)),
		};
		n->splat.excuse = excuse;
	}
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const struct stored_note *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

int replay_notes_read(struct replay *r, unsigned job, unsigned program, struct replay_notes *ret)
{
	static const struct {
		enum sql sql;
		int (*read)(struct replay *, struct db_rows *, struct stored_note *);
	} sources[] = { { SQL_PROBLEMS, read_problem }, { SQL_SPLATS, read_splat } };

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		_cleanup_(db_rows_done) struct db_rows rows = {};
		int e = db_query(r->s->db, sources[i].sql, &rows, r->err, DB_I(r->run_id),
				 DB_I(job), DB_I(program));

		while (e == 0 && (e = db_next(&rows, r->err)) > 0)
			e = sources[i].read(r, &rows, notes_add(ret, &rows));
		if (e < 0)
			return e;
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_seq);
	return 0;
}

void replay_notes_emit(struct replay *r, unsigned job, unsigned program, struct replay_notes *n,
		       uint64_t done)
{
	for (; n->next < n->n && n->v[n->next].after <= done; n->next++) {
		const struct stored_note *note = &n->v[n->next];
		struct event ev = { .type = EVENT_PROBLEM, .job = job, .program = program,
				    .problem = &note->problem };

		if (note->is_splat) {
			ev.type = EVENT_SPLAT;
			ev.splat = &note->splat;
		}
		event_emit(&r->sink, &ev);
	}
}
