/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tests: every test of a history under the name of its page. The name is made
 * of what a test keeps when it is renumbered, moves to another store or runs in
 * other modes: suite, program, key. It is the slug of the program and a hash
 * of all of it: any bytes may be in a name, none of them gets into an address.
 *
 * Among files those tests have a page that ever said anything but a plain pass;
 * of more than WEB_TESTS_MAX those that failed, and failed last. A server has a
 * page of each. Groups inside of a program are no tests here: what is below them
 * says the same.
 */
#include "judge/judge.h"

#define WEB_TESTS_MAX 5000

struct web_test {
	uint64_t hash;
	const struct judge_series *const *parts; /* one for each axis it is on */
	size_t n_parts;
	bool page; /* among files too */
};

struct web_tests {
	struct web_test *v; /* by hash */
	size_t n, n_pages;
	const struct judge_series **parts;
};

/* Borrows @axes. */
void web_tests_init(struct web_tests *t, const struct judge_axis *axes, size_t n_axes,
		    uint32_t n_runs);
void web_tests_done(struct web_tests *t);

/* @key: as judge_series has it; "" for the program itself, with @nth 1. */
uint64_t web_test_hash(struct str suite, struct str program, struct str key, unsigned nth);
const struct web_test *web_tests_find(const struct web_tests *t, uint64_t hash); /* or NULL */
const struct web_test *web_test_of(const struct web_tests *t, const struct judge_series *s);

/*
 * Which of a program's results of one key it is, as the store counts: 1 for the
 * first. Ask for each result in their order. Zero-initialise; free .v.
 */
struct web_nth {
	struct web_nth_slot {
		uint64_t hash;
		unsigned n;
	} *v;
	size_t n, cap;
};
unsigned web_nth(struct web_nth *n, struct str key);
