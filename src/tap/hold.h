/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Hold: results whose path is not known yet. Where a block has no name its
 * children wait here until the parent's result line names it. Records are in
 * the order of the lines, so a parent follows its children: one walk back finds
 * every parent, one walk forward says the results.
 *
 * Only tap/parse.c uses it. Bounded: the parser releases what is held past
 * HOLD_MAX bytes.
 */
#include "tap/event.h"
#include "tap/parse.h"

#define HOLD_MAX (8u << 20)

/* One result as the parser knows it: path-less, at a level. */
struct hold_result {
	unsigned level;      /* index of the block it stands in; 0: the root */
	bool elided;         /* stands for a block that has no name: of no path */
	bool silent;         /* is only there to be a parent */
	struct str name, key;
	struct event_result r; /* path, depth, key: not yet */
};

struct hold_record;

struct hold {
	struct buf bytes;
	size_t last; /* offset of the newest record */
	bool any;
};

void hold_done(struct hold *h);
void hold_result(struct hold *h, const struct hold_result *r);
void hold_problem(struct hold *h, const struct event_problem *p);

/* Called for each record in order. @path: names from the outermost held level
 * (@first_level) down to the record's own; @keys beside them. */
struct hold_reader {
	void (*result)(void *ctx, const struct hold_result *r, unsigned first_level,
		       const struct str *path, const struct str *keys, unsigned n);
	void (*problem)(void *ctx, const struct event_problem *p);
	void *ctx;
};
void hold_release(struct hold *h, const struct hold_reader *to);
