/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define STRINGS_MAX 4096 /* of arguments, of environment */

/* What a command finds when the launcher says nothing else. */
static const char *const ENVIRONMENT[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"USER=root",
	"LOGNAME=root",
	"SHELL=/bin/sh",
	"LANG=C.UTF-8",
};

struct start {
	struct proto_start head;
	char **argv, **env;
	const char *dir;
};

/* The next NUL-ended string of [*p, end); NULL when there is none. */
static const char *string_next(const char **p, const char *end)
{
	const char *s = *p, *nul = memchr(s, '\0', (size_t)(end - s));

	if (nul)
		*p = nul + 1;
	return nul ? s : NULL;
}

/* Sets "K=V" in @env, which holds *@n and has room for one more. */
static void env_set(char **env, unsigned *n, const char *pair)
{
	size_t key = strcspn(pair, "=") + 1;
	unsigned i = 0;

	while (i < *n && strncmp(env[i], pair, key) != 0)
		i++;
	env[i] = (char *)pair;
	*n += i == *n;
}

static bool start_parse(struct start *s, const char *payload, size_t n)
{
	const char *p = payload + sizeof(s->head), *end = payload + n;
	unsigned n_env = 0;

	if (n < sizeof(s->head))
		return false;
	memcpy(&s->head, payload, sizeof(s->head));
	if (s->head.n_argv == 0 || s->head.n_argv > STRINGS_MAX || s->head.n_env > STRINGS_MAX)
		return false;
	s->argv = calloc(s->head.n_argv + 1u, sizeof(char *));
	s->env = calloc(s->head.n_env + 16u, sizeof(char *));
	if (!s->argv || !s->env)
		return false;
	for (unsigned i = 0; i < s->head.n_argv; i++) {
		s->argv[i] = (char *)string_next(&p, end);
		if (!s->argv[i])
			return false;
	}
	for (size_t i = 0; i < sizeof(ENVIRONMENT) / sizeof(ENVIRONMENT[0]); i++)
		env_set(s->env, &n_env, ENVIRONMENT[i]);
	env_set(s->env, &n_env, s->head.terminal ? "TERM=xterm-256color" : "TERM=dumb");
	for (unsigned i = 0; i < s->head.n_env; i++) {
		const char *pair = string_next(&p, end);

		if (!pair)
			return false;
		env_set(s->env, &n_env, pair);
	}
	s->dir = string_next(&p, end);
	return s->dir && p == end;
}

/* What the child says through its pipe when it can't become the command. */
struct failure {
	int code;
	bool dir; /* it was the directory */
};

__attribute__((noreturn)) static void child_run(const struct start *s, const int fd[3], int say)
{
	struct failure f = {};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (s->head.terminal)
		ioctl(fd[0], TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			f.code = errno;
	if (!f.code && s->dir[0] && chdir(s->dir) < 0)
		f = (struct failure){ errno, true };
	if (!f.code) {
		environ = s->env;
		execvp(s->argv[0], s->argv);
		f.code = errno;
	}
	(void)!write(say, &f, sizeof(f));
	_exit(127);
}

/* Descriptors of both sides, all >= 0 or all closed. [0] ours, [1] theirs. */
struct ends {
	int in[2], out[2], err[2];
};

static void ends_close(struct ends *e)
{
	int *all[] = { &e->in[0], &e->in[1], &e->out[0], &e->out[1], &e->err[0], &e->err[1] };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (*all[i] >= 0) {
			close(*all[i]);
			*all[i] = -1;
		}
}

static int terminal_open(struct ends *e)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), n = 0;
	char path[32];

	if (master < 0)
		return -errno;
	e->in[0] = master;
	e->out[0] = fcntl(master, F_DUPFD_CLOEXEC, 3);
	if (ioctl(master, TIOCSPTLCK, &n) < 0 || ioctl(master, TIOCGPTN, &n) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	e->in[1] = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	e->out[1] = fcntl(e->in[1], F_DUPFD_CLOEXEC, 3);
	e->err[1] = fcntl(e->in[1], F_DUPFD_CLOEXEC, 3);
	return e->out[0] < 0 || e->in[1] < 0 || e->out[1] < 0 || e->err[1] < 0 ? -errno : 0;
}

static int pipes_open(struct ends *e, bool merge)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	e->in[0] = p[1];
	e->in[1] = p[0];
	if (pipe2(e->out, O_CLOEXEC) < 0)
		return -errno;
	if (merge)
		e->err[1] = fcntl(e->out[1], F_DUPFD_CLOEXEC, 3);
	else if (pipe2(e->err, O_CLOEXEC) < 0)
		return -errno;
	return e->err[1] < 0 ? -errno : 0;
}

/* Forks; returns the pid, or -errno with *@dir set when chdir() failed. */
static int child_start(const struct start *s, const struct ends *e, bool *dir)
{
	int theirs[3] = { e->in[1], e->out[1], e->err[1] };
	struct failure f;
	int say[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(say, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child_run(s, theirs, say[1]);
	if (pid < 0)
		pid = -errno;
	close(say[1]);
	do
		n = read(say[0], &f, sizeof(f));
	while (n < 0 && errno == EINTR);
	close(say[0]);
	if (pid < 0 || n != sizeof(f))
		return pid;
	/* agent_run() reaps it as any orphan. */
	*dir = f.dir;
	return -f.code;
}

void command_start(struct command *c, const char *payload, size_t n, char *why,
		   size_t why_size)
{
	struct ends e = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	struct start s = {};
	bool dir = false;
	int r = start_parse(&s, payload, n) ? 0 : -EPROTO;

	why[0] = '\0';
	if (r == 0)
		r = s.head.terminal ? terminal_open(&e) : pipes_open(&e, s.head.merge);
	if (r == 0)
		r = child_start(&s, &e, &dir);
	if (r > 0) {
		c->pid = r;
		c->terminal = s.head.terminal;
		c->in = e.in[0];
		c->out = e.out[0];
		c->err = e.err[0];
		fcntl(c->in, F_SETFL, O_NONBLOCK);
		e.in[0] = e.out[0] = e.err[0] = -1;
	} else {
		c->exit.status = r;
		if (r != -EPROTO)
			snprintf(why, why_size, "%s '%s': %s",
				 dir ? "go to directory" : "start", dir ? s.dir : s.argv[0],
				 strerror(-r));
	}
	ends_close(&e);
	free(s.argv);
	free(s.env);
}
