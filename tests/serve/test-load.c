/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many clients, and slow ones: thousands of connections that say nothing, half a
 * request, or take nothing, while others get what they ask for in time; and those that
 * are slow, but take what they asked for, get all of it.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "seed.h"
#include "serve/live.h"
#include "serve/logs.h"
#include "serve/serve.h"
#include "server.h"
#include "tap.h"

#define MANY      10000
#define OTHERS    200   /* descriptors that are none of them */
#define WAIT_MS   60000
#define IN_TIME   10000 /* of a sanitized server on a machine that does other things */
#define IDLE_S    1
#define LOG_LINES 200000

struct bench {
	struct tap *t;
	struct server s;
	struct buf reply;
};

static bool start(struct bench *b, unsigned idle_s)
{
	b->s.idle_s = idle_s;
	return server_start(&b->s);
}

/* Until the other end closes; 0 as soon as it is silent for @ms. */
static bool hear(struct bench *b, int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char piece[65536];
	ssize_t n;

	while (poll(&p, 1, ms) > 0) {
		n = read(fd, piece, sizeof(piece));
		if (n <= 0)
			return true;
		buf_add(&b->reply, piece, (size_t)n);
	}
	return false;
}

/* The reply to a GET that ends its connection; "" when it never came. */
static const char *get(struct bench *b, const char *path)
{
	_free_ char *q = xasprintf("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	int fd = server_dial(&b->s);

	buf_clear(&b->reply);
	buf_add(&b->reply, "", 0);
	if (fd >= 0 && server_tell(fd, q))
		hear(b, fd, WAIT_MS);
	closep(&fd);
	return b->reply.p ? b->reply.p : "";
}

static bool is_status(const char *reply, const char *status)
{
	return strncmp(reply, "HTTP/1.1 ", 9) == 0 && strncmp(reply + 9, status, 3) == 0;
}

static void in_time(struct bench *b, const char *path, const char *name)
{
	int64_t begin = clock_mono_ms(), took;
	bool good = is_status(get(b, path), "200");

	took = clock_mono_ms() - begin;
	ok(b->t, good && took < IN_TIME, "%s: answered in time", name);
	printf("# %lld ms\n", (long long)took);
}

/* ---- many ---- */

static bool may_have(rlim_t n)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return false;
	if (l.rlim_max < n)
		l.rlim_max = n; /* root may */
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	return getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= n;
}

/* What the i-th of them says, and then no more. */
static const char *const SAYS[] = {
	"",
	"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",                           /* a head without end */
	"",
	"POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf", /* a body */
};
/* Every so many ask for a log, and take nothing of it. */
#define TAKES_NOTHING 100
static const char LOG_AND_END[] =
	"GET /run/1/log-1.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
static const char LOG[] = "GET /run/1/log-1.txt HTTP/1.1\r\nHost: x\r\n\r\n";

static long connections(struct bench *b)
{
	const char *at = strstr(get(b, "/metrics"), "\ntaproom_connections ");

	return at ? atol(at + 21) : -1;
}

static void test_many(struct bench *b)
{
	_free_ int *fd = xcalloc(MANY, sizeof(*fd));
	unsigned open = 0;
	long n;

	if (!may_have(MANY + OTHERS)) {
		ok(b->t, true, "10,000 connections # SKIP ulimit -Hn is lower");
		return;
	}
	if (!ok(b->t, start(b, 300), "a server"))
		return;
	for (unsigned i = 0; i < MANY; i++) {
		fd[i] = server_dial(&b->s);
		open += fd[i] >= 0 &&
			server_tell(fd[i], i % TAKES_NOTHING ? SAYS[i % ARRAY_SIZE(SAYS)] : LOG);
	}
	is_int(b->t, open, MANY, "10,000 connections: silent, slow to ask, slow to take");
	in_time(b, "/", "a page");
	in_time(b, "/run/1.html", "another");
	in_time(b, "/run/1/log-1.txt", "a log");
	n = connections(b);
	ok(b->t, n >= MANY && n < MANY + 10, "they are counted: %ld", n);
	/* They go on where they were. */
	server_tell(fd[5], "on\r\nConnection: close\r\n\r\n");
	buf_clear(&b->reply);
	hear(b, fd[5], WAIT_MS);
	ok(b->t, b->reply.n && is_status(b->reply.p, "200"), "one that says the rest is answered");
	for (unsigned i = 0; i < MANY; i++)
		closep(&fd[i]);
	in_time(b, "/", "when they are gone");
	n = connections(b);
	ok(b->t, n > 0 && n < 10, "their end is counted too: %ld", n);
	is_int(b->t, server_stop(&b->s), 0, "it ends with 0");
}

/* ---- readers of logs that take nothing ---- */

#define SILENT 320 /* as many pieces of LOGS_PIECE are 80 MiB */

static long metric(struct bench *b, const char *name)
{
	_free_ char *line = xasprintf("\n%s ", name);
	const char *at = strstr(get(b, "/metrics"), line);

	return at ? atol(at + strlen(line)) : -1;
}

static void test_silent_readers(struct bench *b)
{
	int fd[SILENT], slow;
	struct timespec nap = { .tv_nsec = 10000000 };
	char piece[65536];
	unsigned open = 0;
	size_t got = 0;
	ssize_t n = 1;
	long held;

	if (!ok(b->t, start(b, 300), "a server"))
		return;
	for (unsigned i = 0; i < SILENT; i++)
		fd[i] = -1;
	for (unsigned i = 0; i < SILENT / 2; i++) {
		fd[i] = server_dial(&b->s);
		open += fd[i] >= 0 && server_tell(fd[i], LOG);
	}
	/* One takes a little now and then, while the others come. */
	slow = server_dial(&b->s);
	server_tell(slow, LOG_AND_END);
	for (unsigned i = SILENT / 2; i < SILENT; i++) {
		fd[i] = server_dial(&b->s);
		open += fd[i] >= 0 && server_tell(fd[i], LOG);
		nanosleep(&nap, NULL);
		n = read(slow, piece, 8192);
		got += n > 0 ? (size_t)n : 0;
	}
	is_int(b->t, open, SILENT, "readers that take nothing of a log");
	metric(b, "taproom_log_readers"); /* until each has his first piece */
	in_time(b, "/run/1/log-1.txt", "the log for one who takes it");
	ok(b->t, b->reply.n > LOG_LINES * 20, "- all of it: %zu bytes", b->reply.n);
	while (n > 0 && (n = read(slow, piece, sizeof(piece))) > 0)
		got += (size_t)n;
	ok(b->t, n == 0 && got > LOG_LINES * 20, "and one who takes it slowly: %zu bytes", got);
	held = metric(b, "taproom_log_waiting_bytes");
	ok(b->t, held > 0 && held <= (long)LOGS_BYTES + SILENT * (long)LOGS_PIECE_MIN,
	   "what waits for the others is bounded: %ld bytes", held);
	ok(b->t, metric(b, "taproom_log_readers_closed_total") > 0,
	   "those that were silent longest were closed for others");
	for (unsigned i = 0; i < SILENT; i++)
		closep(&fd[i]);
	closep(&slow);
	ok(b->t, metric(b, "taproom_log_waiting_bytes") == 0, "nothing waits when they are gone");
	is_int(b->t, server_stop(&b->s), 0, "it ends with 0");
}

static void test_followers(struct bench *b)
{
	int fd[LIVE_CLIENTS], status = -1;
	bool good = true;

	for (unsigned i = 0; i < LIVE_CLIENTS; i++) {
		fd[i] = server_dial(&b->s);
		good &= fd[i] >= 0 && server_tell(fd[i], "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	ok(b->t, good, "as many that follow as may");
	ok(b->t, is_status(get(b, "/events"), "503"), "- one more is told so");
	in_time(b, "/", "- and a page");
	/* Beyond the time after which one who says nothing is closed. */
	buf_clear(&b->reply);
	ok(b->t, !hear(b, fd[0], 3000 * IDLE_S), "- who follows may be silent");
	ok(b->t, b->reply.n && strstr(b->reply.p, "event: runs\ndata: {\"newest\":"),
	   "- and was told how it is");
	for (unsigned i = 1; i < LIVE_CLIENTS; i++)
		closep(&fd[i]);
	ok(b->t, is_status(get(b, "/run/99/events"), "404"), "no run, no events");
	kill(b->s.pid, SIGTERM);
	ok(b->t, hear(b, fd[0], WAIT_MS), "who follows is told when the server stops");
	waitpid(b->s.pid, &status, 0);
	is_int(b->t, status, 0, "- which it does");
	closep(&fd[0]);
}

/* ---- slow ---- */

static void test_slow(struct bench *b)
{
	struct timespec nap = { .tv_nsec = 250000000 };
	char piece[65536];
	size_t got = 0;
	ssize_t n = 1;
	int silent = server_dial(&b->s), half = server_dial(&b->s), slow = server_dial(&b->s);

	server_tell(half, "GET / HTTP/1.1\r\nHost: ");
	server_tell(slow, "GET /run/1/log-1.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	/* It takes four times as long as one may be silent, and takes all the time. */
	for (unsigned i = 0; i < 16 * IDLE_S && n > 0; i++) {
		nanosleep(&nap, NULL);
		n = read(slow, piece, sizeof(piece));
		got += n > 0 ? (size_t)n : 0;
	}
	while (n > 0 && (n = read(slow, piece, sizeof(piece))) > 0)
		got += (size_t)n;
	ok(b->t, n == 0 && got > LOG_LINES * 20, "a slow reader gets all of a log: %zu bytes", got);
	buf_clear(&b->reply);
	ok(b->t, hear(b, silent, WAIT_MS) && !b->reply.n, "one that says nothing is closed");
	ok(b->t, hear(b, half, WAIT_MS), "one that stops in its head too");
	closep(&silent);
	closep(&half);
	closep(&slow);
}

/* A run with a log that no socket holds at once. */
static int seed_log(struct bench *b, struct err *err)
{
	_free_ char *path = path_join(b->s.dir, "long.log");
	_cleanup_(buf_done) struct buf text = {};
	struct store_record *r;
	struct store *store;
	struct event_run run = { .id = STR("load"), .branch = STR("net"),
				 .time_ms = 1764000000000 };
	struct event_job job = { .mode = STR("normal"), .machine = STR("host") };
	struct event_program p = { .suite = STR("s"), .name = STR("p"), .attempt = 1,
				   .log_path = str_of(path), .log_lines = LOG_LINES,
				   .status = STATUS_PASS, .duration_ms = 1 };
	const struct event events[] = {
		{ .type = EVENT_RUN_BEGIN, .run = &run },
		{ .type = EVENT_JOB_BEGIN, .job = 1, .job_info = &job },
		{ .type = EVENT_PROGRAM_BEGIN, .job = 1, .program = 1, .prog = &p },
		{ .type = EVENT_PROGRAM_END, .job = 1, .program = 1, .prog = &p },
		{ .type = EVENT_JOB_END, .job = 1, .job_info = &job },
		{ .type = EVENT_RUN_END, .run = &run },
	};
	int e;

	for (unsigned i = 0; i < LOG_LINES; i++)
		buf_printf(&text, "line %u of a long log\n", i);
	e = file_write(path, buf_str(&text), 0644, err);
	if (e == 0)
		e = store_open(b->s.db, STORE_WRITE, &store, err);
	if (e < 0)
		return e;
	store_record_new(store, &r, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct event_sink sink = store_record_sink(r);

		event_emit(&sink, &events[i]);
	}
	e = store_record_error(r, err);
	store_record_free(r);
	store_close(store);
	return e;
}

int main(void)
{
	struct tap t = {};
	struct bench b = { .t = &t, .reply = { .max = 256u << 20 } };
	_cleanup_(dir_removep) char *dir = NULL;
	struct err err = {};

	TAP_HEADER();
	if (dir_temp("/tmp", "taproom-load.", &dir, NULL) < 0)
		return 1;
	server_init(&b.s, dir);
	if (seed_log(&b, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	test_many(&b);
	test_silent_readers(&b);
	if (ok(&t, start(&b, IDLE_S), "a server that does not wait long")) {
		test_slow(&b);
		test_followers(&b);
	}
	server_done(&b.s);
	buf_done(&b.reply);
	return tap_done(&t);
}
