/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "serve/refuse.h"
#include "serve/http.h"
#include "serve/listen.h"
#include "serve/live.h"
#include "serve/logs.h"
#include "serve/metrics.h"
#include "serve/pages.h"
#include "serve/push.h"

#define PATH_MAX_BYTES 1024 /* of an address, decoded, as web_route() takes it */
#define LOOK_MS 1000

struct serve {
	const struct log *log;
	struct store *store;
	struct pages *pages;
	struct push *push;
	struct http_server *http;
	struct live *live;
	struct logs *logs;
	struct loop_watch *look;
	struct listen listen[SERVE_LISTEN_MAX];
	unsigned n_listen;
	void (*stopped)(void *ctx);
	void *ctx;
};

/* ---- a page ---- */

static void answer_error(struct serve *s, struct http_request *q, const struct err *err)
{
	/* The reason is for who runs the server: it may name files. */
	log_warn(s->log, "%s", err->text);
	refuse_answer(pages_site(s->pages), q, 500, NULL);
}

/* Relative: the site may be anywhere below a proxy's address. */
static void answer_moved(struct http_request *q, const struct pages_page *page)
{
	_cleanup_(buf_done) struct buf b = {};

	for (unsigned i = http_depth(q); i > 0; i--)
		buf_add(&b, "../", 3);
	buf_add_str(&b, page->moved);
	http_set(q, "Location", buf_str(&b));
	http_set(q, "Cache-Control", STR("no-cache"));
	http_reply(q, 301, STR(""));
}

static void answer_page(struct http_request *q, const struct pages_page *page)
{
	bool forever = page->id == WEB_STYLE || page->id == WEB_SCRIPT ||
		       page->id == WEB_LIVE_SCRIPT;
	char age[24];

	http_set(q, "Content-Type", str_of(WEB_PAGES[page->id].type));
	http_set(q, "ETag", str_of(page->tag));
	http_set(q, "Vary", STR("Accept-Encoding"));
	/* What has its hash in the name is never another; the rest is asked for again
	 * each time, and answered with 304. */
	http_set(q, "Cache-Control", forever ? STR("public, max-age=31536000, immutable")
					     : STR("no-cache"));
	if (page->age_s && !forever) {
		snprintf(age, sizeof(age), "%" PRId64, page->age_s);
		http_set(q, "Age", str_of(age));
	}
	if (http_has_tag(q, page->tag)) {
		http_reply(q, 304, STR(""));
		return;
	}
	if (page->encoding)
		http_set(q, "Content-Encoding", str_of(ENCODE_NAMES[page->encoding]));
	http_reply(q, 200, page->body);
}

static void answer_log(struct serve *s, struct http_request *q, const struct pages_page *page)
{
	struct err err = {};
	int r = logs_answer(s->logs, q, page, &err);

	if (r < 0)
		answer_error(s, q, &err);
	else if (r > 0)
		refuse_answer(pages_site(s->pages), q, r, NULL);
}

/* Of the history, and of the server as it is now. */
static void answer_metrics(struct serve *s, struct http_request *q, const struct pages_page *page)
{
	enum encoding encoding = encode_choose(http_header(q, "Accept-Encoding"));
	_cleanup_(buf_done) struct buf b = {}, small = {};

	metrics_write(page->body, s->http, s->pages, live_clients(s->live), logs_stats(s->logs),
		      &b);
	http_set(q, "Content-Type", str_of(WEB_PAGES[page->id].type));
	http_set(q, "Cache-Control", STR("no-store"));
	http_set(q, "Vary", STR("Accept-Encoding"));
	if (encoding && encode(encoding, buf_str(&b), &small))
		http_set(q, "Content-Encoding", str_of(ENCODE_NAMES[encoding]));
	http_reply(q, 200, buf_str(small.n ? &small : &b));
}

static void answer_found(struct serve *s, struct http_request *q, const struct pages_page *page)
{
	http_label(q, METRICS_PAGE + page->id);
	if (page->moved.n)
		answer_moved(q, page);
	else if (page->id == WEB_LOG_RAW || page->id == WEB_CONSOLE_RAW)
		answer_log(s, q, page);
	else if (page->id == WEB_METRICS)
		answer_metrics(s, q, page);
	else
		answer_page(q, page);
}

/* A run that begins is followed as soon as its page is there. */
static void answer_live(struct serve *s, struct http_request *q, int64_t run)
{
	int r;

	http_label(q, METRICS_LIVE);
	pages_refresh(s->pages);
	r = live_answer(s->live, q, pages_site(s->pages), run);
	if (r)
		refuse_answer(pages_site(s->pages), q, r, NULL);
}

static void answer_get(struct serve *s, struct http_request *q)
{
	struct pages_page page;
	struct err err = {};
	int64_t run;
	int r;

	if (live_is(http_path(q), &run)) {
		answer_live(s, q, run);
		return;
	}
	if (http_path(q).n > PATH_MAX_BYTES || http_query(q).n > WEB_QUERY_MAX) {
		refuse_answer(pages_site(s->pages), q, 414, NULL);
		return;
	}
	/* Metrics are put together from what is plain. */
	r = pages_get(s->pages, http_path(q), http_query(q),
		      str_eq(http_path(q), STR("metrics")) ? ENCODE_NONE :
		      encode_choose(http_header(q, "Accept-Encoding")), &page, &err);
	if (r == PAGES_FOUND)
		answer_found(s, q, &page);
	else if (r == -EINVAL)
		refuse_answer(pages_site(s->pages), q, 400, err.text);
	else if (r < 0)
		answer_error(s, q, &err);
	else
		refuse_answer(pages_site(s->pages), q, r == PAGES_GONE ? 410 : 404,
			      r == PAGES_NONE && err.text[0] ? err.text : NULL);
}

static void on_request(void *ctx, struct http_request *q)
{
	struct serve *s = ctx;
	enum http_method method = http_method(q);
	bool pushes = s->push && str_eq(http_path(q), STR(PUSH_PATH));

	if (method == HTTP_POST && pushes) {
		http_label(q, METRICS_PUSH);
		push_request(s->push, q);
	} else if (method == HTTP_GET || method == HTTP_HEAD) {
		answer_get(s, q);
	} else {
		http_set(q, "Allow", pushes ? STR("GET, HEAD, POST") : STR("GET, HEAD"));
		refuse_answer(pages_site(s->pages), q, 405, NULL);
	}
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

/* So that what nobody asks for is judged by the time that somebody does. */
static void on_look(void *ctx)
{
	struct serve *s = ctx;

	uint64_t state = pages_refresh(s->pages);

	live_look(s->live, pages_site(s->pages), state);
	loop_timer_set(s->look, LOOK_MS);
}

int serve_new(struct loop *loop, const struct log *log, const struct serve_config *config,
	      void (*stopped)(void *), void *ctx, struct serve **ret, struct err *err)
{
	struct serve *s = xcalloc(1, sizeof(*s));
	int r;

	*s = (struct serve){ .log = log, .store = config->store, .push = config->push,
			     .stopped = stopped, .ctx = ctx };
	const struct pages_config pages = {
		.store = config->store, .url = config->url, .version = config->version,
		.window = config->window, .rules = config->rules, .loop = loop, .log = log,
	};
	r = pages_new(&pages, &s->pages, err);
	s->http = http_new(loop, log, config->idle_s, &HANDLER, s);
	s->live = live_new(config->store, log);
	s->logs = logs_new(config->store, log);
	s->look = loop_timer(loop, on_look, s);
	if (r == 0)
		r = open_all(s, config, err);
	if (r < 0) {
		serve_free(s);
		return r;
	}
	loop_timer_set(s->look, LOOK_MS);
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
	live_stop(s->live);
}

struct serve *serve_free(struct serve *s)
{
	if (!s)
		return NULL;
	http_free(s->http);
	live_free(s->live);
	logs_free(s->logs);
	loop_unwatch(s->look);
	pages_free(s->pages);
	for (unsigned i = 0; i < s->n_listen; i++)
		listen_done(&s->listen[i]);
	free(s);
	return NULL;
}
