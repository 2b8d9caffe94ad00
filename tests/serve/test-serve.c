/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server, spoken to over real sockets by a client that is not as polite as a
 * browser. The server is a child; it is told to stop, and must end by itself.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "seed.h"
#include "serve/http.h"
#include "serve/listen.h"
#include "serve/push.h"
#include "serve/serve.h"
#include "serve/tokens.h"
#include "server.h"
#include "tap.h"

#define WAIT_MS 60000 /* far more than it takes: a hang fails, a slow machine doesn't */
#define SLOW    500   /* connections that say nothing */

struct bench {
	struct tap *t;
	struct server s;
	struct buf reply;
};

/* ---- the client ---- */

/* All that comes until the other end closes, or until @enough is in it. */
static void hear(struct bench *b, int fd, const char *enough)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char piece[65536];
	ssize_t n;

	while (poll(&p, 1, WAIT_MS) > 0 && (n = read(fd, piece, sizeof(piece))) > 0) {
		buf_add(&b->reply, piece, (size_t)n);
		if (enough && strstr(b->reply.p, enough))
			return;
	}
}

static const char *ask(struct bench *b, struct str bytes)
{
	int fd = server_dial(&b->s);
	size_t at = 0;

	buf_clear(&b->reply);
	buf_add(&b->reply, "", 0);
	while (fd >= 0 && at < bytes.n) {
		ssize_t n = send(fd, bytes.p + at, bytes.n - at, MSG_NOSIGNAL);

		if (n <= 0)
			break; /* it said no before it heard all: read why */
		at += (size_t)n;
	}
	if (fd >= 0) {
		hear(b, fd, NULL);
		close(fd);
	}
	return b->reply.p ? b->reply.p : "";
}

#define GET(path, headers)                                                                  \
	"GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" headers "\r\n"

/* Each line of @want is in the reply's head, or with "!" is not. */
static const struct {
	const char *name, *request, *want;
} ROWS[] = {
	{ "the first page", GET("/", ""),
	  "HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8\nETag: \"\n"
	  "Content-Security-Policy: default-src 'none'\nX-Content-Type-Options: nosniff\n"
	  "Referrer-Policy: no-referrer\nCache-Control: no-cache\nVary: Accept-Encoding" },
	{ "a run", GET("/run/1.html", ""), "HTTP/1.1 200 " },
	{ "encoded by zstd", GET("/", "Accept-Encoding: gzip, zstd\r\n"),
	  "HTTP/1.1 200 \nContent-Encoding: zstd" },
	{ "encoded by gzip", GET("/", "Accept-Encoding: gzip\r\n"), "Content-Encoding: gzip" },
	{ "metrics too are encoded", GET("/metrics", "Accept-Encoding: gzip\r\n"),
	  "HTTP/1.1 200 \nContent-Encoding: gzip\nVary: Accept-Encoding\nno-store" },
	{ "not encoded", GET("/", ""), "HTTP/1.1 200 \n!Content-Encoding" },
	{ "in a query it may say anything", GET("/?a=%00'\"<b>", ""), "HTTP/1.1 200 " },
	{ "a view", GET("/flakes.html?branch=export&sort=name", ""), "HTTP/1.1 200 \nETag: " },
	{ "a view that can't be", GET("/flakes.html?sort=size", ""),
	  "HTTP/1.1 400 \nContent-Type: text/html; charset=utf-8\n"
	  "Cache-Control: no-store" },
	{ "what a page does not take is nothing to it", GET("/runs.html?sort=size", ""),
	  "HTTP/1.1 200 " },
	{ "what is a file's name among files is a query here",
	  GET("/runs/before-3.html?mode=m", ""),
	  "HTTP/1.1 301 \nLocation: ../runs.html?mode=m&before=3" },
	{ "a page as one types it", GET("/flakes?sort=flips", ""),
	  "HTTP/1.1 301 \nLocation: flakes.html?sort=flips" },
	{ "one below a directory", GET("/run/1", ""), "HTTP/1.1 301 \nLocation: ../run/1.html" },
	{ "no such page", GET("/nowhere", ""), "HTTP/1.1 404 \nContent-Type: text/html" },
	{ "no such run", GET("/run/99999.html", ""), "HTTP/1.1 404 " },
	{ "no such log", GET("/run/99999/log-1.txt", ""), "HTTP/1.1 404 " },
	{ "up and out", GET("/../../../../etc/passwd", ""), "HTTP/1.1 404 " },
	{ "up and out, encoded", GET("/%2e%2e/%2e%2e/etc/passwd", ""), "HTTP/1.1 404 " },
	{ "up and out, other slashes", GET("/..\\..\\etc\\passwd", ""), "HTTP/1.1 4" },
	{ "a NUL in the path", GET("/run/1.html%00.txt", ""), "HTTP/1.1 404 " },
	{ "a header in the path", GET("/%0d%0aX-Mine:%20yes", ""), "HTTP/1.1 404 \n!X-Mine" },
	{ "bytes that are no UTF-8", GET("/%ff%fe", ""), "HTTP/1.1 404 " },
	{ "POST", "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	  "HTTP/1.1 405 \nAllow: GET, HEAD" },
	{ "DELETE", "DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	  "HTTP/1.1 405 \nAllow: GET, HEAD" },
	{ "a method that is none", "BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	  "HTTP/1.1 501 " },
	{ "no HTTP", "hello\r\n\r\n", "!HTTP/1.1 200" },
	{ "HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 " },
	{ "a length below zero", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
	  "HTTP/1.1 400 " },
	{ "a body that is too long", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
	  "99999999999\r\n\r\n", "HTTP/1.1 413 " },
	{ "a log", GET("/run/1/log-1.txt", ""),
	  "HTTP/1.1 200 \nContent-Type: text/plain; charset=utf-8\nAccept-Ranges: bytes" },
	{ "its first ten bytes", GET("/run/1/log-1.txt", "Range: bytes=0-9\r\n"),
	  "HTTP/1.1 206 \nContent-Range: bytes 0-9/\nContent-Length: 10" },
	{ "beyond its end", GET("/run/1/log-1.txt", "Range: bytes=99999999-\r\n"),
	  "HTTP/1.1 416 \nContent-Range: bytes */" },
	{ "a range of a page is the page", GET("/", "Range: bytes=0-9\r\n"), "HTTP/1.1 200 " },
};

static bool head_is(struct str head, const char *want)
{
	for (struct str line, rest = str_of(want); rest.p;) {
		line = str_cut(&rest, '\n');
		if (line.p[0] == '!' ? str_find(head, str_from(line, 1)) >= 0
				     : str_find(head, line) < 0)
			return false;
	}
	return true;
}

static void test_rows(struct bench *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct str reply = str_of(ask(b, str_of(ROWS[i].request)));
		ptrdiff_t end = str_find(reply, STR("\r\n\r\n"));
		struct str head = end < 0 ? reply : str_n(reply.p, (size_t)end);

		if (!ok(b->t, head_is(head, ROWS[i].want), "%s", ROWS[i].name))
			printf("# %.*s\n", (int)strcspn(head.p, "\r"), head.p);
	}
}

/* What stands in the page too: what links lead to, and that nothing came in raw. */
static const struct {
	const char *name, *request, *want;
} BODIES[] = {
	{ "an error's links lead to the site from where it is", GET("/a/b/c", ""),
	  "href=\"../../flakes.html\"\n<h1>No such page</h1>\n!aria-current" },
	{ "what can't be is named, and escaped", GET("/flakes.html?sort=%3Cb%3E\"<i>", ""),
	  "can&#39;t be\n!<i>\n!<b>" },
	{ "runs of one mode", GET("/runs.html?mode=nothing", ""), "No run fits" },
	{ "errors of the API are JSON", GET("/api/v1/nowhere", ""),
	  "Content-Type: application/json\n{\"error\":\"" },
};

static void test_bodies(struct bench *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(BODIES); i++)
		if (!ok(b->t, head_is(str_of(ask(b, str_of(BODIES[i].request))), BODIES[i].want),
			"%s", BODIES[i].name))
			printf("# %.300s\n", b->reply.p);
}

static void test_tags(struct bench *b)
{
	const char *tag, *end;
	_free_ char *request = NULL, *other = NULL;

	tag = strstr(ask(b, STR(GET("/", ""))), "ETag: ");
	end = tag ? strstr(tag, "\r\n") : NULL;
	if (!ok(b->t, end != NULL, "a page has a tag"))
		return;
	request = xasprintf("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: "
			    "\"old\", W/%.*s\r\n\r\n", (int)(end - tag - 6), tag + 6);
	other = xstrdup(ask(b, str_of(request)));
	ok(b->t, strncmp(other, "HTTP/1.1 304 ", 13) == 0, "by which it is not sent again");
	ok(b->t, strcmp(strstr(other, "\r\n\r\n"), "\r\n\r\n") == 0, "- and nothing is behind it");
	ask(b, STR(GET("/", "If-None-Match: \"old\"\r\n")));
	ok(b->t, strncmp(b->reply.p, "HTTP/1.1 200 ", 13) == 0, "by another it is");
	ask(b, STR("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
	ok(b->t, strncmp(b->reply.p, "HTTP/1.1 200 ", 13) == 0 &&
		 strstr(b->reply.p, "Content-Length: ") &&
		 !strstr(b->reply.p, "Content-Length: 0") &&
		 strcmp(strstr(b->reply.p, "\r\n\r\n"), "\r\n\r\n") == 0,
	   "HEAD: the length, and no body");
}

/* The parts put together are the whole. */
static void test_ranges(struct bench *b)
{
	_cleanup_(buf_done) struct buf whole = {}, parts = {};
	const char *body = strstr(ask(b, STR(GET("/run/1/log-1.txt", ""))), "\r\n\r\n");

	if (body)
		buf_add(&whole, body + 4, b->reply.n - (size_t)(body + 4 - b->reply.p));
	/* Odd, so that they begin and end anywhere. */
	for (size_t at = 0, step = whole.n / 40 | 1; at < whole.n; at += step) {
		_free_ char *q = xasprintf("GET /run/1/log-1.txt HTTP/1.1\r\nHost: x\r\n"
					   "Connection: close\r\nRange: bytes=%zu-%zu\r\n\r\n",
					   at, at + step - 1);

		body = strstr(ask(b, str_of(q)), "\r\n\r\n");
		if (body)
			buf_add(&parts, body + 4, b->reply.n - (size_t)(body + 4 - b->reply.p));
	}
	ok(b->t, whole.n > 100 && str_eq(buf_str(&whole), buf_str(&parts)),
	   "a log of %zu bytes in parts", whole.n);
}

static void test_limits(struct bench *b)
{
	_cleanup_(buf_done) struct buf q = {};

	buf_printf(&q, "GET /");
	for (unsigned i = 0; i < 2 * HTTP_HEAD_MAX; i++)
		buf_add(&q, "a", 1);
	buf_printf(&q, " HTTP/1.1\r\nHost: x\r\n\r\n");
	ask(b, buf_str(&q));
	ok(b->t, strncmp(b->reply.p, "HTTP/1.1 4", 10) == 0, "a giant URL");
	buf_clear(&q);
	buf_printf(&q, "GET /%02000d?%04000d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0,
		   0);
	ask(b, buf_str(&q));
	ok(b->t, strncmp(b->reply.p, "HTTP/1.1 414 ", 13) == 0 && strstr(b->reply.p, "<h1>"),
	   "one that leads nowhere");
	buf_clear(&q);
	buf_printf(&q, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&q, "X-%u: y\r\n", i);
	buf_printf(&q, "\r\n");
	ask(b, buf_str(&q));
	ok(b->t, strncmp(b->reply.p, "HTTP/1.1 4", 10) == 0, "5,000 headers");
	buf_clear(&q);
	for (unsigned i = 0; i < 50; i++)
		buf_printf(&q, "GET /run/1.html HTTP/1.1\r\nHost: x\r\n%s\r\n",
			   i == 49 ? "Connection: close\r\n" : "");
	ask(b, buf_str(&q));
	for (size_t i = 0, n = 0; i <= b->reply.n; i++) {
		n += strncmp(b->reply.p + i, "HTTP/1.1 200 ", 13) == 0;
		if (i == b->reply.n)
			is_int(b->t, (int64_t)n, 50, "50 requests in one breath");
	}
}

static void test_slow(struct bench *b)
{
	int fd[SLOW];
	unsigned open = 0;

	for (unsigned i = 0; i < SLOW; i++) {
		fd[i] = server_dial(&b->s);
		if (fd[i] >= 0 && send(fd[i], "GET / HT", 8, MSG_NOSIGNAL) == 8)
			open++;
	}
	is_int(b->t, open, SLOW, "clients that say half a request");
	ask(b, STR(GET("/run/1.html", "")));
	ok(b->t, strncmp(b->reply.p, "HTTP/1.1 200 ", 13) == 0, "- keep nobody waiting");
	/* One that asked for a log and does not take it, nor the rest of its life. */
	send(fd[0], "TP/1.1\r\nHost: x\r\n\r\n", 20, MSG_NOSIGNAL);
	buf_clear(&b->reply);
	hear(b, fd[0], "</html>");
	ok(b->t, b->reply.p && strstr(b->reply.p, "</html>"), "- and may say the rest later");
	for (unsigned i = 0; i < SLOW; i++)
		closep(&fd[i]);
}

/* ---- pushed runs ---- */

#define RUN(id, branch)                                                                     \
	"{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"" id    \
	"\",\"branch\":\"" branch "\",\"time_ms\":1764000000000}\n"                            \
	"{\"event\":\"job-begin\",\"job\":1,\"mode\":\"normal\"}\n"                            \
	"{\"event\":\"program-begin\",\"job\":1,\"program\":1,\"suite\":\"s\",\"name\":\"p\"}\n"  \
	"{\"event\":\"log\",\"job\":1,\"program\":1,\"data\":\"aGVsbG8K\"}\n"                  \
	"{\"event\":\"program-end\",\"program\":1,\"status\":\"pass\",\"exit\":0}\n"            \
	"{\"event\":\"job-end\",\"job\":1}\n"

#define REPORT(id, branch, end)                                                             \
	"{\"programs\":[{\"suite\":\"s\",\"name\":\"p\",\"job\":1,\"status\":\"pass\","         \
	"\"results\":[{\"path\":[\"r\"],\"key\":\"r\",\"status\":\"pass\",\"leaf\":true}]}]," \
	"\"jobs\":[{\"job\":1,\"mode\":\"normal\"}],\"run\":{\"id\":\"" id "\","                \
	"\"branch\":\"" branch "\",\"begin\":\"2025-11-24T16:00:00Z\"" end "}}"
#define REPORT_END ",\"conclusion\":\"Success\",\"exit_code\":0"
#define RUN_END "{\"event\":\"run-end\",\"conclusion\":\"Success\",\"exit_code\":0}\n"

/* In this order: what came before is there. The token may send eleven. */
static const struct {
	const char *name;
	bool token;
	const char *body, *want; /* the status, and in what is said */
} PUSHES[] = {
	{ "a run from nobody", false, RUN("x-1", "net") RUN_END, "401 no token" },
	{ "a run", true, RUN("x-1", "net-next") RUN_END, "201 {\"run\":\"x-1\"}" },
	{ "the same again", true, RUN("x-1", "net-next") RUN_END, "200 \"known\":true" },
	{ "of a branch that isn't his", true, RUN("x-2", "bpf") RUN_END, "403 not for 'bpf'" },
	{ "half a run", true, RUN("x-3", "net"), "422 has no end" },
	{ "all of it", true, RUN("x-3", "net") RUN_END, "201 {\"run\":\"x-3\"}" },
	{ "two runs", true, RUN("x-4", "net") RUN_END RUN("x-5", "net") RUN_END,
	  "422 more than one run" },
	{ "the first of them", true, RUN("x-4", "net") RUN_END, "201 {\"run\":\"x-4\"}" },
	{ "a report", true, REPORT("x-8", "net", REPORT_END), "201 {\"run\":\"x-8\"}" },
	{ "of a run that is there", true, REPORT("x-1", "net-next", REPORT_END),
	  "200 \"known\":true" },
	{ "of a branch that isn't his", true, REPORT("x-2", "bpf", REPORT_END),
	  "403 not for 'bpf'" },
	{ "of a run that goes on", true, REPORT("x-9", "net", ""), "422 it has no end" },
	{ "one more than he may in an hour", true, RUN("x-6", "net") RUN_END, "429 in an hour" },
};

static int push(struct bench *b, const char *token, const char *body)
{
	_free_ char *q = xasprintf("POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nConnection: "
				   "close\r\n%s%s\r\nContent-Length: %zu\r\n\r\n%s",
				   token ? "Authorization: Bearer " : "X-None: ",
				   token ? token : "1", strlen(body), body);
	const char *reply = ask(b, str_of(q));

	return strncmp(reply, "HTTP/1.1 ", 9) == 0 ? atoi(reply + 9) : -1;
}

static void test_push(struct bench *b)
{
	struct token t = { .name = "ci", .branches = "net*", .runs_per_hour = 11,
			   .max_bytes = 1500 };
	struct token other = { .name = "other", .branches = "*", .runs_per_hour = 5,
			       .max_bytes = 10 };
	char token[TOKEN_TEXT], small[TOKEN_TEXT], again[TOKEN_TEXT];
	struct err err = {};

	is_int(b->t, tokens_add(b->s.tokens, &t, token, &err), 0, "a token");
	is_int(b->t, tokens_add(b->s.tokens, &other, small, &err), 0, "and another");
	ok(b->t, tokens_add(b->s.tokens, &t, again, &err) == -EEXIST, "%s", err.text);
	for (size_t i = 0; i < ARRAY_SIZE(PUSHES); i++) {
		int status = push(b, PUSHES[i].token ? token : NULL, PUSHES[i].body);

		if (!ok(b->t, status == atoi(PUSHES[i].want) &&
			      strstr(b->reply.p, PUSHES[i].want + 4), "%s", PUSHES[i].name))
			printf("# %d: %s\n", status, strstr(b->reply.p, "\r\n\r\n") + 4);
	}
	is_int(b->t, push(b, small, RUN("x-7", "net") RUN_END), 413, "larger than it may be");
	is_int(b->t, push(b, "tap_no", RUN("x-7", "net") RUN_END), 401, "a token of nobody");
	is_int(b->t, tokens_remove(b->s.tokens, "ci", &err), 0, "it is revoked");
	is_int(b->t, push(b, token, RUN("x-1", "net-next") RUN_END), 401, "- at once");
}

static long runs_told(struct bench *b)
{
	const char *at = strstr(ask(b, STR(GET("/metrics", ""))), "\ntaproom_runs ");

	return at ? atol(at + 14) : -1;
}

/* What came in is judged meanwhile: pages are answered, and then are of it. */
static void test_judged_anew(struct bench *b, long before)
{
	long now = -1;

	for (int i = 0; i < WAIT_MS / 100 && now <= before; i++) {
		now = runs_told(b);
		if (now < 0)
			break;
		poll(NULL, 0, now > before ? 0 : 100);
	}
	ok(b->t, before > 0 && now > before, "runs that came in are judged while it answers");
}

static void test_tokens_file(struct bench *b)
{
	_free_ char *path = path_join(b->s.dir, "bad");
	struct tokens t;
	struct stat st;
	struct err err = {};

	ok(b->t, stat(b->s.tokens, &st) == 0 && (st.st_mode & 0777) == 0600,
	   "the file of tokens is its owner's");
	file_write(path, STR("a b c\n"), 0600, NULL);
	ok(b->t, tokens_read(path, &t, &err) == -EBADMSG, "%s", err.text);
}

/* Nothing of them is left; the leak sanitizer looks when the server ends. */
static void test_gone(struct bench *b)
{
	static const char *const PATHS[] = { "/", "/run/1/log-1.txt", "/nowhere" };

	for (unsigned i = 0; i < 60; i++) {
		int fd = server_dial(&b->s);
		_free_ char *q = xasprintf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", PATHS[i % 3]);

		send(fd, q, strlen(q), MSG_NOSIGNAL);
		if (i & 1)
			send(fd, q, strlen(q), MSG_NOSIGNAL);
		if (i & 2)
			shutdown(fd, SHUT_WR);
		close(fd);
	}
	ask(b, STR(GET("/run/1.html", "")));
	ok(b->t, strncmp(b->reply.p, "HTTP/1.1 200 ", 13) == 0, "60 that ask and hang up");
}

/* A request that was made gets its answer, though the server was told to stop. */
static void test_stop(struct bench *b)
{
	int fd = server_dial(&b->s);

	ask(b, STR(GET("/run/1.html", "")));
	send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, MSG_NOSIGNAL);
	buf_clear(&b->reply);
	hear(b, fd, "</html>");
	is_int(b->t, server_stop(&b->s), 0, "told to stop, it ends with 0");
	ok(b->t, read(fd, (char[1]){}, 1) == 0, "- what stayed open is closed");
	ok(b->t, !file_exists(b->s.sock), "- and its socket's file is gone");
	close(fd);
}

/* Does what is accepted on @fd send the last piece of an answer without waiting for
 * what it sent before? */
static bool sends_at_once(int fd)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a), size = sizeof(int);
	_cleanup_(closep) int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_(closep) int server = -1;
	int on = 0;

	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 ||
	    connect(client, (struct sockaddr *)&a, n) < 0)
		return false;
	server = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	return getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0 && on;
}

static void test_sockets(struct bench *b)
{
	_free_ char *spec = xasprintf("unix:%s", b->s.sock), *taken = NULL;
	struct listen l, second;
	struct err err = {};
	int r;

	is_int(b->t, listen_open(spec, &l, &err), 0, "a socket");
	r = listen_open(spec, &second, &err);
	ok(b->t, r == -EADDRINUSE, "- is one server's: %s", err.text);
	close(l.fd); /* as a server that was killed */
	ok(b->t, file_exists(b->s.sock), "- a killed server leaves its file");
	free(l.remove);
	is_int(b->t, listen_open(spec, &l, &err), 0, "- which the next one takes over");
	close(l.fd);
	listen_done(&l);
	file_write(b->s.sock, STR("mine"), 0644, NULL);
	r = listen_open(spec, &l, &err);
	ok(b->t, r == -EEXIST && file_exists(b->s.sock), "- but no other file: %s", err.text);
	unlink(b->s.sock);
	is_int(b->t, listen_open("127.0.0.1:0", &l, &err), 0, "any port");
	ok(b->t, strncmp(l.url, "http://127.0.0.1:", 17) == 0 && !strstr(l.url, ":0/"),
	   "- and which one it is: %s", l.url);
	ok(b->t, sends_at_once(l.fd), "- and no piece of an answer waits for another's arrival");
	taken = xasprintf("127.0.0.1:%d", atoi(l.url + strlen("http://127.0.0.1:")));
	r = listen_open(taken, &second, &err);
	ok(b->t, r == -EADDRINUSE && strstr(err.text, "another port"),
	   "- which is told of to the next: %s", err.text);
	close(l.fd);
	ok(b->t, listen_open("127.0.0.1:99999", &l, &err) == -EINVAL, "%s", err.text);
	ok(b->t, listen_open("8080", &l, &err) == -EINVAL, "%s", err.text);
}

int main(void)
{
	struct tap t = {};
	struct bench b = { .t = &t, .reply = { .max = 256u << 20 } };
	_cleanup_(dir_removep) char *dir = NULL;
	struct store *store;
	struct err err = {};
	long before;

	TAP_HEADER();
	if (dir_temp("/tmp", "taproom-serve.", &dir, NULL) < 0)
		return 1;
	server_init(&b.s, dir);
	b.s.tokens = path_join(dir, "tokens");
	if (store_open(b.s.db, STORE_WRITE, &store, &err) < 0 ||
	    seed_store(store, dir, 4, true, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	store_close(store);
	test_sockets(&b);
	if (ok(&t, server_start(&b.s), "the server is there")) {
		test_rows(&b);
		test_bodies(&b);
		test_tags(&b);
		test_ranges(&b);
		test_limits(&b);
		test_slow(&b);
		test_gone(&b);
		before = runs_told(&b);
		test_push(&b);
		test_judged_anew(&b, before);
		test_tokens_file(&b);
		test_stop(&b);
	}
	server_done(&b.s);
	buf_done(&b.reply);
	return tap_done(&t);
}
