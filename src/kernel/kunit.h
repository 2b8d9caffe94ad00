/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * KUnit: which suites a kernel has, without booting it. An ELF file with symbols
 * holds pointers to them between __kunit_suites_start and __kunit_suites_end, a
 * module in its section ".kunit_test_suites"; a suite begins with its name
 * (include/kunit/test.h: struct kunit_suite, the same since 5.5;
 * include/asm-generic/vmlinux.lds.h: KUNIT_TABLE). Files may be anything: every
 * offset is checked.
 */
#include "kernel/kernel.h"

#define KUNIT_NAME_MAX   256  /* struct kunit_suite: .name, with its NUL */
#define KUNIT_SUITES_MAX 4096 /* of one file; what is beyond is not told */
#define KUNIT_CASES_MAX  1024 /* of one suite */

/*
 * Appends a line per suite of @elf, a vmlinux, User Mode Linux or a module: its name,
 * "\t" and @module if there is one. For the first two "\t\t" and the names of its cases
 * follow, parted by blanks, if they can be told. Returns 1, or 0 when the symbols of
 * the file don't tell its suites.
 */
int kunit_of_elf(struct str elf, const char *module, struct buf *ret);
/* The same of a file that is not packed. -errno when it can't be read. */
int kunit_of_file(const char *path, const char *module, struct buf *ret, struct err *err);

/*
 * All suites of a kernel: those built in, then those of its modules, in the form of
 * above. Returns 1, or 0 when nothing tells which are built in: an image without
 * its vmlinux.
 */
int kernel_kunit(const struct kernel *k, struct buf *ret, struct err *err);
