/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#define GROUPS_MAX  4096
#define LIMITS_MAX  16
/* More is on its way at once; the kernel's own default is 64 KiB. */
#define PIPE_SIZE   (256 << 10)

/* What a command finds when the launcher says nothing else. */
static const char *const ENVIRONMENT[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"USER=root",
	"LOGNAME=root",
	"SHELL=/bin/sh",
	"LANG=C.UTF-8",
};

static const struct {
	enum proto_limit_of of;
	int resource;
} LIMITS[] = {
	{ PROTO_LIMIT_MEMORY, RLIMIT_AS }, { PROTO_LIMIT_FILES, RLIMIT_NOFILE },
	{ PROTO_LIMIT_CPU, RLIMIT_CPU },   { PROTO_LIMIT_CORE, RLIMIT_CORE },
};

struct start {
	struct proto_start head;
	gid_t *groups;
	struct proto_limit limits[LIMITS_MAX];
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

/* Copies @n bytes off the front. */
static bool take(void *to, size_t n, const char **p, const char *end)
{
	if ((size_t)(end - *p) < n)
		return false;
	memcpy(to, *p, n);
	*p += n;
	return true;
}

static bool start_parse(struct start *s, const char *payload, size_t n)
{
	const char *p = payload, *end = payload + n;
	unsigned n_env = 0;

	if (!take(&s->head, sizeof(s->head), &p, end))
		return false;
	if (s->head.n_argv == 0 || s->head.n_groups > GROUPS_MAX || s->head.n_limits > LIMITS_MAX)
		return false;
	s->groups = calloc(s->head.n_groups + 1u, sizeof(gid_t));
	if (!s->groups || !take(s->groups, s->head.n_groups * sizeof(gid_t), &p, end) ||
	    !take(s->limits, s->head.n_limits * sizeof(s->limits[0]), &p, end))
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
	enum { FAIL_START, FAIL_DIR, FAIL_LIMIT, FAIL_USER } at;
};

static int limits_set(const struct start *s)
{
	for (unsigned i = 0; i < s->head.n_limits; i++) {
		uint64_t value = s->limits[i].value;
		rlim_t v = value == PROTO_UNLIMITED ? RLIM_INFINITY : (rlim_t)value;
		struct rlimit r = { v, v };
		size_t k = 0, n = sizeof(LIMITS) / sizeof(LIMITS[0]);

		while (k < n && LIMITS[k].of != s->limits[i].of)
			k++;
		if (k == n)
			return EINVAL;
		if (setrlimit(LIMITS[k].resource, &r) < 0)
			return errno;
	}
	return 0;
}

static int user_set(const struct start *s, const int fd[3])
{
	/* So that /dev/stdout and the terminal by its name are the command's. */
	for (int i = 0; i < 3; i++)
		(void)!fchown(fd[i], s->head.uid, (gid_t)-1);
	return setgroups(s->head.n_groups, s->groups) < 0 || setgid(s->head.gid) < 0 ||
			       setuid(s->head.uid) < 0 ? errno : 0;
}

static struct failure child_become(const struct start *s)
{
	static const int fd[3] = { 0, 1, 2 };
	int code = limits_set(s);

	if (code)
		return (struct failure){ code, FAIL_LIMIT };
	code = s->head.has_user ? user_set(s, fd) : 0;
	if (code)
		return (struct failure){ code, FAIL_USER };
	/* As the user: it may be a directory that only root could enter. */
	if (s->dir[0] && chdir(s->dir) < 0)
		return (struct failure){ errno, FAIL_DIR };
	environ = s->env;
	execvp(s->argv[0], s->argv);
	return (struct failure){ errno, FAIL_START };
}

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
	if (!f.code)
		f = child_become(s);
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

void terminal_resize(int fd, unsigned rows, unsigned columns)
{
	struct winsize w = { .ws_row = (unsigned short)rows,
			     .ws_col = (unsigned short)columns };

	if (rows && columns)
		ioctl(fd, TIOCSWINSZ, &w);
}

static int terminal_open(struct ends *e, const struct proto_start *head)
{
	struct termios t;
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
	/* Erasing takes whole characters, as at a terminal of today. */
	if (e->in[1] >= 0 && tcgetattr(e->in[1], &t) == 0) {
		t.c_iflag |= IUTF8;
		tcsetattr(e->in[1], TCSANOW, &t);
	}
	terminal_resize(master, head->rows, head->columns);
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
	fcntl(e->out[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (merge)
		e->err[1] = fcntl(e->out[1], F_DUPFD_CLOEXEC, 3);
	else if (pipe2(e->err, O_CLOEXEC) < 0)
		return -errno;
	return e->err[1] < 0 ? -errno : 0;
}

/* Our memory is lent until the exec, not copied: the copy is a good part of what a
 * command costs, under User Mode Linux most of all. What the child changes of it we
 * put back. */
__attribute__((noinline)) static pid_t child_fork(const struct start *s, const int fd[3], int say)
{
	char **own = environ;
	pid_t pid = vfork();

	if (pid == 0)
		child_run(s, fd, say);
	environ = own;
	return pid;
}

/* Forks; returns the pid, or -errno with what failed in *@ret. */
static int child_start(const struct start *s, const struct ends *e, struct failure *ret)
{
	int theirs[3] = { e->in[1], e->out[1], e->err[1] };
	struct failure f;
	int say[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(say, O_CLOEXEC) < 0)
		return -errno;
	pid = child_fork(s, theirs, say[1]);
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
	*ret = f;
	return -f.code;
}

/* A sentence about it. */
static void failure_words(const struct start *s, const struct failure *f, char *why,
			  size_t size)
{
	const char *reason = strerror(f->code);

	if (f->at == FAIL_LIMIT)
		snprintf(why, size, "set the command's limits: %s", reason);
	else if (f->at == FAIL_USER)
		snprintf(why, size, "become user %u: %s", s->head.uid, reason);
	else
		snprintf(why, size, "%s '%s': %s",
			 f->at == FAIL_DIR ? "go to directory" : "start",
			 f->at == FAIL_DIR ? s->dir : s->argv[0], reason);
}

void command_start(struct command *c, const char *payload, size_t n, char *why,
		   size_t why_size)
{
	struct ends e = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	struct start s = {};
	struct failure f = {};
	int r = start_parse(&s, payload, n) ? 0 : -EPROTO;

	why[0] = '\0';
	if (r == 0)
		r = s.head.terminal ? terminal_open(&e, &s.head) : pipes_open(&e, s.head.merge);
	if (r == 0)
		r = child_start(&s, &e, &f);
	if (r > 0) {
		c->pid = r;
		c->terminal = s.head.terminal;
		c->room = s.head.room;
		c->in = e.in[0];
		c->out = e.out[0];
		c->err = e.err[0];
		fcntl(c->in, F_SETFL, O_NONBLOCK);
		e.in[0] = e.out[0] = e.err[0] = -1;
	} else {
		c->exit.status = r;
		f.code = -r;
		if (r != -EPROTO)
			failure_words(&s, &f, why, why_size);
	}
	ends_close(&e);
	free(s.groups);
	free(s.argv);
	free(s.env);
}
