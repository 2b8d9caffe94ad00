/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Logs: plain logs and consoles over HTTP, in pieces as the client takes them, whole
 * or a byte range of them: what 100 MB are, nobody has to hold.
 *
 * A client that takes nothing has a piece waiting for it, and a descriptor. Where those
 * that wait hold LOGS_BYTES, or are LOGS_READERS, the ones are closed that have taken
 * nothing for the longest time, and not for LOGS_SILENT_MS: nobody who takes what he asked
 * for, however slowly, waits for them or is closed for them. If all of them take, pieces
 * are smaller, so that there are never more than
 *
 *	LOGS_BYTES + LOGS_READERS * LOGS_PIECE_MIN
 *
 * bytes of them; one reader more is told to come again (503).
 */
#include "base/log.h"
#include "serve/http.h"
#include "serve/pages.h"

#define LOGS_BYTES     (64u << 20)
#define LOGS_READERS   4096
#define LOGS_PIECE     (256u << 10)
#define LOGS_PIECE_MIN (16u << 10)
#define LOGS_SILENT_MS 1000

struct logs;

/* Borrows. */
struct logs *logs_new(struct store *store, const struct log *log);
struct logs *logs_free(struct logs *l); /* after the server: its requests are gone */
/* Answers, and returns 0; or the status of what is wrong (404, 416, 503), or < 0, and it
 * is still to be answered. */
int logs_answer(struct logs *l, struct http_request *q, const struct pages_page *page,
		struct err *err);

struct logs_stats {
	unsigned readers; /* now */
	uint64_t bytes;   /* that wait for them */
	uint64_t closed;  /* for others, since it began */
};
struct logs_stats logs_stats(const struct logs *l);
