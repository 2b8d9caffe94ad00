/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cyaml/cyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "plan/builtin.h"
#include "plan/ignore.h"
#include "plan/keep.h"
#include "plan/known.h"
#include "plan/matrix.h"
#include "plan/modes.h"
#include "plan/place.h"
#include "plan/plan.h"
#include "plan/variants.h"

#define FILE_MAX  (1u << 20)
#define WORD_MAX  128
#define TEXT_MAX  4096
#define ITEMS_MAX 1024
#define SUITES_MAX 64
#define RULES_MAX 256
#define DEPTH_MAX 16

/*
 * The schema: one row per key. Every key is optional here; what a kind of suite
 * needs is checked after loading, in words.
 */
#define TEXT(key, type, max)                                                                       \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, key, 1, max)
#define LIST(key, type, row, max)                                                                  \
	CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, key, row, 0, max)
#define MAPPING(key, type, rows)                                                                   \
	CYAML_FIELD_MAPPING(#key, CYAML_FLAG_OPTIONAL, type, key, rows)

static const cyaml_schema_value_t TEXT_ROW = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t VARIANT_KEYS[] = {
	TEXT(name, struct plan_variant, WORD_MAX),
	TEXT(test, struct plan_variant, WORD_MAX),
	TEXT(args, struct plan_variant, TEXT_MAX),
	TEXT(each, struct plan_variant, TEXT_MAX),
	LIST(env, struct plan_variant, &TEXT_ROW, ITEMS_MAX),
	TEXT(timeout, struct plan_variant, WORD_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t VARIANT_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_variant, VARIANT_KEYS),
};

static const cyaml_schema_field_t SUITE_KEYS[] = {
	TEXT(name, struct plan_suite, WORD_MAX),
	TEXT(kind, struct plan_suite, WORD_MAX),
	TEXT(target, struct plan_suite, WORD_MAX),
	TEXT(dir, struct plan_suite, TEXT_MAX),
	LIST(tests, struct plan_suite, &TEXT_ROW, ITEMS_MAX),
	LIST(env, struct plan_suite, &TEXT_ROW, ITEMS_MAX),
	TEXT(timeout, struct plan_suite, WORD_MAX),
	LIST(modes, struct plan_suite, &TEXT_ROW, SUITES_MAX),
	LIST(machines, struct plan_suite, &TEXT_ROW, SUITES_MAX),
	LIST(default_modes, struct plan_suite, &TEXT_ROW, SUITES_MAX),
	TEXT(program, struct plan_suite, TEXT_MAX),
	TEXT(since, struct plan_suite, TEXT_MAX),
	LIST(slow, struct plan_suite, &TEXT_ROW, ITEMS_MAX),
	LIST(variants, struct plan_suite, &VARIANT_ROW, ITEMS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t SUITE_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_suite, SUITE_KEYS),
};

static const cyaml_schema_field_t IGNORE_KEYS[] = {
	TEXT(pattern, struct plan_ignore, TEXT_MAX),
	TEXT(reason, struct plan_ignore, TEXT_MAX),
	TEXT(link, struct plan_ignore, TEXT_MAX),
	TEXT(owner, struct plan_ignore, WORD_MAX),
	TEXT(until, struct plan_ignore, WORD_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t IGNORE_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_ignore, IGNORE_KEYS),
};

static const cyaml_schema_field_t KNOWN_KEYS[] = {
	TEXT(test, struct plan_known, TEXT_MAX),
	TEXT(pattern, struct plan_known, TEXT_MAX),
	TEXT(branch, struct plan_known, WORD_MAX),
	TEXT(mode, struct plan_known, WORD_MAX),
	TEXT(machine, struct plan_known, WORD_MAX),
	TEXT(reason, struct plan_known, TEXT_MAX),
	TEXT(link, struct plan_known, TEXT_MAX),
	TEXT(owner, struct plan_known, WORD_MAX),
	TEXT(since, struct plan_known, WORD_MAX),
	TEXT(until, struct plan_known, WORD_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t KNOWN_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_known, KNOWN_KEYS),
};

static const cyaml_schema_field_t KEEP_KEYS[] = {
	TEXT(branch, struct plan_keep, WORD_MAX),
	TEXT(logs, struct plan_keep, WORD_MAX),
	TEXT(runs, struct plan_keep, WORD_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t KEEP_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_keep, KEEP_KEYS),
};

static const cyaml_schema_field_t MODE_KEYS[] = {
	TEXT(name, struct plan_mode, WORD_MAX),
	TEXT(from, struct plan_mode, WORD_MAX),
	TEXT(base, struct plan_mode, WORD_MAX),
	LIST(config, struct plan_mode, &TEXT_ROW, ITEMS_MAX),
	TEXT(memory, struct plan_mode, WORD_MAX),
	TEXT(compiler, struct plan_mode, WORD_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t MODE_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_mode, MODE_KEYS),
};

static const cyaml_schema_field_t TREE_KEYS[] = {
	TEXT(name, struct plan_tree, WORD_MAX),
	TEXT(kernel, struct plan_tree, TEXT_MAX),
	TEXT(branch, struct plan_tree, WORD_MAX),
	LIST(branches, struct plan_tree, &TEXT_ROW, SUITES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t TREE_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_tree, TREE_KEYS),
};

static const cyaml_schema_field_t WHERE_KEYS[] = {
	TEXT(mode, struct plan_where, WORD_MAX),
	TEXT(machine, struct plan_where, WORD_MAX),
	LIST(tests, struct plan_where, &TEXT_ROW, ITEMS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t WHERE_ROW = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct plan_where, WHERE_KEYS),
};

static const cyaml_schema_field_t RUN_KEYS[] = {
	LIST(trees, struct plan_run, &TEXT_ROW, SUITES_MAX),
	LIST(modes, struct plan_run, &TEXT_ROW, SUITES_MAX),
	LIST(machines, struct plan_run, &TEXT_ROW, SUITES_MAX),
	LIST(tests, struct plan_run, &TEXT_ROW, ITEMS_MAX),
	LIST(include, struct plan_run, &WHERE_ROW, RULES_MAX),
	LIST(exclude, struct plan_run, &WHERE_ROW, RULES_MAX),
	TEXT(timeout, struct plan_run, WORD_MAX),
	TEXT(job_timeout, struct plan_run, WORD_MAX),
	TEXT(test_timeout, struct plan_run, WORD_MAX),
	TEXT(silent_timeout, struct plan_run, WORD_MAX),
	TEXT(repeat, struct plan_run, WORD_MAX),
	TEXT(retries, struct plan_run, WORD_MAX),
	TEXT(jobs, struct plan_run, WORD_MAX),
	TEXT(split, struct plan_run, WORD_MAX),
	TEXT(fail_fast, struct plan_run, WORD_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t HOOK_KEYS[] = {
	TEXT(prepare, struct plan_hooks, TEXT_MAX),
	TEXT(pre, struct plan_hooks, TEXT_MAX),
	TEXT(post, struct plan_hooks, TEXT_MAX),
	TEXT(run, struct plan_hooks, TEXT_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t PLAN_KEYS[] = {
	TEXT(kernel, struct plan, TEXT_MAX),
	TEXT(branch, struct plan, WORD_MAX),
	LIST(suites, struct plan, &SUITE_ROW, SUITES_MAX),
	LIST(ignore, struct plan, &IGNORE_ROW, RULES_MAX),
	LIST(known, struct plan, &KNOWN_ROW, RULES_MAX),
	LIST(keep, struct plan, &KEEP_ROW, RULES_MAX),
	LIST(modes, struct plan, &MODE_ROW, SUITES_MAX),
	LIST(trees, struct plan, &TREE_ROW, SUITES_MAX),
	MAPPING(run, struct plan, RUN_KEYS),
	MAPPING(hooks, struct plan, HOOK_KEYS),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t PLAN_SCHEMA = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct plan, PLAN_KEYS),
};

/*
 * Mistakes. libcyaml tells them as log lines: what, then a backtrace whose
 * first "(line: L, column: C)" is the innermost value.
 */
struct mistake {
	char what[160];
	unsigned long line, column;
	bool traced;
};

__attribute__((format(printf, 3, 0)))
static void on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
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

static const char *near_key(const char *key, const cyaml_schema_field_t *keys, unsigned *best,
			    const char *hit)
{
	for (; keys->key; keys++) {
		unsigned d = str_distance(str_of(key), str_of(keys->key));

		if (d < *best) {
			*best = d;
			hit = keys->key;
		}
	}
	return hit;
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

	near = near_key(key, PLAN_KEYS, &best, NULL);
	near = near_key(key, SUITE_KEYS, &best, near);
	near = near_key(key, VARIANT_KEYS, &best, near);
	near = near_key(key, IGNORE_KEYS, &best, near);
	near = near_key(key, KNOWN_KEYS, &best, near);
	near = near_key(key, KEEP_KEYS, &best, near);
	near = near_key(key, MODE_KEYS, &best, near);
	near = near_key(key, TREE_KEYS, &best, near);
	near = near_key(key, WHERE_KEYS, &best, near);
	near = near_key(key, RUN_KEYS, &best, near);
	near = near_key(key, HOOK_KEYS, &best, near);
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

static int tell(const char *path, struct str text, struct mistake *m, struct err *err)
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

/* What YAML itself refuses, with the exact place (which libcyaml doesn't tell),
 * and what no configuration needs: deep nesting, aliases. */
static int check_syntax(const char *path, struct str text, struct err *err)
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

/*
 * Sense: what the schema can't say.
 */
static int check_suite(const struct plan *p, unsigned i, struct str text, const char *path,
		       struct err *err)
{
	const struct plan_suite *s = &p->suites[i];
	struct place at = place_of(text, "suites", i, s->name ? "name" : NULL);
	int64_t ms;
	int r;

	if (!s->name)
		return err_set(err, EINVAL, "%s:%zu:%zu: a suite has no name", path, at.line,
			       at.column);
	if (s->name[strcspn(s->name, "/:! \t*?[")])
		return err_set(err, EINVAL, "%s:%zu:%zu: suite '%s': a name has no blanks and none "
			       "of \"/:!*?[\"", path, at.line, at.column, s->name);
	for (unsigned j = 0; j < i; j++)
		if (strcmp(s->name, p->suites[j].name) == 0)
			return err_set(err, EINVAL, "%s:%zu:%zu: two suites are called '%s'", path,
				       at.line, at.column, s->name);
	if (!s->kind)
		return err_set(err, EINVAL, "%s:%zu:%zu: suite '%s' has no kind, such as "
			       "'kselftest'", path, at.line, at.column, s->name);
	at = place_of(text, "suites", i, "env");
	for (unsigned j = 0; j < s->env_count; j++)
		if (strcspn(s->env[j], "=") == 0 || !strchr(s->env[j], '='))
			return err_set(err, EINVAL, "%s:%zu:%zu: suite '%s': env '%s' is not "
				       "NAME=VALUE", path, at.line, at.column, s->name, s->env[j]);
	at = place_of(text, "suites", i, "variants");
	_free_ char *where = xasprintf("%s:%zu:%zu", path, at.line, at.column);

	r = variants_check(s, where, err);
	if (r < 0)
		return r;
	at = place_of(text, "suites", i, "timeout");
	r = s->timeout ? duration_parse(str_of(s->timeout), &ms, err) : 0;
	return r < 0 ? err_wrap(err, r, "%s:%zu:%zu: suite '%s': timeout", path, at.line, at.column,
				s->name) : 0;
}

static int check(struct plan *p, struct str text, const char *path, struct err *err)
{
	int r = 0;

	if (!p->suites_count)
		return err_set(err, EINVAL, "%s:1:1: it has no suites", path);
	for (unsigned i = 0; i < p->suites_count && r == 0; i++)
		r = check_suite(p, i, text, path, err);
	return r;
}

/* "./own.config" of a mode, too. */
static void anchor_configs(struct plan_mode *m, const char *base)
{
	for (unsigned i = 0; i < m->config_count; i++) {
		char *given = m->config[i];

		if (!str_starts(str_of(given), STR("./")) && !str_starts(str_of(given), STR("../")))
			continue;
		m->config[i] = path_join(base, given);
		free(given);
	}
}

static void anchor(char **path, const char *base)
{
	char *given = *path;

	if (!given || given[0] == '/')
		return;
	*path = path_join(base, given);
	free(given);
}

/* Paths are meant as seen from the file. */
static void anchor_dirs(struct plan *p)
{
	_free_ char *base = path_dir(p->path);

	for (unsigned i = 0; i < p->modes_count; i++)
		anchor_configs(&p->modes[i], base);
	for (unsigned i = 0; i < p->suites_count; i++) {
		anchor(&p->suites[i].dir, base);
		anchor(&p->suites[i].program, base);
	}
}

static const cyaml_config_t *config_for(struct mistake *m, cyaml_config_t *c)
{
	*c = (cyaml_config_t){
		.log_fn = on_log,
		.log_ctx = m,
		.log_level = CYAML_LOG_WARNING,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	return c;
}

int plan_parse(struct str text, const char *path, struct plan **ret, struct err *err)
{
	const char *name = path ? path : "configuration";
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct mistake m = {};
	cyaml_config_t c;
	int r;

	if (text.n > FILE_MAX)
		return err_set(err, EFBIG, "%s: larger than %u bytes", name, FILE_MAX);
	r = check_syntax(name, text, err);
	if (r < 0)
		return r;
	if (cyaml_load_data((const uint8_t *)text.p, text.n, config_for(&m, &c), &PLAN_SCHEMA,
			    (void **)&p, NULL) != CYAML_OK)
		return tell(name, text, &m, err);
	if (!p)
		return err_set(err, EINVAL, "%s: it is empty", name);
	r = check(p, text, name, err);
	if (r == 0)
		r = ignore_check(p, text, name, err);
	if (r == 0)
		r = known_check(p, text, name, err);
	if (r == 0)
		r = keep_check(p, text, name, err);
	if (r == 0)
		r = modes_check(p, text, name, err);
	if (r == 0)
		r = matrix_check(p, text, name, err);
	if (r < 0)
		return r;
	if (path) {
		p->path = xstrdup(path);
		anchor_dirs(p);
	}
	*ret = TAKE(p);
	return 0;
}

struct plan *plan_free(struct plan *p)
{
	struct mistake m = {};
	cyaml_config_t c;

	if (p) {
		free(p->path);
		cyaml_free(config_for(&m, &c), &PLAN_SCHEMA, p, 0);
	}
	return NULL;
}

void plan_freep(struct plan **p)
{
	*p = plan_free(*p);
}

/*
 * Looking for the file.
 */
static int load_file(const char *path, struct plan **ret, struct err *err)
{
	struct buf text = {};
	int r = file_read(path, FILE_MAX, &text, err);

	if (r == 0)
		r = plan_parse(buf_str(&text), path, ret, err);
	buf_done(&text);
	return r;
}

/* taproom.yaml in @dir or above it; NULL when there is none. */
static char *find_upwards(const char *dir)
{
	char *at = realpath(dir, NULL);

	while (at) {
		_free_ char *path = path_join(at, PLAN_FILE);
		char *slash = strrchr(at, '/');

		if (file_exists(path)) {
			free(at);
			return TAKE(path);
		}
		if (!slash || !slash[1])
			break;
		slash[slash == at] = '\0';
	}
	free(at);
	return NULL;
}

static char *find_user(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	_free_ char *path = NULL;

	if (xdg && xdg[0] == '/')
		path = path_join(xdg, "taproom/" PLAN_FILE);
	else if (home && home[0] == '/')
		path = path_join(home, ".config/taproom/" PLAN_FILE);
	return path && file_exists(path) ? TAKE(path) : NULL;
}

int plan_load(const char *path, const char *dir, struct plan **ret, struct err *err)
{
	_free_ char *found = NULL;

	/* Suites' directories count from the file, wherever it is called from. */
	if (path)
		found = realpath(path, NULL);
	if (path && !found)
		return err_sys(err, errno, "configuration '%s'", path);
	if (!found)
		found = find_upwards(dir);
	if (!found)
		found = find_user();
	return found ? load_file(found, ret, err)
		     : plan_parse(str_of(PLAN_BUILTIN), NULL, ret, err);
}
