/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-range.h"

#include "base/mem.h"

int run_range_find(struct store *s, struct run_range *x, struct err *err)
{
	const char *dots = strstr(x->spec, "..");
	_free_ char *first = dots ? xstrndup(x->spec, (size_t)(dots - x->spec))
				  : xstrdup(x->spec);
	int r = store_run_find(s, first, &x->first, err);

	x->last = x->first;
	if (r >= 0 && dots)
		r = store_run_find(s, dots + 2, &x->last, err);
	return r < 0 ? r : 0;
}

int run_range_place(struct run_range *x, const struct judge_run *runs, uint32_t n,
		    struct err *err)
{
	uint32_t a = UINT32_MAX, b = UINT32_MAX;

	for (uint32_t i = 0; i < n; i++) {
		a = runs[i].id == x->first ? i : a;
		b = runs[i].id == x->last ? i : b;
	}
	if (a == UINT32_MAX || b == UINT32_MAX)
		return err_set(err, EINVAL, "'%s' is not of that branch", x->spec);
	if (a > b)
		return err_set(err, EINVAL, "'%s' begins behind its end", x->spec);
	x->from = a;
	x->to = b + 1;
	return 0;
}
