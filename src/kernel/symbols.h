/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Symbols: where in the source "mptcp_foo+0x12/0x34 [mptcp]" is, out of the
 * debug info of a kernel and its modules: what a build leaves in its tree, or a
 * distribution in a package of its own.
 *
 * A wrong line is worse than none. Objects are only believed when the log's
 * words fit to them: the release in vmlinux, build ids where the log or the
 * modules that were booted have them, and the size of each function.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

struct symbols;

/* Where debug info may be. All may be NULL. */
struct symbols_from {
	const char *where;     /* --symbols: a vmlinux, a tree, a directory like
				* /usr/lib/debug, one module; only there then */
	const char *kernel;    /* the --kernel of the run: its tree is looked in */
	const char *release;   /* of the kernel that wrote the log */
	const char *cache_dir; /* has packages that debug_fetch() brought */
};

/* -ENOENT: there is no vmlinux with debug info; the sentence says where to get
 * one. -ESTALE: it is another kernel's. As object_open() for damaged ones. */
int symbols_open(const struct symbols_from *from, struct symbols **ret, struct err *err);
struct symbols *symbols_close(struct symbols *s);
/* Its vmlinux, or the module that was given. */
const char *symbols_path(const struct symbols *s);

/* A frame as the kernel prints it (lib/vsprintf.c: %pS, %pB, %pSb). */
struct symbols_query {
	struct str function;
	uint64_t offset, size;
	struct str module;   /* empty: the kernel itself */
	struct str build_id; /* of the module, in hexadecimal; may be empty */
	bool exact;          /* the instruction's own address, not a return address */
};

enum symbols_how {
	SYMBOLS_HERE,       /* this instruction, in this function */
	SYMBOLS_INLINED_BY, /* which was inlined here */
	SYMBOLS_OR,         /* or here: another function has that name and size */
};

struct symbols_place {
	enum symbols_how how;
	const char *function; /* as in the source; NULL: unknown */
	const char *file;     /* below the kernel's tree: "net/mptcp/protocol.c" */
	unsigned line;        /* 0: unknown */
};

/*
 * Returns how many places, innermost first, valid until the next call; 0 when
 * none is known, which is counted. Answers are kept: the same frame again costs
 * a hash.
 */
unsigned symbols_look_up(struct symbols *s, const struct symbols_query *q,
			 const struct symbols_place **ret);

/* The build id of the kernel as the log tells it: once it is not vmlinux's own,
 * nothing of the kernel itself is looked up any more. */
void symbols_check_build_id(struct symbols *s, struct str build_id);

/* One warning for each object that could not answer: how many frames, why. */
void symbols_tell_missing(const struct symbols *s, const struct log *log);
