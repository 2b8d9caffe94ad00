/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Outage book: the runs of a whole history that are outages, on each axis. An
 * outage is one of all tests together, so whoever tells of one test needs all of
 * them; the book is kept in a file, for as long as the store says the same.
 *
 * The file: "taproom outages N\n", uint bytes and store_mark(), uint axes, each
 * branch, mode and machine as uint bytes and text, uint bytes and the numbers of
 * runs (pack_ids()); eight bytes of FNV-1a over all of it, low first. Integers as
 * in store/pack.h. One that is damaged, foreign or old is as good as none.
 */
#include "judge/judge.h"

struct judge_outage_book;

/* Reads @file, or looks at everything and writes it; that it can't be written is
 * no error. @file: NULL: it is not kept. 0, or what store_scan() says. */
int judge_outage_book_new(struct store *s, const char *file, struct judge_outage_book **ret,
			  struct err *err);
struct judge_outage_book *judge_outage_book_free(struct judge_outage_book *b);

/* Places of @a, an axis that pools nothing, that are in an outage. Free .v. */
struct stat_runs judge_outage_book_places(const struct judge_outage_book *b,
					  const struct judge_axis *a,
					  const struct judge_run *runs);
