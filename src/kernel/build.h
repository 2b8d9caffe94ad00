/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Build: a kernel out of its sources, as a mode wants it. In the cache:
 *
 *   kernels/<arch>-<mode>-<key>/   what was built: bzImage or linux, config,
 *                                  identity, unstuck, kunit (its suites), lib/modules,
 *                                  counters/ where it counts coverage,
 *                                  vmlinux where it has debug info. The key is of the
 *                                  source (git
 *                                  tree, or names, sizes and times), all options
 *                                  that are wanted, the compiler, the architecture
 *   kernels/<...>.lock             held while that one is built
 *   objects/<tree>-<arch>-<mode>-<base>/
 *                                  make's O=, with make.log. It stays: what was
 *                                  interrupted goes on, an edit builds what it must
 *   objects/<...>.lock             held while make writes there
 *   objects/<arch>-<mode>-<base>.took
 *                                  steps and time of the last build from nothing
 *   worktrees/<repository>-<N>/    "git:REF", checked out; the user's own checkout
 *                                  and index are never touched
 *   copies/<tree>/                 the source of a tree that was built in place
 *
 * The source stays as it is: nothing is ever written there. What was not used for
 * 30 days is removed at the next build.
 */
#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"

struct kernel_progress {
	const char *what;       /* "configure", "build": a word */
	uint64_t steps;         /* of make's so far, of this build */
	uint64_t steps_all;     /* of the last build from nothing; 0: unknown */
	int64_t elapsed_ms;
	int64_t left_ms;        /* -1: unknown */
};

struct kernel_order {
	const char *spec;            /* a tree's directory; "git:REF", of the one here */
	const char *arch;            /* "x86_64", "um" */
	const char *mode;            /* its name */
	const char *base;            /* "defconfig", "tiny": nothing but what is wanted */
	const char *const *config;   /* the mode's entries, see plan_mode; NULL-ended */
	const char *const *words;    /* of --config, see kconfig_add_words(); the same */
	const char *const *targets;  /* kselftest's: their "config" is wanted; the same */
	const char *const *coverage; /* directories whose lines the kernel counts, beside the
				      * mode's; the same. NULL: none */
	bool llvm;                   /* clang and its linker, not gcc */
	const char *cache_dir;       /* absolute */
	const struct log *log;
	/* Twice a second while make runs, and with NULL at its end. May be NULL. */
	void (*progress)(void *ctx, const struct kernel_progress *p);
	void *ctx;
	/* Before it is built, where it must be: @source has what is known of it then. Less
	 * than 0, and it is not. May be NULL. */
	int (*may_build)(void *ctx, const struct kernel *source, struct err *err);
	void *may_build_ctx;
};

/* Is @spec something that is built: "git:...", or a source tree? @asked: a build
 * is wanted, so that an image in the tree does not do. */
bool kernel_is_built_from(const char *spec, bool asked);

/*
 * Builds, or finds what was built so. Waits for another taproom that builds the
 * same, and says so. SIGINT, SIGTERM or SIGHUP meanwhile end make with all that it
 * started: -EINTR, and the next call goes on from there. -EINVAL: a mistake in the
 * options. -EIO: make failed; the sentence has its first error and the log.
 */
int kernel_build(const struct kernel_order *order, struct kernel *ret, struct err *err);

/* Only the source, for tests on the running kernel: nothing is built, .image is
 * NULL. @spec as kernel_is_built_from() takes it. */
int kernel_build_source(const char *spec, const char *cache_dir, const struct log *log,
			struct kernel *ret, struct err *err);
