/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/values.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "import/import.h"

#define REPAIRS_MAX 100 /* of one array: each looks at what follows again */

/* The byte behind the string that begins at @p with its quote; NULL: unclosed. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

/* The byte behind the value that @p begins, 0 for a scalar's last; NULL when it
 * does not close, or nests too deep. */
static const char *skip_value(const char *p, const char *end)
{
	char open[IMPORT_DEPTH_MAX];
	unsigned depth = 0;

	while (p < end) {
		switch (*p) {
		case '"':
			p = skip_string(p, end);
			if (!p)
				return NULL;
			continue;
		case '{':
		case '[':
			if (depth == IMPORT_DEPTH_MAX)
				return NULL;
			open[depth++] = *p == '{' ? '}' : ']';
			break;
		case '}':
		case ']':
			if (!depth)
				return p;
			if (open[--depth] != *p)
				return NULL;
			break;
		case ',':
			if (!depth)
				return p;
			break;
		}
		p++;
	}
	return depth ? NULL : p;
}

int values_begin(struct values *v, struct str document)
{
	struct str in = str_trim(document);

	if (str_starts(in, STR("\xef\xbb\xbf")))
		in = str_trim(str_from(in, 3));
	if (!in.n || in.p[0] != '[')
		return 0;
	*v = (struct values){ .rest = str_from(in, 1) };
	return 1;
}

/* Where the next element may begin: a line that begins as that of the one at @s,
 * @indent bytes before it. */
static const char *next_line_like(struct str s, size_t indent)
{
	const char *like = s.p - indent, *end = s.p + s.n, *p = s.p;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		if ((size_t)(end - p) > indent && memcmp(p, like, indent + 1) == 0)
			return p;
	}
	return NULL;
}

int values_next(struct values *v, struct str *ret)
{
	struct str s = v->rest, look;
	const char *p, *end = s.p + s.n;
	size_t indent = 0;

	*ret = STR_NONE;
	for (; s.n && char_is_space(s.p[0]); s = str_from(s, 1))
		indent = s.p[0] == '\n' ? 0 : indent + 1;
	v->rest = s;
	if (!s.n || s.p[0] == ']')
		return s.n ? 0 : -EBADMSG;
	look = str_n(s.p, s.n < IMPORT_RECORD_MAX ? s.n : IMPORT_RECORD_MAX);
	p = skip_value(look.p, look.p + look.n);
	if (!p || p == look.p + look.n || (*p != ',' && *p != ']')) {
		p = v->repairs++ < REPAIRS_MAX ? next_line_like(s, indent) : NULL;
		*ret = str_trim(str_n(s.p, (size_t)((p ? p : end) - s.p)));
		v->rest = p ? str_n(p, (size_t)(end - p)) : str_n(end, 0);
		return 1;
	}
	*ret = str_trim(str_n(s.p, (size_t)(p - s.p)));
	v->rest = str_n(p + (*p == ','), (size_t)(end - p) - (*p == ','));
	return 1;
}

struct str value_inside(struct str text, char open)
{
	char close = open == '{' ? '}' : ']';

	text = str_trim(text);
	if (text.n < 2 || text.p[0] != open || text.p[text.n - 1] != close ||
	    skip_value(text.p, text.p + text.n) != text.p + text.n)
		return STR_NONE;
	return str_trim(str_n(text.p + 1, text.n - 2));
}

int value_cut(struct str *inside, struct str *ret_key, struct str *ret)
{
	struct str s = *inside;
	const char *p, *end = s.p + s.n;

	if (!s.n)
		return 0;
	if (ret_key) {
		p = s.p[0] == '"' ? skip_string(s.p, end) : NULL;
		if (!p)
			return -EBADMSG;
		*ret_key = str_n(s.p + 1, (size_t)(p - s.p) - 2);
		s = str_trim(str_n(p, (size_t)(end - p)));
		if (!s.n || s.p[0] != ':')
			return -EBADMSG;
		s = str_from(s, 1);
	}
	p = skip_value(s.p, end);
	if (!p || (p < end && *p != ','))
		return -EBADMSG;
	*ret = str_trim(str_n(s.p, (size_t)(p - s.p)));
	*inside = p < end ? str_trim(str_n(p + 1, (size_t)(end - p) - 1)) : str_n(end, 0);
	return ret->n && (p == end || inside->n) ? 1 : -EBADMSG;
}

static void add_member(struct buf *to, struct str key, struct str value)
{
	buf_add(to, to->n > 1 ? ",\"" : "\"", to->n > 1 ? 2 : 1);
	buf_add_str(to, key);
	buf_add(to, "\":", 2);
	buf_add_str(to, value);
}

const char *value_members(struct str text, const char *const *names, size_t n, struct str *ret,
			  struct buf *others)
{
	struct str in = value_inside(text, '{'), key, value;
	int r;

	for (size_t i = 0; i < n; i++)
		ret[i] = STR_NONE;
	if (others) {
		buf_clear(others);
		buf_add(others, "{", 1);
	}
	if (!in.p)
		return "it is no object, or its brackets don't match";
	while ((r = value_cut(&in, &key, &value)) > 0) {
		size_t i = 0;

		while (i < n && !str_eq(key, str_of(names[i])))
			i++;
		if (i < n && ret[i].p)
			return "it has something twice";
		if (i < n)
			ret[i] = value;
		else if (others)
			add_member(others, key, value);
	}
	if (others)
		buf_add(others, "}", 1);
	return r < 0 ? "it is no JSON" : NULL;
}

cJSON *value_read(struct str text, const char **ret_why)
{
	const char *end = text.p + text.n, *stop, *why = "no JSON";
	_cleanup_(value_freep) cJSON *v = NULL;

	text = str_trim(text);
	if (!text.n)
		*ret_why = "empty";
	else if (text.n > IMPORT_FILE_MAX)
		*ret_why = "too long";
	else if (!(stop = skip_value(text.p, end)) || stop < text.p + text.n)
		*ret_why = "brackets that don't match, or are nested too deep";
	else if (memchr(text.p, '\0', text.n))
		*ret_why = "a NUL byte";
	else {
		v = cJSON_ParseWithLengthOpts(text.p, text.n, &stop, false);
		*ret_why = v && stop < text.p + text.n ? "more than one value" : why;
		if (v && stop == text.p + text.n)
			return TAKE(v);
	}
	return NULL;
}

void value_freep(cJSON **v)
{
	cJSON_Delete(*v);
}

const cJSON *value_get(const cJSON *v, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(v, name);
}

struct str value_str(const cJSON *v, const char *name)
{
	const cJSON *x = value_get(v, name);

	return str_of(cJSON_IsString(x) ? x->valuestring : NULL);
}

double value_real(const cJSON *v, const char *name, double otherwise)
{
	const cJSON *x = value_get(v, name);
	double d = otherwise;
	char *end;

	if (cJSON_IsNumber(x)) {
		d = x->valuedouble;
	} else if (cJSON_IsString(x) && x->valuestring[0]) {
		d = strtod(x->valuestring, &end);
		d = *end ? otherwise : d;
	}
	return isfinite(d) ? d : otherwise;
}

int64_t value_int(const cJSON *v, const char *name, int64_t otherwise)
{
	double d = value_real(v, name, (double)otherwise);

	return d >= -9007199254740992.0 && d <= 9007199254740992.0 ? (int64_t)d : otherwise;
}
