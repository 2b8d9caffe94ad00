/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine that did not boot most likely lacks, by what it said last. The
 * sentences are those of init/{main,do_mounts,initramfs}.c, kernel/module/,
 * arch/x86/kernel/apic/io_apic.c and net/9p/ of 6.12, of QEMU's hw/i386/, and of our
 * own guest program.
 */
#include "base/mem.h"
#include "machine/verdict.h"

static const struct {
	struct str text, also; /* also: in the same line; empty: nothing more */
	const char *hint;
} HINTS[] = {
	{ STR("Initramfs unpacking failed: compression method"), STR(""),
	  "CONFIG_RD_GZIP, CONFIG_RD_ZSTD or the like: it can't unpack this initramfs" },
	{ STR("Initramfs unpacking failed: write error"), STR(""),
	  "memory: the initramfs did not fit, give it more with --memory" },
	{ STR("Failed to execute "), STR("(error -8)"),
	  "CONFIG_BINFMT_ELF with CONFIG_64BIT: it can't execute its first program" },
	{ STR("check access for rdinit="), STR("failed"),
	  "CONFIG_BLK_DEV_INITRD, or --append has another rdinit= than there is" },
	{ STR("Requested init "), STR("failed"),
	  "CONFIG_BINFMT_ELF, or --append has another init= than there is" },
	{ STR("VFS: Unable to mount root fs"), STR(""),
	  "CONFIG_BLK_DEV_INITRD: it has not seen its initramfs" },
	{ STR("VFS: Cannot open root device"), STR(""),
	  "CONFIG_BLK_DEV_INITRD: it has not seen its initramfs" },
	{ STR("No working init found"), STR(""),
	  "CONFIG_BLK_DEV_INITRD and CONFIG_BINFMT_ELF: it found nothing to start" },
	{ STR("unable to open an initial console"), STR(""),
	  "CONFIG_SERIAL_8250_CONSOLE, or CONFIG_DEVTMPFS" },
	{ STR("no port named "), STR(""),
	  "CONFIG_VIRTIO_CONSOLE with CONFIG_VIRTIO_PCI: it has no way to speak to us" },
	{ STR("mount virtiofs"), STR("No such device"), "CONFIG_VIRTIO_FS" },
	{ STR("mount 9p"), STR("No such device"), "CONFIG_9P_FS with CONFIG_NET_9P_VIRTIO" },
	{ STR("Could not find request transport"), STR("virtio"), "CONFIG_NET_9P_VIRTIO" },
	{ STR("9pnet_virtio: no channels available"), STR(""), "CONFIG_VIRTIO_PCI" },
	{ STR("mount an overlay"), STR("No such device"), "CONFIG_OVERLAY_FS" },
	{ STR("mount devtmpfs"), STR("No such device"), "CONFIG_DEVTMPFS" },
	{ STR("mount tmpfs"), STR("No such device"), "CONFIG_TMPFS" },
	{ STR("mount devpts"), STR("No such device"), "CONFIG_UNIX98_PTYS" },
	{ STR("give eth0 its address"), STR(""), "CONFIG_VIRTIO_NET" },
	{ STR("disagrees about version of symbol"), STR(""),
	  "modules of its own build: these are of another (CONFIG_MODVERSIONS)" },
	{ STR("version magic "), STR("should be"),
	  "modules of its own build: these are of another" },
	{ STR("load module "), STR("Exec format error"),
	  "modules of its own build: these are of another" },
	{ STR("load module "), STR("Key was rejected"),
	  "modules that are signed for it (CONFIG_MODULE_SIG_FORCE is set)" },
	{ STR("load module "), STR("Required key not available"),
	  "modules that are signed for it (CONFIG_MODULE_SIG_FORCE is set)" },
	{ STR("without PVH ELF Note"), STR(""), "CONFIG_PVH: QEMU can't start this vmlinux" },
	{ STR("IO-APIC + timer doesn't work"), STR(""),
	  "time: its clock did not tick on this loaded host; try again, or --append noapic" },
	{ STR("System is deadlocked on memory"), STR(""), "memory: give it more with --memory" },
	{ STR("Out of memory: Killed process"), STR(""), "memory: give it more with --memory" },
};

const char *witness_hint(struct str line)
{
	for (size_t i = 0; i < ARRAY_SIZE(HINTS); i++)
		if (str_find(line, HINTS[i].text) >= 0 &&
		    (!HINTS[i].also.n || str_find(line, HINTS[i].also) >= 0))
			return HINTS[i].hint;
	return NULL;
}
