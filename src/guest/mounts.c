/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN_KERNEL = 1, IN_NAMESPACES = 2, IN_BOTH = 3, MUST = 4, IF_RO = 8 };

/* In this order. Without MUST: where the kernel has it and the root a place. */
static const struct {
	const char *dir, *type, *data;
	unsigned long flags;
	unsigned when;
} MOUNTS[] = {
	{ "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_BOTH | MUST },
	{ "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_BOTH | MUST },
	{ "/dev", "devtmpfs", "mode=0755", MS_NOSUID, IN_KERNEL | MUST },
	{ "/dev", "tmpfs", "mode=0755", MS_NOSUID, IN_NAMESPACES | MUST },
	{ "/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV, IN_BOTH | MUST },
	{ "/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, IN_BOTH | IF_RO },
	{ "/dev/pts", "devpts", "mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, IN_BOTH },
	{ "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, IN_BOTH },
	{ "/dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_BOTH },
	{ "/sys/fs/cgroup", "cgroup2", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_KERNEL },
	{ "/sys/fs/bpf", "bpf", "mode=0700", MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_BOTH },
	{ "/sys/kernel/debug", "debugfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_KERNEL },
	{ "/sys/kernel/tracing", "tracefs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_KERNEL },
	{ "/sys/kernel/security", "securityfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC,
	  IN_KERNEL },
	{ "/sys/kernel/config", "configfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, IN_KERNEL },
};

/* A namespace's /dev: what a program may expect, bound from the host's. */
static const char *const NODES[] = { "null", "zero",	"full",	 "random", "urandom",
				     "tty",  "net/tun", "fuse" };

static void nodes_bind(int host)
{
	mkdir("/dev/net", 0755);
	for (size_t i = 0; i < sizeof(NODES) / sizeof(NODES[0]); i++) {
		char from[64], to[64];

		snprintf(from, sizeof(from), "/proc/self/fd/%d/dev/%s", host, NODES[i]);
		snprintf(to, sizeof(to), "/dev/%s", NODES[i]);
		if (access(from, F_OK) < 0 || mknod(to, S_IFREG | 0600, 0) < 0)
			continue;
		if (mount(from, to, NULL, MS_BIND, NULL) < 0)
			unlink(to);
	}
}

static void links_make(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },	{ "/proc/self/fd/2", "/dev/stderr" },
		{ "pts/ptmx", "/dev/ptmx" },
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		(void)!symlink(links[i][0], links[i][1]); /* there already: as good */
}

/* Without a modprobe to call, what the kernel lacks is missing at once; bpffs
 * alone would look for a module for a tenth of a second. system_setup() names
 * the program later. */
static void modprobe_off(void)
{
	write_text("/proc/sys/kernel/modprobe", "\n");
}

void mounts_make(const struct config *c, int host)
{
	unsigned here = c->own_kernel ? IN_KERNEL : IN_NAMESPACES;

	for (size_t i = 0; i < sizeof(MOUNTS) / sizeof(MOUNTS[0]); i++) {
		if (!(MOUNTS[i].when & here) ||
		    ((MOUNTS[i].when & IF_RO) && c->root != ROOT_RO))
			continue;
		if (strncmp(MOUNTS[i].dir, "/dev/", 5) == 0)
			mkdir(MOUNTS[i].dir, 0755);
		if (mount(MOUNTS[i].type, MOUNTS[i].dir, MOUNTS[i].type, MOUNTS[i].flags,
			  MOUNTS[i].data) < 0 &&
		    (MOUNTS[i].when & MUST))
			die(errno, "mount %s on %s", MOUNTS[i].type, MOUNTS[i].dir);
		if (i == 0 && c->own_kernel)
			modprobe_off();
	}
	if (!c->own_kernel)
		nodes_bind(host);
	links_make();
	mkdir("/run/netns", 0755);
	mkdir("/run/lock", 01777);
}
