/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "serve/http.h"
#include "serve/listen.h"
#include "serve/pages.h"
#include "serve/push.h"
#include "serve/range.h"

#define PIECE 262144 /* of a log; what waits for a slow client */

struct serve {
	const struct log *log;
	struct store *store;
	struct pages *pages;
	struct push *push;
	struct http_server *http;
	struct listen listen[SERVE_LISTEN_MAX];
	unsigned n_listen;
	void (*stopped)(void *ctx);
	void *ctx;
};

static void answer_text(struct http_request *q, int status, const char *sentence)
{
	http_set(q, "Content-Type", STR("text/plain; charset=utf-8"));
	http_reply(q, status, str_of(sentence));
}

static void answer_error(struct serve *s, struct http_request *q, const struct err *err)
{
	/* The reason is for who runs the server: it may name files. */
	log_warn(s->log, "%s", err->text);
	answer_text(q, 500, "The page can't be made; the server's log says why.\n");
}

/* "*", or a list that has @tag, weak or not (RFC 9110, 13.1.2). */
static bool has_tag(struct str list, const char *tag)
{
	while (list.p) {
		struct str one = str_trim(str_cut(&list, ','));

		if (str_starts(one, STR("W/")))
			one = str_from(one, 2);
		if (str_eq(one, STR("*")) || str_eq(one, str_of(tag)))
			return true;
	}
	return false;
}

/* ---- a plain log, in pieces ---- */

struct log_stream {
	struct serve *s;
	int64_t run;
	unsigned program, job;
	uint64_t at, end;
};

static int log_more(void *ctx, struct buf *piece)
{
	struct log_stream *l = ctx;
	uint64_t n = l->end - l->at < PIECE ? l->end - l->at : PIECE;
	struct err err = {};
	int r;

	if (!n)
		return 0;
	r = store_log_bytes(l->s->store, l->run, l->program, l->job, l->at, (size_t)n, piece,
			    &err);
	if (r == 0 && piece->n != n)
		r = err_set(&err, EBADMSG, "a log of run %" PRId64 " became shorter", l->run);
	if (r < 0) {
		log_warn(l->s->log, "%s", err.text);
		return r;
	}
	l->at += n;
	return 1;
}

static void answer_range(struct http_request *q, struct log_stream *l, uint64_t size)
{
	uint64_t from, n;
	char text[80];

	switch (range_parse(http_header(q, "Range"), size, &from, &n)) {
	case RANGE_WRONG:
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
		http_set(q, "Content-Range", str_of(text));
		free(l);
		answer_text(q, 416, "The log is shorter.\n");
		return;
	case RANGE_PART:
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
			 from + n - 1, size);
		http_set(q, "Content-Range", str_of(text));
		l->at = from;
		l->end = from + n;
		http_reply_stream(q, 206, (int64_t)n, log_more, free, l);
		return;
	case RANGE_NONE:
		l->end = size;
		http_reply_stream(q, 200, (int64_t)size, log_more, free, l);
	}
}

static void answer_log(struct serve *s, struct http_request *q, const struct pages_page *page)
{
	bool console = page->id == WEB_CONSOLE_RAW;
	struct log_stream *l = xcalloc(1, sizeof(*l));
	struct err err = {};
	uint64_t size;
	char tag[80];
	int r;

	*l = (struct log_stream){ .s = s, .run = page->args.run,
				  .program = console ? 0 : page->args.program,
				  .job = console ? page->args.job : 0 };
	r = store_log_size(s->store, l->run, l->program, l->job, &size, &err);
	if (r < 0) {
		free(l);
		if (r == -ENOENT)
			answer_text(q, 404, "There is no such log.\n");
		else
			answer_error(s, q, &err);
		return;
	}
	/* A log that was kept is never written again. */
	snprintf(tag, sizeof(tag), "\"%" PRId64 "-%u-%u-%" PRIu64 "\"", l->run, l->program,
		 l->job, size);
	http_set(q, "Content-Type", str_of(WEB_PAGES[page->id].type));
	http_set(q, "ETag", str_of(tag));
	http_set(q, "Accept-Ranges", STR("bytes"));
	http_set(q, "Cache-Control", STR("no-cache"));
	if (has_tag(http_header(q, "If-None-Match"), tag)) {
		free(l);
		http_reply(q, 304, STR(""));
		return;
	}
	answer_range(q, l, size);
}

/* ---- a page ---- */

static void answer_page(struct http_request *q, const struct pages_page *page)
{
	bool forever = page->id == WEB_STYLE || page->id == WEB_SCRIPT;

	http_set(q, "Content-Type", str_of(WEB_PAGES[page->id].type));
	http_set(q, "ETag", str_of(page->tag));
	http_set(q, "Vary", STR("Accept-Encoding"));
	/* What has its hash in the name is never another; the rest is asked for again
	 * each time, and answered with 304. */
	http_set(q, "Cache-Control", forever ? STR("public, max-age=31536000, immutable")
					     : STR("no-cache"));
	if (has_tag(http_header(q, "If-None-Match"), page->tag)) {
		http_reply(q, 304, STR(""));
		return;
	}
	if (page->encoding)
		http_set(q, "Content-Encoding", str_of(ENCODE_NAMES[page->encoding]));
	http_reply(q, 200, page->body);
}

static void on_request(void *ctx, struct http_request *q)
{
	struct serve *s = ctx;
	enum http_method method = http_method(q);
	struct pages_page page;
	struct err err = {};
	int r;

	if (method == HTTP_POST && s->push && str_eq(http_path(q), STR(PUSH_PATH))) {
		push_request(s->push, q);
		return;
	}
	if (method != HTTP_GET && method != HTTP_HEAD) {
		http_set(q, "Allow", STR("GET, HEAD"));
		answer_text(q, 405, "Only GET and HEAD are answered here.\n");
		return;
	}
	r = pages_get(s->pages, http_path(q), encode_choose(http_header(q, "Accept-Encoding")),
		      &page, &err);
	if (r < 0)
		answer_error(s, q, &err);
	else if (r == 0)
		answer_text(q, 404, "There is no such page.\n");
	else if (page.id == WEB_LOG_RAW || page.id == WEB_CONSOLE_RAW)
		answer_log(s, q, &page);
	else
		answer_page(q, &page);
}

static void on_stopped(void *ctx)
{
	struct serve *s = ctx;

	s->stopped(s->ctx);
}

static const struct http_handler HANDLER = { .request = on_request, .stopped = on_stopped };

static int open_all(struct serve *s, const struct serve_config *config, struct err *err)
{
	int r = 0;

	s->n_listen = (unsigned)listen_passed(s->listen, SERVE_LISTEN_MAX);
	for (unsigned i = 0; config->listen && config->listen[i]; i++) {
		if (s->n_listen == SERVE_LISTEN_MAX)
			return err_set(err, E2BIG, "more than %d addresses to listen on",
				       SERVE_LISTEN_MAX);
		r = listen_open(config->listen[i], &s->listen[s->n_listen], err);
		if (r < 0)
			return r;
		s->n_listen++;
	}
	for (unsigned i = 0; r == 0 && i < s->n_listen; i++)
		r = http_listen(s->http, s->listen[i].fd, err);
	return r;
}

int serve_new(struct loop *loop, const struct log *log, const struct serve_config *config,
	      void (*stopped)(void *), void *ctx, struct serve **ret, struct err *err)
{
	struct serve *s = xcalloc(1, sizeof(*s));
	int r;

	*s = (struct serve){ .log = log, .store = config->store, .push = config->push,
			     .stopped = stopped, .ctx = ctx };
	s->pages = pages_new(config->store, config->version, config->window);
	s->http = http_new(loop, log, &HANDLER, s);
	r = open_all(s, config, err);
	if (r < 0) {
		serve_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

const char *serve_url(const struct serve *s, unsigned i)
{
	return i < s->n_listen ? s->listen[i].url : NULL;
}

void serve_stop(struct serve *s)
{
	http_stop(s->http);
}

struct serve *serve_free(struct serve *s)
{
	if (!s)
		return NULL;
	http_free(s->http);
	pages_free(s->pages);
	for (unsigned i = 0; i < s->n_listen; i++)
		listen_done(&s->listen[i]);
	free(s);
	return NULL;
}
