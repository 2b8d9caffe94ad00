/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel can do as a guest: its image, its .config, its modules. */
#include "machine/qemu.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define CONFIG_MAX (4u << 20)

/* What a kernel must have, whatever shares the files. */
static const struct need {
	const char *option, *module; /* NULL: can only be built in */
	const char *why;
	bool overlay, net;           /* only with --root overlay, with --net */
} NEEDS[] = {
	{ "BLK_DEV_INITRD", NULL, "an initramfs" },
	{ "DEVTMPFS", NULL, "device nodes" },
	{ "TMPFS", NULL, "/run" },
	{ "UNIX98_PTYS", NULL, "terminals" },
	{ "VIRTIO_PCI", "virtio_pci", "virtio devices" },
	{ "VIRTIO_CONSOLE", "virtio_console", "the agent's port" },
	{ "OVERLAY_FS", "overlay", "--root overlay", .overlay = true },
	{ "VIRTIO_NET", "virtio_net", "--net", .net = true },
};

static const struct need VIRTIOFS[] = {
	{ "VIRTIO_FS", "virtiofs", "the host's files" },
};

static const struct need P9[] = {
	{ "NET_9P", "9pnet", "the host's files" },
	{ "NET_9P_VIRTIO", "9pnet_virtio", "the host's files" },
	{ "9P_FS", "9p", "the host's files" },
};

/* Returns 1 when the kernel has it (modules added), 0 when not. */
static int kernel_has(struct qemu *q, const struct need *need)
{
	char v = q->config.n ? kconfig_value(buf_str(&q->config), need->option) : '?';

	if (v == 'y' || v == 'n')
		return v == 'y';
	/* Unknown, or a module: its files tell. */
	if (need->module && q->has_modules)
		return modules_want(&q->modules, need->module, NULL) >= 0;
	return v == '?';
}

static bool kernel_has_all(struct qemu *q, const struct need *needs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!kernel_has(q, &needs[i]))
			return false;
	return true;
}

static int check_kernel(struct qemu *q)
{
	const struct machine_config *c = &q->m->config;

	for (size_t i = 0; i < ARRAY_SIZE(NEEDS); i++) {
		const struct need *need = &NEEDS[i];

		if ((need->overlay && c->root != MACHINE_ROOT_OVERLAY) || (need->net && !c->net))
			continue;
		if (!kernel_has(q, need))
			return err_set(q->err, ENOTSUP,
				       "kernel %s has no CONFIG_%s, needed for %s: set it to y%s",
				       c->release, need->option, need->why,
				       need->module ? ", or to m and build its modules" : "");
	}
	return 0;
}

/* virtiofs where it can be, else 9p, else the reason why neither. */
static int choose_files(struct qemu *q)
{
	const char *release = q->m->config.release;
	bool virtiofs = kernel_has_all(q, VIRTIOFS, ARRAY_SIZE(VIRTIOFS));

	share_server_find(&q->server);
	q->virtiofs = virtiofs && q->server.path && geteuid() == 0;
	if (q->virtiofs || kernel_has_all(q, P9, ARRAY_SIZE(P9)))
		return 0;
	if (!virtiofs)
		return err_set(q->err, ENOTSUP,
			       "kernel %s can't see the host's files: set CONFIG_VIRTIO_FS, or "
			       "CONFIG_NET_9P_VIRTIO and CONFIG_9P_FS, to y or m", release);
	if (!q->server.path)
		return err_set(q->err, ENOENT,
			       "no program 'virtiofsd', and kernel %s has no CONFIG_9P_FS to do "
			       "without: install " SHARE_SERVER_PACKAGE, release);
	return err_set(q->err, EPERM,
		       "virtiofsd needs root, and kernel %s has no CONFIG_9P_FS to do without: "
		       "use sudo", release);
}

static int check_image(const char *path, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[0x206];
	struct stat st;

	if (fd < 0)
		return err_sys(err, errno, "kernel image '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    read(fd, head, sizeof(head)) != sizeof(head) ||
	    /* The x86 boot protocol's header, or an ELF file (PVH). */
	    (memcmp(head + 0x202, "HdrS", 4) != 0 && memcmp(head, "\177ELF", 4) != 0))
		return err_set(err, ENOEXEC, "'%s' is no kernel: neither a bzImage nor a vmlinux",
			       path);
	return 0;
}

int qemu_kernel(struct qemu *q)
{
	const struct machine_config *c = &q->m->config;
	int r = check_image(c->image, q->err);

	if (r == 0 && c->config)
		r = file_read(c->config, CONFIG_MAX, &q->config, q->err);
	if (r == 0 && c->modules_dir) {
		r = modules_open(&q->modules, c->modules_dir, c->release, q->err);
		q->has_modules = r == 0;
	}
	if (r == 0)
		r = check_kernel(q);
	return r < 0 ? r : choose_files(q);
}
