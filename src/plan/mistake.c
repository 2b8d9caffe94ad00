/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/mistake.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "plan/schema.h"

#define DEPTH_MAX 16

__attribute__((format(printf, 3, 0)))
void mistake_on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct mistake *m = ctx;
	const char *at;
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	at = strstr(text, "(line: ");
	if (at && !m->traced)
		m->traced = sscanf(at, "(line: %lu, column: %lu)", &m->line, &m->column) == 2;
	else if (!m->what[0])
		snprintf(m->what, sizeof(m->what), "%.150s",
			 str_starts(str_of(text), STR("Load: ")) ? text + 6 : text);
}

/* "  - key: x", "{a: b, key: x}": where @key stands as a key; 0: not here. */
static size_t key_column(struct str line, size_t from, struct str key)
{
	for (size_t i = from; i + key.n < line.n; i++) {
		if (i > 0 && !strchr(" ,{-\"'", line.p[i - 1]))
			continue;
		if (str_starts(str_from(line, i), key) && strchr(" :\"'", line.p[i + key.n]))
			return i + 1;
	}
	return 0;
}

/* The backtrace ends at what stood before a wrong key: looks on from there. */
static void find_key(struct str text, const char *key, struct mistake *m)
{
	for (unsigned long line = 1; text.n; line++) {
		struct str full = str_cut(&text, '\n');
		size_t column;

		if (line < m->line)
			continue;
		column = key_column(full, line == m->line ? m->column - 1 : 0, str_of(key));
		if (column) {
			m->line = line;
			m->column = column;
			return;
		}
	}
}

/* libcyaml's words for types and events, in ours. */
static const char *plain_word(struct str s)
{
	static const struct {
		const char *theirs, *ours;
	} rows[] = {
		{ "STRING", "one value" }, { "SCALAR", "one value" }, { "SEQUENCE", "a list" },
		{ "MAPPING", "keys and values" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_starts(s, str_of(rows[i].theirs)))
			return rows[i].ours;
	return "something else";
}

static int tell_key(const char *path, struct str text, struct mistake *m, const char *key,
		    struct err *err)
{
	const char *near;
	unsigned best = 3;

	near = schema_near_key(key, &best);
	find_key(text, key, m);
	if (near && best == 0)
		return err_set(err, EINVAL, "%s:%lu:%lu: the key '%s' does not belong here", path,
			       m->line, m->column, key);
	if (near)
		return err_set(err, EINVAL, "%s:%lu:%lu: no key '%s'; did you mean '%s'?", path,
			       m->line, m->column, key, near);
	return err_set(err, EINVAL, "%s:%lu:%lu: no key '%s'; taproom.yaml(5) lists them", path,
		       m->line, m->column, key);
}

int mistake_tell(const char *path, struct str text, struct mistake *m, struct err *err)
{
	static const char unknown[] = "Unexpected key: ", again[] = "Mapping field already seen: ";
	static const char wrong[] = "Expecting ", got[] = "got event: ";
	struct str what = str_of(m->what);
	ptrdiff_t at = str_find(what, str_of(got));

	if (!m->line)
		m->line = m->column = 1;
	if (str_starts(what, str_of(unknown)))
		return tell_key(path, text, m, m->what + strlen(unknown), err);
	if (str_starts(what, str_of(again))) {
		find_key(text, m->what + strlen(again), m);
		return err_set(err, EINVAL, "%s:%lu:%lu: the key '%s' stands there twice", path,
			       m->line, m->column, m->what + strlen(again));
	}
	if (str_starts(what, str_of(wrong)) && at >= 0)
		return err_set(err, EINVAL, "%s:%lu:%lu: expected %s, found %s", path, m->line,
			       m->column, plain_word(str_from(what, strlen(wrong))),
			       plain_word(str_from(what, (size_t)at + strlen(got))));
	return err_set(err, EINVAL, "%s:%lu:%lu: %s", path, m->line, m->column,
		       m->what[0] ? m->what : "not as expected");
}

int mistake_check_syntax(const char *path, struct str text, struct err *err)
{
	static const signed char steps[] = {
		[YAML_SEQUENCE_START_EVENT] = 1, [YAML_MAPPING_START_EVENT] = 1,
		[YAML_SEQUENCE_END_EVENT] = -1, [YAML_MAPPING_END_EVENT] = -1,
	};
	bool more = true;
	yaml_parser_t p;
	yaml_event_t e;
	int r = 0, depth = 0;

	if (!yaml_parser_initialize(&p))
		return err_set(err, ENOMEM, "%s: no memory", path);
	yaml_parser_set_input_string(&p, (const unsigned char *)text.p, text.n);
	while (r == 0 && more) {
		if (!yaml_parser_parse(&p, &e)) {
			r = err_set(err, EINVAL, "%s:%zu:%zu: %s", path, p.problem_mark.line + 1,
				    p.problem_mark.column + 1, p.problem ? p.problem : "not YAML");
			break;
		}
		more = e.type != YAML_STREAM_END_EVENT;
		if ((size_t)e.type < ARRAY_SIZE(steps))
			depth += steps[e.type];
		if (depth > DEPTH_MAX || e.type == YAML_ALIAS_EVENT)
			r = err_set(err, EINVAL, "%s:%zu:%zu: %s", path, e.start_mark.line + 1,
				    e.start_mark.column + 1,
				    depth > DEPTH_MAX ? "nested too deep"
						      : "aliases ('*name') are not read");
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	return r;
}
