/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/ignore.h"

#include <stdio.h>
#include <yaml.h>

#include "base/regex.h"
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

/* Where rule @i, or the value of its @key, stands in the text. libcyaml knows
 * it no more when it has loaded. */
static void place(struct str text, unsigned i, const char *key, size_t *ret_line,
		  size_t *ret_column)
{
	yaml_node_t *rules, *rule, *value;
	yaml_document_t d;
	yaml_parser_t p;

	*ret_line = *ret_column = 1;
	if (!yaml_parser_initialize(&p))
		return;
	yaml_parser_set_input_string(&p, (const unsigned char *)text.p, text.n);
	if (!yaml_parser_load(&p, &d)) {
		yaml_parser_delete(&p);
		return;
	}
	rules = value_of(&d, yaml_document_get_root_node(&d), "ignore");
	rule = rules && rules->type == YAML_SEQUENCE_NODE &&
	       rules->data.sequence.items.start + i < rules->data.sequence.items.top ?
		yaml_document_get_node(&d, rules->data.sequence.items.start[i]) : NULL;
	value = key ? value_of(&d, rule, key) : NULL;
	if (value || rule) {
		yaml_node_t *at = value ? value : rule;
		bool quoted = value && value->type == YAML_SCALAR_NODE &&
			      (value->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
			       value->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE);

		*ret_line = at->start_mark.line + 1;
		*ret_column = at->start_mark.column + 1 + quoted;
	}
	yaml_document_delete(&d);
	yaml_parser_delete(&p);
}

/* "2026-12-31" */
static bool is_date(const char *s)
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

static int check_rule(const struct plan_ignore *r, unsigned i, struct str text, const char *path,
		      struct err *err)
{
	struct regex *regex = NULL;
	size_t line, column, at = 0;
	struct err why = {};

	place(text, i, NULL, &line, &column);
	if (!r->pattern)
		return err_set(err, EINVAL, "%s:%zu:%zu: a rule of 'ignore' has no pattern", path,
			       line, column);
	if (!r->reason)
		return err_set(err, EINVAL, "%s:%zu:%zu: the rule has no reason: why may '%.100s' "
			       "be ignored?", path, line, column, r->pattern);
	if (r->until && !is_date(r->until)) {
		place(text, i, "until", &line, &column);
		return err_set(err, EINVAL, "%s:%zu:%zu: '%s' is no date, such as 2026-12-31", path,
			       line, column, r->until);
	}
	if (regex_new(r->pattern, &regex, &at, &why) < 0) {
		place(text, i, "pattern", &line, &column);
		return err_set(err, EINVAL, "%s:%zu:%zu: the pattern '%.100s': %s", path, line,
			       column + at, r->pattern, why.text);
	}
	regex_free(regex);
	return 0;
}

int ignore_check(const struct plan *p, struct str text, const char *path, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < p->ignore_count && r == 0; i++)
		r = check_rule(&p->ignore[i], i, text, path, err);
	return r;
}

bool plan_ignore_holds(const struct plan_ignore *rule, int64_t now_ms)
{
	char today[UNIT_TEXT_MAX];

	/* Dates compare as text; the last day is in. */
	return !rule->until || strncmp(date_rfc3339(now_ms, today), rule->until, 10) <= 0;
}
