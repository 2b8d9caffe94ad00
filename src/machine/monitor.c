/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/monitor.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

static void closed(struct monitor *m, const char *why)
{
	m->readable = loop_unwatch(m->readable);
	m->writable = loop_unwatch(m->writable);
	closep(&m->fd);
	m->fd = -1;
	for (size_t i = 0; i < MONITOR_WAITING_MAX; i++) {
		monitor_fn fn = m->waiting[i].id ? m->waiting[i].fn : NULL;

		m->waiting[i].id = 0;
		if (fn)
			fn(m->waiting[i].ctx, why);
	}
}

static const char *text_of(const cJSON *v, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(v, name));

	return s ? s : "";
}

static void answer(struct monitor *m, const cJSON *v, const cJSON *error)
{
	double id = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(v, "id"));

	for (size_t i = 0; i < MONITOR_WAITING_MAX; i++) {
		monitor_fn fn = m->waiting[i].fn;

		if (!m->waiting[i].id || m->waiting[i].id != id)
			continue;
		m->waiting[i].id = 0;
		if (fn)
			fn(m->waiting[i].ctx, error ? text_of(error, "desc") : NULL);
		return;
	}
}

static void flush(struct monitor *m);

static void line(struct monitor *m, struct str s)
{
	cJSON *v = cJSON_ParseWithLength(s.p, s.n);
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(v, "error");
	const char *event = text_of(v, "event");

	if (cJSON_GetObjectItemCaseSensitive(v, "QMP")) {
		m->greeted = true;
		flush(m);
	} else if (event[0] && m->event) {
		m->event(m->ctx, str_of(event),
			 str_of(text_of(cJSON_GetObjectItemCaseSensitive(v, "data"), "reason")));
	} else if (error || cJSON_GetObjectItemCaseSensitive(v, "return")) {
		answer(m, v, error);
	}
	cJSON_Delete(v);
}

static void read_all(struct monitor *m)
{
	char chunk[4096];
	ssize_t n;

	while (m->fd >= 0 && (n = read(m->fd, chunk, sizeof(chunk))) != 0) {
		struct str rest;
		size_t at = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		buf_add(&m->in, chunk, (size_t)n);
		rest = buf_str(&m->in);
		for (size_t i = 0; i < rest.n && m->fd >= 0; i++)
			if (rest.p[i] == '\n') {
				line(m, str_n(rest.p + at, i - at));
				at = i + 1;
			}
		buf_drop(&m->in, at);
		if (m->in.n > MONITOR_LINE_MAX)
			break;
	}
	if (m->fd >= 0)
		closed(m, "QEMU's monitor was closed");
}

static void on_readable(void *ctx, int fd, unsigned ready)
{
	read_all(ctx);
}

static void on_writable(void *ctx, int fd, unsigned ready)
{
	flush(ctx);
}

static void flush(struct monitor *m)
{
	ssize_t n = m->greeted && m->out.n ? write(m->fd, m->out.p, m->out.n) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = (ssize_t)m->out.n; /* its end will be read */
	if (n > 0)
		buf_drop(&m->out, (size_t)n);
	if (m->greeted && m->out.n && !m->writable)
		m->writable = loop_io(m->loop, m->fd, LOOP_WRITE, on_writable, m);
	else if (!m->out.n)
		m->writable = loop_unwatch(m->writable);
}

void monitor_open(struct monitor *m, int fd, struct loop *loop,
		  void (*event)(void *ctx, struct str name, struct str reason), void *ctx)
{
	*m = (struct monitor){ .fd = fd, .loop = loop, .event = event, .ctx = ctx };
	m->out.max = MONITOR_LINE_MAX;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	m->readable = loop_io(loop, fd, LOOP_READ, on_readable, m);
	/* Until it has heard this one it heeds no other. */
	monitor_run(m, "qmp_capabilities", NULL, NULL, NULL);
}

void monitor_close(struct monitor *m)
{
	m->readable = loop_unwatch(m->readable);
	m->writable = loop_unwatch(m->writable);
	if (m->loop)
		closep(&m->fd);
	buf_done(&m->in);
	buf_done(&m->out);
	*m = (struct monitor){ .fd = -1 };
}

void monitor_drain(struct monitor *m)
{
	if (m->readable)
		read_all(m);
}

int monitor_run(struct monitor *m, const char *command, const char *arguments, monitor_fn fn,
		void *ctx)
{
	if (!m->loop || m->fd < 0)
		return -ENOTCONN;
	for (size_t i = 0; i < MONITOR_WAITING_MAX; i++) {
		if (m->waiting[i].id)
			continue;
		m->waiting[i].id = ++m->next;
		m->waiting[i].fn = fn;
		m->waiting[i].ctx = ctx;
		buf_printf(&m->out, "{\"execute\":\"%s\",\"id\":%u%s%s}\n", command, m->next,
			   arguments ? ",\"arguments\":" : "", arguments ? arguments : "");
		flush(m);
		return 0;
	}
	return -EBUSY;
}
