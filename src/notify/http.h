/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * HTTP, as a client: one request, its whole answer. TLS certificates are checked
 * against the system's. Redirects are not followed: what is sent is for whom it was
 * addressed to. http_proxy and its kind are honoured (curl(1)).
 */
#include "base/err.h"
#include "base/str.h"

#define HTTP_ANSWER_MAX (1u << 20) /* bytes; a longer one is -EFBIG */
#define HTTP_CONNECT_MS 20000
#define HTTP_STALL_S    60         /* nothing moved for so long: -ETIMEDOUT */

struct http_request {
	const char *url;           /* http:// or https:// */
	const char *token;         /* bearer token, or NULL */
	const char *type;          /* of the body */
	const char *encoding;      /* of it: "zstd"; NULL: none */
	struct str body;
};

struct http_answer {
	long status;
	struct buf body;           /* the caller's to free */
};

/*
 * POST. 0: there is an answer, whatever its status. -ENOENT: libcurl is not
 * installed; -EINVAL: no such URL, or a token would go to another machine
 * unencrypted; -ECONNREFUSED, -ETIMEDOUT, -EPROTO: said in words.
 */
int http_post(const struct http_request *q, struct http_answer *ret, struct err *err);
