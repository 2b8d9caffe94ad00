/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Live: what happens, as server-sent events (HTML Living Standard, 9.2):
 *
 *   events            "runs": the newest run's number, and the runs that have not ended
 *                     with how far they are; once at first, then whenever that changes
 *   run/{run}/events  "program": each program of it as it ends, numbered: who comes
 *                     again says the last number (Last-Event-ID) and misses none;
 *                     "run": how far it is, or how it ended, and then no more
 *
 * The source is the store, which a run's programs are in as they end, whoever records
 * it and wherever: looked at once in a second, for as long as somebody listens. A run
 * whose process died is "lost".
 *
 * Bounded: LIVE_CLIENTS listen at a time, others get 503; what is said to one that
 * takes nothing waits in the source, not in memory; one that takes nothing for
 * http.h's time is closed. Comments in between keep proxies from thinking it dead.
 */
#include "base/log.h"
#include "serve/http.h"
#include "web/web.h"

#define LIVE_CLIENTS 1000
#define LIVE_BEAT_MS 10000

struct live;

/* Borrows. */
struct live *live_new(struct store *store, const struct log *log);
struct live *live_free(struct live *l); /* after the server: its requests are gone */
/* Is it one of these addresses? *ret_run 0: of all. */
bool live_is(struct str path, int64_t *ret_run);
/* Answers, and returns 0; or the status of what is wrong (404, 503). */
int live_answer(struct live *l, struct http_request *q, const struct web_site *site,
		int64_t run);
/* Looks, and tells; once in a while. @state: another number when the store said
 * something new (pages_refresh()). */
void live_look(struct live *l, const struct web_site *site, uint64_t state);
/* Ends them all: the server stops. */
void live_stop(struct live *l);
unsigned live_clients(const struct live *l);
