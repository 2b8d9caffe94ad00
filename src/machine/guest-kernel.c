/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/guest-kernel.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "machine/closure.h"
#include "machine/initramfs.h"
#include "machine/kind.h"

#define CONFIG_MAX    (4u << 20)
#define INITRAMFS_MAX (256u << 20)

int guest_kernel_open(struct guest_kernel *k, const struct machine_config *c, struct err *err)
{
	int r = 0;

	*k = (struct guest_kernel){ .config = c };
	if (c->config)
		r = file_read(c->config, CONFIG_MAX, &k->text, err);
	if (r == 0 && c->modules_dir) {
		r = modules_open(&k->modules, c->modules_dir, c->release, err);
		k->has_modules = r == 0;
	}
	return r;
}

void guest_kernel_done(struct guest_kernel *k)
{
	buf_done(&k->text);
	modules_done(&k->modules);
}

static bool has(struct guest_kernel *k, const struct need *need)
{
	char v = k->text.n ? kconfig_value(buf_str(&k->text), need->option) : '?';

	if (v == 'y' || v == 'n')
		return v == 'y';
	/* Unknown, or a module: its files tell. */
	if (need->module && k->has_modules)
		return modules_want(&k->modules, need->module, NULL) >= 0;
	return v == '?';
}

bool guest_kernel_has(struct guest_kernel *k, const struct need *needs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!has(k, &needs[i]))
			return false;
	return true;
}

int guest_kernel_check(struct guest_kernel *k, const struct need *needs, size_t n,
		       struct err *err)
{
	const struct machine_config *c = k->config;

	for (size_t i = 0; i < n; i++) {
		const struct need *need = &needs[i];

		if ((need->overlay && (k->packed || c->root != MACHINE_ROOT_OVERLAY)) ||
		    (need->net && !c->net))
			continue;
		if (!has(k, need))
			return err_set(err, ENOTSUP,
				       "kernel %s has no CONFIG_%s, needed for %s: set it to y%s",
				       c->release, need->option, need->why,
				       need->module ? ", or to m and build its modules" : "");
	}
	return 0;
}

static int pack_modules(const struct guest_kernel *k, struct initramfs *a, struct err *err)
{
	_cleanup_(buf_done) struct buf ko = {};

	initramfs_dir(a, "modules", 0755);
	for (size_t i = 0; i < k->modules.n; i++) {
		_free_ char *path = xasprintf("modules/%s", k->modules.v[i].name);
		int r;

		buf_clear(&ko);
		r = modules_read(&k->modules.v[i], &ko, err);
		if (r < 0)
			return r;
		initramfs_file(a, path, 0644, buf_str(&ko));
	}
	return 0;
}

int guest_kernel_initramfs(const struct guest_kernel *k, struct str told, const struct log *log,
			   int *ret_fd, struct err *err)
{
	_cleanup_(initramfs_done) struct initramfs a = { .out = { .max = INITRAMFS_MAX } };
	int r;

	initramfs_dir(&a, "dev", 0755);
	initramfs_node(&a, "dev/console", S_IFCHR | 0600, 5, 1);
	initramfs_file(&a, "init", 0755, machine_guest());
	initramfs_file(&a, PROTO_CONFIG + 1, 0644, told);
	r = pack_modules(k, &a, err);
	if (r == 0 && k->packed)
		r = closure_pack(&a, k->config, log, err);
	if (r < 0)
		return r;
	r = initramfs_end(&a);
	if (r < 0)
		return err_set(err, -r, "the initramfs would be larger than %u MiB",
			       INITRAMFS_MAX >> 20);
	return machine_memfd("taproom-initramfs", buf_str(&a.out), ret_fd, err);
}
