/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/modes.h"

#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "plan/place.h"

#define DEPTH_MAX 16

/* As of a configuration, but that nothing is written to them. */
static const struct builtin {
	const char *name, *from, *memory;
	const char *config[8];
} BUILTINS[] = {
	{ .name = "normal", .config = { "builtin:mptcp", "builtin:normal" } },
	{ .name = "debug", .from = "normal", .memory = "2G", .config = { "builtin:debug" } },
	{ .name = "btf-normal", .from = "normal", .config = { "builtin:btf" } },
	{ .name = "btf-debug", .from = "debug", .config = { "builtin:btf" } },
};

/* What both have. */
struct layer {
	const char *name, *from, *base, *memory, *compiler;
	const char *const *config;
	unsigned n_config;
};

static bool layer_of(const struct plan_mode *m, struct layer *ret)
{
	*ret = (struct layer){ m->name, m->from, m->base, m->memory, m->compiler,
			       (const char *const *)m->config, m->config_count };
	return true;
}

static bool layer_builtin(const char *name, struct layer *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(BUILTINS); i++) {
		const struct builtin *b = &BUILTINS[i];

		if (strcmp(b->name, name) != 0)
			continue;
		*ret = (struct layer){ .name = b->name, .from = b->from, .memory = b->memory,
				       .config = b->config };
		while (b->config[ret->n_config])
			ret->n_config++;
		return true;
	}
	return false;
}

/* @inside: the mode that it is on top of; one of the same name is the built-in. */
static bool layer_find(const struct plan *p, const char *name, const char *inside,
		       struct layer *ret)
{
	for (unsigned i = 0; p && i < p->modes_count; i++)
		if (strcmp(p->modes[i].name, name) == 0 && (!inside || strcmp(inside, name) != 0))
			return layer_of(&p->modes[i], ret);
	return layer_builtin(name, ret);
}

static void names(const struct plan *p, struct buf *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(BUILTINS); i++)
		buf_printf(b, "%s%s", b->n ? ", " : "", BUILTINS[i].name);
	for (unsigned i = 0; p && i < p->modes_count; i++) {
		struct layer l;

		if (!layer_builtin(p->modes[i].name, &l))
			buf_printf(b, ", %s", p->modes[i].name);
	}
}

static int unknown(const struct plan *p, const char *name, struct err *err)
{
	struct buf b = { .max = 300 };
	int r;

	names(p, &b);
	r = err_set(err, ENOENT, "no mode '%s': there are %.*s", name, STR_FMT(buf_str(&b)));
	buf_done(&b);
	return r;
}

/* The lowest first. */
static int pile(const struct plan *p, const struct layer *top, unsigned depth,
		struct plan_mode_all *ret, struct err *err)
{
	struct layer below;
	int r = 0;

	if (depth == DEPTH_MAX)
		return err_set(err, EINVAL, "mode '%s' is on top of itself, or of more than %u "
			       "others", top->name, DEPTH_MAX);
	if (top->from) {
		if (!layer_find(p, top->from, top->name, &below))
			return unknown(p, top->from, err);
		r = pile(p, &below, depth + 1, ret, err);
	}
	if (r < 0)
		return r;
	if (top->base)
		ret->base = top->base;
	if (top->compiler)
		ret->clang = strcmp(top->compiler, "clang") == 0;
	if (top->memory)
		r = size_parse(str_of(top->memory), &ret->memory, err);
	for (unsigned i = 0; i < top->n_config && r == 0; i++) {
		if (ret->n_config == PLAN_MODE_CONFIG_MAX)
			return err_set(err, EFBIG, "mode '%s' has more than %u entries", top->name,
				       PLAN_MODE_CONFIG_MAX);
		ret->config[ret->n_config++] = top->config[i];
	}
	return r;
}

int plan_mode_find(const struct plan *p, const char *name, struct plan_mode_all *ret,
		   struct err *err)
{
	struct plan_mode_all all = { .base = "defconfig" };
	struct layer top;
	int r;

	if (!layer_find(p, name, NULL, &top))
		return unknown(p, name, err);
	r = pile(p, &top, 0, &all, err);
	if (r < 0)
		return r;
	all.name = top.name;
	*ret = all;
	return 0;
}

static bool is_one_of(const char *s, const char *a, const char *b)
{
	return !s || strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

static int check_one(const struct plan *p, unsigned i, const char *path, struct err *err)
{
	const struct plan_mode *m = &p->modes[i];
	struct plan_mode_all all;
	int r;

	if (!m->name)
		return err_set(err, EINVAL, "%s: a mode has no name", path);
	if (strlen(m->name) > 64 || m->name[0] == '.' || m->name[0] == '-' ||
	    m->name[strcspn(m->name, "/:,! \t\n$'\"\\*?[")])
		return err_set(err, EINVAL,
			       "%s: mode '%s': a name has no blanks and none of \"/:,!$*?[\"", path,
			       m->name);
	for (unsigned j = 0; j < i; j++)
		if (strcmp(m->name, p->modes[j].name) == 0)
			return err_set(err, EINVAL, "%s: two modes are called '%s'", path, m->name);
	if (!is_one_of(m->base, "defconfig", "tiny"))
		return err_set(err, EINVAL, "%s: mode '%s': base is defconfig or tiny, not '%s'",
			       path, m->name, m->base);
	if (!is_one_of(m->compiler, "gcc", "clang"))
		return err_set(err, EINVAL, "%s: mode '%s': compiler is gcc or clang, not '%s'",
			       path, m->name, m->compiler);
	r = plan_mode_find(p, m->name, &all, err);
	if (r < 0)
		err_wrap(err, r, "%s: mode '%s'", path, m->name);
	return r < 0 ? -EINVAL : 0;
}

static int check_at(const struct plan *p, unsigned i, struct str text, const char *path,
		    struct err *err)
{
	struct place at = place_of(text, "modes", i, p->modes[i].name ? "name" : NULL);
	_free_ char *where = xasprintf("%s:%zu:%zu", path, at.line, at.column);

	return check_one(p, i, where, err);
}

int modes_check(const struct plan *p, struct str text, const char *path, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < p->modes_count && r == 0; i++)
		if (!p->modes[i].name)
			r = check_at(p, i, text, path, err);
	for (unsigned i = 0; i < p->modes_count && r == 0; i++)
		r = check_at(p, i, text, path, err);
	return r;
}
