/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest finds before it has a root: its agent, what that is told, modules. */
#include "machine/qemu.h"

int qemu_guest_config(const struct machine *m, const char *fs, struct buf *text, struct err *err)
{
	const struct machine_config *c = &m->config;
	unsigned tag = 1;

	buf_printf(text, "from %s %s\n", fs, strcmp(fs, QEMU_PACKED) == 0 ? "-" : "taproom0");
	if (c->modules_dir)
		buf_printf(text, "modules %s %s\n", c->release, c->modules_dir);
	for (unsigned i = 0; i < c->n_shares; i++)
		if (c->shares[i].rw)
			buf_printf(text, "share rw taproom%u %s\n", tag++, c->shares[i].dir);
		else
			buf_printf(text, "share ro - %s\n", c->shares[i].dir);
	if (c->net)
		buf_printf(text, "net\n");
	return machine_guest_config(m, text, err);
}

const char *qemu_fs(bool virtiofs)
{
	return virtiofs ? "virtiofs" : "9p";
}

static int guest_config(struct qemu *q, struct buf *text)
{
	for (size_t i = 0; i < q->guest.modules.n; i++)
		buf_printf(text, "insmod %s\n", q->guest.modules.v[i].name);
	if (q->m->run.keep.stage != MACHINE_MAKE)
		return qemu_guest_config(q->m, q->guest.packed ? QEMU_PACKED : qemu_fs(q->virtiofs),
					 text, q->err);
	buf_printf(text, "wait\n");
	return 0;
}

int qemu_initrd(struct qemu *q)
{
	_cleanup_(buf_done) struct buf told = {};
	int r = guest_config(q, &told);

	if (r < 0)
		return r;
	return guest_kernel_initramfs(&q->guest, buf_str(&told), q->m->log, &q->initramfs, q->err);
}
