/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cage: what User Mode Linux runs in. Its guest sees the host's files through
 * the kernel's own process, with that process's rights: so it is this process
 * that must not be able to write. In mount and process namespaces that the
 * launcher made for us every mount becomes read-only and without devices,
 * except the shares; the kernel then runs in a user namespace below, where
 * these flags are locked (mount_namespaces(7)).
 *
 * We are the first process of the namespace: when we end, all that the kernel
 * started is ended and reaped before the launcher is told.
 */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/mount.h>

#define MAP_MAX 4096

__attribute__((noreturn)) static void give_up(const char *what, const char *name)
{
	dprintf(STDERR_FILENO, "taproom: %s '%s': %s\n", what, name, strerror(errno));
	_exit(1);
}

static void attributes(const char *dir, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (syscall(SYS_mount_setattr, AT_FDCWD, dir, AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		give_up("protect the files below (Linux 5.12 or later)", dir);
}

static void mount_tmpfs(const char *dir, unsigned long flags, const char *data)
{
	if (mount("tmpfs", dir, "tmpfs", flags, data) < 0)
		give_up("mount a tmpfs on", dir);
}

/* The devices that the kernel opens for itself, and no other. */
static void devices_make(const char *scratch)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom" };
	char from[64], to[4200];

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
		snprintf(to, sizeof(to), "%s/%s", scratch, nodes[i]);
		if (mknod(to, S_IFREG | 0600, 0) < 0 ||
		    mount(from, to, NULL, MS_BIND, NULL) < 0)
			give_up("show the device", from);
		attributes(to, 0, MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
	}
	if (mount(scratch, "/dev", NULL, MS_BIND | MS_REC, NULL) < 0)
		give_up("make directory", "/dev");
}

/* Everything as it is, read-only; then what may be written. */
static void files_make(const struct config *c)
{
	uint64_t safe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		give_up("make the mounts private below", "/");
	for (unsigned i = 0; i < c->n_shares; i++)
		if (c->shares[i].rw &&
		    mount(c->shares[i].dir, c->shares[i].dir, NULL, MS_BIND | MS_REC, NULL) < 0)
			give_up("share", c->shares[i].dir);
	attributes("/", safe | (c->root == ROOT_RW ? 0 : MOUNT_ATTR_RDONLY), 0);
	for (unsigned i = 0; i < c->n_shares && c->root != ROOT_RW; i++)
		if (c->shares[i].rw)
			attributes(c->shares[i].dir, 0, MOUNT_ATTR_RDONLY);
	/* First below what becomes /dev, then what the memory is in. */
	mount_tmpfs(c->from, MS_NOSUID, "mode=0755,size=64k");
	devices_make(c->from);
	mount_tmpfs(c->from, MS_NOSUID | MS_NODEV, "mode=0700");
}

/* Our own map, with what is inside on both sides. Returns its length or -errno. */
static int map_text(const char *path, char *to, size_t size)
{
	char text[MAP_MAX], *save = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	size_t length = 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -errno;
	text[n] = '\0';
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		unsigned inside, outside, count;

		if (sscanf(l, "%u %u %u", &inside, &outside, &count) != 3 || length + 40 > size)
			return -EINVAL;
		length += (size_t)snprintf(to + length, size - length, "%u %u %u\n", inside,
					   inside, count);
	}
	return (int)length;
}

static bool map_write(int pid, const char *name)
{
	char own[64], theirs[64], text[MAP_MAX];
	int n, fd;
	bool good;

	snprintf(own, sizeof(own), "/proc/self/%s", name);
	snprintf(theirs, sizeof(theirs), "/proc/%d/%s", pid, name);
	n = map_text(own, text, sizeof(text));
	fd = n > 0 ? open(theirs, O_WRONLY | O_CLOEXEC) : -1;
	good = fd >= 0 && write(fd, text, (size_t)n) == n;
	if (fd >= 0)
		close(fd);
	return good;
}

/* The child's side: its number as /proc has it, which is the host's. */
static void user_namespace(int say, int hear)
{
	char pid[16] = "0";
	ssize_t n;

	/* Where the host has none the mounts are read-only all the same. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
		n = readlink("/proc/self", pid, sizeof(pid) - 1);
		pid[n > 0 ? n : 0] = '\0';
	}
	if (write(say, pid, sizeof(pid)) != sizeof(pid) || read(hear, pid, 1) != 1)
		_exit(1);
}

__attribute__((noreturn)) static void kernel_run(char **argv, int say, int hear)
{
	static const struct rlimit none = { 0, 0 };
	sigset_t empty;

	setsid();
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	/* A kernel that panics aborts: its console is what is wanted of it. */
	setrlimit(RLIMIT_CORE, &none);
	user_namespace(say, hear);
	execv(argv[0], argv);
	give_up("start", argv[0]);
}

static int kernel_start(char **argv)
{
	int up[2], down[2];
	char number[16] = "";
	pid_t pid;
	int host;

	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0)
		give_up("make a pipe for", argv[0]);
	pid = fork();
	if (pid < 0)
		give_up("start a process for", argv[0]);
	if (pid == 0)
		kernel_run(argv, up[1], down[0]);
	close(up[1]);
	close(down[0]);
	if (read(up[0], number, sizeof(number)) != sizeof(number))
		number[0] = '\0';
	host = (int)strtol(number, NULL, 10);
	if (host > 0) {
		/* Its own copy of our mounts is made and stays as it is. */
		attributes("/proc", 0, MOUNT_ATTR_RDONLY);
		if (!map_write(host, "uid_map") || !map_write(host, "gid_map"))
			give_up("map the users of", argv[0]);
	}
	(void)!write(down[1], "g", 1);
	close(up[0]);
	close(down[1]);
	return pid;
}

void cage_run(const struct config *c, char **argv)
{
	int status = 0;
	pid_t pid, ended;

	files_make(c);
	if (setenv("TMPDIR", c->from, 1) < 0 || setenv("HOME", c->from, 1) < 0)
		give_up("set the environment of", argv[0]);
	pid = kernel_start(argv);
	/* The streams are the kernel's alone: their ends are its end. */
	syscall(SYS_close_range, 3, ~0u, 0);
	do
		ended = waitpid(-1, &status, 0);
	while (ended != pid && (ended > 0 || errno == EINTR));
	if (WIFSIGNALED(status))
		dprintf(STDERR_FILENO, "User Mode Linux was killed by signal %d (%s)\n",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}
