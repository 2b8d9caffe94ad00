/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Building test_progs of tools/testing/selftests/bpf with the files of one test, in the
 * cache beside the other tests:
 *
 *   <cache>/selftests/<source>-<compiler>/bpf-<test>-<kernel>/   test_progs, *.bpf.o
 *
 * Its Makefile takes all files of prog_tests/ and progs/, and writes beside them. So
 * that it is given a tree of links, in which these directories hold only what the test
 * includes. Types come from the kernel that will run (VMLINUX_BTF), which the name
 * therefore has in it.
 *
 * Inside suite/ only.
 */
#include "suite/suite.h"

#define BPF_DIR "%s/tools/testing/selftests/bpf"

/* The directory; caller frees. */
int bpf_build(const char *test, const struct suite_context *ctx, char **ret, struct err *err);

/* Appends "name\n" for each "name.skel.h" that a test's source includes. */
void bpf_skeletons(struct str source, struct buf *ret);
