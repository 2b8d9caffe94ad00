/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A kernel's tree in small, for the tests of symbols: sources whose lines are
 * marked, a "vmlinux" and a "module" that the compiler makes of them, and where
 * in these the marked calls are.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define TREE_RELEASE "6.12.1-test"

struct tree {
	char *dir;     /* with a cleanup: dir_removep */
	char *gcc;     /* NULL: there is none, or not for this machine */
	char *vmlinux; /* dir/vmlinux */
	char *module;  /* dir/net/mptcp/mptcp.ko */
};

/* A function of an object, as its symbol table has it. */
struct tree_function {
	char name[64];
	uint64_t address, size; /* a module's: in its section */
	bool text;              /* is in .text */
	unsigned ret;           /* offset behind its first call; 0: none */
};

/* How the two are compiled. */
struct tree_way {
	const char *name;
	const char *flags; /* split at blanks */
	bool elsewhere;    /* in another directory, by absolute names (make O=) */
};

void tree_init(struct tree *t);
void tree_done(struct tree *t);
/* Builds both. Returns 0, or the compiler's words in @said. */
int tree_build(const struct tree *t, const struct tree_way *way, struct buf *said);
/* The line in that source that has the mark; 0: none. */
unsigned tree_line(const char *mark, const char **ret_file);
/* Functions of an object; caller frees. */
struct tree_function *tree_functions(const char *path, unsigned *n);
/* That of a name, with its first call; NULL: none. */
const struct tree_function *tree_function(const struct tree_function *v, unsigned n,
					  const char *name);
/* addr2line -a -i -f on the addresses, one per line. Returns 0, or -1: not there. */
int tree_addr2line(const char *object, struct str addresses, struct buf *ret);
