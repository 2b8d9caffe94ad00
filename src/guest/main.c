/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

void power_off(void)
{
	/* Every process but us; then what they wrote through a share. */
	kill(-1, SIGKILL);
	sync();
	tcdrain(STDERR_FILENO);
	/* PID 1 of namespaces: this ends them, and us with SIGINT. */
	reboot(RB_POWER_OFF);
	_exit(1);
}

void die(int code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dprintf(STDERR_FILENO, "taproom: %s%s%s\n", text, code ? ": " : "",
		code ? strerror(code) : "");
	power_off();
}

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

/* A test's last line may be the one before its kernel dies: whoever writes one
 * waits until it is told. Commands are not in a hurry of this kind. */
static void go_first(void)
{
	struct sched_param p = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p);
}

/* "guest cage CONFIG KERNEL [ARGUMENT]...", on the host; CONFIG is a descriptor. */
__attribute__((noreturn)) static void cage(char **argv)
{
	char text[PROTO_CONFIG_MAX];
	struct config c = {};

	config_read(number(argv[2]), text, sizeof(text));
	config_parse(text, &c);
	cage_run(&c, argv + 3);
}

/* "guest hold SOCKET", on the host: ends when its other end does. */
__attribute__((noreturn)) static void hold(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	dprintf(STDERR_FILENO, "it was ended by who kept it\n");
	_exit(1);
}

/* Started as /init by the kernel, or "guest PORT CONFIG" (descriptors) by the
 * launcher as PID 1 of fresh namespaces. */
int main(int argc, char **argv)
{
	char text[PROTO_CONFIG_MAX];
	struct config c = { .own_kernel = argc < 3 };
	int config = c.own_kernel ? open(PROTO_CONFIG, O_RDONLY | O_CLOEXEC) : number(argv[2]);
	int port = c.own_kernel ? -1 : number(argv[1]);
	int host;

	if (getpid() != 1 && argc == 3 && strcmp(argv[1], "hold") == 0)
		hold(number(argv[2]));
	if (getpid() != 1) {
		fprintf(stderr, "taproom: this program is the first process of a machine\n");
		return 1;
	}
	if (argc > 3 && strcmp(argv[1], "cage") == 0)
		cage(argv);
	if (config < 0)
		die(errno, "open " PROTO_CONFIG);
	umask(022);
	config_read(config, text, sizeof(text));
	config_parse(text, &c);
	modules_load(&c);
	if (c.wait) {
		port = resume_wait(&c, text, sizeof(text));
		c = (struct config){ .own_kernel = true };
		config_parse(text, &c);
	}
	host = root_enter(&c);
	mounts_make(&c, host);
	shares_make(&c, host);
	system_setup(&c);
	if (c.own_kernel)
		go_first();
	agent_run(&c, port >= 0 ? port : port_open(&c));
}
