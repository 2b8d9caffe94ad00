/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Push: POST /api/v1/runs: a run, as events (report/events.c) or as the report that is
 * JSON (report/json.c), plain or as zstd or gzip, with "Authorization: Bearer TOKEN".
 * Answers are JSON:
 *
 *   201 {"run":"ID"}               it is here now
 *   200 {"run":"ID","known":true}  it was here before: nothing was changed
 *   4xx, 5xx {"error":"sentence"}  nothing was changed
 *
 * 401 no token, or one that is nobody's; 403 not for this branch; 413 too large;
 * 422 no run, or a damaged one; 429 too many of this token in an hour.
 */
#include "base/log.h"
#include "serve/http.h"

#define PUSH_PATH "api/v1/runs"

struct push;

/* @url: of the store, which is opened to be written when the first run comes.
 * @scratch: a directory for logs on their way. All are copied. */
struct push *push_new(const char *url, const char *tokens, const char *scratch,
		      const struct log *log);
struct push *push_free(struct push *p);
/* Answers it. */
void push_request(struct push *p, struct http_request *q);
