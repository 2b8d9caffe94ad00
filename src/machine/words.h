/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Words: what the kernel of a machine of any kind is told on its command line
 * (Documentation/admin-guide/kernel-parameters.txt).
 */
#include "machine/machine.h"

#define MACHINE_WORDS_MAX 4

/* Static strings, NULL-ended. */
void machine_words(const struct machine_config *c, const char *ret[static MACHINE_WORDS_MAX]);
