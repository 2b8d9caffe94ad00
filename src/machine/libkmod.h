/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Libkmod: what modules.dep says, with the cryptography it brings only there
 * when a machine boots a kernel. Inside modules.c only.
 */
#include <libkmod.h>

#include "base/library.h"

#define LIBKMOD(F) \
	F(kmod_list_next) F(kmod_module_get_dependencies) F(kmod_module_get_module) \
	F(kmod_module_get_path) F(kmod_module_get_softdeps) F(kmod_module_new_from_lookup) \
	F(kmod_module_unref) F(kmod_module_unref_list) F(kmod_new) F(kmod_set_log_priority) \
	F(kmod_unref)

struct libkmod {
	struct library library;
	LIBKMOD(LIBRARY_POINTER)
};

int libkmod_open(struct libkmod *k, struct err *err); /* as library_open() */
