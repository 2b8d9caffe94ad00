/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What debian.c, debian-image.c, debian-source.c and debian-debug.c share. */
#include "kernel/apt.h"
#include "kernel/debian.h"

#define DEBIAN_UML "user-mode-linux"

/* One piece of work: paths, and apt once it is needed. */
struct debian {
	char *root;    /* <cache>/debian */
	struct debian_spec spec;
	struct apt apt;
	int lock;      /* -1: not held */
	const struct log *log;
};

/* A kernel package, chosen. */
struct debian_choice {
	char *package, *version;
};

void debian_choice_done(struct debian_choice *c);

/* Is it like a package's, or a suite's? */
bool debian_name_ok(struct str s);

int debian_open(struct debian *d, const char *spec, const char *cache_dir,
		const struct log *log, struct err *err);
void debian_close(struct debian *d);
/* Alone from here on, also when asked again: takes the lock, clears what a killed run
 * left, opens apt. */
int debian_begin(struct debian *d, struct err *err);
/* Where a package lies once it is unpacked. */
char *debian_package_dir(const struct debian *d, const char *package, const char *version);
/* Fetches into a temporary directory, lets @finish shape tree/, renames. */
int debian_fetch(struct debian *d, const struct debian_choice *c, const char *final,
		 int (*finish)(const char *tree, const struct debian_choice *c, struct err *err),
		 struct err *err);

/* Is there a source package of exactly this version? Returns 1 or 0. */
int debian_has_source(struct debian *d, const struct debian_choice *c, struct err *err);
