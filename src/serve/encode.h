/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Encode: content codings of HTTP (RFC 9110, 8.4 and 12.5.3; zstd: RFC 8878).
 */
#include "base/str.h"

enum encoding {
	ENCODE_NONE,
	ENCODE_GZIP,
	ENCODE_ZSTD,
	ENCODE_N,
};

extern const char *const ENCODE_NAMES[ENCODE_N]; /* of Content-Encoding; NULL: none */

/* The best that a client takes, by its Accept-Encoding. */
enum encoding encode_choose(struct str accept);
/* @ret gets @plain encoded; false: it would not be smaller, @ret is empty. */
bool encode(enum encoding how, struct str plain, struct buf *ret);
