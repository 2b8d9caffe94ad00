/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Lot: the tests of one setting, a mode on a kind of machine: which comes next,
 * which come again, how much time one of them may take. Knows no clock and no
 * machine. Private to run/.
 */
#include "run/run.h"

struct lot_again {
	const struct plan_test *test;
	unsigned attempt;
	bool fresh;             /* wants a machine in which nothing ran yet */
};

struct lot {
	const struct run_setting *setting;
	const struct plan_test **order; /* longest first */
	size_t n_order, next;
	struct lot_again *again;
	size_t n_again, next_again, cap_again;
	unsigned machines;      /* that live now */
	unsigned booting;       /* of them: that took no test yet */
	unsigned machines_max;
	unsigned empty_boots;   /* machines in a row that ran no test */
	unsigned job;           /* the last that was told; 0: none */
	int64_t begin_ms;       /* monotonic, of its first machine; 0: none yet */
	bool overtime;          /* its own deadline passed */
	char *why_dead;         /* no machine of it can be had; NULL: they can */
	struct loop_watch *deadline;
	struct run *run;
};

/* The longest first, so that the last machine does not work alone; tests that were
 * never measured come before, in the plan's order. */
void lot_init(struct lot *l, struct run *run, const struct run_setting *s);
void lot_done(struct lot *l);
bool lot_has_tests(const struct lot *l);
size_t lot_left(const struct lot *l);
/* NULL: none, or, in a machine that was @used, none that would not want another. */
const struct plan_test *lot_next(struct lot *l, bool used, unsigned *ret_attempt);
/* The one that comes next in a new machine, which is not taken; NULL: none. */
const struct plan_test *lot_peek(const struct lot *l);
/* What lot_next() gave: it comes next. */
void lot_put_back(struct lot *l, const struct plan_test *t, unsigned attempt);
void lot_again(struct lot *l, const struct plan_test *t, unsigned attempt, bool fresh);

/* What is left to do, in ms, for each of the machines if it had one more: where
 * the next machine helps most. */
double lot_urgency(const struct lot *l);

/*
 * What @t, which was just taken, may have of the @left_ms that the lot still has:
 * in proportion to how long it and the tests behind it took before, times the
 * machines that share the work. A test that hangs so costs its own share; what one
 * leaves over is the others'. At least three times what it took before, and an
 * eighth of what is left where that is unknown (it may be the long one); never
 * more than is left.
 */
int64_t lot_share(const struct lot *l, const struct plan_test *t, int64_t left_ms);
