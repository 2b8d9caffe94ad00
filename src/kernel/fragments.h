/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Fragments: what a mode's `config` entries say, read into one struct kconfig.
 * The built-in ones are fragments/<name>.config, and <name>-<arch>.config behind
 * it. Inside kernel/ only.
 */
#include "kernel/build.h"
#include "kernel/kconfig.h"

/* The text of fragments/<name>.config; STR_NONE: there is none. */
struct str fragment_builtin(const char *name);

/*
 * All that @order wants of a kernel of @source, in this order, the last word
 * counts: the machine's needs, the selftests' own "config" files, the mode's
 * entries, the words of the command line. -EINVAL, or -ENOENT for a file.
 */
int fragments_read(const struct kernel_order *order, const char *source, struct kconfig *ret,
		   struct err *err);
