/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema: one row per key. Every key is optional here; what a kind of suite
 * needs is checked after loading, in words.
 */
#include "plan/schema.h"

#include "base/str.h"
#include "plan/plan.h"

#define WORD_MAX  128
#define TEXT_MAX  4096
#define ITEMS_MAX 1024
#define SUITES_MAX 64
#define RULES_MAX 256

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

const cyaml_schema_value_t PLAN_SCHEMA = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct plan, PLAN_KEYS),
};

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

const char *schema_near_key(const char *key, unsigned *best)
{
	const char *near;

	near = near_key(key, PLAN_KEYS, best, NULL);
	near = near_key(key, SUITE_KEYS, best, near);
	near = near_key(key, VARIANT_KEYS, best, near);
	near = near_key(key, IGNORE_KEYS, best, near);
	near = near_key(key, KNOWN_KEYS, best, near);
	near = near_key(key, KEEP_KEYS, best, near);
	near = near_key(key, MODE_KEYS, best, near);
	near = near_key(key, TREE_KEYS, best, near);
	near = near_key(key, WHERE_KEYS, best, near);
	near = near_key(key, RUN_KEYS, best, near);
	near = near_key(key, HOOK_KEYS, best, near);
	return near;
}
