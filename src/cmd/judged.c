/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/judged.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"

void judged_axis(struct out *o, const struct judge_axis *a, bool with_machine)
{
	const struct str v[] = { a->branch, a->mode, with_machine ? a->machine : STR("") };
	bool some = false;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (!v[i].n)
			continue;
		if (some)
			out_char(o, ' ');
		out_term(o, v[i]);
		some = true;
	}
	if (!some)
		out_lit(o, "all runs");
}

void judged_run(struct out *o, const struct judge_run *r)
{
	bool hash = r->commit.n >= 40;

	for (size_t i = 0; hash && i < r->commit.n; i++)
		hash = strchr("0123456789abcdef", r->commit.p[i]) != NULL;
	if (r->commit.n) {
		out_term(o, str_n(r->commit.p, hash ? 12 : r->commit.n));
		out_printf(o, " (run %" PRId64 ")", r->id);
	} else {
		out_printf(o, "run %" PRId64, r->id);
	}
}

bool judged_machines(const struct judge *j)
{
	size_t n;
	const struct judge_axis *a = judge_axes(j, &n);

	for (size_t i = 1; i < n; i++)
		if (!str_eq(a[i].machine, a[0].machine))
			return true;
	return false;
}

void judged_mark(struct cmd *c, uint8_t cell)
{
	if (cell >= STATUS_N) {
		out_lit(c->out, "·");
		return;
	}
	history_colour(c, STATUS_INFO[cell].ansi);
	out_str(c->out, str_of(STATUS_INFO[cell].mark));
	history_colour(c, NULL);
}

void judged_spark(struct cmd *c, const struct judge_series *s, uint32_t end)
{
	for (uint32_t i = end > JUDGED_SPARK ? end - JUDGED_SPARK : 0; i < end; i++)
		judged_mark(c, judge_cell(s, i));
}

unsigned judged_width(const struct cmd *c, unsigned left)
{
	if (!isatty(STDOUT_FILENO))
		return 1024;
	return c->columns > left + 25 ? c->columns - left : 25;
}
