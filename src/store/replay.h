/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the files of a replay share (replay.c, replay-*.c). */
#include "store/inside.h"
#include "store/slice.h"

/* One execution, where its slice is. */
struct replay_place {
	struct sliced x;
	size_t slice, nth;
};

struct replay_slice {
	int64_t id;
	struct buf body, times;
	bool times_read;
};

struct replay {
	struct store *s;
	int64_t run_id, begin_ms;
	struct event_sink sink;
	struct str suite, program; /* these only; none: all */
	struct arena arena; /* of one execution or job */
	struct replay_slice *slices;
	size_t n_slices, cap_slices;
	struct replay_place *places; /* by job, then program */
	size_t n_places, cap_places;
	struct err *err;
};

/* -EBADMSG, and says so. */
int replay_damaged(struct replay *r, const char *what);
struct str replay_keep(struct arena *a, struct str s);
/* Absolute path of an artefact, "" when none was kept. */
int replay_artefact_path(struct replay *r, unsigned job, unsigned program, const char *kind,
			 struct str *ret);

/* The executions of one job in their order, with what happened around them. */
int replay_executions(struct replay *r, unsigned job, size_t *next);

/* All that the run has: fills .slices and .places. */
int replay_slices_read(struct replay *r);
/* The durations of one execution, on top of the layout's. */
int replay_times_unpack(struct replay *r, const struct replay_place *p,
			const struct columns *base, struct columns *c);

/* Problems and splats, in their places between the results. */
struct replay_notes {
	struct stored_note *v;
	size_t n, cap, next;
};
int replay_notes_read(struct replay *r, unsigned job, unsigned program,
		      struct replay_notes *ret);
/* Those that stand before result (or program) number @done, from 0. */
void replay_notes_emit(struct replay *r, unsigned job, unsigned program, struct replay_notes *n,
		       uint64_t done);
void replay_notes_done(struct replay_notes *n);
