/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Checkout: where a source to build from comes from, and what it is. Inside
 * kernel/ only.
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"

struct checkout {
	char *dir;     /* the tree, clean for O= */
	char *place;   /* a name for its objects: of where it is, not of what */
	char *id;      /* changes when a file does: "git_<tree>[_<edits>]", "tree_<...>" */
	char *version; /* git describe, else the Makefile's */
	char *branch;
	int lock;      /* of a worktree, which is ours while it is open; -1 */
};

/* @spec: a directory, or "git:REF" of the repository here. */
int checkout_open(const char *spec, const char *cache_dir, const struct log *log,
		  struct checkout *ret, struct err *err);
void checkout_done(struct checkout *c); /* takes one that is zeroed, with .lock -1 */

/* The tree that a directory is, or was built of with O=; NULL: neither. */
char *checkout_tree(const char *dir);
/* Does make refuse O= for it? */
bool checkout_built_in_place(const char *tree);
