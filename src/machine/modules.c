/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/modules.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "machine/libkmod.h"

#define MODULE_MAX (64u << 20)

char kconfig_value(struct str config, const char *option)
{
	_free_ char *key = xasprintf("CONFIG_%s=", option);
	struct str rest = config;

	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (str_starts(line, str_of(key)) && line.n > strlen(key))
			return line.p[strlen(key)] == 'm' ? 'm' : 'y';
	}
	return 'n';
}

int modules_open(struct modules *m, const char *dir, const char *release, struct err *err)
{
	_free_ char *path = path_join(dir, release);
	_free_ char *dep = path_join(path, "modules.dep.bin");
	const char *no_config = NULL; /* an empty list: the host's is not meant */
	struct libkmod *k;
	int r;

	*m = (struct modules){};
	if (!file_exists(dep))
		return err_set(err, ENOENT, "'%s' has no modules.dep.bin: run depmod -b on it",
			       path);
	k = m->lib = xcalloc(1, sizeof(*m->lib));
	r = libkmod_open(k, err);
	if (r < 0) {
		modules_done(m);
		return r;
	}
	m->kmod = k->kmod_new(path, &no_config);
	if (!m->kmod) {
		modules_done(m);
		return err_set(err, ENOMEM, "read the modules of '%s'", path);
	}
	k->kmod_set_log_priority(m->kmod, 0);
	return 0;
}

/* "overlay.ko.xz" to "overlay.ko". */
static char *plain_name(const char *path)
{
	const char *base = path_base(path);
	const char *ko = strstr(base, ".ko");

	return ko ? xstrndup(base, (size_t)(ko - base) + 3) : xstrdup(base);
}

static void add(struct modules *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].path, path) == 0)
			return;
	ARRAY_GROW(m->v, m->n, m->cap);
	m->v[m->n++] = (struct module){ plain_name(path), xstrdup(path) };
}

/* A module, what it needs before it, and what would rather be there first. */
static void add_tree(struct modules *m, struct kmod_module *mod, unsigned depth)
{
	const struct libkmod *k = m->lib;
	struct kmod_list *deps = k->kmod_module_get_dependencies(mod);
	struct kmod_list *pre = NULL, *post = NULL, *l;
	const char *path = k->kmod_module_get_path(mod);

	k->kmod_module_get_softdeps(mod, &pre, &post);
	for (l = pre; l; l = k->kmod_list_next(pre, l)) {
		struct kmod_module *soft = k->kmod_module_get_module(l);

		if (depth < 8 && k->kmod_module_get_path(soft))
			add_tree(m, soft, depth + 1);
		k->kmod_module_unref(soft);
	}
	/* All of them, in the order to load them. */
	for (l = deps; l; l = k->kmod_list_next(deps, l)) {
		struct kmod_module *dep = k->kmod_module_get_module(l);

		if (k->kmod_module_get_path(dep))
			add(m, k->kmod_module_get_path(dep));
		k->kmod_module_unref(dep);
	}
	if (path)
		add(m, path);
	k->kmod_module_unref_list(deps);
	k->kmod_module_unref_list(pre);
	k->kmod_module_unref_list(post);
}

int modules_want(struct modules *m, const char *name, struct err *err)
{
	const struct libkmod *k = m->lib;
	struct kmod_list *list = NULL, *l;
	size_t before = m->n;
	bool there = false;

	k->kmod_module_new_from_lookup(m->kmod, name, &list);
	for (l = list; l; l = k->kmod_list_next(list, l)) {
		struct kmod_module *mod = k->kmod_module_get_module(l);

		there = true;
		add_tree(m, mod, 0);
		k->kmod_module_unref(mod);
	}
	k->kmod_module_unref_list(list);
	if (!there)
		return err_set(err, ENOENT, "the kernel has no module '%s'", name);
	return m->n > before;
}

int modules_read(const struct module *module, struct buf *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf packed = {};
	int r = file_read(module->path, MODULE_MAX, &packed, err);

	if (r == 0)
		r = inflate_any(buf_str(&packed), MODULE_MAX, ret, err);
	return r < 0 ? err_wrap(err, r, "module '%s'", module->path) : 0;
}

void modules_done(struct modules *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].name);
		free(m->v[i].path);
	}
	free(m->v);
	if (m->kmod)
		m->lib->kmod_unref(m->kmod);
	if (m->lib)
		library_close(&m->lib->library);
	free(m->lib);
	*m = (struct modules){};
}
