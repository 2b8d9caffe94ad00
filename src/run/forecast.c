/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/forecast.h"

#include <stdlib.h>

#include "base/mem.h"

static int longest_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

int64_t run_forecast(int64_t *ms, size_t n, unsigned machines)
{
	_free_ int64_t *busy = NULL;
	int64_t end = 0;
	unsigned used = n < machines ? (unsigned)n : machines;

	if (!n)
		return 0;
	qsort(ms, n, sizeof(*ms), longest_first);
	busy = xcalloc(used, sizeof(*busy));
	for (size_t i = 0; i < n; i++) {
		unsigned first = 0;

		for (unsigned k = 1; k < used; k++)
			if (busy[k] < busy[first])
				first = k;
		busy[first] += ms[i];
		end = busy[first] > end ? busy[first] : end;
	}
	return end;
}

int64_t run_forecast_ideal(const int64_t *ms, size_t n, unsigned machines)
{
	int64_t sum = 0, longest = 0;

	for (size_t i = 0; i < n; i++) {
		sum += ms[i];
		longest = ms[i] > longest ? ms[i] : longest;
	}
	sum = (sum + machines - 1) / machines;
	return sum > longest ? sum : longest;
}
