/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Encode: content codings of HTTP (RFC 9110, 8.4 and 12.5.3; zstd: RFC 8878).
 */
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum encoding {
	ENCODE_NONE,
	ENCODE_GZIP,
	ENCODE_ZSTD,
	ENCODE_N,
};

extern const char *const ENCODE_NAMES[ENCODE_N]; /* of Content-Encoding; NULL: none */
/* Of a file beside the plain one, as web servers look for it (nginx: gzip_static). */
extern const char *const ENCODE_SUFFIXES[ENCODE_N];

/* The best that a client takes, by its Accept-Encoding. */
enum encoding encode_choose(struct str accept);
/* @ret gets @plain encoded; false: it would not be smaller, @ret is empty. */
bool encode(enum encoding how, struct str plain, struct buf *ret);

/*
 * Files of any size, in pieces, each written once for many readers: as small as a second
 * for 10 MB makes it. One encoder is for one file at a time; it keeps what it has allocated
 * for the next.
 */
struct encoder;
struct encoder *encoder_new(void);
struct encoder *encoder_free(struct encoder *e);
/* @from is read from its begin to its end, @to is written; the same bytes come out each
 * time. 1, or 0: it would not be smaller, and what @to holds is to be thrown away; < 0. */
int encoder_file(struct encoder *e, enum encoding how, int from, int to, struct err *err);
