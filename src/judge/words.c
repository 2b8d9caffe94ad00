/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/words.h"

#include <inttypes.h>

void judge_name(struct buf *b, const struct judge_series *s)
{
	buf_add_str(b, s->lane->suite);
	buf_add(b, "/", 1);
	buf_add_str(b, s->lane->program);
	if (s->path.n) {
		buf_add(b, "/", 1);
		buf_add_str(b, s->path);
	}
}

void judge_percent(struct out *o, double share)
{
	double p = 100 * share;

	out_printf(o, "%.*f", p == 0 || (p >= 10 && p < 99) || p == 100 ? 0
			      : p >= 1				       ? 1
			      : p >= 0.1			       ? 2
								       : 3, p);
}

void judge_rate(struct out *o, const struct stat_rate *r)
{
	if (!r->n) {
		out_lit(o, "never ran");
		return;
	}
	judge_percent(o, r->rate);
	out_printf(o, " %% of %" PRIu64 " [", r->n);
	judge_percent(o, r->low);
	out_char(o, '-');
	judge_percent(o, r->high);
	out_char(o, ']');
}
