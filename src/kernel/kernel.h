/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Kernels: from a --kernel word to files that can be booted.
 *
 *   debian[:SUITE][/PACKAGE]  a distribution kernel, fetched and unpacked into
 *                             the cache, never installed
 *                             (debian/user-mode-linux: User Mode Linux)
 *   FILE                      a bzImage, a vmlinux, or User Mode Linux
 *   DIR                       a built kernel tree; see kernel/build.h for others
 *   git:REF                   likewise
 *   host                      the running kernel's image and modules
 *
 * Everything found stays in the cache and is found again without a network.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct kernel {
	char *spec;        /* as asked for */
	char *release;     /* "6.12.117+deb12-cloud-amd64" */
	char *version;     /* package version, git describe; for the record */
	char *branch;      /* "debian-6.12", the tree's branch, "host" */
	char *image;       /* bootable file */
	bool uml;          /* it is a program, of ARCH=um */
	char *config;      /* its .config; NULL: unknown */
	char *modules_dir; /* holds <release>/; NULL: none */
	char *source;      /* kernel tree on disk; NULL: ask kernel_source() */
	char *source_id;   /* changes whenever the tree does; set with source */
	char *identity;    /* of what we built: a line with the source, the mode, the
			    * compiler, the configuration's hash; else NULL */
	char *counters;    /* its .gcno files, see kernel/coverage.h; NULL: it counts nothing */
	int held;          /* the lock of a worktree, plus 1; 0: none */
};

/* @cache_dir is absolute, and made when missing. -ENOENT: there is no such
 * kernel; the sentence says what to give instead. */
int kernel_find(const char *spec, const char *cache_dir, const struct log *log,
		struct kernel *ret, struct err *err);
void kernel_done(struct kernel *k);

/*
 * The matching source tree, at least the parts that kselftests need, without
 * anything that a build left in it: make's O= works. Sets k->source and
 * k->source_id. -ENOENT where a kernel has no source (an image file).
 */
int kernel_source(struct kernel *k, const char *cache_dir, const struct log *log,
		  struct err *err);

/*
 * Debug info of Debian's kernels is a package of its own, which unpacks to
 * 1.8 GB. Fetches it into the cache, where symbols_open() finds it. @spec: the
 * run's --kernel, its suite counts; NULL: the system's. @version: the package's;
 * NULL: the newest. -ENOENT: there is no such package.
 */
int kernel_debug_fetch(const char *spec, const char *release, const char *version,
		       const char *cache_dir, const struct log *log, struct err *err);
/* Whether the system's package lists have it. Returns 1 with its name, which the
 * caller frees, and its sizes in bytes, or 0. No network. */
int kernel_debug_package(const char *release, char **ret_package, uint64_t *ret_fetch,
			 uint64_t *ret_unpacked);

/* Value of CONFIG_@name: 'y' (also for numbers and strings), 'm', 'n' (not
 * there either), or '?' when there is no such file or @config_path is NULL. */
char kernel_config_value(const char *config_path, const char *name);
