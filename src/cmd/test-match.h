/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tests by what people type: a number of ours, "suite/program/path" whole or as a
 * glob, a key, or else a part of the name; the first of these that any test fits.
 * Earlier names by alias stand for what they became.
 */
#include "base/err.h"
#include "store/store.h"

struct test_match {
	int64_t id;
	char *name; /* "suite/program/path" */
};

struct test_matches {
	struct test_match *v;
	size_t n, cap;
	int rank; /* how they fit */
};

/* -ENOENT says so. Free with test_matches_done(), also then. */
int test_match(struct store *s, const char *word, struct test_matches *ret, struct err *err);
void test_matches_done(struct test_matches *m);
