/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void port_write(struct port *p, const char *from, size_t n)
{
	while (n) {
		ssize_t w = write(p->fd, from, n);

		if (w < 0 && errno == EINTR)
			continue;
		/* The launcher is gone: so are we. */
		if (w <= 0)
			power_off();
		from += w;
		n -= (size_t)w;
	}
}

void port_send(struct port *p, unsigned type, unsigned stream, unsigned command, size_t n)
{
	struct proto_header h = {
		.magic = PROTO_MAGIC,
		.type = (uint8_t)type,
		.stream = (uint8_t)stream,
		.command = (uint16_t)command,
		.length = (uint32_t)n,
		.time_ns = (uint64_t)clock_ns(CLOCK_MONOTONIC),
		.wall_ns = (uint64_t)clock_ns(CLOCK_REALTIME),
	};

	memcpy(p->out, &h, sizeof(h));
	port_write(p, p->out, sizeof(h) + n);
}

void port_say(struct port *p, unsigned type, unsigned command, const void *payload, size_t n)
{
	memcpy(port_payload(p), payload, n);
	port_send(p, type, 0, command, n);
}

void port_fill(struct port *p)
{
	ssize_t n;

	if (sizeof(p->in) - p->end < PROTO_START_MAX) {
		memmove(p->in, p->in + p->begin, p->end - p->begin);
		p->end -= p->begin;
		p->begin = 0;
	}
	n = read(p->fd, p->in + p->end, sizeof(p->in) - p->end);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		power_off();
	p->end += (size_t)n;
	if (p->line) {
		uint32_t count = (uint32_t)n;

		port_say(p, PROTO_READ, 0, &count, sizeof(count));
	}
}

bool port_next(struct port *p, struct proto_header *ret, const char **ret_payload)
{
	size_t n = p->end - p->begin, max;

	if (n < sizeof(*ret))
		return false;
	memcpy(ret, p->in + p->begin, sizeof(*ret));
	max = ret->type == PROTO_START ? PROTO_START_MAX : PROTO_PAYLOAD_MAX;
	if (ret->magic != PROTO_MAGIC || ret->length > max)
		die(0, "the launcher's frames are broken");
	if (n - sizeof(*ret) < ret->length)
		return false;
	*ret_payload = p->in + p->begin + sizeof(*ret);
	p->begin += sizeof(*ret) + ret->length;
	if (p->begin == p->end)
		p->begin = p->end = 0;
	return true;
}
