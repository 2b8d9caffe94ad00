/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Guest kernel: what a kernel can do inside a machine, by its .config and its
 * modules, and what of it is loaded before there is a root. Inside this room
 * only.
 */
#include <stdbool.h>

#include "machine/machine.h"
#include "machine/modules.h"

/* One thing that a kernel must have. */
struct need {
	const char *option, *module; /* NULL: can only be built in */
	const char *why;
	bool overlay, net;           /* only with --root overlay, with --net */
};

struct guest_kernel {
	const struct machine_config *config;
	struct buf text;         /* its .config; empty: unknown */
	struct modules modules;  /* those that were wanted */
	bool has_modules;
	bool packed;             /* the host's files are not seen: what is needed is packed */
};

/* Reads .config and module lists, where there are any. @c must outlive it. */
int guest_kernel_open(struct guest_kernel *k, const struct machine_config *c, struct err *err);
void guest_kernel_done(struct guest_kernel *k);
/* Whether it has them all, modules added to those that are loaded. Where
 * nothing is known it is believed to have what can be built in. */
bool guest_kernel_has(struct guest_kernel *k, const struct need *needs, size_t n);
/* 0, or -ENOTSUP with the option that is missing and what it is needed for. */
int guest_kernel_check(struct guest_kernel *k, const struct need *needs, size_t n,
		       struct err *err);

/*
 * The initramfs: the guest program, @told (guest/proto.h's configuration), the
 * modules that were wanted, and where it is .packed what is needed of the host's files
 * (machine/closure.h). *ret_fd is an anonymous file.
 */
int guest_kernel_initramfs(const struct guest_kernel *k, struct str told, const struct log *log,
			   int *ret_fd, struct err *err);
