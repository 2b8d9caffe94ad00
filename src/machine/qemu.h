/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Qemu: one boot of a virtual machine while it is put together; no door, for
 * the qemu*.c of this room only. qemu-kernel.c says what the kernel can do,
 * qemu-initrd.c packs what it finds before it has a root, qemu-args.c writes
 * the command line, qemu.c starts it; ready.c instead of a boot.
 */
#include "machine/accel.h"
#include "machine/args.h"
#include "machine/guest-kernel.h"
#include "machine/kind.h"
#include "machine/share.h"

#define QEMU_QBOOT "/usr/share/qemu/qboot.rom"

/* What is made for one boot and inherited by QEMU. */
struct qemu {
	struct machine *m;
	struct err *err;
	char *program;
	struct accel accel;
	struct guest_kernel guest;
	struct share_server server;
	bool virtiofs;             /* else 9p, where they are not packed */
	bool tcg;                  /* the accelerator */
	unsigned tsc_khz;          /* what the guest is told under it; 0: nothing */
	const char *board;         /* and its properties (board.h) */
	int kernel;                /* unpacked; -1: the image boots as it is */
	int initramfs, console, port, monitor; /* -1: none */
	int words[MACHINE_VOICES];
	int fs[PROTO_SHARES_MAX + 1]; /* virtiofs sockets: the root, then rw shares */
	unsigned n_fs;
	struct machine_args args;
};

/* Reads image, .config and modules; chooses how the host's files are shared.
 * -ENOTSUP names the option that the kernel lacks. */
int qemu_kernel(struct qemu *q);
int qemu_initrd(struct qemu *q);
/* What brings the host's files, as the agent is told. */
const char *qemu_fs(bool virtiofs);
#define QEMU_PACKED "initramfs"
/* What its agent is told, but for the modules. */
int qemu_guest_config(const struct machine *m, const char *fs, struct buf *text,
		      struct err *err);
/* The kernel's command line. */
void qemu_kernel_line(const struct qemu *q, struct buf *line);
/* Starts the servers of the files too: they are part of the command line. */
int qemu_args(struct qemu *q);
