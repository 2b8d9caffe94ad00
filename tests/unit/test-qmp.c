/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's monitor, played by a script: what it may say, and what it may not. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "machine/qmp.h"
#include "tap.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define ABLE     "{\"return\": {}, \"id\": 1}\n"

/* What was heard, one word each; the end last. */
struct heard {
	struct buf said;
	struct loop *loop;
	struct qmp qmp;
	unsigned ends;
	bool closes;
};

static void on_event(void *ctx, const char *name, const cJSON *data)
{
	struct heard *h = ctx;

	buf_printf(&h->said, "event %s%s; ", name, data ? " with data" : "");
}

static void on_broken(void *ctx, const char *why)
{
	struct heard *h = ctx;

	h->ends++;
	buf_printf(&h->said, "end: %s", why);
	if (h->closes)
		qmp_close(&h->qmp);
	loop_stop(h->loop);
}

static const struct qmp_events EVENTS = { .event = on_event, .broken = on_broken };

static void on_first(void *ctx, const cJSON *ret, const char *why)
{
	struct heard *h = ctx;

	buf_printf(&h->said, "first %s; ", ret ? "done" : why ? why : "?");
}

static void on_second(void *ctx, const cJSON *ret, const char *why)
{
	struct heard *h = ctx;

	buf_printf(&h->said, "second %s; ", ret ? "done" : why ? why : "?");
}

/* Two commands are given at once, 2 and 3; then it says @says, and leaves. */
static const struct {
	const char *name, *says, *want;
} SCRIPTS[] = {
	{ "answers in order",
	  GREETING ABLE "{\"return\": {}, \"id\": 2}\n{\"return\": {}, \"id\": 3}\n",
	  "first done; second done; end: QEMU's monitor is gone" },
	{ "answers in any order",
	  GREETING ABLE "{\"return\": 1, \"id\": 3}\n{\"return\": [], \"id\": 2}\n",
	  "second done; first done; end: QEMU's monitor is gone" },
	{ "events in between",
	  GREETING ABLE "{\"event\": \"STOP\", \"timestamp\": {}}\n{\"return\": {}, \"id\": 2}\n"
	  "{\"event\": \"MIGRATION\", \"data\": {\"status\": \"setup\"}}\n",
	  "event STOP; first done; event MIGRATION with data; second QEMU's monitor is gone; "
	  "end: QEMU's monitor is gone" },
	{ "an error",
	  GREETING ABLE "{\"id\": 2, \"error\": {\"class\": \"GenericError\", "
	  "\"desc\": \"no\\u0007 way\"}}\n{\"error\": {}, \"id\": 3}\n",
	  "first no  way; second no reason; end: QEMU's monitor is gone" },
	{ "nothing", "",
	  "first QEMU's monitor is gone; second QEMU's monitor is gone; "
	  "end: QEMU's monitor is gone" },
	{ "an empty line", GREETING "\r\n\n" ABLE,
	  "first QEMU's monitor is gone; second QEMU's monitor is gone; "
	  "end: QEMU's monitor is gone" },
	{ "no greeting", "{\"return\": {}, \"id\": 1}\n",
	  "first no greeting; second no greeting; end: no greeting" },
	{ "no JSON", GREETING "hello\n",
	  "first a line that is no JSON object; second a line that is no JSON object; "
	  "end: a line that is no JSON object" },
	{ "an array", GREETING "[]\n",
	  "first a line that is no JSON object; second a line that is no JSON object; "
	  "end: a line that is no JSON object" },
	{ "a NUL in it", GREETING "{\"return\": \"\\u0000\", \"id\": 2}\n{}\n",
	  "first done; second an answer to nothing that was asked; "
	  "end: an answer to nothing that was asked" },
	{ "an answer twice", GREETING ABLE "{\"return\": {}, \"id\": 2}\n"
	  "{\"return\": {}, \"id\": 2}\n",
	  "first done; second an answer to nothing that was asked; "
	  "end: an answer to nothing that was asked" },
	{ "an id of nobody", GREETING ABLE "{\"return\": {}, \"id\": 0}\n",
	  "first an answer to nothing that was asked; "
	  "second an answer to nothing that was asked; end: an answer to nothing that was asked" },
	{ "an id that is huge", GREETING ABLE "{\"return\": {}, \"id\": 1e300}\n",
	  "first an answer to nothing that was asked; "
	  "second an answer to nothing that was asked; end: an answer to nothing that was asked" },
	{ "an event without a name", GREETING "{\"event\": 7}\n",
	  "first an event without a name; second an event without a name; "
	  "end: an event without a name" },
};

static void converse(struct heard *h, struct str says, bool closes)
{
	int s[2];

	*h = (struct heard){ .loop = loop_new(), .closes = closes };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		abort();
	qmp_open(&h->qmp, s[0], h->loop, &EVENTS, h);
	qmp_command(&h->qmp, "stop", NULL, -1, on_first, h, NULL);
	qmp_command(&h->qmp, "cont", "{\"a\": 1}", -1, on_second, h, NULL);
	while (says.n) {
		ssize_t n = send(s[1], says.p, says.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n <= 0)
			break;
		says = str_from(says, (size_t)n);
	}
	close(s[1]);
	loop_run(h->loop);
	qmp_close(&h->qmp);
	loop_free(h->loop);
}

static void test_scripts(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SCRIPTS); i++) {
		struct heard h;

		converse(&h, str_of(SCRIPTS[i].says), i % 2);
		is_str(t, buf_str(&h.said).p, SCRIPTS[i].want, SCRIPTS[i].name);
		is_int(t, h.ends, 1, "- ends once");
		buf_done(&h.said);
	}
}

/* A line of @depth brackets, or of @size bytes. */
static void test_bounds(struct tap *t)
{
	static const struct {
		const char *name;
		unsigned depth, size;
		const char *want;
	} ROWS[] = {
		{ "as deep as may be", QMP_DEPTH_MAX - 1, 0, "first done; " },
		{ "too deep", QMP_DEPTH_MAX, 0, "first a line nested deeper than 32; " },
		{ "much too deep", 60000, 0, "first a line nested deeper than 32; " },
		{ "brackets in a string", 0, 1000, "first done; " },
		{ "a long line", 0, 100000, "first done; " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct heard h;

		buf_add_str(&b, STR(GREETING ABLE "{\"return\": "));
		for (unsigned k = 0; k < ROWS[i].depth; k++)
			buf_add(&b, "[", 1);
		if (ROWS[i].size) {
			buf_add_str(&b, STR("\"\\\""));
			for (unsigned k = 0; k < ROWS[i].size; k++)
				buf_add(&b, "{", 1);
			buf_add(&b, "\"", 1);
		}
		for (unsigned k = 0; k < ROWS[i].depth; k++)
			buf_add(&b, "]", 1);
		buf_add_str(&b, STR(", \"id\": 2}\n"));
		converse(&h, buf_str(&b), false);
		ok(t, str_starts(buf_str(&h.said), str_of(ROWS[i].want)), "%s", ROWS[i].name);
		buf_done(&h.said);
	}
}

/* A peer that never ends its line, in pieces as they are read. */
static void on_writable(void *ctx, int fd, unsigned ready)
{
	static const char x[4096] = { [0 ... 4095] = 'x' };

	(void)!send(fd, x, sizeof(x), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void test_endless(struct tap *t)
{
	struct heard h = { .loop = loop_new() };
	struct loop_watch *w;
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		abort();
	qmp_open(&h.qmp, s[0], h.loop, &EVENTS, &h);
	w = loop_io(h.loop, s[1], LOOP_WRITE, on_writable, NULL);
	loop_run(h.loop);
	is_str(t, buf_str(&h.said).p, "end: a line of more than 262144 bytes", "an endless line");
	is_int(t, qmp_command(&h.qmp, "stop", NULL, -1, on_first, &h, NULL), -ENOTCONN,
	       "- then nothing is taken");
	loop_unwatch(w);
	close(s[1]);
	qmp_close(&h.qmp);
	buf_done(&h.said);
	loop_free(h.loop);
}

/* What goes to QEMU: lines, and a descriptor; and how much of it. */
static void test_sent(struct tap *t)
{
	static const char want[] = "{\"execute\":\"qmp_capabilities\",\"id\":1}\n"
				   "{\"execute\":\"getfd\",\"id\":2,\"arguments\":{}}\n";
	struct heard h = { .loop = loop_new() };
	_free_ char *large = xcalloc(QMP_COMMAND_MAX + 1, 1);
	char got[4096] = "", control[64];
	struct iovec v = { got, sizeof(got) - 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int s[2], r = 0, n = 0, fd;
	const struct cmsghdr *c;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		abort();
	qmp_open(&h.qmp, s[0], h.loop, &EVENTS, &h);
	is_int(t, qmp_command(&h.qmp, "getfd", "{}", s[1], on_first, &h, NULL), 0,
	       "a command with a descriptor");
	/* A descriptor ends what one call receives. */
	n = (int)recv(s[1], got, strlen("{\"execute\":\"qmp_capabilities\",\"id\":1}\n"), 0);
	v = (struct iovec){ got + n, sizeof(got) - 1 - (size_t)n };
	recvmsg(s[1], &m, MSG_CMSG_CLOEXEC);
	is_str(t, got, want, "- is a line");
	c = CMSG_FIRSTHDR(&m);
	if (ok(t, c && c->cmsg_type == SCM_RIGHTS, "- and the descriptor")) {
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		close(fd);
	}
	memset(large, 'x', QMP_COMMAND_MAX);
	is_int(t, qmp_command(&h.qmp, large, NULL, -1, NULL, NULL, NULL), -E2BIG, "too large");
	for (n = 0; r == 0 && n < 100; n++)
		r = qmp_command(&h.qmp, "stop", NULL, -1, NULL, NULL, NULL);
	ok(t, r == -EBUSY && n == QMP_PENDING_MAX - 1, "as many as may wait (%d)", n);
	qmp_close(&h.qmp);
	is_str(t, buf_str(&h.said).p, "first the monitor was closed; ", "closed: all are told");
	close(s[1]);
	buf_done(&h.said);
	loop_free(h.loop);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_scripts(&t);
	test_bounds(&t);
	test_endless(&t);
	test_sent(&t);
	return tap_done(&t);
}
