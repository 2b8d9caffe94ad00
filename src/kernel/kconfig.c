/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kconfig.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"

#define VALUE_MAX 4096
#define WORDS_MAX 1024

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= KCONFIG_NAME_MAX;
}

/* Takes one option off a line of a .config. Returns 1, 0: it has none, -EINVAL. */
static int take_line(struct str line, struct str *ret_name, struct str *ret_value)
{
	static const struct str off = { " is not set", 11 };
	struct str name, rest = line = str_trim(line);

	if (str_starts(line, STR("# CONFIG_")) && str_ends(line, off)) {
		name = str_n(line.p + 9, line.n - 9 - off.n);
		*ret_value = STR("n");
	} else if (str_starts(line, STR("CONFIG_")) && memchr(line.p, '=', line.n)) {
		name = str_from(str_cut(&rest, '='), 7);
		*ret_value = rest;
	} else {
		return line.n && line.p[0] != '#' ? -EINVAL : 0;
	}
	*ret_name = name;
	return is_name(name) && ret_value->n && ret_value->n <= VALUE_MAX ? 1 : -EINVAL;
}

static void option_done(struct kconfig_option *o)
{
	free(o->name);
	free(o->value);
	free(o->from);
}

void kconfig_done(struct kconfig *k)
{
	while (k->n)
		option_done(&k->v[--k->n]);
	free(k->v);
	*k = (struct kconfig){};
}

static ptrdiff_t index_of(const struct kconfig *k, struct str name)
{
	for (size_t i = 0; i < k->n; i++)
		if (str_eq(str_of(k->v[i].name), name))
			return (ptrdiff_t)i;
	return -1;
}

const struct kconfig_option *kconfig_find(const struct kconfig *k, struct str name)
{
	ptrdiff_t i = index_of(k, name);

	return i < 0 ? NULL : &k->v[i];
}

static void drop(struct kconfig *k, struct str name)
{
	ptrdiff_t i = index_of(k, name);

	if (i < 0)
		return;
	option_done(&k->v[i]);
	memmove(&k->v[i], &k->v[i + 1], (--k->n - (size_t)i) * sizeof(*k->v));
}

static int want(struct kconfig *k, struct str name, struct str value, const char *from,
		struct err *err)
{
	drop(k, name);
	if (k->n == KCONFIG_OPTIONS_MAX)
		return err_set(err, EFBIG, "%s: more than %u options", from, KCONFIG_OPTIONS_MAX);
	ARRAY_GROW(k->v, k->n, k->cap);
	k->v[k->n++] = (struct kconfig_option){
		.name = xstrndup(name.p, name.n),
		.value = xstrndup(value.p, value.n),
		.from = xstrdup(from),
	};
	return 0;
}

int kconfig_add(struct kconfig *k, struct str text, const char *from, bool builtin,
		struct err *err)
{
	struct str name, value;

	for (unsigned number = 1; text.n; number++) {
		struct str line = str_cut(&text, '\n');
		int r = take_line(line, &name, &value);

		if (r < 0)
			return err_set(err, EINVAL,
				       "%s, line %u: '%.*s' is neither CONFIG_NAME=VALUE nor "
				       "'# CONFIG_NAME is not set'", from, number,
				       (int)(line.n < 80 ? line.n : 80), line.p);
		if (r == 0)
			continue;
		if (builtin && str_eq(value, STR("m")))
			value = STR("y");
		r = want(k, name, value, from, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Words: one row each.
 */
struct verb {
	char letter;
	const char *name;
	const char *value; /* NULL: a second argument is it */
	bool quoted;       /* it is a string */
	bool forget;
};

static const struct verb VERBS[] = {
	{ .letter = 'e', .name = "enable", .value = "y" },
	{ .letter = 'd', .name = "disable", .value = "n" },
	{ .letter = 'm', .name = "module", .value = "m" },
	{ .letter = 'u', .name = "undefine", .value = "", .forget = true },
	{ .name = "set-val" },
	{ .name = "set-str", .quoted = true },
};

static const struct verb *verb_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(VERBS); i++) {
		const struct verb *v = &VERBS[i];

		if (word[0] == '-' && word[1] == '-' && strcmp(word + 2, v->name) == 0)
			return v;
		if (v->letter && word[0] == '-' && word[1] == v->letter && !word[2])
			return v;
	}
	return NULL;
}

/* Next word off @rest without its quotes; NULL at the end. Caller frees. */
static char *next_word(struct str *rest)
{
	struct buf b = { .max = VALUE_MAX };
	char quote = 0;
	bool any = false;

	while (rest->n && char_is_space(rest->p[0]))
		*rest = str_from(*rest, 1);
	for (; rest->n && (quote || !char_is_space(rest->p[0])); *rest = str_from(*rest, 1)) {
		char c = rest->p[0];

		any = true;
		if (c == quote)
			quote = 0;
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else
			buf_add(&b, &c, 1);
	}
	if (!any) {
		buf_done(&b);
		return NULL;
	}
	return buf_take(&b);
}

static int add_word(struct kconfig *k, const struct verb *v, const char *name,
		    const char *argument, const char *from, struct err *err)
{
	struct str plain = str_of(name);
	_free_ char *value = NULL;

	if (str_starts(plain, STR("CONFIG_")))
		plain = str_from(plain, 7);
	if (!is_name(plain))
		return err_set(err, EINVAL, "%s: '%s' is no name of an option", from, name);
	if (v->forget) {
		drop(k, plain);
		return 0;
	}
	if (argument && argument[strcspn(argument, "\n\"\\")])
		return err_set(err, EINVAL, "%s: the value of %s has a quote, a backslash or a "
			       "newline in it", from, name);
	value = v->value ? xstrdup(v->value)
			 : xasprintf(v->quoted ? "\"%s\"" : "%s", argument);
	if (!value[0])
		return err_set(err, EINVAL, "%s: the value of %s is empty", from, name);
	return want(k, plain, str_of(value), from, err);
}

int kconfig_add_words(struct kconfig *k, struct str words, const char *from, struct err *err)
{
	if (words.n > VALUE_MAX)
		return err_set(err, EFBIG, "%s: more than %u bytes of options", from, VALUE_MAX);
	for (unsigned i = 0; i < WORDS_MAX; i++) {
		_free_ char *word = next_word(&words), *name = NULL, *argument = NULL;
		const struct verb *v = word ? verb_of(word) : NULL;
		int r;

		if (!word)
			return 0;
		if (!v)
			return err_set(err, EINVAL,
				       "%s: '%s' is none of -e, -d, -m, -u NAME, --set-val NAME "
				       "VALUE, --set-str NAME TEXT", from, word);
		name = next_word(&words);
		argument = v->value ? NULL : next_word(&words);
		if (!name || (!v->value && !argument))
			return err_set(err, EINVAL, "%s: '%s' wants %s", from, word,
				       v->value ? "a name" : "a name and a value");
		r = add_word(k, v, name, argument, from, err);
		if (r < 0)
			return r;
	}
	return err_set(err, EFBIG, "%s: more than %u words", from, WORDS_MAX);
}

static void write_option(struct buf *b, const struct kconfig_option *o)
{
	if (strcmp(o->value, "n") == 0)
		buf_printf(b, "# CONFIG_%s is not set\n", o->name);
	else
		buf_printf(b, "CONFIG_%s=%s\n", o->name, o->value);
}

void kconfig_merge(const struct kconfig *k, struct str base, struct buf *ret)
{
	struct str name, value;

	while (base.n) {
		struct str line = str_cut(&base, '\n');

		if (take_line(line, &name, &value) == 1 && !kconfig_find(k, name))
			buf_printf(ret, "%.*s\n", STR_FMT(line));
	}
	for (size_t i = 0; i < k->n; i++)
		write_option(ret, &k->v[i]);
}

static int by_name(const void *a, const void *b)
{
	const struct kconfig_option *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void kconfig_text(const struct kconfig *k, struct buf *ret)
{
	_free_ const struct kconfig_option **v = xcalloc(k->n + 1, sizeof(*v));

	for (size_t i = 0; i < k->n; i++)
		v[i] = &k->v[i];
	qsort(v, k->n, sizeof(*v), by_name);
	for (size_t i = 0; i < k->n; i++)
		write_option(ret, v[i]);
}

static bool does(struct str wanted, struct str got)
{
	bool there = str_eq(got, STR("y")) || str_eq(got, STR("m"));

	if (str_eq(wanted, STR("y")) || str_eq(wanted, STR("m")))
		return there;
	return str_eq(wanted, got);
}

void kconfig_unstuck(const struct kconfig *k, struct str result,
		     void (*each)(void *ctx, const struct kconfig_option *want,
				  const char *got),
		     void *ctx)
{
	struct kconfig have = {};
	struct str name, value;

	/* A sorted look-up is not worth it: a fragment has a few hundred options,
	 * and only their names are kept. */
	while (result.n)
		if (take_line(str_cut(&result, '\n'), &name, &value) == 1 &&
		    kconfig_find(k, name))
			want(&have, name, value, "", NULL);
	for (size_t i = 0; i < k->n; i++) {
		const struct kconfig_option *o = &k->v[i];
		const struct kconfig_option *h = kconfig_find(&have, str_of(o->name));
		const char *got = h ? h->value : "n";

		if (!does(str_of(o->value), str_of(got)))
			each(ctx, o, got);
	}
	kconfig_done(&have);
}
