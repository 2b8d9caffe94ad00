/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Images: which release a kernel file is. Inside kernel/ only. Files may be
 * anything: every offset is checked.
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* What the setup header may reach: 255 sectors and the boot sector. */
#define IMAGE_HEAD_MAX (256 * 512)

/*
 * Release in the head of a bzImage (Documentation/arch/x86/boot.rst: HdrS,
 * kernel_version): "6.12.0", up to the first blank. Returns 1 with a slice of
 * @head, or 0 when it is none.
 */
int image_release_bzimage(struct str head, struct str *ret);
/* Release after "Linux version " (init/version.c: linux_banner). As above. */
int image_release_banner(struct str text, struct str *ret);

/*
 * User Mode Linux is an ELF program for the host: nothing of it is loaded into
 * the upper half of the address space, where a kernel lives. @head: the file's
 * first bytes, program headers among them. Returns 1 or 0.
 */
int image_is_uml(struct str head);

/* Release of a bzImage, vmlinux or UML file; caller frees. @ret_uml may be NULL.
 * -ENOEXEC: none of them. */
int image_release(const char *path, char **ret, bool *ret_uml, struct err *err);
