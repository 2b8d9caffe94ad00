/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/netlink.h>

#define PORT_WAIT_MS 10000

int64_t clock_ns(int clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static void interface_up(int sock, const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_UP };

	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	ioctl(sock, SIOCSIFFLAGS, &r);
}

static void address_set(struct sockaddr *a, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	inet_pton(AF_INET, text, &in.sin_addr);
	memcpy(a, &in, sizeof(*a));
}

/* As QEMU's user network is documented: "Using the user mode network stack". */
static void eth0_setup(int sock)
{
	struct ifreq r = { .ifr_name = "eth0" };
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	int fd;

	address_set(&r.ifr_addr, "10.0.2.15");
	if (ioctl(sock, SIOCSIFADDR, &r) < 0)
		die(errno, "give eth0 its address (CONFIG_VIRTIO_NET)");
	address_set(&r.ifr_netmask, "255.255.255.0");
	ioctl(sock, SIOCSIFNETMASK, &r);
	interface_up(sock, "eth0");
	address_set(&route.rt_dst, "0.0.0.0");
	address_set(&route.rt_genmask, "0.0.0.0");
	address_set(&route.rt_gateway, "10.0.2.2");
	ioctl(sock, SIOCADDRT, &route);
	fd = open("/run/resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	dprintf(fd, "nameserver 10.0.2.3\n");
	close(fd);
	mount("/run/resolv.conf", "/etc/resolv.conf", NULL, MS_BIND, NULL);
}

/* The kernel was told at build time where modprobe is; the root may differ. */
static void modprobe_path(void)
{
	static const char *const paths[] = { "/sbin/modprobe", "/usr/sbin/modprobe",
					     "/usr/bin/modprobe", "/bin/modprobe" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], X_OK) == 0) {
			write_text("/proc/sys/kernel/modprobe", paths[i]);
			return;
		}
}

void system_setup(const struct config *c)
{
	static const struct rlimit files = { 1024, 524288 };
	static const struct rlimit locked = { RLIM_INFINITY, RLIM_INFINITY };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (c->hostname && sethostname(c->hostname, strlen(c->hostname)) < 0)
		die(errno, "set the host's name to '%s'", c->hostname);
	interface_up(sock, "lo");
	if (c->net)
		eth0_setup(sock);
	close(sock);
	if (!c->own_kernel)
		return;
	modprobe_path();
	/* A test that writes to the console is heard, however much it writes. */
	write_text("/proc/sys/kernel/printk_devkmsg", "on");
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_MEMLOCK, &locked);
}

/* Reads a one-line file of sysfs; empty when it is not there. */
static void sys_read(const char *port, const char *name, char *text, size_t size)
{
	char path[300];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/%s", port, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static int port_find(void)
{
	DIR *d = opendir("/sys/class/virtio-ports");
	struct dirent *e;
	int fd = -1;

	while (fd < 0 && d && (e = readdir(d))) {
		char name[64], path[300];

		sys_read(e->d_name, "name", name, sizeof(name));
		if (strcmp(name, PROTO_PORT) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", e->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			die(errno, "open the launcher's port");
	}
	if (d)
		closedir(d);
	return fd;
}

static int port_wait(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	struct pollfd p = { .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
					 NETLINK_KOBJECT_UEVENT),
			    .events = POLLIN };
	int64_t end = clock_ns(CLOCK_MONOTONIC) + PORT_WAIT_MS * 1000000ll;
	char event[8192];
	int fd;

	/* Ports appear after their device, when the host has answered. */
	bind(p.fd, (struct sockaddr *)&addr, sizeof(addr));
	while ((fd = port_find()) < 0) {
		int64_t left = (end - clock_ns(CLOCK_MONOTONIC)) / 1000000;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			die(0, "no port named " PROTO_PORT " (CONFIG_VIRTIO_CONSOLE)");
		(void)!read(p.fd, event, sizeof(event));
	}
	close(p.fd);
	return fd;
}

/* A line that carries bytes: no echo, no signals, nothing translated. */
static int line_open(const char *device)
{
	char path[64];
	struct termios t;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", device);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &t) < 0)
		die(errno, "open the launcher's line '%s'", path);
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL;
	if (tcsetattr(fd, TCSANOW, &t) < 0)
		die(errno, "set up the launcher's line '%s'", path);
	return fd;
}

int port_open(const struct config *c)
{
	if (c->port)
		return line_open(c->port);
	return port_wait();
}
