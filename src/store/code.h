/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Code: how outcomes and reasons are written. An outcome is all that can be
 * said of an execution besides where and when: its exit code and the results
 * that were no pass. Few are different, so each is stored once.
 *
 *   outcome = int exit code, { uint places skipped, letter } x rest
 *             place counts in the shape; its last is the program itself
 *   reasons = { uint places skipped, uint bytes, text } x rest
 *
 * A status is written as a letter, which never changes its meaning.
 */
#include "base/mem.h"
#include "tap/event.h"

char code_letter(enum status s);
int code_status(char letter, enum status *ret); /* 1, or 0 for none */

struct code_exception {
	uint32_t at;
	uint8_t status;
};

/* Statuses of @n places. */
void code_outcome(int exit_code, const uint8_t *status, size_t n, struct buf *ret);
/* *ret lives in @arena. -EBADMSG when damaged or of more places than @n. */
int code_outcome_read(struct str body, size_t n, struct arena *arena, int *ret_exit,
		      struct code_exception **ret, size_t *ret_n);

/* Adds one; *last is the place of the one before, (size_t)-1 for the first. */
void code_reason(size_t at, size_t *last, struct str text, struct buf *ret);
/* Takes one off the front. 1, 0 at the end, -EBADMSG. */
int code_reason_read(struct str *body, size_t *last, size_t n, struct str *ret);
