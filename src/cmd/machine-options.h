/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The options that run, shell, exec and build share: which kernel, in which
 * machine. One table, one struct, one way from both to a machine's
 * configuration.
 */
#include "base/opt.h"
#include "kernel/kernel.h"
#include "machine/machine.h"

struct machine_options {
	const char *kernel, *mode, *machine, *accel, *root, *uml_time;
	int cpus, jobs;
	uint64_t memory;
	struct opt_list shares, append, qemu_opts, config, coverage;
	const char *base;
	int64_t timeout_ms;
	bool net, gdb, gdb_wait, dump, cold, llvm;
	char *dump_path, *vmlinux; /* made of them; ours */
	struct machine_share *share_list; /* made of .shares; ours */
	unsigned n_share_list;
};

/* For OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, ...). */
extern const struct opt MACHINE_OPTION_ROWS[];

/* "auto", "qemu", "uml" or "host", as asked. */
const char *machine_options_kind(const struct machine_options *o);
/*
 * --config says two things: words for the kernel's options, which begin with "-",
 * and the file of taproom's own configuration. The words are added to @ret, which
 * may be NULL; returns whether there are any.
 */
bool machine_options_words(const struct machine_options *o, struct opt_list *ret);
/* The file, or NULL in @ret. -EINVAL: there are two. */
int machine_options_file(const struct machine_options *o, const char **ret, struct err *err);
/* What "auto" is with this kernel. */
const char *machine_options_settle(const char *kind, const struct kernel *k);
/* -EINVAL: an option is for none of the @kinds of machines, and would say nothing. Where
 * one is "auto" yet, that is not known. */
int machine_options_fit(const struct machine_options *o, const char *const *kinds, size_t n,
			struct err *err);
/* Fills what the options say; the lists borrow from @o, paths from @k, which
 * may be NULL for machines without a kernel of their own. May be called again, with
 * another kernel and another .memory. */
int machine_options_config(struct machine_options *o, const struct kernel *k,
			   const char *cache_dir, struct machine_config *ret, struct err *err);
void machine_options_done(struct machine_options *o);
