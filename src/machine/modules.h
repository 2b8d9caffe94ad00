/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Modules: what a kernel has built in, what it has as modules, and which files
 * must be loaded in which order. From the kernel's .config where it is known
 * and from modules.dep and modules.builtin (libkmod), never from the running
 * system's own modprobe configuration.
 */
#include "base/err.h"
#include "base/str.h"

/* 'y', 'm' or 'n' for CONFIG_@option in the text of a .config. */
char kconfig_value(struct str config, const char *option);

/* One file to load. */
struct module {
	char *name; /* "overlay.ko", whatever it was packed with */
	char *path;
};

struct modules {
	struct module *v;
	size_t n, cap;
	struct libkmod *lib; /* loaded with the first kernel that has modules */
	void *kmod;
};

/* @dir holds @release/modules.dep. */
int modules_open(struct modules *m, const char *dir, const char *release, struct err *err);
/*
 * Adds a module after all that it needs, each once. Returns 1, or 0 when it is
 * built in; -ENOENT when this kernel does not have it.
 */
int modules_want(struct modules *m, const char *name, struct err *err);
/* The bytes to load, unpacked. */
int modules_read(const struct module *module, struct buf *ret, struct err *err);
void modules_done(struct modules *m);
