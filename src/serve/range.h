/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Range: a byte range of HTTP (RFC 9110, 14.1.2): "bytes=0-499", "bytes=500-",
 * "bytes=-500". Of several only one is needed by anybody who reads logs: a list
 * is ignored, as the RFC allows (14.2), and all of it is sent.
 */
#include <stdint.h>

#include "base/str.h"

enum range {
	RANGE_NONE,  /* none was asked for, or not one that is understood: all */
	RANGE_PART,  /* *ret_from and *ret_n, at least one byte */
	RANGE_WRONG, /* beyond the end: 416 */
};

enum range range_parse(struct str header, uint64_t size, uint64_t *ret_from, uint64_t *ret_n);
