/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/base64.h"

#include <errno.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct out *o, struct str s)
{
	for (size_t i = 0; i < s.n; i += 3) {
		size_t n = s.n - i < 3 ? s.n - i : 3;
		uint32_t v = 0;
		char four[4];

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			four[k] = k <= n ? DIGITS[v >> (18 - 6 * k) & 63] : '=';
		out_bytes(o, four, 4);
	}
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, the last of a text perhaps padded. Returns the bytes, 0 for none. */
static size_t four(const char *p, bool last, unsigned char out[3])
{
	size_t n = !last || p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		int d = i <= n ? digit(p[i]) : 0;

		if (d < 0)
			return 0;
		v = v << 6 | (uint32_t)d;
	}
	for (size_t i = 0; i < 3; i++)
		out[i] = (unsigned char)(v >> (16 - 8 * i));
	/* Bits that stand for nothing are zero: one text for the same bytes. */
	return (n < 3 && out[n]) ? 0 : n;
}

int base64_read(struct str s, struct buf *ret)
{
	size_t was = ret->n;

	if (s.n % 4)
		return -EBADMSG;
	for (size_t i = 0; i < s.n; i += 4) {
		unsigned char bytes[3];
		size_t n = four(s.p + i, i + 4 == s.n, bytes);
		int r = n ? buf_add(ret, bytes, n) : -EBADMSG;

		if (r < 0) {
			ret->n = was;
			return r;
		}
	}
	return 0;
}
