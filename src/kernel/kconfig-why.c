/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why an option did not stick: its definition is looked up in the tree's Kconfig
 * files, with the "depends on" and "if" around it, and the names in them that are
 * off are told. An expression is not computed: its names are what helps.
 */
#include <ctype.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/kconfig.h"

#define KCONFIG_FILE_MAX (1u << 20)
#define DEPTH_MAX        32
#define EXPR_MAX         2048

struct search {
	const char *name;
	struct str result;     /* the .config */
	bool found;
	bool prompt;           /* a person may set it */
	struct buf depends;    /* expressions, one per line */
	struct buf *why;
};

/* First word of a line; the line goes on behind it. */
static struct str first_word(struct str *line)
{
	size_t n = 0;

	*line = str_trim(*line);
	while (n < line->n && !char_is_space(line->p[n]))
		n++;
	struct str word = str_n(line->p, n);

	*line = str_trim(str_from(*line, n));
	return word;
}

static char value_of(struct str result, struct str name)
{
	while (result.n) {
		struct str line = str_cut(&result, '\n'), key;

		if (!str_starts(line, STR("CONFIG_")))
			continue;
		line = str_from(line, 7);
		key = str_cut(&line, '=');
		if (str_eq(key, name))
			return line.n ? line.p[0] : 'n';
	}
	return 'n';
}

static bool is_entry(struct str word)
{
	static const char *const words[] = { "config", "menuconfig", "choice", "endchoice",
					     "comment", "menu", "endmenu", "if", "endif",
					     "source", "mainmenu" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(word, str_of(words[i])))
			return true;
	return false;
}

static bool is_prompt(struct str word, struct str rest)
{
	static const char *const types[] = { "bool", "tristate", "int", "hex", "string" };

	if (str_eq(word, STR("prompt")))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(word, str_of(types[i])) && rest.n && strchr("\"'", rest.p[0]))
			return true;
	return false;
}

/* Enclosing conditions, by depth. */
struct around {
	struct str v[DEPTH_MAX];
	unsigned n;
};

static void push(struct around *a, struct str expr)
{
	if (a->n < DEPTH_MAX)
		a->v[a->n] = expr;
	a->n++;
}

/* In columns of a tab's 8; of an empty line UINT_MAX. */
static unsigned indent_of(struct str line)
{
	unsigned n = 0;

	for (size_t i = 0; i < line.n && char_is_space(line.p[i]); i++)
		n = line.p[i] == '\t' ? (n | 7) + 1 : n + 1;
	return str_trim(line).n ? n : UINT_MAX;
}

/* Help is indented as its first line is, and ends where a line is less so
 * (Documentation/kbuild/kconfig-language.rst). It may hold any words. */
struct help {
	bool in;
	unsigned indent; /* UINT_MAX: it did not begin */
};

static bool is_help(struct help *h, struct str line)
{
	unsigned indent = indent_of(line);

	if (!h->in || indent == UINT_MAX)
		return h->in;
	if (h->indent == UINT_MAX)
		h->indent = indent;
	h->in = indent >= h->indent && indent > 0;
	return h->in;
}

static void search_text(struct search *s, struct str text)
{
	struct around around = {};
	bool mine = false, menu = false;
	struct help help = {};

	while (text.n) {
		struct str line = str_cut(&text, '\n'), word;
		bool top = line.n && !char_is_space(line.p[0]);

		if (is_help(&help, line))
			continue;
		word = first_word(&line);
		if (is_entry(word) && (top || !mine)) {
			mine = menu = false;
			if (str_eq(word, STR("if"))) {
				push(&around, line);
			} else if (str_eq(word, STR("menu"))) {
				push(&around, STR_NONE);
				menu = true;
			} else if (str_eq(word, STR("endif")) || str_eq(word, STR("endmenu"))) {
				around.n -= around.n > 0;
			} else if ((str_eq(word, STR("config")) ||
				    str_eq(word, STR("menuconfig"))) &&
				   str_eq(line, str_of(s->name))) {
				s->found = mine = true;
				for (unsigned i = 0; i < around.n && i < DEPTH_MAX; i++)
					buf_printf(&s->depends, "%.*s\n", STR_FMT(around.v[i]));
			}
			continue;
		}
		if (str_eq(word, STR("help")) || str_eq(word, STR("---help---"))) {
			help = (struct help){ true, UINT_MAX };
			continue;
		}
		if (mine)
			s->prompt |= is_prompt(word, line);
		if (str_eq(word, STR("depends")) && (mine || menu)) {
			first_word(&line); /* "on" */
			if (mine)
				buf_printf(&s->depends, "%.*s\n", STR_FMT(line));
			else if (around.n && around.n <= DEPTH_MAX)
				around.v[around.n - 1] = line;
		}
	}
}

/* Kconfig files of other architectures define the same names. */
static bool other_arch(const char *path, const char *source, const char *arch)
{
	const char *below = path + strlen(source);
	bool um = strcmp(arch, "um") == 0;

	if (strncmp(below, "/arch/", 6) != 0 || !strchr(below + 6, '/'))
		return false;
	below += 6;
	if (um)
		return strncmp(below, "um/", 3) != 0 && strncmp(below, "x86/um/", 7) != 0;
	return strncmp(below, "x86/", 4) != 0 || strncmp(below, "x86/um/", 7) == 0;
}

static void search_tree(struct search *s, const char *source, const char *arch)
{
	char *const dirs[] = { (char *)source, NULL };
	FTS *walk = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	FTSENT *e;

	while (walk && (e = fts_read(walk))) {
		struct buf text = {};

		if (e->fts_info == FTS_D && e->fts_level == 1 &&
		    (strcmp(e->fts_name, "Documentation") == 0 || e->fts_name[0] == '.' ||
		     strcmp(e->fts_name, "tools") == 0))
			fts_set(walk, e, FTS_SKIP);
		if (strncmp(e->fts_name, "Kconfig", 7) != 0 || e->fts_info == FTS_D ||
		    other_arch(e->fts_path, source, arch))
			continue;
		if (file_read(e->fts_path, KCONFIG_FILE_MAX, &text, NULL) == 0)
			search_text(s, buf_str(&text));
		buf_done(&text);
	}
	if (walk)
		fts_close(walk);
}

/* The names of an expression that are off, and not denied there. */
static void tell_off(struct search *s, struct str expr, struct buf *off)
{
	for (size_t i = 0; i < expr.n;) {
		size_t from = i;
		struct str name;

		while (i < expr.n && (isalnum((unsigned char)expr.p[i]) || expr.p[i] == '_'))
			i++;
		name = str_n(expr.p + from, i - from);
		if (!name.n) {
			/* "$(cc-option,...)" and quoted words are no names. */
			if (expr.p[i] == '$')
				return;
			i++;
			continue;
		}
		if (!isupper((unsigned char)name.p[0]))
			continue;
		if (value_of(s->result, name) != 'n')
			continue;
		while (from > 0 && expr.p[from - 1] == ' ')
			from--;
		if (from > 0 && (expr.p[from - 1] == '!' || expr.p[from - 1] == '='))
			continue;
		buf_printf(off, "%s%.*s", off->n ? ", " : "", STR_FMT(name));
	}
}

/* "!UML": a name that is on and must not be. */
static void tell_on(struct search *s, struct str expr, struct buf *on)
{
	for (size_t i = 0; i + 1 < expr.n; i++) {
		size_t n = i + 1;
		struct str name;

		if (expr.p[i] != '!')
			continue;
		while (n < expr.n && (isalnum((unsigned char)expr.p[n]) || expr.p[n] == '_'))
			n++;
		name = str_n(expr.p + i + 1, n - i - 1);
		if (name.n && value_of(s->result, name) != 'n')
			buf_printf(on, "%s%.*s", on->n ? ", " : "", STR_FMT(name));
	}
}

void kconfig_why(const char *source, const char *name, const char *arch, struct str result,
		 struct buf *ret)
{
	struct search s = { .name = name, .result = result, .depends = { .max = EXPR_MAX } };
	struct buf off = { .max = EXPR_MAX }, on = { .max = EXPR_MAX };

	search_tree(&s, source, arch);
	for (struct str rest = buf_str(&s.depends); rest.n;) {
		struct str line = str_cut(&rest, '\n');

		tell_off(&s, line, &off);
		tell_on(&s, line, &on);
	}
	if (!s.found)
		buf_printf(ret, "no such option in this tree");
	else if (off.n)
		buf_printf(ret, "it depends on %.*s, not set", STR_FMT(buf_str(&off)));
	else if (on.n)
		buf_printf(ret, "it wants %.*s off", STR_FMT(buf_str(&on)));
	else if (!s.prompt)
		buf_printf(ret, "nobody may set it: others do");
	buf_done(&off);
	buf_done(&on);
	buf_done(&s.depends);
}
