/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Base64 (RFC 4648, section 4), padded, without line breaks.
 */
#include "base/out.h"

void base64_write(struct out *o, struct str bytes);
/* Adds what @s stands for. -EBADMSG: it is no base64, @ret is as it was; -EFBIG. */
int base64_read(struct str s, struct buf *ret);
