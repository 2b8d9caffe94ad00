/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Closure: what a guest needs of the host's files where it can't see them: neither
 * virtiofs nor 9p. Packed into its initramfs are the usual programs of tests
 * (closure-files.c), what the machine is for (config.needed) and its shares, each with
 * what it takes: the libraries of a program, by its own loader (ld.so --list), the
 * interpreter of a script, links as links and what they lead to. What may not be read
 * is left out. Inside this room only.
 */
#include "machine/initramfs.h"
#include "machine/machine.h"

#define CLOSURE_FILE_MAX  (128u << 20) /* one that is larger is left out */
#define CLOSURE_FILES_MAX 100000u

/* Programs by name, and files or directories by path; NULL-ended. Those that this
 * host lacks are skipped. */
extern const char *const CLOSURE_PROGRAMS[], *const CLOSURE_PATHS[];

/* 0, or -errno: -EFBIG, -ENOENT for what is needed and is not there. @log hears what
 * was packed, and that the kernel's modules are too many to be (CLOSURE_MODULES_MAX). */
#define CLOSURE_MODULES_MAX (64u << 20)
int closure_pack(struct initramfs *a, const struct machine_config *c, const struct log *log,
		 struct err *err);
