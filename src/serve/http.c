/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/http.h"

#include <dirent.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop-event.h"
#include "base/mem.h"

#define LISTENERS_MAX 8
#define BACKLOG_MS    200 /* until accept() is tried again */
#define WRITE_MAX     ((size_t)1 << 20) /* bytes that are offered to the kernel at once */

static const struct {
	const char *name, *value;
} HEADERS[] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
	  "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
};

struct http_server {
	struct loop *loop;
	const struct log *log;
	const struct http_handler *handler;
	void *ctx;
	struct evhttp *http;
	struct evconnlistener *listeners[LISTENERS_MAX];
	unsigned n_listeners;
	struct loop_watch *again, *stop;
	unsigned n_open; /* requests whose answer is not sent */
	bool stopping, told_full;
	unsigned idle_s;
	struct http_stats stats;
};

struct http_request {
	struct http_server *server;
	struct evhttp_request *q;
	char *path;      /* decoded */
	size_t path_n;
	unsigned label;
	/* of a reply in pieces */
	http_more_fn more;
	void (*done)(void *ctx);
	void *ctx;
	bool later;      /* waits for http_stream_wake() */
};

static struct str text(const char *s)
{
	return s ? str_of(s) : STR("");
}

/* ---- one request ---- */

static void request_free(struct http_request *r)
{
	struct http_server *s = r->server;

	if (r->done)
		r->done(r->ctx);
	s->n_open--;
	free(r->path);
	free(r);
	if (s->stopping && !s->n_open && s->handler)
		loop_timer_set(s->stop, 0);
}

enum http_method http_method(const struct http_request *r)
{
	switch (evhttp_request_get_command(r->q)) {
	case EVHTTP_REQ_GET:
		return HTTP_GET;
	case EVHTTP_REQ_HEAD:
		return HTTP_HEAD;
	case EVHTTP_REQ_POST:
		return HTTP_POST;
	default:
		return HTTP_OTHER;
	}
}

struct str http_path(const struct http_request *r)
{
	return str_n(r->path, r->path_n);
}

unsigned http_depth(const struct http_request *r)
{
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(r->q));
	unsigned n = 0;

	for (path = path && *path ? path + 1 : ""; *path; path++)
		n += *path == '/';
	return n;
}

struct str http_query(const struct http_request *r)
{
	return text(evhttp_uri_get_query(evhttp_request_get_evhttp_uri(r->q)));
}

struct str http_header(const struct http_request *r, const char *name)
{
	return text(evhttp_find_header(evhttp_request_get_input_headers(r->q), name));
}

struct str http_body(struct http_request *r)
{
	struct evbuffer *b = evhttp_request_get_input_buffer(r->q);
	size_t n = evbuffer_get_length(b);

	return str_n(n ? (const char *)evbuffer_pullup(b, -1) : "", n);
}

bool http_has_tag(const struct http_request *r, const char *tag)
{
	for (struct str list = http_header(r, "If-None-Match"); list.p;) {
		struct str one = str_trim(str_cut(&list, ','));

		if (str_starts(one, STR("W/")))
			one = str_from(one, 2);
		if (str_eq(one, STR("*")) || str_eq(one, str_of(tag)))
			return true;
	}
	return false;
}

void http_set(struct http_request *r, const char *name, struct str value)
{
	_free_ char *copy = xstrndup(value.p ? value.p : "", value.n);

	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f)
			return;
	evhttp_add_header(evhttp_request_get_output_headers(r->q), name, copy);
}

void http_label(struct http_request *r, unsigned label)
{
	r->label = label;
}

const struct http_stats *http_stats(const struct http_server *s)
{
	return &s->stats;
}

static void headers(struct http_request *r, int status, int64_t length)
{
	char number[24];

	r->server->stats.answers[r->label][status / 100]++;
	for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++)
		http_set(r, HEADERS[i].name, str_of(HEADERS[i].value));
	if (r->server->stopping)
		http_set(r, "Connection", STR("close"));
	if (length < 0)
		return;
	snprintf(number, sizeof(number), "%" PRId64, length);
	http_set(r, "Content-Length", str_of(number));
}

void http_reply(struct http_request *r, int status, struct str body)
{
	bool bare = http_method(r) == HTTP_HEAD || status == 304;
	struct evbuffer *b = evhttp_request_get_output_buffer(r->q);

	headers(r, status, status == 304 ? -1 : (int64_t)body.n);
	if (!bare)
		evbuffer_add(b, body.p, body.n);
	evhttp_send_reply(r->q, status, NULL, NULL);
}

/* ---- a reply in pieces ---- */

/* One who takes an answer as it comes has nothing to say meanwhile: only one that
 * takes nothing is closed. */
static void only_writes(struct http_request *r, bool only)
{
	const struct timeval idle = { .tv_sec = r->server->idle_s };
	struct evhttp_connection *c = evhttp_request_get_connection(r->q);

	if (c)
		bufferevent_set_timeouts(evhttp_connection_get_bufferevent(c),
					 only ? NULL : &idle, &idle);
}

static void stream_more(struct evhttp_connection *c, void *ctx)
{
	struct http_request *r = ctx;
	_cleanup_(buf_done) struct buf piece = {};
	struct evbuffer *b;
	int n = r->more(r->ctx, &piece);

	if (n == 0) {
		evhttp_send_reply_end(r->q);
		return;
	}
	r->later = n == HTTP_LATER;
	if (r->later)
		return;
	if (n < 0) {
		http_stream_close(r);
		return;
	}
	b = evbuffer_new();
	evbuffer_add(b, piece.p, piece.n);
	evhttp_send_reply_chunk_with_cb(r->q, b, stream_more, r);
	evbuffer_free(b);
}

void http_reply_stream(struct http_request *r, int status, int64_t length, http_more_fn more,
		       void (*done)(void *), void *ctx)
{
	r->done = done;
	r->ctx = ctx;
	headers(r, status, length);
	if (http_method(r) == HTTP_HEAD) {
		evhttp_send_reply(r->q, status, NULL, NULL);
		return;
	}
	r->more = more;
	only_writes(r, true);
	evhttp_send_reply_start(r->q, status, NULL);
	stream_more(evhttp_request_get_connection(r->q), r);
}

void http_stream_wake(struct http_request *r)
{
	if (!r->later)
		return;
	r->later = false;
	stream_more(evhttp_request_get_connection(r->q), r);
}

size_t http_stream_left(const struct http_request *r)
{
	struct evhttp_connection *c = evhttp_request_get_connection(r->q);
	struct bufferevent *b = c ? evhttp_connection_get_bufferevent(c) : NULL;

	return b ? evbuffer_get_length(bufferevent_get_output(b)) : 0;
}

void http_stream_close(struct http_request *r)
{
	evhttp_connection_free(evhttp_request_get_connection(r->q)); /* tells on_closed() */
}

/* ---- the server ---- */

/* The client went away before all of it was sent. */
static void on_closed(struct evhttp_connection *c, void *ctx)
{
	struct http_request *r = ctx;

	/* One that was not answered to its end is no longer evhttp's. */
	if (!evhttp_request_get_connection(r->q))
		evhttp_request_free(r->q);
	request_free(r);
}

static void on_sent(struct evhttp_request *q, void *ctx)
{
	struct http_request *r = ctx;

	evhttp_connection_set_closecb(evhttp_request_get_connection(q), NULL, NULL);
	if (r->more)
		only_writes(r, false);
	request_free(r);
}

static void on_request(struct evhttp_request *q, void *ctx)
{
	struct http_server *s = ctx;
	struct http_request *r = xcalloc(1, sizeof(*r));
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(q));

	r->server = s;
	r->q = q;
	r->path = path ? evhttp_uridecode(path, 0, &r->path_n) : NULL;
	if (!r->path)
		r->path = xstrdup(""), r->path_n = 0;
	if (r->path_n && r->path[0] == '/')
		memmove(r->path, r->path + 1, r->path_n--);
	s->n_open++;
	evhttp_connection_set_closecb(evhttp_request_get_connection(q), on_closed, r);
	evhttp_request_set_on_complete_cb(q, on_sent, r);
	s->handler->request(s->ctx, r);
}

static void accept_again(void *ctx)
{
	struct http_server *s = ctx;

	for (unsigned i = 0; i < s->n_listeners; i++)
		evconnlistener_enable(s->listeners[i]);
}

/* Without a descriptor left accept() would be tried, in vain, all the time. */
static void on_accept_error(struct evconnlistener *l, void *ctx)
{
	struct http_server *s = ctx;

	if (!s->told_full)
		log_warn(s->log, "no more connections can be taken: %s; raise the limit of open "
				 "files (ulimit -n, LimitNOFILE=)", strerror(errno));
	s->told_full = true;
	for (unsigned i = 0; i < s->n_listeners; i++)
		evconnlistener_disable(s->listeners[i]);
	loop_timer_set(s->again, BACKLOG_MS);
}

/* ---- how many there are ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static bool local(int fd, union address *ret)
{
	socklen_t n = sizeof(*ret);

	*ret = (union address){};
	return getsockname(fd, &ret->any, &n) == 0;
}

/* Where it listens may be every address: the port says it. */
static bool is_of(const union address *a, const union address *listening)
{
	if (a->any.sa_family != listening->any.sa_family)
		return false;
	switch (a->any.sa_family) {
	case AF_INET: return a->in.sin_port == listening->in.sin_port;
	case AF_INET6: return a->in6.sin6_port == listening->in6.sin6_port;
	case AF_UNIX: return strncmp(a->un.sun_path, listening->un.sun_path,
				     sizeof(a->un.sun_path)) == 0;
	default: return false;
	}
}

/* evhttp does not tell of a connection before it has asked for something. */
unsigned http_connections(const struct http_server *s)
{
	union address listening[LISTENERS_MAX], a;
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_listeners; i++)
		local(evconnlistener_get_fd(s->listeners[i]), &listening[i]);
	while (d && (e = readdir(d))) {
		uint64_t number;
		int fd;

		if (!str_to_u64(str_of(e->d_name), &number))
			continue;
		fd = (int)number;
		if (!local(fd, &a))
			continue;
		for (unsigned i = 0; i < s->n_listeners; i++)
			if (fd != evconnlistener_get_fd(s->listeners[i]) &&
			    is_of(&a, &listening[i])) {
				n++;
				break;
			}
	}
	if (d)
		closedir(d);
	return n;
}

static void on_stop(void *ctx)
{
	struct http_server *s = ctx;

	s->handler->stopped(s->ctx);
}

/* As evhttp makes its own, but a page goes to the kernel at once, not in 16 KiB. */
static struct bufferevent *connection(struct event_base *base, void *ctx)
{
	struct bufferevent *b = bufferevent_socket_new(base, -1, 0);

	(void)ctx;
	if (b)
		bufferevent_set_max_single_write(b, WRITE_MAX);
	return b;
}

struct http_server *http_new(struct loop *loop, const struct log *log, unsigned idle_s,
			     const struct http_handler *handler, void *ctx)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	*s = (struct http_server){ .loop = loop, .log = log, .handler = handler, .ctx = ctx,
				    .idle_s = idle_s ? idle_s : HTTP_IDLE_S };
	s->http = evhttp_new(loop_event_base(loop));
	if (!s->http)
		abort(); /* out of memory */
	evhttp_set_max_headers_size(s->http, HTTP_HEAD_MAX);
	evhttp_set_max_body_size(s->http, HTTP_BODY_MAX);
	evhttp_set_timeout(s->http, (int)s->idle_s);
	evhttp_set_bevcb(s->http, connection, NULL);
	/* All that evhttp knows, so that the handler may say what is allowed. */
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
				   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
				   EVHTTP_REQ_PATCH);
	evhttp_set_gencb(s->http, on_request, s);
	s->again = loop_timer(loop, accept_again, s);
	s->stop = loop_timer(loop, on_stop, s);
	return s;
}

int http_listen(struct http_server *s, int fd, struct err *err)
{
	struct evconnlistener *l;

	if (s->n_listeners == LISTENERS_MAX) {
		close(fd);
		return err_set(err, E2BIG, "more than %d addresses to listen on", LISTENERS_MAX);
	}
	l = evconnlistener_new(loop_event_base(s->loop), NULL, NULL,
			       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!l || !evhttp_bind_listener(s->http, l)) {
		if (l)
			evconnlistener_free(l);
		else
			close(fd);
		return err_set(err, ENOMEM, "no memory for a listening socket");
	}
	evconnlistener_set_error_cb(l, on_accept_error);
	s->listeners[s->n_listeners++] = l;
	return 0;
}

void http_stop(struct http_server *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->again = loop_unwatch(s->again);
	for (unsigned i = 0; i < s->n_listeners; i++)
		evconnlistener_disable(s->listeners[i]);
	loop_timer_set(s->stop, s->n_open ? HTTP_STOP_MS : 0);
}

struct http_server *http_free(struct http_server *s)
{
	if (!s)
		return NULL;
	s->handler = NULL;
	evhttp_free(s->http);
	loop_unwatch(s->again);
	loop_unwatch(s->stop);
	free(s);
	return NULL;
}
