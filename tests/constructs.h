/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Constructs: what a line or two of a log mean, as data. Files in
 * tests/constructs hold them; README there describes the form. Readers: the
 * test of our own reader, and bench/constructs, which asks the others.
 */
#include <dirent.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tap/parse.h"

struct construct {
	const char *file;      /* its base name */
	unsigned line;         /* of the title */
	struct str title, rule;
	struct str todo;       /* why the reader has it wrong; empty: it has not */
	struct str unsaid;     /* why emitted TAP can't hold it; empty: it can */
	enum tap_end end;
	struct buf in, want;   /* bytes; lines as the test dumps them */
};

struct constructs {
	struct construct *v;
	size_t n, cap;
	struct buf *texts;     /* of the files; strings above are in them */
	size_t n_texts, cap_texts;
	char **files;
	struct buf wrong;      /* mistakes in the files, a line each */
};

static inline void constructs_wrong(struct constructs *c, const char *file, unsigned line,
				    const char *what)
{
	buf_printf(&c->wrong, "%s:%u: %s\n", file, line, what);
}

static inline int constructs_hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Adds @s to @b without its escapes. "\" at the end: nothing, and no newline
 * (returns 0, else 1). -1: a mistake.
 */
static inline int constructs_unescape(struct buf *b, struct str s)
{
	static const char FROM[] = "\\0ert", TO[] = "\\\0\x1b\r\t";

	for (size_t i = 0; i < s.n; i++) {
		const char *known;
		char c = s.p[i];

		if (c != '\\') {
			buf_add(b, &c, 1);
			continue;
		}
		if (++i == s.n)
			return 0;
		c = s.p[i];
		known = memchr(FROM, c, sizeof(FROM) - 1);
		if (known) {
			buf_add(b, &TO[known - FROM], 1);
		} else if (c == 'x' && i + 2 < s.n) {
			int hi = constructs_hex(s.p[i + 1]), lo = constructs_hex(s.p[i + 2]);
			char byte = (char)(hi * 16 + lo);

			if (hi < 0 || lo < 0)
				return -1;
			buf_add(b, &byte, 1);
			i += 2;
		} else if (c == '*') { /* \*100{text} */
			ptrdiff_t open = str_find(str_from(s, i), STR("{"));
			ptrdiff_t close = str_find(str_from(s, i), STR("}"));
			uint64_t times;

			if (open < 1 || close < open || close - open > 100 ||
			    !str_to_u64(str_n(s.p + i + 1, (size_t)open - 1), &times) ||
			    times > 100000)
				return -1;
			while (times--)
				buf_add(b, s.p + i + open + 1, (size_t)(close - open - 1));
			i += (size_t)close;
		} else {
			return -1;
		}
	}
	return 1;
}

static inline int constructs_body(struct buf *b, struct str s)
{
	int r = constructs_unescape(b, s);

	if (r > 0)
		buf_add(b, "\n", 1);
	return r;
}

static inline bool constructs_field(struct str line, const char *key, struct str *ret)
{
	struct str k = str_of(key);

	if (!str_starts(line, k) || line.n < k.n + 2 || line.p[k.n] != ' ')
		return false;
	*ret = str_trim(str_from(line, k.n));
	return true;
}

static inline bool constructs_end(struct str line, struct construct *c)
{
	struct str how;

	if (!constructs_field(line, "end", &how))
		return false;
	if (!str_eq(how, STR("cut")) && !str_eq(how, STR("crash")))
		return false;
	c->end = str_eq(how, STR("cut")) ? TAP_END_CUT : TAP_END_CRASH;
	return true;
}

static inline void constructs_parse(struct constructs *all, const char *file, struct str text)
{
	struct construct *c = NULL;
	unsigned n = 0;

	while (text.p) {
		struct str line = str_cut(&text, '\n');
		int r = 1;

		n++;
		if (!line.n || line.p[0] == '#')
			continue;
		if (str_starts(line, STR("== "))) {
			ARRAY_GROW(all->v, all->n, all->cap);
			c = &all->v[all->n++];
			*c = (struct construct){ .file = file, .line = n,
						 .title = str_trim(str_from(line, 3)) };
		} else if (!c) {
			r = -1;
		} else if (line.p[0] == '|') {
			r = constructs_body(&c->in, str_from(line, 1));
		} else if (str_starts(line, STR("> "))) {
			r = constructs_body(&c->want, str_from(line, 2));
		} else if (!constructs_field(line, "rule", &c->rule) &&
			   !constructs_field(line, "todo", &c->todo) &&
			   !constructs_field(line, "unsaid", &c->unsaid) &&
			   !constructs_end(line, c)) {
			r = -1;
		}
		if (r < 0)
			constructs_wrong(all, file, n, "what is this line?");
	}
}

/* All "*.txt" of @dir, by name. What is wrong is in .wrong. */
static inline void constructs_load(struct constructs *all, const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);

	if (n < 0) {
		constructs_wrong(all, dir, 0, "no such directory");
		return;
	}
	for (int i = 0; i < n; i++) {
		_free_ char *path = path_join(dir, names[i]->d_name);
		struct buf text = {};
		struct err err = {};

		if (str_ends(str_of(path), STR(".txt"))) {
			char *base = xstrdup(names[i]->d_name);

			if (file_read(path, 0, &text, &err) < 0)
				constructs_wrong(all, path, 0, err.text);
			if (all->n_texts == all->cap_texts) {
				all->cap_texts += 64;
				all->texts = xrealloc(all->texts, all->cap_texts,
						      sizeof(*all->texts));
				all->files = xrealloc(all->files, all->cap_texts,
						      sizeof(*all->files));
			}
			all->files[all->n_texts] = base;
			all->texts[all->n_texts++] = text;
			constructs_parse(all, base, buf_str(&text));
		}
		free(names[i]);
	}
	free(names);
}

static inline void constructs_done(struct constructs *all)
{
	for (size_t i = 0; i < all->n; i++) {
		buf_done(&all->v[i].in);
		buf_done(&all->v[i].want);
	}
	for (size_t i = 0; i < all->n_texts; i++) {
		buf_done(&all->texts[i]);
		free(all->files[i]);
	}
	free(all->v);
	free(all->texts);
	free(all->files);
	buf_done(&all->wrong);
}
