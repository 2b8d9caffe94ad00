/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/listen.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#define BACKLOG        1024
#define FIRST_PASSED   3 /* SD_LISTEN_FDS_START */

static void name(int fd, char url[static LISTEN_TEXT_MAX])
{
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	snprintf(url, LISTEN_TEXT_MAX, "a socket");
	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return;
	if (a.ss_family == AF_UNIX)
		snprintf(url, LISTEN_TEXT_MAX, "unix:%s", ((struct sockaddr_un *)&a)->sun_path);
	else if (getnameinfo((struct sockaddr *)&a, n, host, sizeof(host), port, sizeof(port),
			     NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(url, LISTEN_TEXT_MAX, a.ss_family == AF_INET6 ? "http://[%.60s]:%.5s/"
								       : "http://%.60s:%.5s/",
			 host, port);
}

/* What is accepted has it too. An answer goes out in pieces: without it, the last
 * would wait until the client has acknowledged the others, 40 ms. */
static void at_once(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* a unix socket refuses it */
}

static int unix_open(const char *path, struct listen *ret, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_(closep) int fd = -1;
	struct stat st;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "make a socket");
	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(err, ENAMETOOLONG, "'%s' is too long for a socket: %zu bytes "
						  "at most", path, sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return err_set(err, EEXIST, "'%s' is there, and no socket", path);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return err_set(err, EADDRINUSE, "another server listens on '%s'", path);
		if (errno == ECONNREFUSED)
			unlink(path);
	}
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(err, errno, "listen on '%s'", path);
	ret->remove = xstrdup(path);
	ret->fd = fd;
	fd = -1;
	return 0;
}

static int one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	at_once(fd);
	return fd;
}

static int inet_open(const char *spec, struct listen *ret, struct err *err)
{
	const char *colon = strrchr(spec, ':');
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *list, *a;
	_free_ char *host = NULL;
	uint64_t port;
	int r, fd = -1;

	if (!colon || !str_to_u64(str_of(colon + 1), &port) || port > 65535)
		return err_set(err, EINVAL, "'%s' is no address to listen on: ADDR:PORT, as in "
					    "127.0.0.1:8080, or unix:PATH", spec);
	host = xstrndup(spec, (size_t)(colon - spec));
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	r = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &list);
	if (r)
		return err_set(err, EINVAL, "no address '%s': %s", host, gai_strerror(r));
	for (a = list; a && fd < 0; a = a->ai_next)
		fd = one(a);
	freeaddrinfo(list);
	if (fd == -EADDRINUSE)
		return err_set(err, EADDRINUSE, "another program listens on '%s': give --listen "
						"another port", spec);
	if (fd < 0)
		return err_sys(err, -fd, "listen on '%s'", spec);
	ret->fd = fd;
	return 0;
}

int listen_open(const char *spec, struct listen *ret, struct err *err)
{
	int r;

	*ret = (struct listen){ .fd = -1 };
	r = strncmp(spec, "unix:", 5) == 0 ? unix_open(spec + 5, ret, err)
					   : inet_open(spec, ret, err);
	if (r == 0)
		name(ret->fd, ret->url);
	return r;
}

int listen_passed(struct listen *ret, unsigned max)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t of, n;
	int got = 0;

	if (!pid || !fds || !str_to_u64(str_of(pid), &of) || of != (uint64_t)getpid() ||
	    !str_to_u64(str_of(fds), &n))
		return 0;
	for (int fd = FIRST_PASSED; n && max; fd++, n--, max--, got++) {
		ret[got] = (struct listen){ .fd = fd };
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		at_once(fd);
		name(fd, ret[got].url);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	return got;
}

void listen_done(struct listen *l)
{
	if (l->remove)
		unlink(l->remove);
	free(l->remove);
	l->remove = NULL;
}
