/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Shapes, read back: which series an execution produced, in which order, and
 * what each series is. Both are read once and kept, because neighbours in a
 * list of runs nearly always share them.
 */
#include "base/mem.h"
#include "store/inside.h"

struct series {
	int64_t id, program_id;
	struct str key, path, suite, program;
	struct str names[PATH_DEPTH_MAX];
	unsigned depth; /* 0: the program itself */
	unsigned nth, ordinal;
	bool leaf;
};

struct shape {
	int64_t id;
	const struct series **series; /* the program itself is the last */
	size_t n;                     /* with it; >= 1 */
};

/* Zero-initialise; shapes_done() frees. */
struct shapes {
	struct arena arena;
	struct shape **v;
	size_t n, cap;
	const struct series **series; /* sorted by id */
	size_t n_series, cap_series;
};

/* Lives until shapes_done(). -EBADMSG when the database is damaged. */
int shapes_get(struct shapes *all, struct db *db, int64_t id, const struct shape **ret,
	       struct err *err);
void shapes_done(struct shapes *all);
