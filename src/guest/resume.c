/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that is kept and started again: booted as far as all machines of
 * its kind are alike, it waits here to be told which one it is.
 */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/random.h>

static void read_all(int port, void *to, size_t n)
{
	char *at = to;

	while (n) {
		ssize_t r = read(port, at, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			power_off();
		at += r;
		n -= (size_t)r;
	}
}

static void say_waiting(int port)
{
	struct proto_header h = { .magic = PROTO_MAGIC, .type = PROTO_WAITING };

	if (write(port, &h, sizeof(h)) != sizeof(h))
		power_off();
}

/* Machines that started as one must not draw the same numbers (random(4)). */
static void reseed(const struct proto_resume *r)
{
	struct {
		int bits, size;
		unsigned char bytes[sizeof(r->entropy)];
	} pool = { 8 * sizeof(r->entropy), sizeof(r->entropy), {} };
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	memcpy(pool.bytes, r->entropy, sizeof(r->entropy));
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) < 0)
		die(errno, "renew the random numbers");
	ioctl(fd, RNDRESEEDCRNG); /* since Linux 4.13 */
	close(fd);
}

static void set_clock(const struct proto_resume *r)
{
	struct timespec t = { (time_t)(r->wall_ns / 1000000000),
			      (long)(r->wall_ns % 1000000000) };

	if (clock_settime(CLOCK_REALTIME, &t) < 0)
		die(errno, "set the clock");
}

/* Where the port is found until there is a root, which has its own. */
static const char *const DEVICES[][2] = { { "devtmpfs", "/dev" }, { "sysfs", "/sys" } };

static int port_early(const struct config *c)
{
	int port;

	for (size_t i = 0; i < sizeof(DEVICES) / sizeof(DEVICES[0]); i++) {
		mkdir(DEVICES[i][1], 0755);
		if (mount(DEVICES[i][0], DEVICES[i][1], DEVICES[i][0], 0, NULL) < 0)
			die(errno, "mount %s on %s", DEVICES[i][0], DEVICES[i][1]);
	}
	port = port_open(c);
	fcntl(port, F_SETFD, FD_CLOEXEC);
	return port;
}

int resume_wait(const struct config *c, char *text, size_t size)
{
	int port = port_early(c);
	struct proto_header h;
	struct proto_resume r;

	/* The launcher keeps what we are now. Whoever starts from that comes back
	 * in the same place, and is told. */
	say_waiting(port);
	read_all(port, &h, sizeof(h));
	if (h.magic != PROTO_MAGIC || h.type != PROTO_RESUME)
		die(0, "the launcher spoke of something unknown (%u)", h.type);
	if (h.length < sizeof(r) || h.length - sizeof(r) >= size)
		die(0, "the configuration is larger than %zu bytes", size - 1);
	read_all(port, &r, sizeof(r));
	read_all(port, text, h.length - sizeof(r));
	text[h.length - sizeof(r)] = '\0';
	set_clock(&r);
	reseed(&r);
	explicit_bzero(&r, sizeof(r));
	/* The devices that only this machine has. */
	write_text("/sys/bus/pci/rescan", "1");
	for (size_t i = 0; i < sizeof(DEVICES) / sizeof(DEVICES[0]); i++)
		umount2(DEVICES[i][1], MNT_DETACH);
	return port;
}
