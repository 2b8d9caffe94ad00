/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Kernels that are on this disk: a file, a built tree, the running one. The
 * tree stays as it is: nothing is written into it. Inside kernel/ only.
 */
#include "kernel/kernel.h"

int file_find(struct kernel *k, const char *cache_dir, const struct log *log, struct err *err);
int host_find(struct kernel *k, const char *cache_dir, const struct log *log, struct err *err);
int tree_find(struct kernel *k, const char *cache_dir, const struct log *log, struct err *err);
int tree_source(struct kernel *k, const char *cache_dir, const struct log *log,
		struct err *err);
