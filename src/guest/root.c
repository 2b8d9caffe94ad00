/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h>

#define LAYERS_MAX 64

int make_dirs(const char *path)
{
	char p[PATH_MAX];
	size_t n = strlen(path);
	struct stat st;

	if (n >= sizeof(p))
		return -ENAMETOOLONG;
	memcpy(p, path, n + 1);
	for (char *at = p + 1; at <= p + n; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (mkdir(p, 0755) < 0 && stat(p, &st) < 0)
			return -errno;
		*at = c;
	}
	return 0;
}

static const char *fs_options(const char *fs, const char *tag, bool rw)
{
	if (strcmp(fs, "hostfs") == 0)
		return tag;
	if (strcmp(fs, "9p") != 0)
		return "";
	/* Nobody else writes below an overlay: the guest may keep what it read. */
	return rw ? "trans=virtio,version=9p2000.L,msize=512000,access=any,cache=mmap"
		  : "trans=virtio,version=9p2000.L,msize=512000,access=any,cache=loose";
}

static void mount_device(const char *fs, const char *tag, const char *dir, bool rw)
{
	if (mount(tag, dir, fs, rw ? 0 : MS_RDONLY, fs_options(fs, tag, rw)) < 0)
		die(errno, "mount %s '%s' on '%s'", fs, tag, dir);
}

/* An overlay over @lower on @dir; its upper layer is @scratch's number @i. */
static int mount_overlay(const char *lower, const char *scratch, unsigned i, const char *dir)
{
	char upper[PATH_MAX], work[PATH_MAX], escaped[PATH_MAX];
	char data[4096]; /* mount(2) takes one page */
	size_t n = 0;
	struct stat st;
	int length;

	for (const char *p = lower; *p && n < sizeof(escaped) - 2; p++) {
		if (strchr("\\:,", *p))
			escaped[n++] = '\\';
		escaped[n++] = *p;
	}
	escaped[n] = '\0';
	snprintf(upper, sizeof(upper), "%s/upper%u", scratch, i);
	snprintf(work, sizeof(work), "%s/work%u", scratch, i);
	if (stat(lower, &st) < 0 || mkdir(upper, 0755) < 0 || mkdir(work, 0755) < 0)
		return -errno;
	/* The top directory is the upper layer's; /tmp stays everybody's. */
	if (chown(upper, st.st_uid, st.st_gid) < 0 || chmod(upper, st.st_mode & 07777) < 0)
		return -errno;
	length = snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s,workdir=%s", escaped,
			  upper, work);
	if (length >= (int)sizeof(data))
		return -ENAMETOOLONG;
	return mount("overlay", dir, "overlay", 0, data) < 0 ? -errno : 0;
}

static void root_switch(const char *new)
{
	if (chdir(new) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		die(errno, "switch to the new root");
}

/* Nothing but the initramfs, in which what is needed was packed: its root as a mount
 * like another, which pivot_root(2) takes. */
static int root_packed(const struct config *c)
{
	int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	unlink("/init");
	unlink(PROTO_CONFIG);
	rmdir(PROTO_MODULES);
	if (host < 0 || mount("/", "/mnt", NULL, MS_BIND, NULL) < 0 ||
	    (c->root == ROOT_RO &&
	     mount(NULL, "/mnt", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0))
		die(errno, "bind the initramfs");
	root_switch("/mnt");
	return host;
}

/* The root of a kernel of our own: we are in its initramfs. */
static int root_kernel(const struct config *c)
{
	int host, r;

	if (strcmp(c->fs, "initramfs") == 0)
		return root_packed(c);
	mkdir("/host", 0755);
	mkdir("/new", 0755);
	mkdir("/scratch", 0755);
	mount_device(c->fs, c->from, "/host", c->root == ROOT_RW);
	host = open("/host", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (host < 0)
		die(errno, "open the host's root");
	if (c->root == ROOT_OVERLAY) {
		if (mount("tmpfs", "/scratch", "tmpfs", 0, "mode=0755") < 0)
			die(errno, "mount a tmpfs");
		r = mount_overlay("/host", "/scratch", 0, "/new");
		if (r < 0)
			die(-r, "mount an overlay (CONFIG_OVERLAY_FS)");
	} else if (mount("/host", "/new", NULL, MS_BIND, NULL) < 0) {
		die(errno, "bind the host's root");
	}
	root_switch("/new");
	return host;
}

/* Takes the octal escapes of proc(5)'s mountinfo out, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

/* Ours, and what mounts_make() makes again. */
static bool layer_skipped(const char *path, const char *scratch)
{
	static const char *const skip[] = { "/proc", "/sys", "/dev", "/run" };

	for (size_t i = 0; i < sizeof(skip) / sizeof(skip[0]); i++) {
		size_t n = strlen(skip[i]);

		if (strncmp(path, skip[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
	}
	return strcmp(path, scratch) == 0;
}

static void bind_ro(const char *from, const char *to)
{
	/* Best effort: what can't be shown stays empty. */
	if (mount(from, to, NULL, MS_BIND, NULL) == 0)
		mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

/*
 * An overlay does not reach into the mounts below its lower directory, so
 * each of the host's mounts gets its own. Where a file system can't be a lower
 * layer it is there read-only.
 */
static void layers_make(const char *scratch, const char *new)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_MAX], path[PATH_MAX], to[2 * PATH_MAX];
	unsigned i = 0;

	if (!f)
		die(errno, "read /proc/self/mountinfo");
	while (i < LAYERS_MAX && fgets(line, sizeof(line), f)) {
		struct stat st;

		if (sscanf(line, "%*s %*s %*s %*s %4095s", path) != 1)
			continue;
		unescape(path);
		if (layer_skipped(path, scratch) || stat(path, &st) < 0)
			continue;
		snprintf(to, sizeof(to), "%s%s", new, strcmp(path, "/") == 0 ? "" : path);
		if (!S_ISDIR(st.st_mode) || mount_overlay(path, scratch, i, to) < 0)
			bind_ro(path, to);
		i++;
	}
	fclose(f);
}

static void bind_all(const char *new, bool ro)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount("/", new, NULL, MS_BIND | MS_REC, NULL) < 0)
		die(errno, "bind the host's root");
	if (ro && syscall(SYS_mount_setattr, AT_FDCWD, new, AT_RECURSIVE, &attr,
			  sizeof(attr)) < 0)
		die(errno, "make the host's root read-only");
}

/* The root of namespaces of our own: the host's mounts are all here. */
static int root_namespaces(const struct config *c)
{
	int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char new[PATH_MAX];

	if (host < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die(errno, "make the mounts private");
	if (mount("tmpfs", c->from, "tmpfs", 0, "mode=0755") < 0)
		die(errno, "mount a tmpfs on '%s'", c->from);
	snprintf(new, sizeof(new), "%s/new", c->from);
	if (mkdir(new, 0755) < 0)
		die(errno, "make directory '%s'", new);
	if (c->root == ROOT_OVERLAY)
		layers_make(c->from, new);
	else
		bind_all(new, c->root == ROOT_RO);
	/* The old root stays below ours until the shares are bound (pivot_root(2),
	 * "pivot_root(".", ".")"). */
	if (chdir(new) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		die(errno, "switch to the new root");
	return host;
}

int root_enter(const struct config *c)
{
	return c->own_kernel ? root_kernel(c) : root_namespaces(c);
}

static void share_make(const struct config *c, const struct share *s, int host)
{
	char from[PATH_MAX + 32];
	int r = make_dirs(s->dir);

	if (r < 0)
		die(-r, "make the share's directory '%s'", s->dir);
	if (strcmp(s->tag, "-") != 0) {
		mount_device(c->fs, strcmp(c->fs, "hostfs") == 0 ? s->dir : s->tag, s->dir,
			     s->rw);
		return;
	}
	snprintf(from, sizeof(from), "/proc/self/fd/%d%s", host, s->dir);
	if (mount(from, s->dir, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    (!s->rw && mount(NULL, s->dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0))
		die(errno, "share '%s'", s->dir);
}

static void modules_show(const struct config *c, int host)
{
	char from[PATH_MAX + 32], to[PATH_MAX];

	snprintf(from, sizeof(from), "/proc/self/fd/%d%s/%s", host, c->modules, c->release);
	snprintf(to, sizeof(to), "/lib/modules/%s", c->release);
	/* Too many to be packed: the launcher knows. */
	if (strcmp(c->fs, "initramfs") == 0 && access(from, F_OK) < 0)
		return;
	/* A root that can't be written, or is the host's own, shows these modules only, or
	 * none: a command that needs one says so itself. */
	if (c->root == ROOT_RW || make_dirs(to) < 0) {
		if (mount("tmpfs", "/lib/modules", "tmpfs", 0, "mode=0755") < 0) {
			dprintf(STDERR_FILENO, "no /lib/modules, and no place for it\n");
			return;
		}
		mkdir(to, 0755);
	}
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		die(errno, "show the kernel's modules from '%s/%s'", c->modules, c->release);
}

void shares_make(const struct config *c, int host)
{
	for (unsigned i = 0; i < c->n_shares; i++)
		share_make(c, &c->shares[i], host);
	if (c->modules)
		modules_show(c, host);
	if (!c->own_kernel &&
	    (fchdir(host) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0))
		die(errno, "let go of the host's root");
	close(host);
}
