/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel can do as a guest: its image, its .config, its modules. */
#include "machine/qemu.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a kernel must have, whatever shares the files. */
static const struct need NEEDS[] = {
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

#define PACKED(why) "the guest's kernel can't see the host's files (" why "), but only what was " \
		    "packed for it; --share DIR packs more"

/* What is packed can't come back. */
static bool wants_back(const struct machine_config *c)
{
	bool rw = c->root == MACHINE_ROOT_RW;

	for (unsigned i = 0; i < c->n_shares; i++)
		rw |= c->shares[i].rw;
	return rw;
}

/* virtiofs where it can be, else 9p, else packed, else the reason why neither. */
static int choose_files(struct qemu *q)
{
	const char *release = q->m->config.release;
	bool virtiofs = guest_kernel_has(&q->guest, VIRTIOFS, ARRAY_SIZE(VIRTIOFS));
	int r = virtiofs ? share_server_find(q->m->config.cache_dir, &q->server, q->err) : 0;

	if (r < 0)
		return r;
	q->virtiofs = r && geteuid() == 0;
	if (q->virtiofs || guest_kernel_has(&q->guest, P9, ARRAY_SIZE(P9)))
		return 0;
	if (!wants_back(&q->m->config)) {
		q->guest.packed = true;
		q->m->facts.packed = !virtiofs         ? PACKED("it has neither virtiofs nor 9p")
				     : !q->server.path ? PACKED("there is no virtiofsd, and it "
								"has no 9p")
						       : PACKED("virtiofsd needs root, and it "
								"has no 9p");
		return 0;
	}
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

/* One that is kept is for those that want more, too: the same modules, in the
 * same order, for all. */
static void want_more(struct qemu *q)
{
	for (size_t i = 0; i < ARRAY_SIZE(NEEDS); i++)
		if (NEEDS[i].overlay || NEEDS[i].net)
			guest_kernel_has(&q->guest, &NEEDS[i], 1);
}

int qemu_kernel(struct qemu *q)
{
	const struct machine_config *c = &q->m->config;
	int r = check_image(c->image, q->err);

	if (r == 0)
		r = guest_kernel_open(&q->guest, c, q->err);
	if (r == 0 && !c->cold)
		want_more(q);
	if (r == 0)
		r = choose_files(q);
	return r < 0 ? r : guest_kernel_check(&q->guest, NEEDS, ARRAY_SIZE(NEEDS), q->err);
}
