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

void judged_json_rate(struct json *j, const char *key, const struct stat_rate *r)
{
	json_key(j, key);
	json_object(j);
	json_field_real(j, "rate", r->rate);
	json_field_real(j, "low", r->low);
	json_field_real(j, "high", r->high);
	json_field_int(j, "failed", (int64_t)r->k);
	json_field_int(j, "n", (int64_t)r->n);
	json_end(j);
}

void judged_json_axis(struct json *j, const struct judge_axis *a)
{
	if (a->branch.n)
		json_field_str(j, "branch", a->branch);
	json_field_str(j, "mode", a->mode);
	if (a->machine.n)
		json_field_str(j, "machine", a->machine);
}

void judged_json_series(struct json *j, const struct judge_series *s)
{
	json_field_int(j, "test", s->id);
	json_field_str(j, "suite", s->lane->suite);
	json_field_str(j, "program", s->lane->program);
	json_field_str(j, "path", s->path);
	json_field_str(j, "key", s->key);
}

void judged_json_run(struct json *j, const char *key, const struct judge_run *r)
{
	char text[UNIT_TEXT_MAX];

	json_key(j, key);
	json_object(j);
	json_field_int(j, "run", r->id);
	json_field_str(j, "begin", str_of(date_rfc3339(r->begin_ms, text)));
	json_field_str(j, "commit", r->commit);
	json_end(j);
}
