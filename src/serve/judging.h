/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Judging: a history is judged while requests are answered: in a thread with a
 * connection to the store of its own, which hands over what it made by a pipe. It
 * shares nothing with the loop's thread: what is judged is arrays that refer to no
 * store. This is the program's one use of a thread: what a child process has made
 * can't be handed over as it is.
 */
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "web/history.h"

struct judging;

struct judged {
	struct web_history *history; /* the callback's from then on; NULL: @err says why */
	struct str mark;             /* store_mark() before it was read; until it returns */
	int64_t begin_ms, took_ms;   /* on the monotonic clock */
	struct err err;
};

typedef void (*judging_done_fn)(void *ctx, struct judged *j);

/* @url: of the store; copied. */
struct judging *judging_new(struct loop *loop, const char *url, judging_done_fn done, void *ctx);
/* Begins, unless it is at it; @done is called on the loop. */
void judging_start(struct judging *j);
/* Does not wait for what is being judged: that is thrown away. */
struct judging *judging_free(struct judging *j);
