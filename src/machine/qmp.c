/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/qmp.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_SIZE 16384

/* Text of QEMU's, for a sentence: printable, and not all of it. */
static void printable(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n < size - 1; from++)
		to[n++] = (unsigned char)*from < 0x20 || *from == 0x7f ? ' ' : *from;
	to[n] = '\0';
}

/* Answers all that waits, with an error. */
static void drop_pending(struct qmp *q, const char *why)
{
	for (unsigned i = 0; i < QMP_PENDING_MAX; i++) {
		struct qmp_pending p = q->pending[i];

		q->pending[i] = (struct qmp_pending){};
		if (p.id && p.fn)
			p.fn(p.ctx, NULL, why);
	}
}

/* No more of it; the descriptor stays open until qmp_close(), so that QEMU is
 * not told of our opinion by a signal. */
static void broken(struct qmp *q, const char *why)
{
	q->readable = loop_unwatch(q->readable);
	drop_pending(q, why);
	if (q->events->broken)
		q->events->broken(q->ctx, why);
}

/* Brackets outside of strings: cJSON's parser calls itself for each. */
static bool too_deep(struct str s)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > QMP_DEPTH_MAX)
			return true;
		else if (!quoted && (c == '}' || c == ']') && depth)
			depth--;
	}
	return false;
}

static struct qmp_pending *pending_find(struct qmp *q, uint32_t id)
{
	for (unsigned i = 0; i < QMP_PENDING_MAX; i++)
		if (q->pending[i].id == id)
			return &q->pending[i];
	return NULL;
}

static int on_answer(struct qmp *q, const cJSON *line, struct err *err)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(line, "id");
	const cJSON *ret = cJSON_GetObjectItemCaseSensitive(line, "return");
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(line, "error");
	const cJSON *desc = cJSON_GetObjectItemCaseSensitive(error, "desc");
	struct qmp_pending *slot = NULL, p;
	char why[256];

	if (cJSON_IsNumber(id) && id->valuedouble >= 1 && id->valuedouble <= UINT32_MAX)
		slot = pending_find(q, (uint32_t)id->valuedouble);
	if (!slot)
		return err_set(err, EPROTO, "an answer to nothing that was asked");
	p = *slot;
	*slot = (struct qmp_pending){};
	printable(why, sizeof(why), cJSON_IsString(desc) ? desc->valuestring : "no reason");
	if (p.fn)
		p.fn(p.ctx, error ? NULL : ret, error ? why : NULL);
	return 0;
}

static int on_event(struct qmp *q, const cJSON *event, const cJSON *line, struct err *err)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(line, "data");

	if (!cJSON_IsString(event) || strlen(event->valuestring) > QMP_NAME_MAX)
		return err_set(err, EPROTO, "an event without a name");
	if (q->events->event)
		q->events->event(q->ctx, event->valuestring, cJSON_IsObject(data) ? data : NULL);
	return 0;
}

static int on_line(struct qmp *q, struct str text, struct err *err)
{
	const cJSON *event;
	cJSON *line;
	int r;

	if (too_deep(text))
		return err_set(err, EPROTO, "a line nested deeper than %d", QMP_DEPTH_MAX);
	line = cJSON_ParseWithLength(text.p, text.n);
	event = cJSON_GetObjectItemCaseSensitive(line, "event");
	if (!cJSON_IsObject(line)) {
		r = err_set(err, EPROTO, "a line that is no JSON object");
	} else if (!q->greeted) {
		q->greeted = cJSON_GetObjectItemCaseSensitive(line, "QMP") != NULL;
		r = q->greeted ? 0 : err_set(err, EPROTO, "no greeting");
	} else {
		r = event ? on_event(q, event, line, err) : on_answer(q, line, err);
	}
	cJSON_Delete(line);
	return r;
}

/* Cuts lines; keeps the beginning of the next. */
static int lines_cut(struct qmp *q, struct err *err)
{
	struct str rest = buf_str(&q->in);
	const char *end;
	int r = 0;

	while (r == 0 && q->readable && (end = memchr(rest.p, '\n', rest.n))) {
		struct str line = str_trim(str_n(rest.p, (size_t)(end - rest.p)));

		rest = str_from(rest, (size_t)(end - rest.p) + 1);
		if (line.n)
			r = on_line(q, line, err);
	}
	buf_drop(&q->in, q->in.n - rest.n);
	return r;
}

/* Returns false when there is nothing to read, now or ever. */
static bool read_some(struct qmp *q)
{
	struct err err = {};
	char chunk[READ_SIZE];
	ssize_t n = read(q->fd, chunk, sizeof(chunk));
	int r = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (n <= 0)
		r = err_set(&err, ECONNRESET, "QEMU's monitor is gone");
	else
		buf_add(&q->in, chunk, (size_t)n); /* fits: see below */
	if (r == 0)
		r = lines_cut(q, &err);
	if (r == 0 && q->in.n > QMP_LINE_MAX)
		r = err_set(&err, EPROTO, "a line of more than %u bytes", QMP_LINE_MAX);
	if (r < 0 && q->readable)
		broken(q, err.text);
	return q->readable != NULL;
}

static void on_readable(void *ctx, int fd, unsigned ready)
{
	read_some(ctx);
}

void qmp_drain(struct qmp *q)
{
	while (q->readable && read_some(q))
		;
}

void qmp_open(struct qmp *q, int fd, struct loop *loop, const struct qmp_events *events,
	      void *ctx)
{
	*q = (struct qmp){ .fd = fd, .events = events, .ctx = ctx };
	/* A whole line, and what came behind it. */
	q->in.max = QMP_LINE_MAX + READ_SIZE;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	q->readable = loop_io(loop, fd, LOOP_READ, on_readable, q);
	/* Nothing can be pending and the socket is empty: this is taken. */
	qmp_command(q, "qmp_capabilities", NULL, -1, NULL, NULL, NULL);
}

void qmp_close(struct qmp *q)
{
	if (!q->events)
		return;
	q->readable = loop_unwatch(q->readable);
	closep(&q->fd);
	q->fd = -1;
	drop_pending(q, "the monitor was closed");
	buf_done(&q->in);
	*q = (struct qmp){ .fd = -1 };
}

static int send_line(struct qmp *q, struct str line, int fd, struct err *err)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec v = { (void *)line.p, line.n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)),
				       .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		n = sendmsg(q->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)line.n)
		return 0;
	/* Commands are small and few: a socket that has no room for one is not read. */
	return err_set(err, n < 0 && errno != EAGAIN ? ENOTCONN : ENOBUFS,
		       "QEMU's monitor does not take what it is told");
}

int qmp_command(struct qmp *q, const char *name, const char *arguments, int fd,
		qmp_answer_fn fn, void *ctx, struct err *err)
{
	struct qmp_pending *slot = pending_find(q, 0);
	char line[QMP_COMMAND_MAX];
	int n, r;

	if (!q->readable)
		return err_set(err, ENOTCONN, "QEMU's monitor is gone");
	if (!slot)
		return err_set(err, EBUSY, "%d commands wait for QEMU's monitor already",
			       QMP_PENDING_MAX);
	q->last_id += q->last_id == UINT32_MAX ? 2 : 1; /* 0 is nobody's */
	n = snprintf(line, sizeof(line), "{\"execute\":\"%s\",\"id\":%u%s%s}\n", name,
		     q->last_id, arguments ? ",\"arguments\":" : "", arguments ? arguments : "");
	if (n >= (int)sizeof(line))
		return err_set(err, E2BIG, "command '%s' for QEMU's monitor is larger than %d",
			       name, QMP_COMMAND_MAX);
	r = send_line(q, str_n(line, (size_t)n), fd, err);
	if (r == 0)
		*slot = (struct qmp_pending){ q->last_id, fn, ctx };
	return r;
}
