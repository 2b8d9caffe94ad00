/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Logs: plain logs and consoles over HTTP, in pieces as the client takes them, whole
 * or a byte range of them: what 100 MB are, nobody has to hold.
 */
#include "base/log.h"
#include "serve/http.h"
#include "serve/pages.h"

/* Answers, and returns 0; or the status of what is wrong (404, 416), or < 0, and it
 * is still to be answered. @s and @log are used until all of it is sent. */
int logs_answer(struct store *s, const struct log *log, struct http_request *q,
		const struct pages_page *page, struct err *err);
