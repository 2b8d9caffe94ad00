/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Needed: what a machine's tests take of the host's files, for one that can't see
 * them all (config.needed of machine/machine.h).
 */
#include "base/mem.h"
#include "run/run.h"

/* NULL-ended, in @a. A kselftest takes its whole collection: tests share libraries. */
const char *const *run_needed(const struct run_setting *s, struct arena *a);
