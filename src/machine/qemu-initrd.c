/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest finds before it has a root: its agent, what that is told, modules. */
#include "machine/qemu.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "machine/initramfs.h"

#define INITRAMFS_MAX (256u << 20)

static int guest_config(struct qemu *q, struct buf *text)
{
	const struct machine_config *c = &q->m->config;
	unsigned tag = 1;

	buf_printf(text, "from %s taproom0\n", q->virtiofs ? "virtiofs" : "9p");
	for (size_t i = 0; i < q->modules.n; i++)
		buf_printf(text, "insmod %s\n", q->modules.v[i].name);
	if (c->modules_dir)
		buf_printf(text, "modules %s %s\n", c->release, c->modules_dir);
	for (unsigned i = 0; i < c->n_shares; i++)
		if (c->shares[i].rw)
			buf_printf(text, "share rw taproom%u %s\n", tag++, c->shares[i].dir);
		else
			buf_printf(text, "share ro - %s\n", c->shares[i].dir);
	if (c->net)
		buf_printf(text, "net\n");
	return machine_guest_config(q->m, text, q->err);
}

static int pack_modules(struct qemu *q, struct initramfs *a)
{
	_cleanup_(buf_done) struct buf ko = {};

	initramfs_dir(a, "modules", 0755);
	for (size_t i = 0; i < q->modules.n; i++) {
		_free_ char *path = xasprintf("modules/%s", q->modules.v[i].name);
		int r;

		buf_clear(&ko);
		r = modules_read(&q->modules.v[i], &ko, q->err);
		if (r < 0)
			return r;
		initramfs_file(a, path, 0644, buf_str(&ko));
	}
	return 0;
}

int qemu_initrd(struct qemu *q)
{
	_cleanup_(initramfs_done) struct initramfs a = { .out = { .max = INITRAMFS_MAX } };
	_cleanup_(buf_done) struct buf text = {};
	int r = guest_config(q, &text);

	if (r < 0)
		return r;
	initramfs_dir(&a, "dev", 0755);
	initramfs_node(&a, "dev/console", S_IFCHR | 0600, 5, 1);
	initramfs_file(&a, "init", 0755, machine_guest());
	initramfs_file(&a, PROTO_CONFIG + 1, 0644, buf_str(&text));
	r = pack_modules(q, &a);
	if (r < 0)
		return r;
	r = initramfs_end(&a);
	if (r < 0)
		return err_set(q->err, -r, "the initramfs would be larger than %u MiB",
			       INITRAMFS_MAX >> 20);
	return machine_memfd("taproom-initramfs", buf_str(&a.out), &q->initramfs, q->err);
}
