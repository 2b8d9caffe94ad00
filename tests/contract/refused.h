/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Kernels that no virtual machine boots, and why. */
#include "base/file.h"
#include "bench.h"

/* What a virtual machine's kernel must have, told before it boots. */
#define BASICS "CONFIG_BLK_DEV_INITRD=y\nCONFIG_DEVTMPFS=y\nCONFIG_TMPFS=y\n" \
	       "CONFIG_UNIX98_PTYS=y\nCONFIG_VIRTIO_PCI=y\n"
static const struct {
	const char *config, *image;
	int error;
	const char *says;
	bool rw; /* what it writes shall come back */
} REFUSED[] = {
	{ "CONFIG_BLK_DEV_INITRD=y\n", NULL, -ENOTSUP, "CONFIG_DEVTMPFS" },
	{ BASICS, NULL, -ENOTSUP, "CONFIG_VIRTIO_CONSOLE" },
	{ BASICS "CONFIG_VIRTIO_CONSOLE=y\nCONFIG_OVERLAY_FS=y\n", NULL, -ENOTSUP,
	  "CONFIG_VIRTIO_FS, or CONFIG_NET_9P_VIRTIO", .rw = true },
	{ NULL, "/etc/passwd", -ENOEXEC, "'/etc/passwd' is no kernel" },
	{ NULL, "/no/such/bzImage", -ENOENT, "/no/such/bzImage" },
	{ NULL, "relative", -EINVAL, "is no absolute path" },
};

static void test_refused(struct bench *b, const char *kind)
{
	static const struct machine_events none = {};
	_free_ char *path = path_join(b->cache, "config");

	for (size_t i = 0; i < ARRAY_SIZE(REFUSED); i++) {
		struct machine_config c = {
			.image = REFUSED[i].image ? REFUSED[i].image : b->kernel.image,
			.release = "1.2.3", .config = REFUSED[i].config ? path : NULL,
			.root = REFUSED[i].rw ? MACHINE_ROOT_RW : MACHINE_ROOT_OVERLAY,
			.work_dir = b->work, .cache_dir = b->cache,
		};
		struct machine *m = NULL;
		struct err err = {};

		if (REFUSED[i].config)
			file_write(path, str_of(REFUSED[i].config), 0644, NULL);
		is_int(b->tap, machine_boot(kind, &c, b->loop, NULL, &none, b, &m, &err),
		       REFUSED[i].error, "refused");
		ok(b->tap, strstr(err.text, REFUSED[i].says), "- and says: %s", err.text);
		machine_free(m);
	}
}
