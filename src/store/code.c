/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/code.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/pack.h"

static const char LETTERS[STATUS_N] = {
	[STATUS_SKIP] = 's',    [STATUS_PASS] = 'p',    [STATUS_XFAIL] = 'x',
	[STATUS_FLAKY] = 'k',   [STATUS_XPASS] = 'X',   [STATUS_MISSING] = 'm',
	[STATUS_FAIL] = 'f',    [STATUS_TIMEOUT] = 't', [STATUS_ERROR] = 'e',
	[STATUS_CRASH] = 'c',
};

char code_letter(enum status s)
{
	return LETTERS[s];
}

int code_status(char letter, enum status *ret)
{
	const char *p = letter ? memchr(LETTERS, letter, STATUS_N) : NULL;

	if (p)
		*ret = (enum status)(p - LETTERS);
	return p != NULL;
}

void code_outcome(int exit_code, const uint8_t *status, size_t n, struct buf *ret)
{
	size_t next = 0;

	pack_int(ret, exit_code);
	for (size_t i = 0; i < n; i++) {
		if (status[i] == STATUS_PASS)
			continue;
		pack_uint(ret, i - next);
		buf_add(ret, &LETTERS[status[i]], 1);
		next = i + 1;
	}
}

int code_outcome_read(struct str body, size_t n, struct arena *arena, int *ret_exit,
		      struct code_exception **ret, size_t *ret_n)
{
	struct code_exception *v;
	size_t found = 0, next = 0;
	int64_t exit_code;

	if (!unpack_int(&body, &exit_code))
		return -EBADMSG;
	/* Two bytes at least for each. */
	v = body.n ? arena_alloc(arena, body.n / 2 * sizeof(*v)) : NULL;
	while (body.n) {
		enum status status;
		uint64_t skip;

		if (!unpack_uint(&body, &skip) || skip >= n - next || !body.n ||
		    !code_status(body.p[0], &status))
			return -EBADMSG;
		body = str_from(body, 1);
		v[found++] = (struct code_exception){ (uint32_t)(next + skip), (uint8_t)status };
		next += skip + 1;
	}
	*ret_exit = (int)exit_code;
	*ret = v;
	*ret_n = found;
	return 0;
}

void code_reason(size_t at, size_t *last, struct str text, struct buf *ret)
{
	pack_uint(ret, at - *last - 1);
	pack_uint(ret, text.n);
	buf_add_str(ret, text);
	*last = at;
}

int code_reason_read(struct str *body, size_t *last, size_t n, struct str *ret)
{
	uint64_t skip, bytes;

	if (!body->n)
		return 0;
	if (!unpack_uint(body, &skip) || !unpack_uint(body, &bytes) || bytes > body->n ||
	    skip >= n - (*last + 1))
		return -EBADMSG;
	*last += skip + 1;
	*ret = str_n(body->p, bytes);
	*body = str_from(*body, bytes);
	return 1;
}
