/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/mount.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"

char *proc_find(const char *name)
{
	const char *path = getenv("PATH");
	_free_ char *dirs = xasprintf("%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin",
				      path ? path : "");
	struct str rest = str_of(dirs);

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	while (rest.p) {
		struct str dir = str_cut(&rest, ':');
		_free_ char *full = xasprintf("%.*s/%s", STR_FMT(dir), name);

		if (dir.n && access(full, X_OK) == 0)
			return TAKE(full);
	}
	return NULL;
}

/* Child side, between fork and exec: only async-signal-safe calls. */
static int child_fds(const struct proc_spec *s)
{
	int want[3] = { s->in, s->out, s->err };

	for (int i = 0; i < 3; i++) {
		if (want[i] == PROC_SAME)
			continue;
		if (want[i] == PROC_NULL)
			want[i] = open("/dev/null", i ? O_WRONLY : O_RDONLY);
		/* Out of the way of 0..2, so that dup2 below can't overwrite it. */
		if (want[i] >= 0)
			want[i] = fcntl(want[i], F_DUPFD_CLOEXEC, 100);
		if (want[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (want[i] != PROC_SAME && dup2(want[i], i) < 0)
			return -errno;
	/* Everything else closes on exec, then the named ones are opened up. */
	syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	for (unsigned i = 0; i < s->n_keep; i++)
		if (fcntl(s->keep[i], F_SETFD, 0) < 0)
			return -errno;
	return 0;
}

/* Whoever we are outside is root in a user namespace of our own. */
struct id_maps {
	char uid[32], gid[32];
};

static struct id_maps id_maps(void)
{
	struct id_maps m;

	snprintf(m.uid, sizeof(m.uid), "0 %u 1\n", geteuid());
	snprintf(m.gid, sizeof(m.gid), "0 %u 1\n", getegid());
	return m;
}

static int child_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int child_map(const struct id_maps *m)
{
	int r = child_write("/proc/self/setgroups", "deny");

	if (r == 0)
		r = child_write("/proc/self/uid_map", m->uid);
	return r < 0 ? r : child_write("/proc/self/gid_map", m->gid);
}

/* What is mounted later, by others, does not reach it either. */
static int child_read_only(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 ? -errno : 0;
}

static int child_setup(const struct proc_spec *s, pid_t parent, const struct id_maps *maps)
{
	sigset_t none;
	int r;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (!s->unshare && getppid() != parent)
		return -ESRCH;
	if (s->session && setsid() < 0)
		return -errno;
	r = s->unshare & CLONE_NEWUSER ? child_map(maps) : 0;
	if (r == 0 && s->read_only)
		r = child_read_only();
	if (r == 0)
		r = child_fds(s);
	if (r < 0)
		return r;
	return s->dir && chdir(s->dir) < 0 ? -errno : 0;
}

/* fork(), or clone() into new namespaces when asked. */
static pid_t fork_into(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

static char **env_merge(const char *const *extra)
{
	size_t n = 0, n_extra = 0;
	char **v;

	while (environ[n])
		n++;
	while (extra && extra[n_extra])
		n_extra++;
	v = xcalloc(n + n_extra + 1, sizeof(*v));
	memcpy(v, environ, n * sizeof(*v));
	for (size_t i = 0; i < n_extra; i++) {
		size_t key = strcspn(extra[i], "=") + 1, at = 0;

		while (at < n && strncmp(v[at], extra[i], key) != 0)
			at++;
		v[at] = (char *)extra[i];
		n += at == n;
	}
	return v;
}

int proc_start(const struct proc_spec *spec, struct proc *ret, struct err *err)
{
	_free_ char *program = proc_find(spec->argv[0]);
	_free_ char **env = env_merge(spec->env);
	_cleanup_(closep) int rd = -1, wr = -1;
	const struct id_maps maps = id_maps();
	pid_t self = getpid(), pid;
	int pipefd[2], child_error = 0;
	ssize_t n;

	if (!program)
		return err_set(err, ENOENT, "no program '%s'", spec->argv[0]);
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return err_sys(err, errno, "start '%s'", spec->argv[0]);
	rd = pipefd[0];
	wr = pipefd[1];
	pid = fork_into(spec->unshare);
	if (pid < 0)
		return err_sys(err, errno, "start '%s'", spec->argv[0]);
	if (pid == 0) {
		child_error = -child_setup(spec, self, &maps);
		if (!child_error) {
			execve(program, (char **)spec->argv, env);
			child_error = errno;
		}
		(void)!write(wr, &child_error, sizeof(child_error));
		_exit(127);
	}
	close(wr);
	wr = -1;
	do
		n = read(rd, &child_error, sizeof(child_error));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(child_error)) {
		waitpid(pid, NULL, 0);
		return err_sys(err, child_error, "start '%s'", spec->argv[0]);
	}
	*ret = (struct proc){
		.pid = pid,
		.fd = (int)syscall(SYS_pidfd_open, pid, 0),
		.session = spec->session,
	};
	if (ret->fd < 0) {
		int e = errno;

		proc_end(ret);
		return err_sys(err, e, "watch '%s'", spec->argv[0]);
	}
	return 0;
}

int proc_wait(struct proc *p, bool block, int *ret_status, struct err *err)
{
	int status = 0;
	pid_t r;

	do
		r = waitpid(p->pid, &status, block ? 0 : WNOHANG);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(err, errno, "wait for process %d", (int)p->pid);
	if (r == 0)
		return 0;
	/* What the session left behind: it has no reason to outlive its head. */
	if (p->session)
		kill(-p->pid, SIGKILL);
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct proc){ .fd = -1 };
	if (ret_status)
		*ret_status = status;
	return 1;
}

void proc_kill(struct proc *p, int sig)
{
	if (p->pid > 0)
		kill(p->session ? -p->pid : p->pid, sig);
}

void proc_end(struct proc *p)
{
	if (p->pid <= 0)
		return;
	proc_kill(p, SIGKILL);
	proc_wait(p, true, NULL, NULL);
}

int proc_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct capture {
	int fd;
	struct buf *to;
};

/* Reads what is there. Returns 1 while open, 0 at the end, -errno. */
static int capture_read(struct capture *c)
{
	char chunk[16384];
	ssize_t n = read(c->fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	if (n == 0) {
		close(c->fd);
		c->fd = -1;
		return 0;
	}
	if (c->to && buf_add(c->to, chunk, (size_t)n) < 0)
		return -EFBIG;
	return 1;
}

static int capture_loop(struct proc *p, struct capture c[2], int64_t deadline)
{
	bool ended = false;

	while (!ended) {
		struct pollfd f[3] = {
			{ .fd = c[0].fd, .events = POLLIN },
			{ .fd = c[1].fd, .events = POLLIN },
			{ .fd = p->fd, .events = POLLIN },
		};
		int64_t left = deadline ? deadline - clock_mono_ms() : -1;

		if (deadline && left <= 0)
			return -ETIMEDOUT;
		if (poll(f, 3, left > 1000000 ? 1000000 : (int)left) < 0 && errno != EINTR)
			return -errno;
		/* After its end: once more what the pipes still hold. */
		ended = f[2].revents;
		for (int i = 0; i < 2; i++) {
			int r = 1;

			while (c[i].fd >= 0 && (f[i].revents || ended) && r == 1) {
				r = capture_read(&c[i]);
				if (r < 0)
					return r;
				if (!ended)
					break;
				struct pollfd more = { .fd = c[i].fd, .events = POLLIN };
				if (c[i].fd >= 0 && poll(&more, 1, 0) <= 0)
					break;
			}
		}
	}
	return 0;
}

int proc_run(const struct proc_spec *spec, struct buf *out, struct buf *errout,
	     int64_t timeout_ms, struct err *err)
{
	struct proc_spec s = *spec;
	struct capture c[2] = { { -1, out }, { -1, errout } };
	int *target[2] = { &s.out, &s.err };
	int pipes[2][2] = { { -1, -1 }, { -1, -1 } };
	struct proc p = { .fd = -1 };
	int r = 0, status = 0;

	for (int i = 0; i < 2; i++) {
		if (!c[i].to)
			continue;
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			r = err_sys(err, errno, "pipe for '%s'", spec->argv[0]);
		c[i].fd = pipes[i][0];
		*target[i] = pipes[i][1];
	}
	if (r == 0)
		r = proc_start(&s, &p, err);
	for (int i = 0; i < 2; i++)
		closep(&pipes[i][1]);
	if (r == 0) {
		r = capture_loop(&p, c, timeout_ms ? clock_mono_ms() + timeout_ms : 0);
		if (r < 0) {
			proc_end(&p);
			err_sys(err, -r, "'%s'", spec->argv[0]);
		} else {
			r = proc_wait(&p, true, &status, err);
		}
	}
	closep(&c[0].fd);
	closep(&c[1].fd);
	return r < 0 ? r : proc_exit_code(status);
}

#define CALL_MAX 4096

/* Child side of proc_call(): a number, then the result. */
__attribute__((noreturn)) static void call_child(int (*fn)(void *), void *result, size_t n,
						 int wr)
{
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = fn(result);
	if (file_write_all(wr, &r, sizeof(r)) == 0)
		file_write_all(wr, result, n);
	_exit(0);
}

/* Reads all @n bytes by @deadline. Returns 1, 0 at an early end, -errno. */
static int read_until(int fd, void *to, size_t n, int64_t deadline)
{
	char *at = to;

	while (n) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_mono_ms();
		ssize_t got;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, left > 1000000 ? 1000000 : (int)left) <= 0)
			continue;
		got = read(fd, at, n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return 0;
		at += got > 0 ? got : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
	return 1;
}

int proc_call(int (*fn)(void *result), void *result, size_t n, int64_t timeout_ms,
	      struct err *err)
{
	_cleanup_(closep) int rd = -1, wr = -1;
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct proc p = { .fd = -1 };
	char copy[CALL_MAX];
	int fds[2], value = 0, r;

	if (n > sizeof(copy))
		return err_set(err, EINVAL, "a result of %zu bytes", n);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	rd = fds[0];
	wr = fds[1];
	p.pid = fork_into(0);
	if (p.pid == 0)
		call_child(fn, result, n, wr);
	if (p.pid < 0)
		return err_sys(err, errno, "fork");
	close(wr);
	wr = -1;
	r = read_until(rd, &value, sizeof(value), deadline);
	if (r > 0)
		r = read_until(rd, copy, n, deadline);
	proc_end(&p);
	if (r < 0)
		return err_sys(err, -r, "wait for a child");
	if (r == 0)
		return err_set(err, ECHILD, "a child was killed");
	memcpy(result, copy, n);
	return value;
}
