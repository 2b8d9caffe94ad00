/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/range.h"

enum range range_parse(struct str header, uint64_t size, uint64_t *ret_from, uint64_t *ret_n)
{
	struct str to = str_trim(header), from;
	uint64_t a, b = UINT64_MAX;

	if (!str_starts_nocase(to, STR("bytes=")))
		return RANGE_NONE;
	to = str_from(to, 6);
	from = str_trim(str_cut(&to, '-'));
	if (!to.p)
		return RANGE_NONE;
	to = str_trim(to);
	if (to.n && !str_to_u64(to, &b))
		return RANGE_NONE;
	if (!from.n) {
		/* The last so many. */
		if (!to.n)
			return RANGE_NONE;
		if (!b || !size)
			return RANGE_WRONG;
		*ret_n = b < size ? b : size;
		*ret_from = size - *ret_n;
		return RANGE_PART;
	}
	if (!str_to_u64(from, &a) || b < a)
		return RANGE_NONE;
	if (a >= size)
		return RANGE_WRONG;
	*ret_from = a;
	*ret_n = (b < size - 1 ? b : size - 1) - a + 1;
	return RANGE_PART;
}
