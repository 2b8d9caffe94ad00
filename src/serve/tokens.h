/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tokens: who may push runs. A token is 32 random bytes that are shown once; the
 * file keeps its SHA-256 only (FIPS 180-4), so that who reads the file can't
 * push. A random token needs no salt and no slow hash: there is nothing to guess.
 *
 * The file is text, a token a line, readable by its owner alone:
 *
 *   NAME SHA256 BRANCHES CREATED-MS RUNS-PER-HOUR MAX-BYTES
 *
 * BRANCHES is a glob; NAME and BRANCHES hold no blank.
 */
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define TOKENS_MAX        1000
#define TOKEN_TEXT        52  /* "tap_" and base64 without what URLs need escaped; NUL */
#define TOKEN_NAME_MAX    64
#define TOKEN_BRANCH_MAX  128
#define TOKEN_RUNS        60           /* in an hour */
#define TOKEN_BYTES       (64u << 20)  /* of one run, as it is sent */

struct token {
	char name[TOKEN_NAME_MAX], branches[TOKEN_BRANCH_MAX];
	uint8_t hash[32];
	int64_t created_ms;
	uint64_t runs_per_hour, max_bytes;
};

struct tokens {
	struct token *v;
	size_t n, cap;
};

/* A file that is not there has no tokens. -EBADMSG names the line. */
int tokens_read(const char *path, struct tokens *ret, struct err *err);
void tokens_done(struct tokens *t);
/* Adds one and writes the file; *t's name must be new. @ret_text is the token. */
int tokens_add(const char *path, const struct token *t, char ret_text[static TOKEN_TEXT],
	       struct err *err);
/* -ENOENT: there is none of that name. */
int tokens_remove(const char *path, const char *name, struct err *err);
/* NULL: it is nobody's. Takes as long for a wrong one as for a right one. */
const struct token *tokens_find(const struct tokens *t, struct str text);
/* "~/.local/share/taproom/tokens", or as XDG_DATA_HOME says; caller frees. */
char *tokens_default_path(void);
