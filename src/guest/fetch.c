/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fetch_end(struct fetch *f, struct port *p, int status, const char *path)
{
	char *to = port_payload(p);
	int32_t value = status;
	size_t n = sizeof(value);

	memcpy(to, &value, n);
	if (status < 0)
		n += (size_t)snprintf(to + n, 512, "%s%s%s", path ? path : "", path ? ": " : "",
				      strerror(-status));
	if (n > sizeof(value) + 511)
		n = sizeof(value) + 511;
	port_send(p, PROTO_FETCHED, 0, f->number, n);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* Never waits: what is no file is refused, and a file that would wait (some of
 * the kernel's do) says so. */
static int file_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

void fetch_begin(struct fetch *f, struct port *p, const struct proto_header *h,
		 const char *payload)
{
	const char *path = payload + sizeof(struct proto_fetch);
	struct proto_fetch order;
	int fd;

	if (f->fd >= 0 || h->length < sizeof(order) + 2 || payload[h->length - 1] != '\0')
		die(0, "the launcher's order to fetch a file makes no sense");
	memcpy(&order, payload, sizeof(order));
	*f = (struct fetch){ .fd = -1, .number = h->command, .room = order.room,
			     .left = order.max };
	fd = file_open(path);
	if (fd < 0)
		fetch_end(f, p, fd, path);
	else
		f->fd = fd;
}

void fetch_go_on(struct fetch *f, struct port *p)
{
	size_t want = PROTO_PAYLOAD_MAX < f->room ? PROTO_PAYLOAD_MAX : f->room;
	ssize_t n = read(f->fd, port_payload(p), want);

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && (uint64_t)n > f->left) {
		fetch_end(f, p, -EFBIG, NULL);
	} else if (n > 0) {
		f->left -= (uint64_t)n;
		f->room -= (uint32_t)n;
		port_send(p, PROTO_FILE, 0, f->number, (size_t)n);
	} else {
		fetch_end(f, p, n < 0 ? -errno : 0, NULL);
	}
}
