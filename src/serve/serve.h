/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Serve: the site over HTTP, and nothing else: what is asked and what is
 * answered. GET and HEAD of every page that web.h has an address for, tags and
 * conditional requests, encodings, byte ranges of plain logs, and what happens as
 * events (live.h).
 */
#include "base/log.h"
#include "base/loop.h"
#include "store/store.h"

#define SERVE_LISTEN_MAX 8

struct serve_config {
	struct store *store;
	const char *url;           /* of the same; NULL: the default */
	const char *version;
	unsigned window;           /* runs; 0: web.h's default */
	const struct web_rules *rules; /* web/known.h; NULL: no rules */
	/* Where runs may be pushed to, see push.h; NULL: nowhere. */
	struct push *push;
	unsigned idle_s;           /* http.h's HTTP_IDLE_S; 0: that */
	const char *const *listen; /* listen.h; NULL-ended; what systemd passed comes first */
};

struct serve;

/* Judges the history first, then listens. @stopped is called when serve_stop() is done. */
int serve_new(struct loop *loop, const struct log *log, const struct serve_config *config,
	      void (*stopped)(void *ctx), void *ctx, struct serve **ret, struct err *err);
/* Where it listens; NULL beyond the last. */
const char *serve_url(const struct serve *s, unsigned i);
void serve_stop(struct serve *s);
struct serve *serve_free(struct serve *s);
