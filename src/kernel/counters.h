/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Counters: a kernel that counts how often each line of chosen directories runs
 * (Documentation/dev-tools/gcov.rst). It has GCOV_KERNEL, and one variable on make's
 * command line says in which directories, so that no Makefile of the source is changed
 * (scripts/Makefile.lib: GCOV_PROFILE). Not of User Mode Linux: there __gcov_init() of
 * 6.12 prints before there is a task to print for, and dies. Inside kernel/ only.
 */
#include "kernel/build.h"

#define COUNTERS_ENTRY "coverage:" /* of a mode's `config`: "coverage:net/mptcp" */

struct counters {
	char **dirs;    /* below the source, without a slash at the end */
	size_t n, cap;
};

/* What @order wants to be counted in, of the source. -ENOENT: there is no such
 * directory, or no C file in it. -EINVAL: it is no directory, or of User Mode Linux. */
int counters_read(const struct kernel_order *order, const char *source, struct counters *ret,
		  struct err *err);
void counters_done(struct counters *c);
/* The variable for make's command line. Caller frees. */
char *counters_word(const struct counters *c);

/* What was built in @objects is copied to <dest>/counters: the .gcno files of the
 * directories, which lcov needs beside what a kernel counted. */
int counters_keep(const struct counters *c, const char *objects, const char *dest,
		  struct err *err);
