/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Http: HTTP/1.1 (RFC 9110, 9112) on the loop, over libevent's evhttp: requests
 * in, replies out, with the limits that a port needs which anybody may speak to.
 * It knows no page.
 *
 * Limits: a request line and its headers HTTP_HEAD_MAX bytes together, a body
 * HTTP_BODY_MAX, a connection that says or takes nothing for HTTP_IDLE_S is
 * closed. Where descriptors run out no connection is taken until one closes.
 * TLS, HTTP/2 and who may come belong to a proxy in front.
 *
 * Every reply has the headers that keep a browser to what is on the page: no
 * script but the site's own, no frame, no guessing of types, no referrer.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"

#define HTTP_HEAD_MAX 16384
#define HTTP_BODY_MAX (64u << 20)
#define HTTP_IDLE_S   30

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_OTHER,
};

/* One request until it is answered; exactly one http_reply*() per request. */
struct http_request;

struct http_server;

struct http_handler {
	/* A request is there, with its body. Answer it, now or later. */
	void (*request)(void *ctx, struct http_request *q);
	/* http_stop() has been called, and the last connection is closed. */
	void (*stopped)(void *ctx);
};

/* @idle_s: 0: HTTP_IDLE_S. */
struct http_server *http_new(struct loop *loop, const struct log *log, unsigned idle_s,
			     const struct http_handler *handler, void *ctx);
/* Accepts from @fd, a listening socket, from then on its own. */
int http_listen(struct http_server *s, int fd, struct err *err);
/* No new connection, no second request on an old one; stopped() follows, after
 * HTTP_STOP_MS at the latest. */
#define HTTP_STOP_MS 5000
void http_stop(struct http_server *s);
struct http_server *http_free(struct http_server *s);

/* What there was since it began: answers by what the handler called them and the
 * hundreds of their status (200 and 206: 2). */
#define HTTP_LABELS 128
struct http_stats {
	uint64_t answers[HTTP_LABELS][6];
};
const struct http_stats *http_stats(const struct http_server *s);

/* Connections that are open now, with those that say nothing: they are counted as it
 * is called, from the process's descriptors. A socket costs about a microsecond. */
unsigned http_connections(const struct http_server *s);

/* What was asked. Strings live as long as the request. */
enum http_method http_method(const struct http_request *q);
/* Decoded, without the leading '/'; may hold any byte. */
struct str http_path(const struct http_request *q);
/* Slashes in it as it came, behind the first: so many levels below the root. */
unsigned http_depth(const struct http_request *q);
/* Behind the '?', as it came; empty when there is none. */
struct str http_query(const struct http_request *q);
/* A header's value, empty without it; the first of several. */
struct str http_header(const struct http_request *q, const char *name);
struct str http_body(struct http_request *q);
/* Does its If-None-Match have @tag, weak or not (RFC 9110, 13.1.2)? */
bool http_has_tag(const struct http_request *q, const char *tag);

/* What kind of thing was asked for, for http_stats(): below HTTP_LABELS; else 0. */
void http_label(struct http_request *q, unsigned label);
/* Before the reply; @name is ours. A value with a control character in it is
 * left away: it would begin another header. */
void http_set(struct http_request *q, const char *name, struct str value);
/* Copies @body. Of HEAD and 304 only the headers go out. */
void http_reply(struct http_request *q, int status, struct str body);

/*
 * A reply in pieces, as the client takes them: @more is called when what was
 * sent is nearly gone; it adds some bytes to @piece, and returns 1, or 0 at the
 * end, or < 0: the connection is closed, so that the client sees it is not
 * whole. @done frees @ctx, once, however it ends. @length: -1 unknown, else
 * exactly that many bytes follow.
 *
 * HTTP_LATER: there is nothing yet; @more is called again after http_stream_wake(),
 * which is nothing to a reply that is not waiting for it.
 */
#define HTTP_LATER 2
typedef int (*http_more_fn)(void *ctx, struct buf *piece);
void http_reply_stream(struct http_request *q, int status, int64_t length, http_more_fn more,
		       void (*done)(void *ctx), void *ctx);
void http_stream_wake(struct http_request *q);
/* Bytes that were added and not taken, not even by the kernel. */
size_t http_stream_left(const struct http_request *q);
/* Cuts the connection: the client sees that it is not whole. Not from its own @more. */
void http_stream_close(struct http_request *q);
