/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What build.c, build-config.c and build-make.c share. */
#include "kernel/build.h"
#include "kernel/checkout.h"
#include "kernel/counters.h"
#include "kernel/kconfig.h"

/* What an architecture is to make. */
struct arch {
	const char *name;
	const char *target, *image; /* below O= */
	const char *file;           /* its name in the cache */
	bool uml;
};

/* One build: where things are, and what they are made of. */
struct build {
	const struct kernel_order *order;
	const struct arch *arch;
	struct checkout from;
	struct kconfig want;
	struct counters counters;
	char *compiler;  /* first line of its --version */
	char *wishes;    /* the options, as text */
	char *name;      /* "<arch>-<mode>-<key>" */
	char *identity;  /* see struct kernel */
	char *dest;      /* <cache>/kernels/<name> */
	char *objects;   /* <cache>/objects/<place>-<arch>-<mode>-<base> */
	char *took;      /* <cache>/objects/<arch>-<mode>-<base>.took */
	char *log_path, *mark;
	bool ccache;
	uint64_t steps_all;
	int64_t took_ms;
};

/* One make of @targets, NULL-ended; the rest as in make.h. @ret_steps: not NULL for the one
 * whose steps are counted. */
int build_make(const struct build *b, const char *what, const char *allconfig,
	       const char *const *targets, uint64_t *ret_steps, struct err *err);
#define MAKE(b, what, allconfig, ret_steps, err, ...)                                              \
	build_make(b, what, allconfig, (const char *const[]){ __VA_ARGS__, NULL }, ret_steps, err)

/* The configuration, unless it is the one of an earlier call. */
int build_configure(const struct build *b, struct err *err);
/* The options that did not stick, as @dir has them. */
void build_tell_unstuck(const char *dir, const struct log *log);
/* Makes it and keeps it. Under the lock of its place. */
int build_locked(struct build *b, struct err *err);
