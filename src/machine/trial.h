/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Trial: what this host was seen to do, or not, once, so that it need not be
 * tried again: a yes or a no and a sentence in a file of the cache, kept for as
 * long as the host is up (boot_id). Inside this room only.
 */
#include <stdbool.h>
#include <stddef.h>

/* What a guest's success depends on, beside the host's boot. */
struct trial_pair {
	const char *vmm;   /* its program's path */
	const char *image; /* the kernel's */
};

/* The name of what was tried with @pair: another build of either has another. */
char *trial_name(const char *what, const struct trial_pair *pair);

/* Returns 1 or 0, with its sentence in @why, or -ENOENT: not tried since the host
 * is up. @cache_dir may be NULL: nothing is remembered. */
int trial_recall(const char *cache_dir, const char *name, char *why, size_t size);
/* What can't be written is tried again. */
void trial_learn(const char *cache_dir, const char *name, bool good, const char *why);
