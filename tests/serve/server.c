/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "serve/push.h"
#include "serve/serve.h"

struct child {
	struct loop *loop;
	struct serve *serve;
};

static void on_signal(void *ctx)
{
	serve_stop(((struct child *)ctx)->serve);
}

static void on_stopped(void *ctx)
{
	loop_stop(((struct child *)ctx)->loop);
}

static void say(void *ctx, enum log_level level, struct str text)
{
	printf("# server: %.*s\n", STR_FMT(text));
}

/* Returns what its exit code is to be. */
static int run(const struct server *s, const char *spec, int ready)
{
	const char *listen[] = { spec, NULL };
	struct log log = { .level = LOG_WARN, .line = say };
	struct child c = { .loop = loop_new() };
	struct loop_watch *term;
	struct store *store;
	struct err err = {};

	if (store_open(s->db, STORE_READ, &store, &err) < 0)
		return printf("# %s\n", err.text), 1;
	struct serve_config config = { .store = store, .url = s->db, .version = "0",
				       .idle_s = s->idle_s, .listen = listen };
	if (s->tokens)
		config.push = push_new(s->db, s->tokens, s->dir, &log);
	if (serve_new(c.loop, &log, &config, on_stopped, &c, &c.serve, &err) < 0)
		return printf("# %s\n", err.text), 1;
	signal(SIGPIPE, SIG_IGN); /* as cmd/ does */
	term = loop_signal(c.loop, SIGTERM, on_signal, &c);
	if (write(ready, "1", 1) != 1)
		return 1;
	loop_run(c.loop);
	loop_unwatch(term);
	serve_free(c.serve);
	push_free(config.push);
	store_close(store);
	loop_free(c.loop);
	return 0;
}

void server_init(struct server *s, const char *dir)
{
	*s = (struct server){ .dir = xstrdup(dir), .db = path_join(dir, "history.db"),
			      .sock = path_join(dir, "web.sock") };
}

void server_done(struct server *s)
{
	free(s->dir);
	free(s->db);
	free(s->sock);
	free(s->tokens);
	*s = (struct server){};
}

bool server_start(struct server *s)
{
	_free_ char *spec = xasprintf("unix:%s", s->sock);
	int p[2];
	char c;
	bool there;

	fflush(stdout);
	if (pipe(p) < 0)
		return false;
	s->pid = fork();
	if (s->pid == 0) {
		close(p[0]);
		exit(run(s, spec, p[1]));
	}
	close(p[1]);
	there = read(p[0], &c, 1) == 1;
	close(p[0]);
	return there;
}

int server_stop(struct server *s)
{
	int status = -1;

	kill(s->pid, SIGTERM);
	waitpid(s->pid, &status, 0);
	return status;
}

int server_dial(const struct server *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", s->sock);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	closep(&fd);
	return -1;
}

bool server_tell(int fd, const char *text)
{
	size_t n = strlen(text);

	return send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}
