/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Refuse: what is said instead of what was asked for: a page in the looks of the
 * site, or, below api/, {"error":"sentence"}. Sentences are ours: of what came in
 * only what web_query_parse() says is repeated, and escaped.
 */
#include "serve/http.h"
#include "web/web.h"

#define API_PREFIX "api/"

/* @sentence: NULL: what there is to say of the status. */
void refuse_answer(const struct web_site *site, struct http_request *q, int status,
		   const char *sentence);
