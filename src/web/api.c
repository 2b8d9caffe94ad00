/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/api.h"

#include "base/units.h"

void api_rate(struct json *j, const char *key, const struct stat_rate *r)
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

void api_axis(struct json *j, const struct judge_axis *a)
{
	if (a->branch.n)
		json_field_str(j, "branch", a->branch);
	json_field_str(j, "mode", a->mode);
	if (a->machine.n)
		json_field_str(j, "machine", a->machine);
}

void api_series(struct json *j, const struct judge_series *s)
{
	json_field_int(j, "test", s->id);
	json_field_str(j, "suite", s->lane->suite);
	json_field_str(j, "program", s->lane->program);
	json_field_str(j, "path", s->path);
	json_field_str(j, "key", s->key);
}

void api_run(struct json *j, const char *key, const struct judge_run *r)
{
	char text[UNIT_TEXT_MAX];

	json_key(j, key);
	json_object(j);
	json_field_int(j, "run", r->id);
	json_field_str(j, "begin", str_of(date_rfc3339(r->begin_ms, text)));
	json_field_str(j, "commit", r->commit);
	json_end(j);
}
