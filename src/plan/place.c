/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/place.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/units.h"

/* The value of @key in a mapping; NULL: none. */
static yaml_node_t *value_of(yaml_document_t *d, yaml_node_t *mapping, const char *key)
{
	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start;
	     p < mapping->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(d, p->key);

		if (k && k->type == YAML_SCALAR_NODE &&
		    strcmp((const char *)k->data.scalar.value, key) == 0)
			return yaml_document_get_node(d, p->value);
	}
	return NULL;
}

/* "a/b": what is under the key b of the mapping under a. */
static yaml_node_t *walk(yaml_document_t *d, const char *path)
{
	yaml_node_t *at = yaml_document_get_root_node(d);
	char key[64];

	for (struct str rest = str_of(path); rest.p && at;) {
		struct str step = str_cut(&rest, '/');

		snprintf(key, sizeof(key), "%.*s", STR_FMT(step));
		at = value_of(d, at, key);
	}
	return at;
}

struct place place_of(struct str text, const char *list, unsigned i, const char *key)
{
	yaml_node_t *rules, *rule, *value;
	struct place ret = { 1, 1 };
	yaml_document_t d;
	yaml_parser_t p;

	if (!yaml_parser_initialize(&p))
		return ret;
	yaml_parser_set_input_string(&p, (const unsigned char *)text.p, text.n);
	if (!yaml_parser_load(&p, &d)) {
		yaml_parser_delete(&p);
		return ret;
	}
	rules = walk(&d, list);
	if (i == PLACE_NONE)
		rule = rules;
	else
		rule = rules && rules->type == YAML_SEQUENCE_NODE &&
		       rules->data.sequence.items.start + i < rules->data.sequence.items.top ?
			yaml_document_get_node(&d, rules->data.sequence.items.start[i]) : NULL;
	value = key ? value_of(&d, rule, key) : NULL;
	if (value || rule) {
		yaml_node_t *at = value ? value : rule;
		bool quoted = value && value->type == YAML_SCALAR_NODE &&
			      (value->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
			       value->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE);

		ret.line = at->start_mark.line + 1;
		ret.column = at->start_mark.column + 1 + quoted;
	}
	yaml_document_delete(&d);
	yaml_parser_delete(&p);
	return ret;
}

bool place_is_date(const char *s)
{
	static const unsigned char DAYS[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	static const char form[] = "9999-99-99";
	unsigned month, day;

	if (strlen(s) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '9' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	month = (unsigned)(s[5] - '0') * 10 + (unsigned)(s[6] - '0');
	day = (unsigned)(s[8] - '0') * 10 + (unsigned)(s[9] - '0');
	return month >= 1 && month <= 12 && day >= 1 && day <= DAYS[month - 1];
}

bool place_holds(const char *until, int64_t now_ms)
{
	char today[UNIT_TEXT_MAX];

	/* Dates compare as text; the last day is in. */
	return !until || strncmp(date_rfc3339(now_ms, today), until, 10) <= 0;
}
