/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/mem.h"
#include "kernel/apt.h"

/* What a stanza or a line says, before it is multiplied out. */
struct fields {
	struct str types, uris, suites, components, signed_by;
	bool disabled;
};

static struct str next_word(struct str *rest)
{
	size_t n = 0;
	struct str word;

	*rest = str_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' && rest->p[n] != '\n')
		n++;
	word = str_n(rest->p, n);
	*rest = str_from(*rest, n);
	return word;
}

static bool has_word(struct str list, struct str word)
{
	while (list.n) {
		struct str w = next_word(&list);

		if (w.n && str_eq(w, word))
			return true;
	}
	return false;
}

static char *dup(struct str s)
{
	return s.n ? xstrndup(s.p, s.n) : NULL;
}

static void add_all(struct apt_sources *s, const struct fields *f)
{
	struct str uris = f->uris;

	if (f->disabled || !has_word(f->types, STR("deb")))
		return;
	while (uris.n) {
		struct str uri = next_word(&uris), suites = f->suites;

		while (uri.n && suites.n && s->n < APT_SOURCES_MAX) {
			struct str suite = next_word(&suites);

			if (!suite.n)
				break;
			ARRAY_GROW(s->v, s->n, s->cap);
			s->v[s->n++] = (struct apt_source){
				.uri = dup(uri),
				.suite = dup(suite),
				.components = dup(str_trim(f->components)),
				.signed_by = dup(f->signed_by),
			};
		}
	}
}

/* deb [ signed-by=/k arch=amd64 ] URI SUITE COMPONENT... */
static void parse_line(struct apt_sources *s, struct str line)
{
	struct str comment = line, options;
	struct fields f = {};

	line = str_trim(str_cut(&comment, '#'));
	f.types = next_word(&line);
	line = str_trim(line);
	if (line.n && line.p[0] == '[') {
		line = str_from(line, 1);
		options = str_cut(&line, ']');
		while (options.n) {
			struct str value = next_word(&options), key = str_cut(&value, '=');

			if (str_eq_nocase(key, STR("signed-by")))
				f.signed_by = value;
		}
	}
	f.uris = next_word(&line);
	f.suites = next_word(&line);
	f.components = line;
	add_all(s, &f);
}

static void set_field(struct fields *f, struct str name, struct str value)
{
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
		{ "Types", offsetof(struct fields, types) },
		{ "URIs", offsetof(struct fields, uris) },
		{ "Suites", offsetof(struct fields, suites) },
		{ "Components", offsetof(struct fields, components) },
		{ "Signed-By", offsetof(struct fields, signed_by) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_eq_nocase(name, str_of(rows[i].name)))
			*(struct str *)((char *)f + rows[i].offset) = value;
	if (str_eq_nocase(name, STR("Enabled")))
		f->disabled = str_eq_nocase(str_trim(value), STR("no")) ||
			      str_eq_nocase(str_trim(value), STR("false"));
}

static bool continues(struct str text)
{
	return text.n && (text.p[0] == ' ' || text.p[0] == '\t');
}

static void parse_deb822(struct apt_sources *s, struct str text)
{
	struct fields f = {};

	while (text.n) {
		struct str line = str_cut(&text, '\n'), value = line, name;

		if (str_trim(line).n == 0) {
			add_all(s, &f);
			f = (struct fields){};
			continue;
		}
		if (line.p[0] == '#')
			continue;
		/* A value goes on over indented lines: a key block, long lists. */
		name = str_cut(&value, ':');
		while (value.p && continues(text)) {
			struct str more = str_cut(&text, '\n');

			value.n = (size_t)(more.p + more.n - value.p);
		}
		if (value.p)
			set_field(&f, name, value);
	}
	add_all(s, &f);
}

void apt_sources_parse(struct apt_sources *s, struct str text, bool deb822)
{
	if (deb822) {
		parse_deb822(s, text);
		return;
	}
	while (text.n)
		parse_line(s, str_cut(&text, '\n'));
}

void apt_sources_done(struct apt_sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].uri);
		free(s->v[i].suite);
		free(s->v[i].components);
		free(s->v[i].signed_by);
	}
	free(s->v);
	*s = (struct apt_sources){};
}

/* trixie has trixie-security; trixie-backports, sid and experimental have none. */
static bool has_security(const char *suite)
{
	static const char *const without[] = { "sid", "unstable", "experimental" };

	for (size_t i = 0; i < ARRAY_SIZE(without); i++)
		if (strcmp(suite, without[i]) == 0)
			return false;
	return !strchr(suite, '-');
}

static void write_source(const struct apt_source *s, const char *suite, const char *tail,
			 struct buf *ret)
{
	buf_printf(ret, "Types: deb\nURIs: %s\nSuites: %s%s\nComponents: %s\n", s->uri, suite,
		   tail, s->components ? s->components : "main");
	if (s->signed_by)
		buf_printf(ret, "Signed-By:%s%s\n", s->signed_by[0] == ' ' ? "" : " ",
			   s->signed_by);
	buf_printf(ret, "\n");
}

unsigned apt_sources_derive(const struct apt_sources *s, const char *codename,
			    const char *suite, struct buf *ret)
{
	_free_ char *security = xasprintf("%s-security", codename);
	unsigned n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct apt_source *src = &s->v[i];

		if (strcmp(src->suite, codename) == 0) {
			write_source(src, suite, "", ret);
			n++;
		} else if (strcmp(src->suite, security) == 0 && has_security(suite)) {
			write_source(src, suite, "-security", ret);
		}
	}
	return n;
}
