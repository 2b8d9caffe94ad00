/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

void json_init(struct json *j, struct out *out, bool indent)
{
	*j = (struct json){ .out = out, .indent = indent };
}

static void newline(struct json *j)
{
	if (!j->indent)
		return;
	out_char(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		out_lit(j->out, "  ");
}

/* Before each value or key: the comma and the line. */
static void separate(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->depth == 0)
		return;
	if (j->full[j->depth - 1])
		out_char(j->out, ',');
	j->full[j->depth - 1] = true;
	newline(j);
}

static void begin(struct json *j, char kind)
{
	separate(j);
	assert(j->depth < JSON_DEPTH);
	out_char(j->out, kind);
	j->kind[j->depth] = kind;
	j->full[j->depth] = false;
	j->depth++;
}

void json_object(struct json *j)
{
	begin(j, '{');
}

void json_array(struct json *j)
{
	begin(j, '[');
}

void json_end(struct json *j)
{
	assert(j->depth > 0 && !j->after_key);
	j->depth--;
	if (j->full[j->depth])
		newline(j);
	out_char(j->out, j->kind[j->depth] == '{' ? '}' : ']');
	if (j->depth == 0)
		out_char(j->out, '\n');
}

void json_key(struct json *j, const char *key)
{
	separate(j);
	out_char(j->out, '"');
	out_json(j->out, str_of(key));
	out_str(j->out, j->indent ? STR("\": ") : STR("\":"));
	j->after_key = true;
}

void json_str(struct json *j, struct str s)
{
	if (!s.p) {
		json_null(j);
		return;
	}
	separate(j);
	out_char(j->out, '"');
	out_json(j->out, s);
	out_char(j->out, '"');
}

void json_int(struct json *j, int64_t v)
{
	separate(j);
	out_printf(j->out, "%" PRId64, v);
}

void json_real(struct json *j, double v)
{
	if (!isfinite(v)) {
		json_null(j);
		return;
	}
	separate(j);
	out_printf(j->out, "%.6g", v);
}

void json_bool(struct json *j, bool v)
{
	separate(j);
	out_str(j->out, v ? STR("true") : STR("false"));
}

void json_null(struct json *j)
{
	separate(j);
	out_lit(j->out, "null");
}

void json_raw(struct json *j, struct str s)
{
	separate(j);
	out_str(j->out, s);
}

void json_field_str(struct json *j, const char *key, struct str s)
{
	json_key(j, key);
	json_str(j, s);
}

void json_field_int(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_int(j, v);
}

void json_field_real(struct json *j, const char *key, double v)
{
	json_key(j, key);
	json_real(j, v);
}

void json_field_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}
