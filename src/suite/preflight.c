/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suite/preflight.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "suite/needs.h"

#define SCRIPT_MAX  (1u << 20) /* bytes that are looked through */
#define VERSION_MAX 4096
#define VERSION_MS  2000

const char *const PREFLIGHT_EFFECT_WORDS[PREFLIGHT_EFFECTS] = {
	[PREFLIGHT_PASSES] = "may pass without testing",
	[PREFLIGHT_FAILS] = "may fail",
	[PREFLIGHT_SKIPS] = "may skip",
};

/* ---- scripts ---- */

/* Can this byte be a part of a word, so that what is found in it is another? */
static bool in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '$';
}

static bool line_uses(struct str line, struct str word)
{
	const char *at = line.p, *end = line.p + line.n;

	while (at && at < end && (at = memmem(at, (size_t)(end - at), word.p, word.n))) {
		const char *after = at + word.n;

		if ((at == line.p || !in_word(at[-1])) && (after == end || !in_word(*after)))
			return true;
		at++;
	}
	return false;
}

bool preflight_uses(struct str text, struct str word)
{
	while (text.n && word.n) {
		struct str line = str_cut(&text, '\n');

		if (!str_starts(str_trim(line), STR("#")) && line_uses(line, word))
			return true;
	}
	return false;
}

static bool uses_any(struct str text, const char *words)
{
	struct str rest = str_of(words);

	while (rest.n)
		if (preflight_uses(text, str_cut(&rest, ' ')))
			return true;
	return false;
}

/* Empty for what is no script: nobody knows what it wants. */
static int read_script(const struct plan_test *t, struct buf *ret, struct err *err)
{
	/* A variant has a name of its own, and the script as its command. */
	bool own = t->argv && t->argv[0] && strncmp(t->argv[0], "./", 2) == 0;
	_free_ char *path = path_join(t->dir ? t->dir : "", own ? t->argv[0] + 2 : t->name);
	int r;

	ret->max = SCRIPT_MAX;
	r = file_exists(path) ? file_read(path, 0, ret, err) : 0;
	if (r == -EFBIG || (ret->n && !str_starts(buf_str(ret), STR("#!")))) {
		buf_clear(ret);
		r = 0;
	}
	return r;
}

/* ---- what is lacking ---- */

void preflight_wanted(struct str fragment, struct buf *ret)
{
	while (fragment.n) {
		struct str value = str_trim(str_cut(&fragment, '\n')), name = str_cut(&value, '=');

		if (str_starts(name, STR("CONFIG_")) && value.n && !str_eq(value, STR("n")))
			buf_printf(ret, "%.*s\n", STR_FMT(str_from(name, strlen("CONFIG_"))));
	}
}

static struct preflight_lack *lack(struct preflight *p, struct str name,
				   enum preflight_effect effect, const char *what,
				   const char *package)
{
	for (size_t i = 0; i < p->n_lacks; i++)
		if (str_eq(str_of(p->lacks[i].name), name) &&
		    !p->lacks[i].package == !package)
			return &p->lacks[i];
	ARRAY_GROW(p->lacks, p->n_lacks, p->cap_lacks);
	p->lacks[p->n_lacks] = (struct preflight_lack){
		.name = xstrndup(name.p, name.n), .effect = effect, .what = what,
		.package = package,
	};
	return &p->lacks[p->n_lacks++];
}

static void add_test(struct preflight_lack *l, struct plan_test *t)
{
	buf_printf(&l->tests, "%s%s", l->tests.n ? ", " : "", t->name);
	if (l->effect != PREFLIGHT_PASSES || t->doubt)
		return;
	t->doubt = xasprintf("this kernel lacks CONFIG_%s: %s", l->name, l->what);
}

static bool is_off(const struct preflight_place *place, const char *option)
{
	return place->config_path && place->value(place->config_path, option) == 'n';
}

static void look_for_options(struct preflight *p, const bool *off, struct plan_test *t,
			     struct str script)
{
	for (const struct need_option *n = NEED_OPTIONS; n->name; n++)
		if (off[n - NEED_OPTIONS] && uses_any(script, n->words))
			add_test(lack(p, str_of(n->name), n->effect, n->what, NULL), t);
}

static void look_for_programs(struct preflight *p, const struct preflight_place *place,
			      struct plan_test *t, struct str script, bool *seen)
{
	for (const struct need_program *n = NEED_PROGRAMS; n->name; n++) {
		_free_ char *path = NULL;

		if (!preflight_uses(script, str_of(n->name)))
			continue;
		path = place->find(n->name);
		if (!path)
			add_test(lack(p, str_of(n->name), PREFLIGHT_SKIPS, NULL, n->package), t);
		else
			seen[n - NEED_PROGRAMS] = true;
	}
}

/* What the target asks for and no script's word stands for. */
static int look_at_fragment(struct preflight *p, const struct plan_suite *suite,
			    const struct preflight_place *place, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { .max = SCRIPT_MAX }, names = {};
	_free_ char *path = NULL;
	int r;

	if (!place->source || !suite->target)
		return 0;
	path = xasprintf("%s/tools/testing/selftests/%s/config", place->source, suite->target);
	r = file_exists(path) ? file_read(path, 0, &text, err) : 0;
	if (r < 0)
		return r;
	preflight_wanted(buf_str(&text), &names);
	for (struct str rest = buf_str(&names); rest.n;) {
		struct str line = str_cut(&rest, '\n');
		_free_ char *name = xstrndup(line.p, line.n);

		if (is_off(place, name))
			lack(p, line, PREFLIGHT_SKIPS, NULL, NULL);
	}
	return 0;
}

static void ask_version(struct preflight *p, const struct need_program *n)
{
	_cleanup_(buf_done) struct buf said = { .max = VERSION_MAX }, also = { .max = VERSION_MAX };
	const char *const argv[] = { n->name, n->version, NULL };
	const struct proc_spec spec = { .argv = argv, .in = PROC_NULL };
	struct preflight_tool *tool;
	struct str words;

	if (!n->version || proc_run(&spec, &said, &also, VERSION_MS, NULL) < 0)
		return;
	/* Some tell it as an error. */
	words = str_trim(said.n ? buf_str(&said) : buf_str(&also));
	ARRAY_GROW(p->tools, p->n_tools, p->cap_tools);
	tool = &p->tools[p->n_tools++];
	*tool = (struct preflight_tool){ .name = n->name };
	buf_add_str(&tool->version, str_trim(str_cut(&words, '\n')));
}

static int by_effect(const void *a, const void *b)
{
	const struct preflight_lack *x = a, *y = b;

	if (x->effect != y->effect)
		return x->effect < y->effect ? -1 : 1;
	if (!x->package != !y->package)
		return x->package ? 1 : -1;
	return strcmp(x->name, y->name);
}

int preflight(const struct plan_suite *suite, const struct preflight_place *place,
	      struct plan_tests *tests, struct preflight *ret, struct err *err)
{
	bool off[NEEDS_MAX] = {}, seen[NEEDS_MAX] = {};
	size_t looked = 0;
	int r = 0;

	*ret = (struct preflight){};
	for (size_t i = 0; NEED_OPTIONS[i].name; i++)
		off[i] = is_off(place, NEED_OPTIONS[i].name);
	for (size_t i = 0; r == 0 && i < tests->n; i++) {
		struct plan_test *t = &tests->v[i];
		_cleanup_(buf_done) struct buf script = {};

		if (strcmp(t->suite, suite->name) != 0)
			continue;
		looked++;
		r = read_script(t, &script, err);
		look_for_options(ret, off, t, buf_str(&script));
		look_for_programs(ret, place, t, buf_str(&script), seen);
	}
	if (r == 0 && looked)
		r = look_at_fragment(ret, suite, place, err);
	for (const struct need_program *n = NEED_PROGRAMS; r == 0 && n->name; n++)
		if (place->versions && seen[n - NEED_PROGRAMS])
			ask_version(ret, n);
	if (ret->n_lacks)
		qsort(ret->lacks, ret->n_lacks, sizeof(*ret->lacks), by_effect);
	return r;
}

void preflight_done(struct preflight *p)
{
	for (size_t i = 0; i < p->n_lacks; i++) {
		free(p->lacks[i].name);
		buf_done(&p->lacks[i].tests);
	}
	for (size_t i = 0; i < p->n_tools; i++)
		buf_done(&p->tools[i].version);
	free(p->lacks);
	free(p->tools);
	*p = (struct preflight){};
}

void preflight_options(const struct preflight *p, struct buf *ret)
{
	for (size_t i = 0; i < p->n_lacks; i++)
		if (!p->lacks[i].package)
			buf_printf(ret, "%s-e %s", ret->n ? " " : "", p->lacks[i].name);
}

void preflight_packages(const struct preflight *p, struct buf *ret)
{
	for (size_t i = 0; i < p->n_lacks; i++) {
		bool had = !p->lacks[i].package;

		for (size_t k = 0; !had && k < i; k++)
			had = p->lacks[k].package &&
			      strcmp(p->lacks[k].package, p->lacks[i].package) == 0;
		if (!had)
			buf_printf(ret, "%s%s", ret->n ? " " : "", p->lacks[i].package);
	}
}
