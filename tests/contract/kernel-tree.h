/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A tree of the kernel's shape: its Makefile answers what the kernel's does
 * (defconfig, allnoconfig, olddefconfig, bzImage, linux, with O=), and writes down
 * what it does, one word per step, in <dir>/ledger. While <dir>/hold-NAME is
 * there, the step NAME waits in the middle of its work.
 */
#include "base/file.h"
#include "base/mem.h"

static const char KERNEL_MAKEFILE[] =
	"VERSION = 6\nPATCHLEVEL = 99\nSUBLEVEL = 1\n"
	"STEPS := $(patsubst %.c,$(O)/%.o,$(wildcard *.c))\n"
	"define step\n"
	"\t@echo '  CC      $*.o'\n"
	"\t@echo $* >>$(AT)/ledger\n"
	"\t@printf half >$@; while test -e $(AT)/hold-$*; do sleep 0.05; done\n"
	"endef\n"
	"defconfig:\n"
	"\t@echo configure >>$(AT)/ledger\n"
	"\t@printf 'CONFIG_NET=y\\nCONFIG_OLD=y\\n# CONFIG_UML is not set\\n' >$(O)/.config\n"
	"allnoconfig:\n"
	"\t@echo configure >>$(AT)/ledger\n"
	"\t@cp $(KCONFIG_ALLCONFIG) $(O)/.config\n"
	"olddefconfig:\n"
	"\t@grep -v -e NO_SUCH -e STUBBORN $(O)/.config >$(O)/.tmp; mv $(O)/.tmp $(O)/.config\n"
	"$(O)/%.o: %.c\n"
	"\t$(step)\n"
	"\t@if grep -n '#error' $< >&2; then echo \"$<:1:2: error: no $*\" >&2; exit 1; fi\n"
	"\t@cp $< $@\n"
	"bzImage linux: $(STEPS)\n"
	"\t@echo '  LD      vmlinux'; echo link >>$(AT)/ledger\n"
	"\t@mkdir -p $(O)/arch/x86/boot $(O)/include/config\n"
	"\t@cat $(STEPS) $(O)/.config >$(O)/linux; cp $(O)/linux $(O)/arch/x86/boot/bzImage\n"
	"\t@echo 6.99.1 >$(O)/include/config/kernel.release\n"
	".PHONY: defconfig allnoconfig olddefconfig bzImage linux\n"
	".DELETE_ON_ERROR:\n";

static inline int kernel_tree_file(const char *dir, const char *below, const char *text)
{
	_free_ char *path = path_join(dir, below), *parent = path_dir(path);
	int r = dir_make(parent, NULL);

	return r < 0 ? r : file_write(path, str_of(text), 0644, NULL);
}

/* <dir>/tree, of three sources. */
static inline int kernel_tree_make(const char *dir)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "tree/Kbuild", "obj-y += one.o two.o three.o\n" },
		{ "tree/Kconfig", "config NET\n\tbool \"Net\"\n"
				  "config STUBBORN\n\tbool \"Stubborn\"\n\tdepends on AWAY\n" },
		{ "tree/scripts/Kconfig.include", "\n" },
		{ "tree/one.c", "one\n" },
		{ "tree/two.c", "two\n" },
		{ "tree/three.c", "three\n" },
		{ "ledger", "" },
	};
	_free_ char *makefile = xasprintf("AT := %s\n%s", dir, KERNEL_MAKEFILE);
	int r = kernel_tree_file(dir, "tree/Makefile", makefile);

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		r = kernel_tree_file(dir, files[i].path, files[i].text);
	return r;
}
