/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Debian's kernels: "debian[:SUITE][/PACKAGE]", see kernel.h. In the cache:
 *
 *   debian/<package>_<version>/{boot,lib}  an unpacked kernel
 *   debian/<source>_<version>/             an unpacked source tree, in parts
 *   debian/linux-image-<release>-dbg_<version>/usr/lib/debug
 *                                          its debug info, see symbols.h
 *   debian/found/<spec>                    what a spec meant, valid for a day
 *   debian/apt/                            apt's own files
 *   debian/lock                            held while something is fetched
 *
 * Inside kernel/ only.
 */
#include "kernel/kernel.h"

int debian_find(struct kernel *k, const char *cache_dir, const struct log *log,
		struct err *err);
int debian_source(struct kernel *k, const char *cache_dir, const struct log *log,
		  struct err *err);

/* See kernel_debug_fetch(), kernel_debug_package(). */
int debian_debug(const char *spec, const char *release, const char *version,
		 const char *cache_dir, const struct log *log, struct err *err);
int debian_debug_size(const char *release, char **ret_package, uint64_t *ret_fetch,
		      uint64_t *ret_unpacked);

/* "debian:trixie/linux-image-amd64" in parts; NULL where there is none. Only
 * what Debian allows in names passes: parts become file names. */
struct debian_spec {
	char *suite, *package;
};
int debian_spec_parse(const char *spec, struct debian_spec *ret, struct err *err);
void debian_spec_done(struct debian_spec *s);
