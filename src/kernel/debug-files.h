/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Debug files: where the debug info of a kernel lies on the disk. Inside
 * kernel/ only.
 */
#include "kernel/symbols.h"

#define DEBUG_DIRS_MAX 16

struct debug_files {
	char *vmlinux; /* NULL: one module was given */
	char *release; /* of the vmlinux; NULL: unknown */
	char *module;  /* that was given by its file; NULL: none */
	char *dirs[DEBUG_DIRS_MAX]; /* modules are below them */
	unsigned n_dirs;
	struct debug_module *modules; /* of the dirs, by name */
	size_t n, cap;
	bool walked;
};

struct debug_module {
	char *name; /* as the kernel writes it: "nf_tables" */
	char *path;
	unsigned order; /* 0 is looked at first */
};

/* See symbols_open(). */
int debug_files_find(const struct symbols_from *from, struct debug_files *ret, struct err *err);
/* The modules that a kernel of that release has loaded, without debug info: a
 * Debian kernel's in the cache, else the installed ones. May be none. */
void debug_files_booted(const struct symbols_from *from, struct debug_files *ret);
void debug_files_done(struct debug_files *f);
/* The files of a module, best first; they are @n from the returned one on. */
const struct debug_module *debug_files_module(struct debug_files *f, struct str name,
					      size_t *n);
/* "nf_tables" of "/x/nf-tables.ko.xz"; NULL for what is no module's file. */
char *debug_module_name(const char *path);
